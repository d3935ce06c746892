package alibaba

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// asset is one protected address as DescribeAssetList answers it (reference §2.7).
type asset struct {
	InternetAddress    text
	Name               text
	ResourceInstanceId text
	BindInstanceId     text
	IntranetAddress    text
	MemberUid          text
	RegionID           text
}

type assetsAnswer struct {
	envelope
	TotalCount *number
	Assets     []asset
}

func (a *assetsAnswer) check() error {
	if a.TotalCount == nil {
		return errors.New("no TotalCount")
	}
	return nil
}

// readAssets reads the account's own public addresses, each once. Assets without a
// public address are left out.
func (a *Account) readAssets(ctx context.Context) ([]cloudfw.Asset, error) {
	found, err := readNumbered(ctx, describeAssetList, "",
		func(f *asset) string { return fmt.Sprint(*f) }, nil,
		func(ctx context.Context, number int) (page[asset], error) {
			got, err := ask[assetsAnswer](ctx, a, describeAssetList, "", func() requests.AcsRequest {
				return newRequest(describeAssetList, pageFields(number, pageSize), nil)
			})
			if err != nil {
				return page[asset]{}, err
			}
			return page[asset]{got.Assets, int(*got.TotalCount)}, nil
		})
	if err != nil {
		return nil, err
	}
	assets := make([]cloudfw.Asset, 0, len(found))
	for _, f := range found {
		if f.InternetAddress == "" {
			continue
		}
		addr, err := netip.ParseAddr(string(f.InternetAddress))
		if err != nil {
			// Left out, it could be blocked: better no snapshot than a gap in the never-block list.
			return nil, partial(describeAssetList, oneLine(string(f.ResourceInstanceId)),
				fmt.Sprintf("the address %q cannot be read", oneLine(string(f.InternetAddress))))
		}
		assets = append(assets, cloudfw.Asset{Address: addr.Unmap().WithZone(""), Name: string(cmp.Or(f.Name, f.ResourceInstanceId))})
	}
	slices.SortStableFunc(assets, func(x, y cloudfw.Asset) int {
		return cmp.Or(x.Address.Compare(y.Address), cmp.Compare(x.Name, y.Name))
	})
	return slices.CompactFunc(assets, func(x, y cloudfw.Asset) bool { return x.Address == y.Address }), nil
}
