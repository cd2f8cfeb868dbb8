package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/outreachkit/outreach/store"
)

func claimChecks() map[string]func(T, Harness) {
	return map[string]func(T, Harness){
		"WhatIsDue": withEnrollments(func(c sees, _ Harness) {
			if cl := c.claim(base); cl != nil {
				c.Errorf("a mailbox without work is claimed")
			}
			c.commit("three", store.Batch{Enrollments: []store.Enrollment{
				enrollment("later", base.Add(time.Hour)), enrollment("never", time.Time{}), enrollment("b", base), enrollment("a", base), enrollment("first", base.Add(-time.Hour)),
			}})
			if cl := c.claim(base.Add(-2 * time.Hour)); cl != nil {
				c.Errorf("claimed before anything is due")
			}
			cl := c.claim(base)
			if cl == nil {
				c.Fatalf("not claimed although work is due")
			}
			var ids []string
			for _, e := range cl.Due {
				ids = append(ids, e.ID)
			}
			if sprint(ids) != "[first a b]" || cl.More {
				c.Errorf("due are %v, more %t", ids, cl.More)
			}
			if cl.Mailbox.Link != "l1" || cl.Fence.Mailbox != boxID {
				c.Errorf("the claim is %+v", cl)
			}
		}),
		"PerMailbox": withEnrollments(func(c sees, _ Harness) {
			c.commit("three", store.Batch{Enrollments: []store.Enrollment{enrollment("a", base), enrollment("b", base), enrollment("c", base)}})
			claims := must[[]store.Claim](c, "claim")(c.s.Claim(c.Context(), store.ClaimParams{By: "x", Now: base, TTL: time.Minute, Mailboxes: 1, PerMailbox: 2}))
			if len(claims) != 1 || len(claims[0].Due) != 2 || !claims[0].More {
				c.Errorf("claimed %+v", claims)
			}
		}),
		"OneAtATime": withEnrollments(func(c sees, h Harness) {
			c.ensure(otherID)
			e := enrollment("o1", base)
			e.Mailbox = otherID
			c.commit("work in two", store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base), e}})
			var got atomic.Int32
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					claims, err := c.s.Claim(c.Context(), store.ClaimParams{By: "x", Now: base, TTL: time.Minute, Mailboxes: 1, PerMailbox: 10})
					if err != nil {
						c.Errorf("claim: %v", err)
					}
					got.Add(int32(len(claims)))
				})
			}
			wg.Wait()
			if got.Load() != 2 {
				c.Errorf("two mailboxes were claimed %d times", got.Load())
			}
			if h.Advance == nil {
				c.Skipf("the clock can't be moved")
			}
			h.Advance(59 * time.Second)
			if c.claim(base) != nil {
				c.Errorf("claimed again before the lease ended")
			}
			h.Advance(2 * time.Second)
			if c.claim(base) == nil {
				c.Errorf("not claimed again after the lease ended")
			}
		}),
		"LongestWaitingFirst": withEnrollments(func(c sees, _ Harness) {
			c.ensure(otherID)
			e := enrollment("o1", base.Add(-time.Hour))
			e.Mailbox = otherID
			c.commit("work in two", store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base), e}})
			claims := must[[]store.Claim](c, "claim")(c.s.Claim(c.Context(), store.ClaimParams{By: "x", Now: base, TTL: time.Minute, Mailboxes: 1, PerMailbox: 10}))
			if len(claims) != 1 || claims[0].Mailbox.ID != otherID {
				c.Errorf("claimed %+v", claims)
			}
		}),
		"RenewAndUnclaim": withEnrollments(func(c sees, h Harness) {
			first := c.fence()
			if err := c.s.Renew(c.Context(), *first, time.Hour); err != nil {
				c.Errorf("renew: %v", err)
			}
			if h.Advance != nil {
				h.Advance(30 * time.Minute)
				if err := c.s.Notify(c.Context(), boxID); err != nil {
					c.Fatalf("notify: %v", err)
				}
				if c.claim(base) != nil {
					c.Errorf("a renewed lease does not hold")
				}
			}
			if err := c.s.Unclaim(c.Context(), *first); err != nil {
				c.Errorf("unclaim: %v", err)
			}
			second := c.fence()
			if second.Token <= first.Token {
				c.Errorf("the token went from %d to %d", first.Token, second.Token)
			}
			wantErr(c, "renewing a lost claim", c.s.Renew(c.Context(), *first, time.Minute), store.ErrFenced)
			if err := c.s.Unclaim(c.Context(), *first); err != nil {
				c.Errorf("unclaiming a lost claim: %v", err)
			}
			if err := c.s.Renew(c.Context(), *second, time.Minute); err != nil {
				c.Errorf("a lost claim was let go, and with it the new one: %v", err)
			}
		}),
		"Marks": withEnrollments(func(c sees, _ Harness) {
			wantErr(c, "an unknown mailbox", c.s.Notify(c.Context(), "gmail/none"), store.ErrNotFound)
			f := c.fence()
			// A mark that comes while somebody works is for the next pass.
			if err := c.s.Notify(c.Context(), boxID); err != nil {
				c.Fatalf("notify: %v", err)
			}
			box := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID))
			box.Marked, box.Cursor = false, []byte("moved")
			c.commit("the pass's end", store.Batch{Fence: f, Mailbox: &box})
			if err := c.s.Unclaim(c.Context(), *f); err != nil {
				c.Fatalf("unclaim: %v", err)
			}
			cl := c.claim(base)
			if cl == nil || !cl.Mailbox.Marked {
				c.Fatalf("the mark got lost: %+v", cl)
			}
			if err := c.s.Unclaim(c.Context(), cl.Fence); err != nil {
				c.Fatalf("unclaim: %v", err)
			}
			if c.claim(base) != nil {
				c.Errorf("a mark that was dealt with stays")
			}
		}),
		"MarkOfADeadClaim": withEnrollments(func(c sees, h Harness) {
			if h.Advance == nil {
				c.Skipf("the clock can't be moved")
			}
			c.fence() // by a mark, by a process that dies now
			h.Advance(2 * time.Minute)
			cl := c.claim(base)
			if cl == nil || !cl.Mailbox.Marked {
				c.Fatalf("the mark died with the process: %+v", cl)
			}
			if box := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID)); !box.Marked {
				c.Errorf("the mark is not shown while it is dealt with")
			}
			if err := c.s.Unclaim(c.Context(), cl.Fence); err != nil {
				c.Fatalf("unclaim: %v", err)
			}
			if box := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID)); box.Marked {
				c.Errorf("a mark that was dealt with is shown")
			}
		}),
		"RenewAfterTheEnd": withEnrollments(func(c sees, h Harness) {
			if h.Advance == nil {
				c.Skipf("the clock can't be moved")
			}
			f := c.fence()
			h.Advance(2 * time.Minute)
			wantErr(c, "renewing a lease that has ended", c.s.Renew(c.Context(), *f, time.Minute), store.ErrFenced)
		}),
		"EachItsOwn": withEnrollments(func(c sees, _ Harness) {
			c.ensure(otherID)
			e := enrollment("o1", base)
			e.Mailbox = otherID
			c.commit("work in two", store.Batch{Enrollments: []store.Enrollment{enrollment("e1", base), enrollment("e2", base), e}})
			claims := func() map[string]store.Claim {
				out := make(map[string]store.Claim)
				for _, cl := range must[[]store.Claim](c, "claim")(c.s.Claim(c.Context(), store.ClaimParams{By: "x", Now: base, TTL: time.Minute, Mailboxes: 10, PerMailbox: 10})) {
					out[cl.Mailbox.ID] = cl
				}
				return out
			}
			first := claims()
			f, g := first[boxID].Fence, first[otherID].Fence
			if len(first[boxID].Due) != 2 || len(first[otherID].Due) != 1 || f.Mailbox != boxID || g.Mailbox != otherID {
				c.Fatalf("claimed %+v", first)
			}
			c.commit("an open intent", store.Batch{Fence: &f, Intents: []store.Intent{intent("i1", "e1")}})
			_, _ = c.s.Unclaim(c.Context(), f), c.s.Unclaim(c.Context(), g)
			if again := claims(); len(again[boxID].Open) != 1 || len(again[otherID].Open) != 0 {
				c.Errorf("then %+v", again)
			}
		}),
		"ReadAt": withEnrollments(func(c sees, _ Harness) {
			f := c.fence()
			box := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID))
			box.ReadAt = base.Add(time.Hour)
			c.commit("read later", store.Batch{Fence: f, Mailbox: &box})
			_ = c.s.Unclaim(c.Context(), *f)
			if c.claim(base) != nil {
				c.Errorf("claimed before a read is due")
			}
			if c.claim(base.Add(time.Hour)) == nil {
				c.Errorf("not claimed when a read is due")
			}
		}),
		"EnsureMailbox": withEnrollments(func(c sees, _ Harness) {
			f := c.fence()
			box := must[store.Mailbox](c, "mailbox")(c.s.GetMailbox(c.Context(), boxID))
			box.Cursor = []byte("cursor")
			c.commit("cursor", store.Batch{Fence: f, Mailbox: &box})
			same := must[store.Mailbox](c, "ensure")(c.s.EnsureMailbox(c.Context(), boxID, "l1"))
			if string(same.Cursor) != "cursor" || same.Version != box.Version+1 {
				c.Errorf("ensuring changed the mailbox: %+v", same)
			}
			moved := must[store.Mailbox](c, "ensure")(c.s.EnsureMailbox(c.Context(), boxID, "l2"))
			if moved.Link != "l2" || string(moved.Cursor) != "cursor" || moved.Version <= same.Version {
				c.Errorf("another link: %+v", moved)
			}
			_, err := c.s.GetMailbox(c.Context(), "gmail/none")
			wantErr(c, "an unknown mailbox", err, store.ErrNotFound)
			_, err = c.s.EnsureMailbox(c.Context(), "", "l1")
			wantErr(c, "no id", err, store.ErrInvalid)
		}),
		"Invalid": withEnrollments(func(c sees, _ Harness) {
			_, err := c.s.Claim(c.Context(), store.ClaimParams{})
			wantErr(c, "an empty claim", err, store.ErrInvalid)
			stray := enrollment("e1", base)
			stray.Mailbox = "gmail/none"
			wantErr(c, "an enrollment in an unknown mailbox", c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{stray}}), store.ErrNotFound)
			wantErr(c, "an empty enrollment", c.s.Commit(c.Context(), store.Batch{Enrollments: []store.Enrollment{{}}}), store.ErrInvalid)
			_, err = c.s.Index(c.Context(), store.ListIndex{})
			wantErr(c, "an empty listing", err, store.ErrInvalid)
		}),
	}
}
