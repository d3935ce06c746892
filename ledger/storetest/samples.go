package storetest

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"fwsync/ledger"
)

// Noon is the time of the samples.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Block is a one-hour block of a host, made at noon.
func Block(address string) ledger.Decision {
	a := netip.MustParseAddr(address)
	return ledger.Decision{
		Verdict: ledger.Block,
		Prefix:  netip.PrefixFrom(a, a.BitLen()),
		Start:   Noon,
		End:     Noon.Add(time.Hour),
		Reason:  "test",
		Author:  "anna",
	}
}

// Full has a value in every field that a caller sets.
func Full() ledger.Decision {
	return ledger.Decision{
		Verdict:   ledger.Block,
		Prefix:    netip.MustParsePrefix("2001:db8:1::/48"),
		Start:     Noon.Add(1 * time.Millisecond),
		End:       Noon.Add(time.Hour + 2*time.Millisecond),
		Reason:    "12 × \"auth\" failed; <&> 'quoted' null\nline",
		Author:    "fwsync",
		Rule:      "sasl-bruteforce",
		Attempt:   3,
		Score:     -7,
		Count:     math.MaxInt32,
		FirstSeen: Noon.Add(-time.Hour - 3*time.Millisecond),
		LastSeen:  Noon.Add(-4 * time.Millisecond),
		MadeAt:    Noon.Add(9 * time.Millisecond),
		Lapses:    true,
		Counters: &ledger.Counters{
			Threshold: 5, LegitimateThreshold: 20, WithinSeconds: 600, Peak: 9, Members: 3, Account: "é\u2028\"x\"",
			CrossedAt: Noon.Add(-7 * time.Millisecond), Signals: 12, Weight: 10, Success: "smtp.auth_ok", Known: true,
		},
		Evidence: []ledger.Evidence{
			{Source: "mail.log", File: "/var/log/mail.log.1", Offset: 1 << 50, Line: 1 << 40, Hash: "0123456789abcdef", Text: "warning: unknown[192.0.2.1]: <é&\u2028> \"x\""},
			{Source: "journal", Line: 2, Hash: "fedcba9876543210", Text: ""},
		},
		RevokedAt:    Noon.Add(5 * time.Millisecond),
		RevokedBy:    "bert",
		RevokeReason: "a partner",
	}
}

// Many makes n one-hour blocks of different hosts, each with one line of evidence.
func Many(n int) []ledger.Decision {
	decisions := make([]ledger.Decision, n)
	for i := range decisions {
		a := netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)})
		decisions[i] = ledger.Decision{
			Verdict: ledger.Block, Prefix: netip.PrefixFrom(a, 32),
			Start: Noon.Add(time.Duration(i) * time.Millisecond), End: Noon.Add(time.Hour + time.Duration(i)*time.Millisecond),
			Reason: "5 failed logins within 10m0s", Author: "fwsync", Rule: "sasl-bruteforce",
			Attempt: 1, Score: 50, Count: 5, FirstSeen: Noon.Add(-time.Minute), LastSeen: Noon,
			Evidence: []ledger.Evidence{{
				Source: "mail.log", Line: int64(i), Hash: fmt.Sprintf("%016x", i),
				Text: "postfix/smtpd[123]: warning: unknown[100.0.0.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
			}},
		}
	}
	return decisions
}

// Entry is a journal entry of a plan's step.
func Entry(plan string, step int, outcome string) ledger.JournalEntry {
	return ledger.JournalEntry{
		PlanID: plan, Step: step, At: Noon.Add(time.Duration(step) * time.Millisecond),
		Op: "AddControlPolicy", Subject: "rule drop-attackers", Outcome: outcome, RequestID: "R-" + plan,
	}
}
