package runner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence/runner"
)

// TestTheSameFieldEachTime: of several fields at fault the first is named, and
// not whichever a map gives first.
func TestTheSameFieldEachTime(t *testing.T) {
	cfg := newWorld(t, onMemstore).cfg
	cfg.Options = runner.Options{ReadEvery: -1, RetryEvery: -1, TrackFor: -1, Lease: -1, SearchOverlap: -1, AlarmAfter: -1, Idle: -time.Second}
	for range 20 {
		_, err := runner.New(cfg)
		var fe *provider.FieldError
		if !errors.As(err, &fe) || fe.Field != "Config.Options.ReadEvery" {
			t.Fatalf("%v", err)
		}
	}
}
