package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/outreachkit/outreach/store"
)

// Benchmark measures what the runner's speed depends on: claiming among many
// enrollments, committing batches, matching. newStore returns an empty store.
func Benchmark(b *testing.B, newStore func(b *testing.B) store.EnrollmentStore) {
	fill := func(b *testing.B, n int) store.EnrollmentStore {
		s := newStore(b)
		if _, err := s.EnsureMailbox(b.Context(), boxID, "l1"); err != nil {
			b.Fatal(err)
		}
		for i := 0; i < n; i += 1000 {
			var batch store.Batch
			for j := range min(1000, n-i) {
				e := enrollment(fmt.Sprintf("e%08d", i+j), base.Add(time.Hour))
				batch.Enrollments = append(batch.Enrollments, e)
				batch.Index = append(batch.Index, row(store.IndexThread, "t"+e.ID, e.ID))
			}
			if err := s.Commit(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		return s
	}
	b.Run("Claim", func(b *testing.B) {
		s := fill(b, 10_000)
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Notify(b.Context(), boxID); err != nil {
				b.Fatal(err)
			}
			claims, err := s.Claim(b.Context(), store.ClaimParams{By: "b", Now: base, TTL: time.Minute, Mailboxes: 1, PerMailbox: 50})
			if err != nil || len(claims) != 1 {
				b.Fatal(len(claims), err)
			}
			if err := s.Unclaim(b.Context(), claims[0].Fence); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("Commit%d", size), func(b *testing.B) {
			s := fill(b, size)
			ids := make([]string, size)
			for i := range ids {
				ids[i] = fmt.Sprintf("e%08d", i)
			}
			b.ReportAllocs()
			for b.Loop() {
				rows, err := s.Load(b.Context(), ids)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Commit(b.Context(), store.Batch{Enrollments: rows}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("Match", func(b *testing.B) {
		s := fill(b, 10_000)
		keys := make([]store.IndexKey, 500)
		for i := range keys {
			keys[i] = store.IndexKey{Kind: store.IndexThread, Value: fmt.Sprintf("te%08d", i*40)}
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Match(b.Context(), boxID, keys); err != nil {
				b.Fatal(err)
			}
		}
	})
}
