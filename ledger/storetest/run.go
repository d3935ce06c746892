// Package storetest is the one suite that every ledger.Store passes, and the samples
// that the stores' own tests share with it. What only one store can suffer (a damaged
// file, a server that is gone) is tested where that store lives.
package storetest

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"fwsync/ledger"
)

// Opener opens one more store of the same ledger, for the instance of that name, and
// closes it when the test ends.
type Opener func(t testing.TB, instance string) ledger.Store

// Run holds a kind of store to all that ledger.Store promises. Each call of fresh
// gives the opener of a ledger that does not exist yet.
func Run(t *testing.T, fresh func(t testing.TB) Opener) {
	for _, part := range []struct {
		name string
		test func(*testing.T, func(testing.TB) Opener)
	}{
		{"a new ledger is empty", newLedgerIsEmpty},
		{"every field comes back", everyFieldComesBack},
		{"returned decisions are those read later", returnedIsRead},
		{"bad decisions are refused and nothing is stored", badDecisionsRefused},
		{"revoke takes exactly what it names", revokeIsExact},
		{"an intake is saved as a whole or not at all", intakeIsWhole},
		{"instances read their own logs", instancesApart},
		{"of two that prolong a decision the longer end wins", longerEndWins},
		{"writers that prolong at the same time lose nothing", prolongedTogether},
		{"a decision that another host has made is joined", joinsWhatIsThere},
		{"nothing is joined unasked", joinsOnlyWhenAsked},
		{"hosts that decide the same at the same time leave one decision", joinedTogether},
		{"replacing does not undo a revocation", replacingKeepsRevocation},
		{"P8 a plan is used once", planIsUsedOnce},
		{"P6 what a crash left open is found and settled", crashIsSettled},
		{"the journal of an unknown plan is empty", unknownPlanIsEmpty},
		{"incomplete journal entries are refused", incompleteEntriesRefused},
		{"a gap keeps the time it was first seen", gapKeepsItsTime},
		{"the gaps of clouds are apart", gapsOfCloudsApart},
		{"a gap without a time is refused", gapWithoutTimeRefused},
		{"an incident comes back as it was kept", incidentComesBack},
		{"an incident runs once at a time", incidentRunsOnce},
		{"incidents that cannot be are refused", badIncidentsRefused},
		{"of many that start an incident one does", incidentStartedTogether},
		{"history comes in pages, newest first", historyInPages},
		{"past decisions are found by time and prefix", pastByTimeAndPrefix},
		{"compaction forgets what is over and old", compactionForgets},
		{"compaction of much goes in parts", compactionInParts},
		{"P10 one holder at a time, and the loser is told who", oneHolderAtATime},
		{"P10 a lost lease writes nothing", lostLeaseWritesNothing},
		{"P10 of many only one gets the lease", manyWantTheLease},
		{"asking for the lease ends with the context", leaseEndsWithContext},
		{"it behaves like its twin", behavesLikeItsTwin},
		{"goroutines share stores of one ledger", goroutinesShare},
		{"a cancelled context changes nothing", cancelledChangesNothing},
		{"an intake cancelled half-way changes nothing", intakeCancelledHalfWay},
		{"closing twice is fine and use after close is an error", closingTwice},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, fresh) })
	}
}

// CheckIntake compares the whole of what intakes leave behind.
func CheckIntake(t *testing.T, s ledger.Store, decisions []ledger.Decision, positions map[string]json.RawMessage, windows []byte) {
	t.Helper()
	if got, err := s.Decisions(t.Context(), time.Time{}); err != nil || !reflect.DeepEqual(got, decisions) {
		t.Errorf("decisions (error %v)\n%+v, want\n%+v", err, got, decisions)
	}
	if got, err := s.Positions(t.Context()); err != nil || !reflect.DeepEqual(got, positions) {
		t.Errorf("positions %s (error %v), want %s", got, err, positions)
	}
	if got, err := s.Windows(t.Context()); err != nil || string(got) != string(windows) {
		t.Errorf("windows %q (error %v), want %q", got, err, windows)
	}
}
