package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/outreachkit/outreach/store"
)

func flowChecks() map[string]func(T, Harness) {
	with := func(f func(t T, s store.FlowStore, h Harness)) func(T, Harness) {
		return func(t T, h Harness) {
			t.Helper()
			if h.Flows == nil {
				t.Skipf("no FlowStore")
			}
			f(t, h.Flows, h)
		}
	}
	flow := store.Flow{Key: "k1", Data: []byte("data"), Expires: base, TTL: time.Minute}
	return map[string]func(T, Harness){
		"TakenOnce": with(func(t T, s store.FlowStore, _ Harness) {
			if err := s.Put(t.Context(), flow); err != nil {
				t.Fatalf("put: %v", err)
			}
			wantErr(t, "the same key twice", s.Put(t.Context(), flow), store.ErrConflict)
			var got atomic.Int32
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					if f, err := s.Take(t.Context(), "k1"); err == nil {
						got.Add(1)
						if string(f.Data) != "data" {
							t.Errorf("the data is %q", f.Data)
						}
					} else {
						wantErr(t, "the second taker", err, store.ErrNotFound)
					}
				})
			}
			wg.Wait()
			if got.Load() != 1 {
				t.Errorf("the flow was taken %d times", got.Load())
			}
			_, err := s.Take(t.Context(), "k2")
			wantErr(t, "an unknown flow", err, store.ErrNotFound)
		}),
		"Forgotten": with(func(t T, s store.FlowStore, h Harness) {
			if h.Advance == nil {
				t.Skipf("the clock can't be moved")
			}
			if err := s.Put(t.Context(), flow); err != nil {
				t.Fatalf("put: %v", err)
			}
			h.Advance(2 * time.Minute)
			_, err := s.Take(t.Context(), "k1")
			wantErr(t, "a flow past its time", err, store.ErrNotFound)
		}),
		"Invalid": with(func(t T, s store.FlowStore, _ Harness) {
			wantErr(t, "no key", s.Put(t.Context(), store.Flow{TTL: time.Minute}), store.ErrInvalid)
			wantErr(t, "no time", s.Put(t.Context(), store.Flow{Key: "k"}), store.ErrInvalid)
		}),
	}
}
