package storetest

import (
	"fmt"
	"sync"

	"github.com/outreachkit/outreach/store"
)

func outboxChecks() map[string]func(T, Harness) {
	return map[string]func(T, Harness){
		"OrderAndAck": withEnrollments(func(c sees, _ Harness) {
			for i := range 5 {
				c.commit("row", store.Batch{Outbox: []store.Event{{Key: fmt.Sprintf("k%d", i), Kind: "event", Enrollment: "e1", Data: []byte{byte(i)}}}})
			}
			c.commit("a row again", store.Batch{Outbox: []store.Event{{Key: "k1", Kind: "event", Data: []byte("other")}}})
			rows := must[[]store.Event](c, "outbox")(c.s.Outbox(c.Context(), 3))
			if len(rows) != 3 || rows[0].Key != "k0" || rows[2].Key != "k2" || rows[1].Data[0] != 1 || rows[0].Kind != "event" || rows[0].Enrollment != "e1" {
				c.Fatalf("the outbox begins with %+v", rows)
			}
			if err := c.s.Ack(c.Context(), []int64{rows[0].Seq, rows[2].Seq, 999_999}); err != nil {
				c.Fatalf("ack: %v", err)
			}
			rest := must[[]store.Event](c, "outbox")(c.s.Outbox(c.Context(), 100))
			var keys []string
			for _, r := range rest {
				keys = append(keys, r.Key)
			}
			if sprint(keys) != "[k1 k3 k4]" {
				c.Errorf("left are %v", keys)
			}
		}),
		"NothingIsSkipped": withEnrollments(func(c sees, _ Harness) {
			const writers, each = 8, 25
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for i := range each {
						if err := c.s.Commit(c.Context(), store.Batch{Outbox: []store.Event{{Key: fmt.Sprintf("%d/%d", w, i), Kind: "event"}}}); err != nil {
							c.Errorf("commit: %v", err)
						}
					}
				})
			}
			seen := make(map[string]bool)
			drain := func() {
				for {
					rows, err := c.s.Outbox(c.Context(), 10)
					if err != nil || len(rows) == 0 {
						return
					}
					var seqs []int64
					for _, r := range rows {
						if seen[r.Key] {
							c.Errorf("%s came again after it was acknowledged", r.Key)
						}
						seen[r.Key] = true
						seqs = append(seqs, r.Seq)
					}
					if err := c.s.Ack(c.Context(), seqs); err != nil {
						c.Errorf("ack: %v", err)
						return
					}
				}
			}
			drain()
			wg.Wait()
			drain()
			if len(seen) != writers*each {
				c.Errorf("%d of %d rows came out", len(seen), writers*each)
			}
		}),
	}
}
