package alibaba

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"

	"fwsync/cloudfw"
)

// source issues the keys that requests are signed with. One caller at a time asks
// it; the others wait, and then find the key that was renewed. Safe for concurrent
// use.
type source struct {
	name   string // for people
	issuer issuer
	busy   chan struct{} // holds the one who asks
}

// String is the source's name.
func (s *source) String() string { return s.name }

// issuer gets keys from where they come. It is asked by one caller at a time.
type issuer interface {
	// issue returns the present key, renewed when it is about to expire.
	issue(ctx context.Context) (*credentials.Credentials, error)
	// forget makes the next issue get a new key. It is false when there is no other.
	forget() bool
}

// enter waits for the source to be free.
func (s *source) enter(ctx context.Context) error {
	select {
	case s.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return s.failure(ctx.Err())
	}
}

// key returns the present credentials, renewed when they are about to expire. It
// fails with Denied when they are refused, with Unavailable when their service does
// not answer and with Canceled when ctx ends first.
func (s *source) key(ctx context.Context) (*credentials.Credentials, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.busy }()
	key, err := s.issuer.issue(ctx)
	if err == nil && (key == nil || key.AccessKeyId == "" || key.AccessKeySecret == "") {
		err = errNoCredentials
	}
	if err != nil {
		return nil, s.failure(err)
	}
	return key, nil
}

// renew implements keyring. Whoever comes second finds the key renewed.
func (s *source) renew(ctx context.Context, stale *credentials.Credentials) bool {
	if s.enter(ctx) != nil {
		return false
	}
	defer func() { <-s.busy }()
	if present, err := s.issuer.issue(ctx); err == nil && present != nil && present.AccessKeyId != stale.AccessKeyId {
		return true
	}
	return s.issuer.forget()
}

// sdkIssuer asks one of the SDK's providers. They know no contexts and panic on odd
// answers, so they are asked aside; one that is left behind is not used again.
type sdkIssuer struct {
	build    func() (credentials.CredentialsProvider, error)
	provider credentials.CredentialsProvider
}

func newSDKIssuer(build func() (credentials.CredentialsProvider, error)) (found, error) {
	provider, err := build()
	return found{issuer: &sdkIssuer{build, provider}}, err
}

func (k *sdkIssuer) issue(ctx context.Context) (*credentials.Credentials, error) {
	if k.provider == nil {
		provider, err := k.build()
		if err != nil {
			return nil, errNoCredentials
		}
		k.provider = provider
	}
	type result struct {
		key *credentials.Credentials
		err error
	}
	ready := make(chan result, 1)
	go func(provider credentials.CredentialsProvider) {
		r := result{err: errNoCredentials}
		defer func() {
			if recover() != nil {
				r = result{err: errNoCredentials}
			}
			ready <- r
		}()
		r.key, r.err = provider.GetCredentials()
	}(k.provider)
	select {
	case r := <-ready:
		return r.key, r.err
	case <-ctx.Done():
		k.provider = nil
		return nil, ctx.Err()
	}
}

func (k *sdkIssuer) forget() bool {
	k.provider = nil
	return true
}

// fixed is a key that never changes.
type fixed struct{ credentials.Credentials }

func (k *fixed) issue(context.Context) (*credentials.Credentials, error) { return &k.Credentials, nil }

func (k *fixed) forget() bool { return false }

var errNoCredentials = errors.New("it gave no usable credentials")

// failure words an error of the source. The providers' own texts may hold whole
// answers and files, so of errors that are not ours only known parts are used.
func (s *source) failure(err error) error {
	e := &cloudfw.Error{Op: "credentials", Subject: s.name, Kind: cloudfw.Denied}
	if ours, ok := errors.AsType[*cloudfw.Error](err); ok {
		e.Kind, e.Code, e.Message, e.RequestID, e.Advice = ours.Kind, ours.Code, ours.Op+": "+ours.Message, ours.RequestID, ours.Advice
		return e
	}
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
	if e.Kind == cloudfw.Denied {
		kind, _, _ := strings.Cut(strings.ReplaceAll(s.name, ",", " "), " ")
		e.Advice = sourceAdvice[kind]
	}
	return e
}

// sourceAdvice is what to do about sources that refuse to give keys.
var sourceAdvice = map[string]string{
	FromOIDC:       "check that the token file is fresh and that the role trusts the OIDC provider (ALIBABA_CLOUD_OIDC_TOKEN_FILE, ALIBABA_CLOUD_ROLE_ARN)",
	FromCLIProfile: "see whether the profile works at all, with: aliyun sts GetCallerIdentity",
	FromECSRole:    "attach a RAM role to this server and see that its metadata service is switched on; away from a server of the cloud, use another source",
	FromURI:        "see what answers at the address of ALIBABA_CLOUD_CREDENTIALS_URI: JSON with AccessKeyId, AccessKeySecret, SecurityToken and Expiration is needed",
}

// sourceError is an error of our own providers, whose text holds no secret.
type sourceError struct {
	text    string
	passing bool // may work later
}

func (e *sourceError) Error() string { return e.text }
