package linking_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
)

// TestEverythingAtOnce has two processes do everything to two mailboxes at
// once: links go only where they may, what is told is told once and in order,
// and a mailbox has one owner at a time.
func TestEverythingAtOnce(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	told := make(map[string][]linking.Change) // by link
	w.cfg.OnChange = func(_ context.Context, c linking.Change) error {
		mu.Lock()
		defer mu.Unlock()
		told[c.Link.ID] = append(told[c.Link.ID], c)
		return nil
	}
	w.cfg.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	linkers := []*linking.Linker{w.newLinker(), w.newLinker()}
	ids := func(owner string) []string {
		list, err := linkers[0].List(t.Context(), owner)
		if err != nil {
			t.Error(err)
		}
		var out []string
		for _, l := range list {
			out = append(out, l.ID)
		}
		return out
	}
	owners, boxes := []string{"maria", "tom"}, []string{marias, toms}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(n)))
			l := linkers[n%2]
			for range 150 {
				owner, box := owners[r.IntN(2)], boxes[r.IntN(2)]
				id := ""
				if list := ids(owner); len(list) > 0 {
					id = list[len(list)-1-r.IntN(min(2, len(list)))]
				}
				ctx := t.Context()
				switch k := r.IntN(10); {
				case k < 3 || id == "":
					p := begin(owner)
					if r.IntN(2) == 0 {
						p.Relink = id
					}
					begun, err := l.Begin(ctx, p)
					if err != nil {
						continue // unlinked, unusable
					}
					back, err := w.prov.Visit(begun.URL, box, provider.AccessReplies)
					if err != nil {
						t.Error(err)
						continue
					}
					_, _ = l.Complete(ctx, linking.CompleteParams{Query: query(t, back), Owner: owner, Session: p.Session})
				case k == 3:
					_ = l.Unlink(ctx, linking.UnlinkParams{Owner: owner, Link: id})
				case k == 4:
					w.prov.Withdraw(box)
				case k == 5:
					_, _ = l.Check(ctx, id)
				case k == 6:
					_ = l.Report(ctx, id, provider.Health{Err: &provider.Error{Kind: provider.ErrMailboxUnusable, Reason: "suspended"}})
				case k == 7:
					_ = l.Report(ctx, id, provider.Health{Read: w.clock.Now()})
				case k == 8:
					_ = l.Forgive(ctx, owner, id)
				default:
					_, _ = l.Delegate(ctx, linking.DelegateParams{Owner: owner, Link: id, Actor: "olga", Until: w.clock.Now().Add(time.Hour)})
				}
			}
		})
	}
	wg.Wait()
	if left, err := linkers[0].Deliver(t.Context()); err != nil || left != 0 {
		t.Errorf("%d left to tell, %v", left, err)
	}
	taken := make(map[string]string)
	for _, owner := range owners {
		for _, id := range ids(owner) {
			history, err := linkers[0].History(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range history {
				if c.Kind == linking.ChangeStatus && !linking.Allowed(c.Was, c.Status) {
					t.Errorf("%s went from %q to %q", id, c.Was, c.Status)
				}
			}
			list := told[id]
			for i, c := range list {
				if c.Seq != i+1 {
					t.Errorf("%s: told as %d was number %d", id, i+1, c.Seq)
					break
				}
			}
			if last := history[len(history)-1]; len(list) != last.Seq {
				t.Errorf("%s: %d of %d changes were told", id, len(list), last.Seq)
			}
			s, err := linkers[1].Status(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if s.Status != "unlinked" {
				if other := taken[s.Link.Address]; other != "" {
					t.Errorf("%s is both %s and %s", s.Link.Address, other, id)
				}
				taken[s.Link.Address] = fmt.Sprint(id, " of ", owner)
			}
		}
	}
	if len(told) < 3 {
		t.Errorf("only %d links were made", len(told))
	}
}

func query(t *testing.T, addr string) url.Values {
	u, err := url.Parse(addr)
	if err != nil {
		t.Error(err)
		return nil
	}
	return u.Query()
}
