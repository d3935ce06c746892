package alibaba

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// eventsPerPage is the most that DescribeRiskEventGroup gives at once (reference §2.7).
const eventsPerPage = 10

// riskEvent is one group of events as DescribeRiskEventGroup answers it.
type riskEvent struct {
	EventId        text
	EventName      text
	SrcIP          text
	SrcIPTag       text
	DstIP          text
	Direction      text
	AttackType     number
	RuleResult     number
	VulLevel       number
	FirstEventTime number
	LastEventTime  number
	EventCount     number
}

type riskEventsAnswer struct {
	envelope
	TotalCount *number
	DataList   []riskEvent
}

func (a *riskEventsAnswer) check() error {
	if a.TotalCount == nil {
		return errors.New("no TotalCount")
	}
	return nil
}

// RiskEvents reads what the internet firewall's intrusion detection saw between two
// times, whole seconds, both included, oldest first by Last, then by source and id.
// Sources that are no addresses are left out. It takes one call for ten events; a
// span that ends in the past is read in one go, one that is still growing may be
// begun anew a few times and end as Unavailable. Safe for concurrent use.
func (a *Account) RiskEvents(ctx context.Context, from, to time.Time) ([]cloudfw.RiskEvent, error) {
	if !from.Before(to) {
		return nil, &cloudfw.Error{Op: describeRiskEventGroup.Name, Kind: cloudfw.Invalid,
			Message: fmt.Sprintf("%s is not before %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))}
	}
	query := fields{
		"StartTime": strconv.FormatInt(from.Unix(), 10), "EndTime": strconv.FormatInt(to.Unix(), 10), "DataType": "session",
		"Sort": "LastTime", "Order": "asc", "NoLocation": "true", "Lang": "en",
	}
	found, err := readPages(ctx, describeRiskEventGroup, "", eventsPerPage,
		func(e *riskEvent) string { return cmp.Or(string(e.EventId), fmt.Sprint(*e)) }, nil,
		func(ctx context.Context, number int) (page[riskEvent], error) {
			got, err := ask[riskEventsAnswer](ctx, a, describeRiskEventGroup, "", func() requests.AcsRequest {
				return newRequest(describeRiskEventGroup, query.with(pageFields(number, eventsPerPage)), nil)
			})
			if err != nil {
				return page[riskEvent]{}, err
			}
			return page[riskEvent]{got.DataList, int(*got.TotalCount)}, nil
		})
	if err != nil {
		return nil, err
	}
	events := make([]cloudfw.RiskEvent, 0, len(found))
	for i := range found {
		event, err := found[i].event()
		if err != nil {
			a.log.LogAttrs(ctx, slog.LevelDebug, "risk event left out", slog.String("why", err.Error()))
			continue
		}
		events = append(events, event)
	}
	slices.SortFunc(events, func(x, y cloudfw.RiskEvent) int {
		return cmp.Or(x.Last.Compare(y.Last), x.Source.Compare(y.Source), cmp.Compare(x.ID, y.ID))
	})
	return events, nil
}

// blockedResult is the RuleResult of an attempt that was stopped.
const blockedResult = 2

func (e *riskEvent) event() (cloudfw.RiskEvent, error) {
	source, err := netip.ParseAddr(string(e.SrcIP))
	if err != nil {
		return cloudfw.RiskEvent{}, fmt.Errorf("event %s: the source %q is no address", oneLine(string(e.EventId)), oneLine(string(e.SrcIP)))
	}
	event := cloudfw.RiskEvent{
		ID: string(e.EventId), Name: oneLine(string(e.EventName)), Source: source.Unmap().WithZone(""), Direction: cloudfw.Direction(e.Direction),
		Attack: int(e.AttackType), Level: int(e.VulLevel), Count: int64(e.EventCount), Blocked: e.RuleResult == blockedResult,
		First: time.Unix(int64(e.FirstEventTime), 0).UTC(), Last: time.Unix(int64(e.LastEventTime), 0).UTC(), SourceTag: oneLine(string(e.SrcIPTag)),
	}
	if destination, err := netip.ParseAddr(string(e.DstIP)); err == nil {
		event.Destination = destination.Unmap().WithZone("")
	}
	return event, nil
}
