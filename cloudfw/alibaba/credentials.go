package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"

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

	RoleARN         string        // assumed with the source's credentials; "" = none
	RoleSessionName string        // default "fwsync"
	ExternalID      string        // of the role's trust policy
	RoleDuration    time.Duration // 15 minutes or more; default one hour
	STSEndpoint     string        // host of the token service; default the vendor's
}

// String names the choice, without secrets.
func (c CredentialSource) String() string {
	name := c.Name
	if name == "" {
		name = "first of " + strings.Join(c.order(), ", ")
	}
	if c.RoleARN != "" {
		name += ", role " + c.RoleARN
	}
	return name
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

// source issues the keys that requests are signed with. The SDK's providers are not
// safe for concurrent use and know no contexts, so one caller at a time asks them.
type source struct {
	name     string // for people
	provider credentials.CredentialsProvider
	busy     chan struct{} // holds the one who asks
}

// finder looks for one source. It returns no provider and no error when the source
// is not configured, with what it looked for. chosen is true when the source was
// asked for by name.
type finder func(c CredentialSource, chosen bool) (found, error)

// found is a source that is configured, or what was looked for in vain.
type found struct {
	provider credentials.CredentialsProvider
	detail   string // such as a profile's name
	looked   string
}

var finders = map[string]finder{
	FromOptions: findOptions, FromEnv: findEnv, FromOIDC: findOIDC, FromCLIProfile: findCLIProfile,
	FromINIFile: findINIFile, FromECSRole: findECSRole, FromURI: findURI,
}

// chooseSource picks the source. The error is Invalid for an unknown name and Denied
// when the source cannot be used or none is configured.
func chooseSource(c CredentialSource) (*source, error) {
	refused := func(kind cloudfw.Kind, name, why string) error {
		return &cloudfw.Error{Op: "credentials", Subject: name, Kind: kind, Message: why}
	}
	names := c.order()
	if c.Name != "" {
		names = []string{c.Name}
	}
	var looked []string
	for _, name := range names {
		find, ok := finders[name]
		if !ok {
			return nil, refused(cloudfw.Invalid, "", fmt.Sprintf("unknown source %q; known are %s", name, strings.Join(defaultSources, ", ")))
		}
		f, err := find(c, c.Name != "")
		if err != nil {
			return nil, refused(cloudfw.Denied, name, "configured but not usable: "+oneLine(redact(err.Error())))
		}
		if f.provider == nil {
			looked = append(looked, name+" ("+f.looked+")")
			continue
		}
		s := &source{name: name, provider: f.provider, busy: make(chan struct{}, 1)}
		if f.detail != "" {
			s.name += " " + f.detail
		}
		return s, s.assume(c)
	}
	return nil, refused(cloudfw.Denied, "", "no credentials are configured; looked for "+strings.Join(looked, "; "))
}

// assume puts the role on top of the source.
func (s *source) assume(c CredentialSource) error {
	if c.RoleARN == "" {
		return nil
	}
	role := role{arn: c.RoleARN, session: c.RoleSessionName, external: c.ExternalID, duration: c.RoleDuration, endpoint: c.STSEndpoint}
	provider, err := role.on(s.provider)
	if err != nil {
		return &cloudfw.Error{Op: "credentials", Subject: s.name, Kind: cloudfw.Invalid, Message: oneLine(redact(err.Error()))}
	}
	s.provider = provider
	s.name += ", role " + c.RoleARN
	return nil
}

// key returns the present credentials, renewed when they are about to expire. It
// fails with Denied when they are refused, with Unavailable when their service does
// not answer and with Canceled when ctx ends first.
func (s *source) key(ctx context.Context) (*credentials.Credentials, error) {
	select {
	case s.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, s.failure(ctx.Err())
	}
	type result struct {
		key *credentials.Credentials
		err error
	}
	ready := make(chan result, 1)
	go func() {
		defer func() { <-s.busy }()
		var r result
		defer func() {
			if recover() != nil {
				r = result{err: errNoCredentials}
			}
			ready <- r
		}()
		r.key, r.err = s.provider.GetCredentials()
		if r.err == nil && (r.key == nil || r.key.AccessKeyId == "" || r.key.AccessKeySecret == "") {
			r.err = errNoCredentials
		}
	}()
	select {
	case r := <-ready:
		if r.err != nil {
			return nil, s.failure(r.err)
		}
		return r.key, nil
	case <-ctx.Done():
		return nil, s.failure(ctx.Err())
	}
}

var errNoCredentials = errors.New("it answered without usable credentials")

// failure words an error of the source. The providers' own texts may hold whole
// answers and files, so of errors that are not ours only known parts are used.
func (s *source) failure(err error) error {
	e := &cloudfw.Error{Op: "credentials", Subject: s.name, Kind: cloudfw.Denied}
	//nolint:errorlint // only the outermost error is known to hold no secret of its own wrapping
	switch err := err.(type) {
	case *sdkerrors.ServerError:
		e.Code, e.RequestID = oneLine(redact(err.ErrorCode())), oneLine(redact(err.RequestId()))
		e.Message = fmt.Sprintf("the token service answered with status %d", err.HttpStatus())
		if kindOf(err.HttpStatus(), err.ErrorCode(), false) == cloudfw.Unavailable {
			e.Kind = cloudfw.Unavailable
		}
	case *url.Error:
		e.Kind, e.Message = cloudfw.Unavailable, describe(err.Err, nil)
	case *sourceError:
		e.Message = oneLine(redact(err.Error()))
		if err.passing {
			e.Kind = cloudfw.Unavailable
		}
	default:
		switch {
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			e.Kind, e.Message = cloudfw.Canceled, err.Error()
		default:
			e.Message = errNoCredentials.Error()
		}
	}
	return e
}

// sourceError is an error of our own providers, whose text holds no secret.
type sourceError struct {
	text    string
	passing bool // may work later
}

func (e *sourceError) Error() string { return e.text }

// role is a role to assume.
type role struct {
	arn, session, external, policy string
	duration                       time.Duration
	endpoint, region               string
	vpc                            bool
}

func (r role) on(base credentials.CredentialsProvider) (credentials.CredentialsProvider, error) {
	if !strings.HasPrefix(r.arn, "acs:ram::") {
		return nil, fmt.Errorf("role %q is not an ARN such as acs:ram::1234567890123456:role/fwsync", r.arn)
	}
	if r.duration == 0 {
		r.duration = time.Hour
	}
	if r.duration < 15*time.Minute {
		return nil, fmt.Errorf("role %s: a session of %s is shorter than 15 minutes", r.arn, r.duration)
	}
	if r.session == "" {
		r.session = "fwsync"
	}
	return credentials.NewRAMRoleARNCredentialsProviderBuilder().
		WithCredentialsProvider(base).WithRoleArn(r.arn).WithRoleSessionName(r.session).WithExternalId(r.external).
		WithPolicy(r.policy).WithDurationSeconds(int(r.duration / time.Second)).
		WithStsEndpoint(r.endpoint).WithStsRegion(r.region).WithEnableVpc(r.vpc).Build()
}

// Sources lists the names that CredentialSource.Name takes, in the order in which
// they are tried by default.
func Sources() []string { return slices.Clone(defaultSources) }
