package alibaba

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
)

func findURI(c CredentialSource, _ *caller, _ bool) (found, error) {
	uri := cmp.Or(c.URI, os.Getenv("ALIBABA_CLOUD_CREDENTIALS_URI"))
	if uri == "" {
		return found{looked: "ALIBABA_CLOUD_CREDENTIALS_URI is not set"}, nil
	}
	return uriProvider(uri)
}

func uriProvider(uri string) (found, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return found{}, errors.New("the credentials URI is not an http or https URL")
	}
	transport := newTransport(5 * time.Second)
	transport.DisableKeepAlives = true
	return found{issuer: &uriKeys{uri: uri, client: &http.Client{Timeout: 15 * time.Second, Transport: transport}}, detail: u.Host}, nil
}

// uriKeys fetches temporary keys from a URI. It stands in for the SDK's provider,
// which prints transport errors to the standard output. Not safe for concurrent use.
type uriKeys struct {
	uri     string
	client  *http.Client
	key     *credentials.Credentials
	expires time.Time
}

// earlyRenewal is how long before their end keys are renewed, as in the SDK
// (reference §1.8).
const earlyRenewal = 3 * time.Minute

func (k *uriKeys) forget() bool {
	k.key = nil
	return true
}

func (k *uriKeys) issue(ctx context.Context) (*credentials.Credentials, error) {
	if k.key != nil && time.Until(k.expires) > earlyRenewal {
		return k.key, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.uri, http.NoBody)
	if err != nil {
		return nil, &sourceError{text: "the credentials URI is no URL"}
	}
	resp, err := k.client.Do(req)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, &sourceError{text: describe(err, nil), passing: true}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &sourceError{text: fmt.Sprintf("it answered with status %d", resp.StatusCode), passing: resp.StatusCode >= 500}
	}
	var keys struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string }
	if json.Unmarshal(body, &keys) != nil { // its error could quote the keys
		return nil, &sourceError{text: "its answer is not the expected JSON"}
	}
	expires, err := time.Parse(time.RFC3339, keys.Expiration)
	if keys.AccessKeyId == "" || keys.AccessKeySecret == "" || keys.SecurityToken == "" || err != nil {
		return nil, &sourceError{text: "its answer lacks AccessKeyId, AccessKeySecret, SecurityToken or a valid Expiration"}
	}
	k.key = &credentials.Credentials{
		AccessKeyId: keys.AccessKeyId, AccessKeySecret: keys.AccessKeySecret, SecurityToken: keys.SecurityToken,
		ProviderName: "credential_uri",
	}
	k.expires = expires
	return k.key, nil
}
