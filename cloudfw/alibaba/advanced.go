package alibaba

import (
	"context"
	"errors"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// advancedAnswer is the answer of DescribePolicyAdvancedConfig (reference §2.1).
type advancedAnswer struct {
	envelope
	InternetSwitch text
}

func (a *advancedAnswer) check() error {
	if a.InternetSwitch != "on" && a.InternetSwitch != "off" {
		return errors.New("InternetSwitch is neither on nor off")
	}
	return nil
}

// readStrict reports whether the internet border is in strict mode: what cannot be
// told to be the application that a policy names is dropped.
func (a *Account) readStrict(ctx context.Context) (bool, error) {
	got, err := ask[advancedAnswer](ctx, a, describeAdvancedConfig, "", func() requests.AcsRequest {
		return newRequest(describeAdvancedConfig, nil, nil)
	})
	return got.InternetSwitch == "on", err
}
