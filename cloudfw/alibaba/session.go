package alibaba

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
)

// session sends single requests through the SDK. An SDK client is not safe for
// concurrent use (reference §0.9), so each request has a seat of its own. Safe for
// concurrent use.
type session struct {
	options   Options
	transport *http.Transport
	seats     sync.Pool // of *seat
}

// seat is one SDK client with its carrier and the key it signs with.
type seat struct {
	client  *sdk.Client
	carrier *carrier
	key     signingKey
}

// signingKey hands the SDK the credentials of the request under way.
type signingKey struct{ issued *credentials.Credentials }

// GetCredentials implements the SDK's credentials.CredentialsProvider.
func (k *signingKey) GetCredentials() (*credentials.Credentials, error) { return k.issued, nil }

// GetProviderName implements the SDK's credentials.CredentialsProvider.
func (k *signingKey) GetProviderName() string { return k.issued.ProviderName }

func newSession(o Options) *session {
	return &session{options: o, transport: newTransport(o.ConnectTimeout)}
}

func (s *session) seat() (*seat, error) {
	if free, ok := s.seats.Get().(*seat); ok {
		return free, nil
	}
	timeout := s.options.ConnectTimeout + s.options.ReadTimeout
	st := &seat{carrier: &carrier{base: s.transport, timeout: timeout}}
	config := sdk.NewConfig().WithAutoRetry(false).WithScheme(s.options.scheme()).WithUserAgent(s.options.UserAgent)
	config.Transport = st.carrier
	client, err := sdk.NewClientWithOptions(s.options.Region, config, &st.key)
	if err != nil {
		return nil, fmt.Errorf("preparing the vendor's SDK: %s", redact(err.Error()))
	}
	client.SetCloseTrace(true) // a trace would record signed URLs
	client.SetReadTimeout(timeout + time.Minute)
	st.client = client
	return st, nil
}

// send makes one HTTP request and returns what became of it. The request is used
// up: the SDK leaves its signature in it.
func (s *session) send(ctx context.Context, to door, request requests.AcsRequest, key *credentials.Credentials) (out outcome) {
	st, err := s.seat()
	if err != nil {
		return outcome{err: err}
	}
	st.carrier.ctx = ctx
	st.key.issued = key
	st.carrier.outcome = outcome{secrets: []string{key.AccessKeyId, key.AccessKeySecret, key.SecurityToken, key.BearerToken}}
	defer func() {
		out = st.carrier.outcome
		if cause := recover(); cause != nil {
			out.err = fmt.Errorf("the vendor's SDK failed: %v", cause)
			return // a seat in an unknown state is not used again
		}
		if !out.asked && out.err == nil {
			out.err = err
		}
		st.carrier.ctx, st.carrier.outcome, st.key.issued = nil, outcome{}, nil
		s.seats.Put(st)
	}()
	request.SetDomain(to.host)
	request.SetScheme(to.scheme)
	request.GetQueryParams()["RegionId"] = to.region
	err = st.client.DoAction(request, responses.NewCommonResponse())
	return out
}
