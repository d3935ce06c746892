package alibaba

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// The sources of credentials (reference §1.8).
const (
	FromOptions    = "options"     // the key in CredentialSource itself
	FromEnv        = "env"         // ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN
	FromOIDC       = "oidc"        // ALIBABA_CLOUD_OIDC_TOKEN_FILE, …_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_ROLE_ARN
	FromCLIProfile = "cli-profile" // ~/.aliyun/config.json
	FromINIFile    = "ini-file"    // ALIBABA_CLOUD_CREDENTIALS_FILE or ~/.alibabacloud/credentials
	FromECSRole    = "ecs-role"    // the metadata service of the server that this runs on
	FromURI        = "uri"         // ALIBABA_CLOUD_CREDENTIALS_URI
)

// defaultSources is the order in which sources are tried. The first one that is
// configured is used, whether it works or not: falling through to the next would
// act under an identity that nobody chose. The metadata service is asked only when
// ALIBABA_CLOUD_ECS_METADATA names a role or the source is chosen by name.
var defaultSources = []string{FromOptions, FromEnv, FromOIDC, FromCLIProfile, FromINIFile, FromECSRole, FromURI}

// CredentialSource says where the credentials come from. The zero value is the chain
// of Sources. It prints and marshals without its secrets.
type CredentialSource struct {
	Name  string   // one source, used and no other; "" = the first configured one of Order
	Order []string // default Sources()

	AccessKeyID     string // FromOptions
	AccessKeySecret string
	SecurityToken   string // empty for a permanent key

	Profile string // FromCLIProfile, FromINIFile; default ALIBABA_CLOUD_PROFILE, then the file's own default
	ECSRole string // FromECSRole; default ALIBABA_CLOUD_ECS_METADATA, then the server's own
	URI     string // FromURI; default ALIBABA_CLOUD_CREDENTIALS_URI

	RoleARN         string        // assumed with the source's credentials, whichever it is; "" = none
	Through         []string      // roles that are assumed on the way to RoleARN, one with the other's credentials
	RoleSessionName string        // default "fwsync"
	ExternalID      string        // of the trust policy of RoleARN
	RoleDuration    time.Duration // 15 minutes or more; default one hour
	STSEndpoint     string        // host of the token service; default Options.Endpoint, else the vendor's
}

// String names the choice, without secrets.
func (c CredentialSource) String() string {
	name := c.Name
	if name == "" {
		name = "first of " + strings.Join(c.order(), ", ")
	}
	for _, arn := range c.roles() {
		name += ", role " + arn
	}
	return name
}

// roles are the roles to assume, in their order.
func (c CredentialSource) roles() []string {
	roles := slices.Clone(c.Through)
	if c.RoleARN != "" {
		roles = append(roles, c.RoleARN)
	}
	return roles
}

// GoString is String: %#v shows no secret either.
func (c CredentialSource) GoString() string { return "alibaba.CredentialSource{" + c.String() + "}" }

// LogValue is String, for slog.
func (c CredentialSource) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON writes String.
func (c CredentialSource) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

func (c CredentialSource) order() []string {
	if len(c.Order) > 0 {
		return c.Order
	}
	return defaultSources
}

// finder looks for one source. It returns no issuer and no error when the source is
// not configured, with what it looked for. chosen is true when the source was asked
// for by name; calls is for those that ask the token service.
type finder func(c CredentialSource, calls *caller, chosen bool) (found, error)

// found is a source that is configured, or what was looked for in vain.
type found struct {
	issuer issuer
	detail string // such as a profile's name
	looked string
}

var finders = map[string]finder{
	FromOptions: findOptions, FromEnv: findEnv, FromOIDC: findOIDC, FromCLIProfile: findCLIProfile,
	FromINIFile: findINIFile, FromECSRole: findECSRole, FromURI: findURI,
}

// chooseSource picks the source. The error is Invalid for an unknown name and Denied
// when the source cannot be used or none is configured.
func chooseSource(c CredentialSource, calls *caller) (*source, error) {
	refused := func(kind cloudfw.Kind, name, why, advice string) error {
		return &cloudfw.Error{Op: "credentials", Subject: name, Kind: kind, Message: why, Advice: advice}
	}
	names := c.order()
	if c.Name != "" {
		names = []string{c.Name}
	}
	var looked []string
	for _, name := range names {
		find, ok := finders[name]
		if !ok {
			return nil, refused(cloudfw.Invalid, "", fmt.Sprintf("unknown source %q; known are %s", name, strings.Join(defaultSources, ", ")), "")
		}
		f, err := find(c, calls, c.Name != "")
		if err != nil {
			return nil, refused(cloudfw.Denied, name, "configured but not usable: "+oneLine(redact(err.Error())),
				"mend the source "+name+", or name another one: "+strings.Join(defaultSources, ", "))
		}
		if f.issuer == nil {
			looked = append(looked, name+" ("+f.looked+")")
			continue
		}
		s := &source{name: name, issuer: f.issuer, busy: make(chan struct{}, 1)}
		if f.detail != "" {
			s.name += " " + f.detail
		}
		return s, s.assume(c, calls)
	}
	return nil, refused(cloudfw.Denied, "", "no credentials are configured; looked for "+strings.Join(looked, "; "),
		"set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or make a profile with: aliyun configure")
}

// assume puts the roles on top of the source.
func (s *source) assume(c CredentialSource, calls *caller) error {
	for _, arn := range c.roles() {
		r := role{arn: arn, session: c.RoleSessionName, duration: c.RoleDuration, endpoint: c.STSEndpoint}
		if arn == c.RoleARN {
			r.external = c.ExternalID
		}
		assumed, err := r.on(s.issuer, s.name, calls)
		if err != nil {
			return &cloudfw.Error{Op: "credentials", Subject: s.name, Kind: cloudfw.Invalid, Message: oneLine(redact(err.Error()))}
		}
		s.issuer = assumed
		s.name += ", role " + arn
	}
	return nil
}

// Sources lists the names that CredentialSource.Name takes, in the order in which
// they are tried by default.
func Sources() []string { return slices.Clone(defaultSources) }
