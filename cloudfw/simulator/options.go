package simulator

import (
	"io"
	"maps"
	"slices"
	"time"
)

// Options configures a Cloud. The zero value is an empty cloud in memory with
// the documented limits, the key pair simulator/simulator and full checking of
// signature, timestamp and nonce.
type Options struct {
	// Keys maps an access key id to its secret. Nil means one pair, DefaultKey
	// and DefaultSecret. A security token is accepted and not checked.
	Keys map[string]string
	// Clock tells the time. Nil means time.Now.
	Clock func() time.Time
	// StateFile is where the state is kept. Empty means memory only. An existing
	// file is loaded by New; every successful mutating call is on disk before it
	// is answered. Several processes may share one file.
	StateFile string
	// World is the state to start from when there is no state file yet. Nil means
	// an empty cloud.
	World *State
	// Limits are the quotas; a zero field means its documented default.
	Limits Limits
	// Assume chooses between readings of behaviour nobody has documented.
	Assume Assumptions
	// RatePerAPI is the number of calls a second that one key may make to one
	// API, and the size of the burst (reference §2: 10 a second). Zero is no limit.
	RatePerAPI int
	// SkipSignature accepts any signature, and any access key id.
	SkipSignature bool
	// SkipTimestamp accepts any well-formed or missing Timestamp.
	SkipTimestamp bool
	// SkipNonce accepts a repeated or missing SignatureNonce.
	SkipNonce bool
	// InactiveKeys are the ids among Keys that are switched off: calls with them are
	// refused with InvalidAccessKeyId.Inactive.
	InactiveKeys []string
	// Permissions are what each access key may do; AnyKey stands for the keys that
	// are not named. Nil, or no entry for a key, allows everything.
	Permissions map[string]Permissions
	// NoFirewall is an account that has not bought Cloud Firewall: all its calls
	// are refused with ErrorFirewallNotPurchased (assumed). ECS works.
	NoFirewall bool
	// Regions are region ids that exist besides the vendor's own.
	Regions []string
	// EngineDelay is how long the engine behind Cloud Firewall lags behind what the
	// API shows (about 3 minutes for the vendor's, reference §2); see Cloud.Engine.
	// Zero lets it follow at once.
	EngineDelay time.Duration
	// Seed starts the generators behind faults with a probability and behind the
	// editor. The same seed and the same calls in the same order give the same
	// faults and edits.
	Seed uint64
	// CallLog receives every finished call as one line of JSON, a Call; it holds no
	// secrets. Nil means none. Writes to it are serialised. See Cloud.LogError.
	CallLog io.Writer
}

// DefaultKey and DefaultSecret are the key pair of a Cloud without Keys.
const (
	DefaultKey    = "simulator"
	DefaultSecret = "simulator"
)

// Limits are the quotas of the account. A zero field means the default in brackets.
type Limits struct {
	AddressesPerBook     int   // addresses or domains in a book [2000], reference §2.3
	PortsPerBook         int   // ports in a port book [50], reference §2.3
	Books                int   // custom address books in the account [5000], reference §2.3
	SpreadUnits          int   // policy quota, all directions and IP versions together [20000], reference §2.2
	RulesPerGroup        int   // rules in a security group, both directions together [200], reference §3.1
	PrefixLists          int   // prefix lists [100], reference §3.2
	EntriesPerPrefixList int   // highest MaxEntries of a prefix list [200], reference §3.2
	NameLength           int   // characters in a book's name [128], reference §2.3
	DescriptionLength    int   // characters in a book's or policy's description [256], reference §2.3
	BodyBytes            int64 // bytes in a request body [4 MiB], assumed
}

// DefaultLimits returns the documented limits.
func DefaultLimits() Limits {
	return Limits{
		AddressesPerBook: 2000, PortsPerBook: 50, Books: 5000, SpreadUnits: 20000,
		RulesPerGroup: 200, PrefixLists: 100, EntriesPerPrefixList: 200,
		NameLength: 128, DescriptionLength: 256, BodyBytes: 4 << 20,
	}
}

// Assumptions picks a reading where the reference leaves two (§9, §10). The zero
// value is the more tolerant reading unless a field says otherwise.
type Assumptions struct {
	// AppendExistingFails makes adding an address that the book already holds
	// fail the whole call with ErrorParametersGroupAddress. Otherwise it is ignored.
	AppendExistingFails bool
	// DeleteMissingFails makes removing an absent address from a book, or an
	// absent entry from a prefix list, fail the whole call. Otherwise it is ignored.
	DeleteMissingFails bool
	// NormaliseAddresses makes books answer canonical CIDRs: a host becomes /32 or
	// /128 and host bits are masked. Otherwise addresses read back as written and
	// set host bits are refused.
	NormaliseAddresses bool
	// DeleteUnknownPolicySucceeds makes DeleteControlPolicy of an unknown AclUuid
	// succeed. Otherwise it is ErrorAclNotExist.
	DeleteUnknownPolicySucceeds bool
	// OmittedFieldsClear makes ModifyControlPolicy reset the fields that the call
	// leaves out. Otherwise they keep their values.
	OmittedFieldsClear bool
	// BeyondEndAppends places a policy whose wanted order lies beyond the end of
	// the list at the end. Otherwise it is ErrorParametersNewOrder.
	BeyondEndAppends bool
	// BeyondEndKeepsOrder gives a policy whose wanted order lies beyond the end of
	// the list that very order, leaving a hole before it, so that it reads back as
	// asked (reference §10). It goes before BeyondEndAppends.
	BeyondEndKeepsOrder bool
	// BadAddressesSkipped makes a list of addresses with malformed ones among them
	// succeed with the rest. Otherwise one bad address fails the whole call. A list
	// without a good one always fails.
	BadAddressesSkipped bool
	// OverflowKeepsWhatFits makes a list of addresses that does not fit into a book
	// fill the book up to its limit, and then answer ErrorAddressCountExceed all the
	// same. Otherwise the refused call has no effect.
	OverflowKeepsWhatFits bool
	// ModesKeepTexts makes ModifyAddressBook with the modes Append and Delete leave the
	// book's name and description as they are. Otherwise they become what the call says.
	ModesKeepTexts bool
	// PastStartRefused makes a policy whose StartTime is over when it is written fail
	// with ErrorParameters, so that none with an end can be in force at once. Otherwise
	// it is in force at once.
	PastStartRefused bool
	// LapsedPoliciesVanish makes policies disappear at their EndTime, and those below
	// them move up. Otherwise they stay in the list and enforce nothing.
	LapsedPoliciesVanish bool
}

func (o Options) withDefaults() Options {
	if o.Keys == nil {
		o.Keys = map[string]string{DefaultKey: DefaultSecret}
	}
	o.Keys = maps.Clone(o.Keys)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Limits = o.Limits.withDefaults()
	o.InactiveKeys, o.Regions = slices.Clone(o.InactiveKeys), slices.Clone(o.Regions)
	return o
}
