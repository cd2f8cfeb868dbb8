package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// Stores is what the host keeps: all of it survives a process.
type Stores struct {
	Links       store.TokenStore
	Flows       store.FlowStore
	Enrollments store.EnrollmentStore
	Log         store.ConversationLog

	// Backup copies all of it. What it returns opens such a copy. Nil can't.
	Backup func() (func() (Stores, error), error)
}

// Mutant switches off one part of the protocol, by what stands round it. The
// zero Mutant changes nothing.
type Mutant struct {
	Name    string
	Store   func(store.EnrollmentStore) store.EnrollmentStore
	Mailbox func(provider.Mailbox, func() time.Time) provider.Mailbox
	Log     func(store.ConversationLog) store.ConversationLog
	View    func(*runner.Enrollment) // what the library says at the end
	Watches func(int) int            // how many watches there are at the end

	Receiver func(provider.PushReceiver) provider.PushReceiver
	Provider func(provider.Provider) provider.Provider // as linking knows it
}

// host is one process of the host: it lives until it dies.
type host struct {
	w      *world
	name   string
	life   *life
	busy   bool
	skew   time.Duration // how far its clock is ahead
	lag    time.Duration // how long its machine stood still, until its clock is set right
	paused bool          // it stood still in this tick
	linker *linking.Linker
	run    *runner.Runner
	pushes []http.Handler // by sender; nil takes none
}

// dice makes secrets that are the same in every run of a seed.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func (d *dice) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range b {
		b[i] = byte(d.rnd.Uint32())
	}
	return len(b), nil
}

const hostDomain = "mail.agency.example.com"

func hostKey() []byte { return []byte("a secret of thirty-two bytes ....") }

func (w *world) birth(i int) error {
	h := &host{w: w, name: fmt.Sprint(i), life: &life{left: -1}}
	if w.plan.chance(0.3) {
		h.skew = w.drift()
	}
	var provs []provider.Provider
	for _, s := range w.services {
		p, err := s.provider(&mortalWire{base: &feedWire{base: s.transport(), s: s, w: w}, l: h.life, tell: func(r *http.Request) {
			if w.troubled && w.plan.chance(w.plan.Trouble*0.01) {
				w.stepClock(h)
			}
			if isRead(r) {
				s.reads = append(s.reads, w.clock.Now())
			}
			if isFeed(r) {
				s.feeds = append(s.feeds, w.clock.Now())
			}
			if begins(r) {
				s.begun = append(s.begun, w.clock.Now())
			}
			if isSend(r) {
				s.sends = append(s.sends, w.clock.Now())
			}
			// The steps around a send are where it matters to die.
			if isSend(r) && w.troubled && h.life.left < 0 && w.plan.chance(w.plan.Trouble) {
				h.life.left, h.life.after = 1+w.plan.rnd.IntN(6), w.plan.chance(0.5)
				w.note("a process will die %d steps after a send, done %t", h.life.left, h.life.after)
			}
		}}, h.now)
		if err != nil {
			return err
		}
		provs = append(provs, p)
	}
	patient := func(ctx context.Context, _ time.Duration) error {
		if h.life.dead {
			return errDead
		}
		return ctx.Err()
	}
	var err error
	linkable := slices.Clone(provs)
	for i, p := range linkable {
		if w.mutant.Provider != nil {
			linkable[i] = w.mutant.Provider(p)
		}
	}
	h.linker, err = linking.New(linking.Config{
		Providers: linkable, Links: &mortalLinks{w.stores.Links, h.life}, Flows: &mortalFlows{w.stores.Flows, h.life}, InsecurePlainTokens: true, Now: h.now, Wait: patient, Rand: w.dice,
	})
	if err != nil {
		return err
	}
	var enrollments store.EnrollmentStore = &mortalStore{w.stores.Enrollments, h.life, h.slow, func() { w.marked++ }}
	if w.mutant.Store != nil {
		enrollments = w.mutant.Store(enrollments)
	}
	var log store.ConversationLog = &mortalLog{w.stores.Log, h.life}
	if w.mutant.Log != nil {
		log = w.mutant.Log(log)
	}
	h.run, err = runner.New(runner.Config{
		Store: enrollments, Mailboxes: h, Log: log, Events: &mortalSink{w, h.life}, Now: h.now, Wait: patient,
		Key: hostKey(), Domain: hostDomain,
		Guard: w.guard, Push: &runner.PushConfig{PollEvery: w.plan.Poll},
		// One worker: what happens at once elsewhere happens in an order here.
		Options: runner.Options{Name: h.name, ReadEvery: 30 * time.Minute, Workers: 1},
	})
	if err != nil {
		return err
	}
	for i, s := range w.services {
		var takes http.Handler
		if from, can := provs[i].(provider.PushReceiver); can && s.plan.Push {
			if w.mutant.Receiver != nil {
				from = w.mutant.Receiver(from)
			}
			takes = h.run.PushHandler(from)
		}
		h.pushes = append(h.pushes, takes)
	}
	w.hosts[i] = h
	return nil
}

// guard lets everything go. While it thinks, somebody may stop the drip
// through another process.
func (w *world) guard(ctx context.Context, e runner.Enrollment, _ sequence.Step) (runner.Verdict, error) {
	i := slices.Index(w.ids, e.ID)
	if i < 0 || !w.troubled || !w.plan.chance(w.plan.Trouble*0.1) {
		return runner.VerdictSend, nil
	}
	w.note("%s is stopped by hand", e.Key)
	if _, err := w.clerk.Stop(ctx, e.ID, "stopped by hand"); err != nil {
		return runner.VerdictWait, err
	}
	c := &candidate{world: w, Candidate: w.plan.Candidates[i], id: e.ID}
	w.stopped[e.ID] = len(c.sent())
	return runner.VerdictSend, nil
}

// slow has some commits take minutes. Meanwhile the other process may work; or
// the whole machine stands still, its clocks with it, as a virtual machine
// does that is moved: only the store's clock can tell then.
func (h *host) slow(b *store.Batch, done bool) {
	w, often := h.w, 0.3
	if len(b.Intents) == 0 {
		often = 0.005
	}
	if !w.troubled || w.pushing || !w.plan.chance(w.plan.Trouble*often) {
		return
	}
	if !done && !h.paused && w.plan.chance(0.5) {
		d := w.plan.upTo(15*time.Minute) + time.Second
		w.note("process %s stands still for %v", h.name, d)
		h.paused, h.lag = true, h.lag+d
		w.still = append(w.still, span{w.clock.Now(), w.clock.Now().Add(d)})
		w.clock.Advance(d)
		return
	}
	d := w.plan.upTo(8 * time.Minute)
	w.note("a commit takes %v, done %t", d, done)
	w.clock.Advance(d)
	if h := w.hosts[w.plan.rnd.IntN(len(w.hosts))]; !h.busy && !h.life.dead && w.plan.chance(0.5) {
		w.tick(context.Background(), h)
	}
}

// drift is how far a clock may be ahead.
func (w *world) drift() time.Duration { return w.plan.upTo(3*time.Minute) - 90*time.Second }

// stepClock sets the clock of a process forwards or back, at any moment.
func (w *world) stepClock(h *host) {
	was := h.skew
	h.skew = w.drift()
	w.note("the clock of process %s steps by %v", h.name, h.skew-was)
	w.steps = append(w.steps, step{w.clock.Now(), h.skew - was})
}

func (h *host) now() time.Time { return h.w.clock.Now().Add(h.skew - h.lag) }

// Open implements runner.Mailboxes.
func (h *host) Open(ctx context.Context, link string) (provider.Linked, error) {
	h.lag = 0 // its clock has been set right since
	linked, err := h.linker.Open(ctx, link)
	if err == nil && h.w.mutant.Mailbox != nil {
		whole := linked.Mailbox
		linked.Mailbox = h.w.mutant.Mailbox(whole, h.w.clock.Now)
		if w, can := whole.(provider.Watcher); can { // what a mutant leaves alone stays
			linked.Mailbox = watching{linked.Mailbox, w}
		}
	}
	return linked, err
}

type watching struct {
	provider.Mailbox
	provider.Watcher
}

// link links the sender's mailbox, or links it again.
func (h *host) link(ctx context.Context, s *service, relink string) (linking.Completed, error) {
	h.w.linking = true
	defer func() { h.w.linking = false }()
	begun, err := h.linker.Begin(ctx, linking.BeginParams{
		Owner: s.plan.Address, Session: "session", Provider: s.name(), Access: s.plan.Access, RedirectURL: "https://ats.example.com/callback", Relink: relink,
	})
	if err != nil {
		return linking.Completed{}, err
	}
	back, err := s.consent(begun.URL)
	if err != nil {
		return linking.Completed{}, err
	}
	return h.linker.Complete(ctx, linking.CompleteParams{Query: back.Query(), Owner: s.plan.Address, Session: "session"})
}
