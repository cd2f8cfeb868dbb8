package sim_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/internal/sim"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// filtered is a conversation log that is fed something else.
type filtered struct {
	store.ConversationLog
	entry func(store.Entry) []store.Entry
}

func (f *filtered) Append(ctx context.Context, entries []store.Entry) error {
	var out []store.Entry
	for _, e := range entries {
		out = append(out, f.entry(e)...)
	}
	return f.ConversationLog.Append(ctx, out)
}

// restless has every mailbox come up again at once.
type restless struct{ store.EnrollmentStore }

func (s *restless) Unclaim(ctx context.Context, f store.Fence) error {
	return errors.Join(s.EnrollmentStore.Unclaim(ctx, f), s.Notify(ctx, f.Mailbox))
}

// failing is a store whose commits fail now and then.
type failing struct {
	store.EnrollmentStore
	n int
}

func (s *failing) Commit(ctx context.Context, b store.Batch) error {
	if s.n++; s.n > 40 && s.n%3 == 0 && len(b.Results) > 0 { // the link and its preview come about
		return errors.New("the disk is full")
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

// narrow is a store that knows nobody in another mailbox.
type narrow struct{ store.EnrollmentStore }

func (s *narrow) Match(ctx context.Context, box string, keys []store.IndexKey) ([]store.IndexRow, error) {
	rows, err := s.EnrollmentStore.Match(ctx, box, keys)
	if box == "" && len(keys) > 0 && keys[0].Kind == store.IndexAddress {
		return nil, err
	}
	return rows, err
}

// forgetful keeps an answer from the desk, and not that it ends the drip.
type forgetful struct{ store.EnrollmentStore }

func (s *forgetful) Commit(ctx context.Context, b store.Batch) error {
	if len(b.Enrollments) > 1 && b.Enrollments[0].Kind == "reply" {
		b.Enrollments = b.Enrollments[:1]
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

// unanswering keeps no answer from the desk.
type unanswering struct{ store.EnrollmentStore }

func (s *unanswering) Commit(ctx context.Context, b store.Batch) error {
	if len(b.Enrollments) > 1 && b.Enrollments[0].Kind == "reply" {
		return errors.New("the disk is full")
	}
	return s.EnrollmentStore.Commit(ctx, b)
}

// deaf hears of nothing that is new.
func deaf(mb provider.Mailbox) altered {
	return altered{Mailbox: mb, changes: func(ctx context.Context, since provider.Cursor) (provider.Page, error) {
		page, err := mb.Changes(ctx, since)
		page.Items = nil
		return page, err
	}, search: func(ctx context.Context, q provider.Query) ([]provider.Item, error) {
		_, err := mb.Search(ctx, q)
		return nil, err
	}}
}

// credited has every delivery report cite the last mail to whom it names.
type credited struct {
	provider.Mailbox
	keys map[string]string // by recipient
}

func (c *credited) Send(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
	for _, field := range strings.Split(string(out.Raw), "\r\n") {
		if to, is := strings.CutPrefix(field, "To: "); is {
			c.keys[strings.Trim(to, "<>")] = out.Key
		}
	}
	return c.Mailbox.Send(ctx, out)
}

func (c *credited) Content(ctx context.Context, w provider.Warrant) (*provider.Message, error) {
	msg, err := c.Mailbox.Content(ctx, w)
	if err == nil && msg.Report != nil && msg.Report.OriginalKey == "" {
		for _, r := range msg.Report.Recipients {
			msg.Report.OriginalKey = c.keys[r.Final]
		}
	}
	return msg, err
}

// credulous takes every push for the last genuine one.
type credulous struct {
	provider.PushReceiver
	last *provider.Push
}

func (c *credulous) ReceivePush(r *http.Request) (provider.Push, error) {
	push, err := c.PushReceiver.ReceivePush(r)
	if err != nil {
		return *c.last, nil
	}
	if len(push.Notices) > 0 && push.Notices[0].Secret == "" {
		*c.last = push
	}
	return push, nil
}

// greedy takes an access to headers for one to content.
type greedy struct{ provider.Provider }

func (g greedy) more(a provider.Access) provider.Access {
	if a == provider.AccessEnvelopes {
		return provider.AccessReplies
	}
	return a
}

func (g greedy) Abilities(a provider.Access) provider.Abilities {
	return g.Provider.Abilities(g.more(a))
}

func (g greedy) Authorize(r provider.AuthRequest) (string, error) {
	r.Access = g.more(r.Access)
	return g.Provider.Authorize(r)
}

func (g greedy) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	cb.Access = g.more(cb.Access)
	return g.Provider.Exchange(ctx, cb)
}

func (g greedy) Open(acc provider.Account, ts provider.TokenSource) provider.Mailbox {
	acc.Access = g.more(acc.Access)
	return g.Provider.Open(acc, ts)
}

// doctored are histories that break one rule of the checker each: by a part
// that does what none may, or by a false word at the end.
func doctored() map[string]sim.Mutant {
	status := func(s runner.Status, reason string) sim.Mutant {
		return sim.Mutant{View: func(e *runner.Enrollment) { e.Status, e.Reason = s, reason }}
	}
	log := func(direction string, entry func(store.Entry) []store.Entry) sim.Mutant {
		return sim.Mutant{Log: func(l store.ConversationLog) store.ConversationLog {
			return &filtered{l, func(e store.Entry) []store.Entry {
				if e.Direction != direction {
					return []store.Entry{e}
				}
				return entry(e)
			}}
		}}
	}
	mailbox := func(f func(provider.Mailbox) altered) sim.Mutant {
		return sim.Mutant{Mailbox: func(mb provider.Mailbox, _ func() time.Time) provider.Mailbox { return f(mb) }}
	}
	twice := func(second func(provider.Outgoing) provider.Outgoing) sim.Mutant {
		return mailbox(func(mb provider.Mailbox) altered {
			return altered{Mailbox: mb, send: func(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
				again := second(*out)
				_, _ = mb.Send(ctx, &again)
				return mb.Send(ctx, out)
			}}
		})
	}
	// blind sees nothing for two days, at whose end second mails cross with answers.
	blind := func(view func(*runner.Enrollment)) sim.Mutant {
		sight := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
		return sim.Mutant{View: view, Mailbox: func(mb provider.Mailbox, now func() time.Time) provider.Mailbox {
			return altered{Mailbox: mb, changes: func(ctx context.Context, since provider.Cursor) (provider.Page, error) {
				if now().Before(sight) {
					return provider.Page{Next: since}, nil
				}
				return mb.Changes(ctx, since)
			}, search: func(ctx context.Context, q provider.Query) ([]provider.Item, error) {
				if now().Before(sight) {
					return nil, nil
				}
				return mb.Search(ctx, q)
			}}
		}}
	}
	keys := make(map[string]string)
	var last provider.Push
	return map[string]sim.Mutant{
		"sent twice": twice(func(out provider.Outgoing) provider.Outgoing { return out }),
		"the words": twice(func(out provider.Outgoing) provider.Outgoing { // as another mail
			other := func(s string) string { return strings.Replace(s, s[1:5], "zzzz", 1) }
			id, key := other(out.MessageID), other(out.Key)
			out.Raw = bytes.ReplaceAll(bytes.ReplaceAll(slices.Clone(out.Raw), []byte(out.MessageID), []byte(id)), []byte(out.Key), []byte(key))
			out.MessageID, out.Key = id, key
			return out
		}),
		"unrelated mail was read": mailbox(func(mb provider.Mailbox) altered {
			return altered{Mailbox: mb, changes: func(ctx context.Context, since provider.Cursor) (provider.Page, error) {
				page, err := mb.Changes(ctx, since)
				for _, it := range page.Items {
					_, _ = mb.Envelope(ctx, it.Ref)
				}
				return page, err
			}}
		}),
		"content was read with access":     {Provider: func(p provider.Provider) provider.Provider { return greedy{p} }},
		"after it was stopped by hand":     {Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &noVersions{s} }},
		"after the last read began":        mutants()[3],
		"although the answer was visible":  mailbox(deaf),
		"not marked as crossed":            blind(func(e *runner.Enrollment) { e.Crossed = 0 }),
		"is still active":                  status(runner.StatusActive, ""),
		"held without a reason":            status(runner.StatusHeld, ""),
		"held although an answer came":     status(runner.StatusHeld, "for some reason"),
		"is completed with":                status(runner.StatusCompleted, ""),
		"completed although an answer":     blind(func(e *runner.Enrollment) { e.Status, e.Reason = runner.StatusCompleted, "" }),
		"is replied, and nobody answered":  status(runner.StatusReplied, ""),
		"is bounced, and nothing bounced":  status(runner.StatusBounced, ""),
		"is stopped, and nobody stopped":   status(runner.StatusStopped, ""),
		"taken over, and the owner":        status(runner.StatusTookOver, ""),
		"has the status \"asleep\"":        status("asleep", ""),
		"mails left, and the conversation": log(runner.DirectionOut, func(store.Entry) []store.Entry { return nil }),
		"is in the conversation 0 times":   log(runner.DirectionIn, func(store.Entry) []store.Entry { return nil }),
		"is in the conversation 2 times": log(runner.DirectionIn, func(e store.Entry) []store.Entry {
			again := e
			again.Key += "/again"
			return []store.Entry{e, again}
		}),
		"which the mailbox has not": log(runner.DirectionIn, func(e store.Entry) []store.Entry {
			e.MessageID = "<made-up@example.net>"
			return []store.Entry{e}
		}),
		"is away until":                       mailbox(deaf),
		"same person's answer in another":     {Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &narrow{s} }},
		"independent of what was answered":    status(runner.StatusReplied, ""),
		"same person answered in another":     status(runner.StatusHeld, "for some reason"),
		"nobody is asked to look":             {View: func(e *runner.Enrollment) { e.Flagged = false }},
		"is unsubscribed, and nobody":         status(runner.StatusUnsubscribed, ""),
		"report that cites nothing is in the": {Mailbox: func(mb provider.Mailbox, _ func() time.Time) provider.Mailbox { return &credited{mb, keys} }},
		"is logged as": log(runner.DirectionIn, func(e store.Entry) []store.Entry {
			e.Class = string(classify.List)
			return []store.Entry{e}
		}),
		"is logged with the wish": log(runner.DirectionIn, func(e store.Entry) []store.Entry {
			e.OptOut = ""
			return []store.Entry{e}
		}),
		"after the answer from the desk":    {Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &forgetful{s} }},
		"from the desk has not left":        status(runner.StatusActive, ""),
		"from the desk is held, and nobody": status(runner.StatusHeld, ""),
		"from the desk is completed, and no": mailbox(func(mb provider.Mailbox) altered { // it gets lost, and the service says nothing
			return altered{Mailbox: mb, send: func(ctx context.Context, out *provider.Outgoing) (provider.Receipt, error) {
				if bytes.Contains(out.Raw, []byte("from the desk")) {
					return provider.Receipt{Ref: "lost", Thread: "lost"}, nil
				}
				return mb.Send(ctx, out)
			}}
		}),
		"nobody can answer from the desk": {Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &unanswering{s} }},
		"watches at the end":              {Watches: func(int) int { return 0 }},
		"a forged push marked a mailbox":  {Receiver: func(r provider.PushReceiver) provider.PushReceiver { return &credulous{r, &last} }},
		"a tick failed":                   {Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &failing{EnrollmentStore: s} }},
		"went over its mailboxes ":        {Store: func(s store.EnrollmentStore) store.EnrollmentStore { return &restless{s} }},
	}
}

// TestRules: each rule of the checker finds what it is for.
func TestRules(t *testing.T) {
	const most = 150
	// Where the search for the rarer ones begins, so that it ends soon. How many
	// seeds it takes from 1 is in BENCHMARKS.md.
	begin := map[string]uint64{
		"nobody is asked to look": 15, "is logged with the wish": 21, "independent of what was answered": 23, "not marked as crossed": 23,
		"same person's answer in another": 30, "same person answered in another": 30,
	}
	for rule := range doctored() {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			for n := max(1, begin[rule]); n <= most; n++ {
				// Each history has a mutant of its own.
				if h := play(t, n, doctored()[rule]); slices.ContainsFunc(h.Wrong, func(s string) bool { return strings.Contains(s, rule) }) {
					t.Logf("found in seed %d", n)
					return
				}
			}
			t.Errorf("no seed of %d breaks it", most)
		})
	}
}
