package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/outreachkit/outreach/provider/safehtml"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/store"
)

// Runner drives enrollments: it reads mailboxes, asks the engine what to do,
// sends, and tells the host. Several Runners, in one process or many, may
// share a store. All methods are safe for concurrent use.
type Runner struct {
	cfg  Config
	opts Options
	log  *slog.Logger
	safe *safehtml.Policy

	mu        sync.Mutex
	sequences map[string]*sequence.Sequence // by content hash; they never change
	reads     map[string]time.Time          // by mailbox; see lastRead
	pruned    time.Time                     // when prune was last done
}

// maxSequences bounds what is kept of definitions that were read.
const maxSequences = 1000

// New returns a Runner. It makes no request and starts nothing. A
// *provider.FieldError names what is wrong with the configuration.
func New(cfg Config) (*Runner, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Now == nil { // as it is: in UTC it would lose the monotonic reading that lastRead and NotAfter need
		cfg.Now = time.Now
	}
	if cfg.Zones == nil {
		cfg.Zones = time.LoadLocation
	}
	if cfg.Wait == nil {
		cfg.Wait = wait
	}
	if cfg.Renderer == nil {
		cfg.Renderer = verbatim{}
	}
	if cfg.Push != nil {
		cfg.Push = cfg.Push.filled(cfg.Options.withDefaults())
	}
	logger := cfg.Logger
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return &Runner{
		cfg: cfg, opts: cfg.Options.withDefaults(), log: logger, safe: safehtml.New(safehtml.Options{RemoteImages: cfg.Options.RemoteImages}),
		sequences: make(map[string]*sequence.Sequence), reads: make(map[string]time.Time),
	}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// verbatim is the Renderer that sends the words as they stand.
type verbatim struct{}

func (verbatim) Render(_ context.Context, r RenderRequest) (Rendered, error) {
	return Rendered{Subject: r.Step.Subject, Text: r.Step.Text, HTML: r.Step.HTML}, nil
}

// Report is what one Tick did.
type Report struct {
	Mailboxes int // passes over a mailbox
	Sent      int // mails accepted
	Incoming  int // messages that were put into a conversation
	Delivered int // outbox rows handed to the log and the sink
}

// Tick does all the work that is due now and returns. Hosts with a scheduler
// of their own call it; Run calls it in a loop. What went wrong with one
// mailbox doesn't stop the others: such errors are kept with the mailbox,
// shown by Explain and reported to the Observer. The error returned is the
// store's, the sink's or the context's.
func (r *Runner) Tick(ctx context.Context) (Report, error) {
	var report Report
	failed := r.prune(ctx)
	// A pass either finishes its mailbox's due work or puts it off, so the
	// rounds end by themselves; the bound keeps a store that gives out the
	// same work for ever from holding the caller.
	for range maxRounds {
		// The lease begins at some time after this by the store's clock, and so
		// ends after leaseEnd.
		now := r.cfg.Now()
		leaseEnd := now.Add(r.opts.Lease)
		claims, err := r.cfg.Store.Claim(ctx, store.ClaimParams{
			By: r.opts.Name, Now: now, TTL: r.opts.Lease,
			Mailboxes: r.opts.Workers, PerMailbox: r.opts.PerMailbox,
		})
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("runner: claim: %w", err))
			break
		}
		if len(claims) == 0 {
			break
		}
		passes, err := r.passes(ctx, claims, leaseEnd, false)
		for _, p := range passes {
			report.Mailboxes++
			report.Sent += p.sent
			report.Incoming += p.incoming
		}
		if err != nil && failed == nil {
			failed = err // of many that fail alike the first tells enough
		}
		if err := ctx.Err(); err != nil {
			return report, err
		}
	}
	n, err := r.drain(ctx)
	report.Delivered = n
	return report, errors.Join(failed, err)
}

const maxRounds = 1000

// passes works on claimed mailboxes, all at once. With recoverOnly nothing is
// sent, and what would be given back stays claimed.
func (r *Runner) passes(ctx context.Context, claims []store.Claim, leaseEnd time.Time, recoverOnly bool) ([]*pass, error) {
	// It is read after the claims are made: who claims after a restoration
	// was written down knows of it.
	re, err := r.restoration(ctx)
	if err != nil {
		return nil, err
	}
	passes := make([]*pass, len(claims))
	errs := make([]error, len(claims))
	var wg sync.WaitGroup
	for i, c := range claims {
		passes[i] = newPass(r, c, leaseEnd)
		passes[i].restored, passes[i].recoverOnly = re, recoverOnly
		wg.Go(func() { errs[i] = passes[i].run(ctx) })
	}
	wg.Wait()
	return passes, errors.Join(errs...)
}

// Run calls Tick until the context ends, and waits Options.Idle when there
// was nothing to do. A mail whose request has left when the context ends is
// waited for and recorded before Run returns. An error of Tick's is logged and
// the loop goes on: it returns only the context's error.
func (r *Runner) Run(ctx context.Context) error {
	for {
		report, err := r.Tick(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.log.ErrorContext(ctx, "runner: tick failed, trying again", "error", err)
		}
		if err != nil || report == (Report{}) {
			if err := r.cfg.Wait(ctx, r.opts.Idle); err != nil {
				return err
			}
		}
	}
}

// The outbox's kinds of row.
const (
	rowEntry = "entry"
	rowEvent = "event"
)

// drain delivers the outbox to the log and the sink. Rows are acknowledged
// after both took them, so both may see a row again after a crash.
func (r *Runner) drain(ctx context.Context) (int, error) {
	const batch = 500
	total := 0
	for {
		rows, err := r.cfg.Store.Outbox(ctx, batch)
		if err != nil {
			return total, fmt.Errorf("runner: outbox: %w", err)
		}
		if len(rows) == 0 {
			return total, nil
		}
		start := r.cfg.Now()
		err = r.deliver(ctx, rows)
		delivered := len(rows)
		if err != nil {
			delivered = 0
		}
		r.observe(Observation{Kind: ObserveDrain, At: start, Count: delivered, Took: r.cfg.Now().Sub(start), Err: err})
		if err != nil {
			return total, err
		}
		seqs := make([]int64, len(rows))
		for i, row := range rows {
			seqs[i] = row.Seq
		}
		if err := r.cfg.Store.Ack(ctx, seqs); err != nil {
			return total, fmt.Errorf("runner: acknowledge the outbox: %w", err)
		}
		total += len(rows)
	}
}

func (r *Runner) deliver(ctx context.Context, rows []store.Event) error {
	var entries []store.Entry
	for _, row := range rows {
		if row.Kind != rowEntry {
			continue
		}
		e, err := r.entryOf(row)
		if err != nil {
			return err
		}
		e.At = e.At.UTC()
		entries = append(entries, e)
	}
	if len(entries) > 0 && r.cfg.Log != nil {
		if err := attempt(func() error { return r.cfg.Log.Append(ctx, entries) }); err != nil {
			return fmt.Errorf("runner: append to the conversation log: %w", err)
		}
		if err := r.eraseAgain(ctx, entries); err != nil {
			return err
		}
	}
	if r.cfg.Events == nil {
		return nil
	}
	for _, row := range rows {
		if row.Kind != rowEvent {
			continue
		}
		var ev Event
		if err := json.Unmarshal(row.Data, &ev); err != nil {
			return fmt.Errorf("runner: outbox row %s: %w", row.Key, err)
		}
		ev.At = ev.At.UTC()
		if err := attempt(func() error { return r.cfg.Events.Handle(ctx, ev) }); err != nil {
			return fmt.Errorf("runner: event %s: %w", ev.ID, err)
		}
	}
	return nil
}

// eraseAgain takes back entries of recipients who were erased while their rows
// were on the way to the log: Erase removes an enrollment before it erases
// from the log, so who is still there now is erased from it later if at all.
func (r *Runner) eraseAgain(ctx context.Context, entries []store.Entry) error {
	recipients := make(map[string]string) // by conversation
	for _, e := range entries {
		recipients[e.Conversation] = e.Recipient
	}
	there, err := r.cfg.Store.Load(ctx, slices.Sorted(maps.Keys(recipients)))
	if err != nil {
		return fmt.Errorf("runner: load: %w", err)
	}
	for _, row := range there {
		delete(recipients, row.ID)
	}
	for _, recipient := range recipients {
		if _, err := guarded(func() (int, error) { return r.cfg.Log.Erase(ctx, recipient) }); err != nil {
			return fmt.Errorf("runner: erase from the conversation log: %w", err)
		}
	}
	return nil
}

func (r *Runner) observe(o Observation) {
	if r.cfg.Observer == nil {
		return
	}
	err := attempt(func() error {
		o.At = o.At.UTC()
		r.cfg.Observer.Observe(o)
		return nil
	})
	if err != nil {
		r.log.Error("runner: the Observer failed", "error", err)
	}
}

// sequence returns the definition with this hash, read once.
func (r *Runner) sequence(ctx context.Context, hash string) (*sequence.Sequence, error) {
	r.mu.Lock()
	s, ok := r.sequences[hash]
	r.mu.Unlock()
	if ok {
		return s, nil
	}
	def, err := r.cfg.Store.LoadDefinition(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("runner: load the sequence %s: %w", hash, err)
	}
	s = new(sequence.Sequence)
	if err := json.Unmarshal(def.Data, s); err != nil {
		return nil, fmt.Errorf("runner: the stored sequence %s: %w: %w", hash, errDamaged, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sequences) >= maxSequences {
		clear(r.sequences)
	}
	r.sequences[hash] = s
	return s, nil
}
