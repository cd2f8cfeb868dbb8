package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// gapData is how far a gap in the feed is closed. It is kept, so that a mail
// service that lets us ask for little at a time is not asked the same again.
type gapData struct {
	Cursor string    `json:"cursor,omitempty"` // where the feed goes on; empty is no gap
	Since  time.Time `json:"since,omitzero"`   // when the gap began
	After  string    `json:"after,omitempty"`  // the last thread that was listed
}

// closeGap replaces an expired cursor. The fresh one is taken first and what
// came into our threads in the span behind it is listed, so nothing falls
// between the two. What tracked senders wrote elsewhere is found by the search
// that is part of every read, where the access allows one. So a gap costs what
// is tracked, whatever else the mailbox received in it.
func (p *pass) closeGap(ctx context.Context) error {
	g := &p.data.Gap
	since := p.data.LastRead.Add(-p.r.opts.SearchOverlap)
	if g.Cursor == "" || since.Before(g.Since) {
		prof, err := p.mb.profile(ctx, ReasonGap)
		if err != nil {
			return err
		}
		*g = gapData{Cursor: string(prof.Cursor), Since: since}
		if err := p.save(ctx); err != nil {
			return err
		}
	}
	if err := p.allThreads(ctx, g.Since, &g.After, false); err != nil {
		return err
	}
	p.box.Cursor, p.changed = []byte(g.Cursor), true
	*g = gapData{}
	return p.save(ctx)
}

// allThreads deals with what came into any of our threads, from the thread
// after the one that after names on. After each few it is set, and stored.
func (p *pass) allThreads(ctx context.Context, since time.Time, after *string, anew bool) error {
	const limit = 1000
	for {
		from := store.IndexRow{}
		if *after != "" {
			from = store.IndexRow{Value: *after, Enrollment: "~"} // greater than every id of an enrollment
		}
		rows, err := p.r.cfg.Store.Index(ctx, store.ListIndex{Mailbox: p.box.ID, Kind: store.IndexThread, Now: p.r.trackedAt(p.r.cfg.Now()), After: from, Limit: limit})
		if err != nil {
			return fmt.Errorf("runner: tracked threads: %w", err)
		}
		var threads []string
		for _, row := range rows {
			if len(threads) == 0 || threads[len(threads)-1] != row.Value {
				threads = append(threads, row.Value)
			}
		}
		for chunk := range slices.Chunk(threads, provider.MaxQueryThreads) {
			if err := p.listThreads(ctx, chunk, since, anew); err != nil {
				return err
			}
			*after = chunk[len(chunk)-1]
			if err := p.save(ctx); err != nil {
				return err
			}
		}
		if len(rows) < limit {
			return nil
		}
	}
}

func (p *pass) listThreads(ctx context.Context, threads []string, since time.Time, anew bool) error {
	items, err := p.searchAll(ctx, provider.Query{Threads: threads, Since: since, To: p.r.cfg.Now().Add(ahead)}, ReasonGap)
	if err != nil {
		return err
	}
	return p.itemsAnew(ctx, items, ReasonThread, anew)
}

const (
	// anyThread stands for threads that are not known, or too many to keep.
	anyThread = "*"

	maxThreadsKept = 50
)

// withThread adds a thread to a list of them.
func withThread(list, thread string) string {
	switch {
	case list == anyThread || thread == "" || len(thread) > store.MaxIndexValue || strings.ContainsRune(thread, '\n'):
		return anyThread
	case list == "":
		return thread
	case slices.Contains(strings.Split(list, "\n"), thread):
		return list
	case strings.Count(list, "\n")+1 >= maxThreadsKept:
		return anyThread
	}
	return list + "\n" + thread
}

// learn remembers that a mail's thread is learned only now: what came into it
// since was taken for unrelated. It is stored before the thread is, so that a
// crash in between forgets nothing.
func (p *pass) learn(ctx context.Context, since time.Time, thread string) error {
	in := p.data.LearnedIn
	if p.data.Learned.IsZero() {
		in = ""
	} else if in == "" {
		in = anyThread
	}
	p.data.LearnedIn = withThread(in, plain(thread))
	if p.data.Learned.IsZero() || since.Before(p.data.Learned) {
		p.data.Learned = since
	}
	return p.save(ctx)
}

// catchUp lists what came, since a mail left, into its thread that was learned
// later, and what was passed over.
func (p *pass) catchUp(ctx context.Context) error {
	if !p.linked.Abilities.ThreadReplies {
		return nil
	}
	learned, learnedIn := p.data.Learned, p.data.LearnedIn
	if !learned.IsZero() {
		if err := p.catchUpIn(ctx, learnedIn, learned.Add(-provider.ClockSlack)); err != nil {
			return err
		}
		if p.data.Learned.Equal(learned) && p.data.LearnedIn == learnedIn {
			p.data.Learned, p.data.LearnedIn = time.Time{}, ""
		}
	}
	if err := p.retryPassed(ctx); err != nil {
		return err
	}
	return p.save(ctx)
}

func (p *pass) catchUpIn(ctx context.Context, list string, since time.Time) error {
	if list == anyThread || list == "" {
		after := ""
		return p.allThreads(ctx, since, &after, true)
	}
	for chunk := range slices.Chunk(strings.Split(list, "\n"), provider.MaxQueryThreads) {
		if err := p.listThreads(ctx, chunk, since, true); err != nil {
			return err
		}
	}
	return nil
}
