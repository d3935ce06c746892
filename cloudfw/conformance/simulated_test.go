package conformance

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/alibaba"
	"fwsync/cloudfw/simulator"
)

// service is a simulated account behind real HTTP.
type service struct {
	cloud *simulator.Cloud
	host  string // host:port
	paced bool   // it has a limit of calls, so real time has to pass

	mu      sync.Mutex
	stalled chan struct{} // not nil: the next call hangs
}

func newService(t *testing.T, o simulator.Options) *service {
	t.Helper()
	if o.World == nil {
		world := crowded()
		o.World = &world
	}
	cloud, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{cloud: cloud, paced: o.RatePerAPI > 0}
	handler := cloud.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		stalled := s.stalled
		s.stalled = nil
		s.mu.Unlock()
		if stalled != nil {
			_, _ = io.Copy(io.Discard, r.Body) // else a client that goes away is not noticed
			close(stalled)
			<-r.Context().Done()
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if err := cloud.Check(); err != nil {
			t.Errorf("the simulated account is broken: %v", err)
		}
	})
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

func (s *service) stall() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stalled = make(chan struct{})
	return s.stalled
}

// open opens the account through the real adapter.
func (s *service) open(ctx context.Context) (*alibaba.Account, error) {
	pace := alibaba.NewHurriedPace(time.Now())
	if s.paced {
		pace = alibaba.NewPace(9.9)
	}
	return alibaba.Open(ctx, alibaba.Options{
		Region: "cn-hangzhou", Endpoint: s.host, Insecure: true, Pace: pace,
		Credentials: alibaba.CredentialSource{AccessKeyID: simulator.DefaultKey, AccessKeySecret: simulator.DefaultSecret},
	})
}

// subject is the whole of the simulated account, opened so many times by as many
// programs that take turns, and wrapped or not.
func (s *service) subject(t *testing.T, programs int, wrap func(*testing.T, cloudfw.Account) cloudfw.Account) Subject {
	limits := s.cloud.Limits()
	return Subject{
		Open: func(ctx context.Context) (cloudfw.Account, error) {
			all := &turns{}
			for range programs {
				a, err := s.open(ctx)
				if err != nil {
					return nil, err
				}
				all.accounts = append(all.accounts, a)
			}
			if wrap == nil {
				return all, nil
			}
			return wrap(t, all), nil
		},
		Prefix: "fwsync-conf-", Borders: []cloudfw.Border{internet, nat, vpc}, Group: "sg-mail", Stall: s.stall,
		Limits: cloudfw.Limits{
			AddressesPerBook: limits.AddressesPerBook, BooksPerAccount: limits.Books, RulesPerGroup: limits.RulesPerGroup,
			EntriesPerList: limits.EntriesPerPrefixList, ListsPerRegion: limits.PrefixLists, RulesPerCall: 100, SpreadUnits: limits.SpreadUnits,
		},
	}
}

// turns is one account as several programs have it open: each call goes to the next
// of them. What one of them remembers of the account may be old.
type turns struct {
	accounts []*alibaba.Account
	next     atomic.Uint64
}

func (a *turns) turn() *alibaba.Account { return a.accounts[a.next.Add(1)%uint64(len(a.accounts))] }

func (a *turns) Observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	return a.turn().Observe(ctx, scope)
}

func (a *turns) Execute(ctx context.Context, step cloudfw.Step) error {
	return a.turn().Execute(ctx, step)
}

// every reading of what nobody has documented, the other way round.
var otherwise = simulator.Assumptions{
	AppendExistingFails: true, DeleteMissingFails: true, NormaliseAddresses: true,
	DeleteUnknownPolicySucceeds: true, OmittedFieldsClear: true, BeyondEndAppends: true, ModesKeepTexts: true,
}

var small = simulator.Limits{AddressesPerBook: 170, Books: 20, SpreadUnits: 3000, RulesPerGroup: 80, PrefixLists: 7, EntriesPerPrefixList: 20}

// Everything that the suite calls, and nothing else, is in the access policy of
// docs/real-account.md; under that policy the suite runs here.
func TestTheSimulatedAccountConforms(t *testing.T) {
	t.Parallel()
	policy := documentedPolicy(t)
	bare := crowded()
	bare.Policies = nil
	configurations := []struct {
		name     string
		options  simulator.Options
		programs int
		wrap     func(*testing.T, cloudfw.Account) cloudfw.Account
	}{
		{"as documented", simulator.Options{}, 1, nil},
		{"bare lists", simulator.Options{World: &bare}, 6, nil},
		{"several programs", simulator.Options{}, 6, nil},
		{"read the other way", simulator.Options{Assume: otherwise}, 6, nil},
		{"small and throttled", simulator.Options{Limits: small, RatePerAPI: 10}, 1, nil},
		{"retry", simulator.Options{}, 6, wrapRetry},
		{"throttle", simulator.Options{}, 6, wrapThrottle},
		{"audit", simulator.Options{}, 6, wrapAudit},
		{"measure", simulator.Options{}, 6, wrapMeasure},
		{"all wrappers", simulator.Options{}, 6, wrapAll},
	}
	if testing.Short() {
		configurations = slices.Delete(configurations, 1, len(configurations)-1)
	}
	for i := range configurations {
		configurations[i].options.Permissions = map[string]simulator.Permissions{simulator.AnyKey: {Allow: policy}}
	}
	calls := &callNames{}
	t.Run("accounts", func(t *testing.T) {
		for _, c := range configurations {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				RunApart(t, func(t *testing.T) Subject {
					s := newService(t, c.options)
					before := s.cloud.Snapshot()
					t.Cleanup(func() {
						demandUntouched(t, before, s.cloud.Snapshot())
						calls.add(s.cloud.Calls())
					})
					return s.subject(t, c.programs, c.wrap)
				})
			})
		}
	})
	if testing.Short() || calls.services < len(configurations)*len(topics) {
		t.Log("not everything was run: what was called says nothing about the policy")
		return
	}
	for _, line := range difference(policy, calls.permissions(t)) {
		t.Errorf("docs/real-account.md and what the suite calls: %s", line)
	}
}

// demandUntouched looks at the account from behind, without the adapter.
func demandUntouched(t *testing.T, before, after simulator.State) {
	t.Helper()
	before.Serial, after.Serial = 0, 0
	if plain(before) != plain(after) {
		t.Errorf("the account is another afterwards\nbefore: %s\nafter:  %s", plain(before), plain(after))
	}
}

// A subset that people can run on its own: one border, no group, nothing to reach.
func TestASubjectMayHaveLittle(t *testing.T) {
	t.Parallel()
	s := newService(t, simulator.Options{})
	bare := s.subject(t, 6, nil)
	bare.Borders, bare.Group, bare.Limits, bare.Stall = []cloudfw.Border{nat}, "", cloudfw.Limits{}, nil
	Run(t, bare)
	for _, c := range s.cloud.Calls() {
		if slices.Contains([]string{"AddControlPolicy", "AuthorizeSecurityGroup", "CreateVpcFirewallControlPolicy"}, c.Action) && c.Code == "" {
			t.Errorf("%s was called and is not in the scope", c.Action)
		}
	}
}
