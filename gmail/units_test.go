package gmail

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestMeter: no minute has more units than the quota, wherever it begins; who
// waits as told gets through; and mailboxes don't share.
func TestMeter(t *testing.T) {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	m := &meter{perMinute: 6000, now: func() time.Time { return now }, boxes: make(map[string]budget)}
	type use struct {
		at time.Time
		n  int
	}
	var uses []use
	waited := 0
	for i := range 1000 {
		n := []int{100, 20, 5, 2}[i%4]
		for {
			wait := m.take("maria", n)
			if wait == 0 {
				break
			}
			waited++
			now = now.Add(wait)
			if again := m.take("maria", n); again == 0 {
				break
			}
		}
		uses = append(uses, use{now, n})
	}
	if waited == 0 {
		t.Fatal("nothing was ever held back")
	}
	for i, from := range uses {
		sum := 0
		for _, u := range uses[i:] {
			if u.at.Sub(from.at) < time.Minute {
				sum += u.n
			}
		}
		if sum > 6000 {
			t.Fatalf("%d units in the minute from %v", sum, from.at)
		}
	}
	for m.take("maria", 100) == 0 { // use all that is left
	}
	if wait := m.take("tom", 100); wait != 0 {
		t.Errorf("another mailbox waits %v", wait)
	}
	now = now.Add(-time.Hour)
	if wait := m.take("maria", 100); wait != 0 {
		t.Errorf("after the clock was set back it waits %v", wait)
	}
}

func TestUnits(t *testing.T) {
	for path, want := range map[string]int{
		"/gmail/v1/users/me/messages/send": 100, "/gmail/v1/users/me/messages": 5, "/gmail/v1/users/me/messages/18c0ffee": 20,
		"/gmail/v1/users/me/history": 2, "/gmail/v1/users/me/profile": 1,
	} {
		if got := units(httptest.NewRequest(http.MethodGet, "https://gmail.googleapis.com"+path, nil)); got != want {
			t.Errorf("%s costs %d, want %d", path, got, want)
		}
	}
}
