package storetest

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Harness is one empty store. Parts that are nil are not tested.
type Harness struct {
	Tokens        store.TokenStore
	Flows         store.FlowStore
	Conversations store.ConversationLog
	Enrollments   store.EnrollmentStore

	// Advance moves the store's clock, by which leases, refresh marks and
	// flows end. Nil skips what needs time to pass.
	Advance func(d time.Duration)
}

// T is what a check needs of a *testing.T.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Context() context.Context
}

// Check is one rule of the contracts.
type Check struct {
	Name string
	Run  func(t T, h Harness)
}

// Checks returns every check, in the order of Run.
func Checks() []Check {
	var out []Check
	for _, g := range []struct {
		name   string
		checks map[string]func(T, Harness)
	}{
		{"Tokens", tokenChecks()}, {"Flows", flowChecks()}, {"Conversations", conversationChecks()},
		{"Commit", commitChecks()}, {"Claim", claimChecks()}, {"Index", indexChecks()}, {"Outbox", outboxChecks()},
		{"Values", valueChecks()}, {"Writers", writerChecks()},
	} {
		for _, name := range slices.Sorted(maps.Keys(g.checks)) {
			out = append(out, Check{Name: g.name + "/" + name, Run: g.checks[name]})
		}
	}
	return out
}

// Run runs every check over the stores that newHarness makes, one for each.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, newHarness(t)) })
	}
}

// base is a time by the caller's clock, with more digits than are kept.
var base = time.Date(2026, 9, 1, 8, 0, 0, 123456789, time.FixedZone("", 3600))

// kept is what a store makes of a time.
func kept(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func sameTime(t T, what string, got, want time.Time) {
	t.Helper()
	if want.IsZero() != got.IsZero() || !want.IsZero() && !kept(got).Equal(kept(want)) {
		t.Errorf("%s is %v, want %v", what, got, kept(want))
	}
}
