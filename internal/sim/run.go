package sim

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/postoffice"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store"
)

// Params are what Run needs beside a plan.
type Params struct {
	// Stores are empty ones, on the clock.
	Stores func(now func() time.Time) (Stores, error)

	// Key signs ID tokens; making one takes a while.
	Key *rsa.PrivateKey

	Mutant Mutant
}

// world is one history under way.
type world struct {
	plan     *Plan
	mutant   Mutant
	clock    *postoffice.Clock
	office   *postoffice.Office
	services []*service
	stores   Stores
	dice     *dice
	hosts    [2]*host
	links    []string       // by sender
	ids      []string       // enrollments, by candidate
	troubled bool           // faults are on
	clerk    *runner.Runner // of somebody at a desk, who never ticks
	stopped  map[string]int // mails that had left when an enrollment was stopped by hand
	told     []string       // events, each once
	known    map[string]int // ids of events
	still    []span         // when a machine stood still
	steps    []step         // of clocks
	putBack  func() (Stores, error)
	backedUp time.Time
	restored span // from the backup to its restoration
	pending  bool // a mailbox could not be asked then
	notes    []string
	wrong    []string
	byHand   []note               // what owners wrote and is not in their mailbox yet
	handled  map[string]time.Time // when the host was told first that an enrollment was answered, by its key
	pushing  bool                 // a push is being handled: time does not move meanwhile
	linking  bool                 // likewise
	desk     *desk
	marked   int // how often a mailbox was marked
}

type span struct{ from, to time.Time }

// step is a clock set forwards or back.
type step struct {
	at time.Time
	by time.Duration
}

func (w *world) note(format string, args ...any) {
	w.notes = append(w.notes, w.clock.Now().Format("02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// Handle implements runner.Sink.
func (w *world) Handle(_ context.Context, ev runner.Event) error {
	if _, was := w.handled[ev.Key]; !was && ev.Kind == runner.EventReplied {
		w.handled[ev.Key] = w.clock.Now()
	}
	if w.known[ev.ID]++; w.known[ev.ID] == 1 {
		w.told = append(w.told, fmt.Sprintf("%s %s %s step %d %s", ev.At.UTC().Format(time.RFC3339), ev.Key, ev.Kind, ev.Step, ev.Reason))
	}
	return nil
}

// History is what came of a plan.
type History struct {
	Wrong []string // broken promises; empty is what should be
	Plan  string
	Notes []string // faults and crashes
	Text  string   // the books, and what the host was told
}

// Run plays a plan. An error is the simulation's own.
func Run(ctx context.Context, p *Plan, params Params) (*History, error) {
	w := &world{
		plan: p, mutant: params.Mutant, clock: postoffice.NewClock(start()), known: make(map[string]int), stopped: make(map[string]int), handled: make(map[string]time.Time),
		desk: newDesk(), dice: &dice{rnd: rand.New(rand.NewPCG(p.Seed, 1))},
	}
	var err error
	if w.office, err = postoffice.New(postoffice.Config{Clock: w.clock}); err != nil {
		return nil, err
	}
	for i, s := range p.Senders {
		svc, err := newService(w.office, s, params.Key)
		if err != nil {
			return nil, err
		}
		if err := svc.subscribe(w.receiver(i)); err != nil {
			return nil, err
		}
		w.services = append(w.services, svc)
	}
	if w.stores, err = params.Stores(w.clock.Now); err != nil {
		return nil, err
	}
	for i := range w.hosts {
		if err := w.birth(i); err != nil {
			return nil, err
		}
	}
	if err := w.seat(); err != nil {
		return nil, err
	}
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	w.play(ctx)
	if err := w.check(ctx); err != nil {
		return nil, err
	}
	return &History{
		Wrong: w.wrong, Plan: p.String(), Notes: w.notes, Text: w.office.Books().String() + strings.Join(w.told, "\n"),
	}, nil
}

// seat puts somebody at the desk.
func (w *world) seat() (err error) {
	enrollments := w.stores.Enrollments
	if w.mutant.Store != nil {
		enrollments = w.mutant.Store(enrollments)
	}
	w.clerk, err = runner.New(runner.Config{
		Store: enrollments, Mailboxes: atDesk{w}, Key: hostKey(), Domain: hostDomain, Now: w.clock.Now,
	})
	return err
}

// begin links, previews and enrolls, before anything goes wrong.
func (w *world) begin(ctx context.Context) error {
	h := w.hosts[0]
	for i, s := range w.services {
		done, err := h.link(ctx, s, "")
		if err != nil {
			return fmt.Errorf("sim: link: %w", err)
		}
		w.links = append(w.links, done.Link.ID)
		if err := w.office.DeliverUnrelated(postoffice.Traffic{To: s.plan.Address, N: 60, First: w.clock.Now(), Every: 4 * time.Hour}); err != nil {
			return err
		}
		if s.plan.Access == provider.AccessReplies {
			if _, err := h.run.Preview(ctx, runner.PreviewParams{Key: fmt.Sprint("preview ", i), Link: done.Link.ID, Sequence: w.sequence(false)}); err != nil {
				return fmt.Errorf("sim: preview: %w", err)
			}
		}
	}
	for range 4 {
		if _, err := h.run.Tick(ctx); err != nil {
			return fmt.Errorf("sim: tick: %w", err)
		}
		w.clock.Advance(10 * time.Minute)
	}
	for _, c := range w.plan.Candidates {
		if c.TwinOf == 0 {
			if err := w.office.AddPerson(postoffice.Person{Address: c.Address, Behaviours: c.behaviours(w)}); err != nil {
				return err
			}
		}
		var cc []provider.Address
		if c.Colleague != "" {
			does := []postoffice.Behaviour{{Do: postoffice.Answer, On: c.On, After: c.After}}
			if err := w.office.AddPerson(postoffice.Person{Address: c.Colleague, Behaviours: does}); err != nil {
				return err
			}
			cc = append(cc, provider.Address{Addr: c.Colleague})
		}
		e, err := h.run.Enroll(ctx, runner.EnrollParams{
			Key: c.key(), Link: w.links[c.Sender], Recipient: provider.Address{Addr: c.Address}, Cc: cc, Sequence: w.sequence(c.Independent), Zone: c.Zone,
		})
		if err != nil {
			return fmt.Errorf("sim: enroll: %w", err)
		}
		w.ids = append(w.ids, e.ID)
	}
	return nil
}

func stepText(n int) string { return fmt.Sprintf("Step %d.", n) }

func (w *world) sequence(independent bool) *sequence.Sequence {
	s := &sequence.Sequence{ID: "sim", Version: 1, AcceptBlind: true, AcceptThreadOnly: true, Independent: independent}
	for i := range w.plan.Steps {
		step := sequence.Step{ID: sequence.StepID(i + 1), Days: 2 * min(i, 1), Text: stepText(i + 1)}
		if i == 0 {
			step.Subject = "A role"
		}
		s.Steps = append(s.Steps, step)
	}
	return s
}

// play goes through the time of trouble, and through the time after it.
func (w *world) play(ctx context.Context) {
	p := w.plan
	w.troubled = true
	for end := w.clock.Now().Add(p.Faulty); w.clock.Now().Before(end) && len(w.wrong) == 0; {
		if p.chance(p.Trouble) {
			w.inject()
		}
		h := w.hosts[p.rnd.IntN(len(w.hosts))]
		if p.chance(p.Trouble) && h.life.left < 0 {
			h.life.left, h.life.after = 1+p.rnd.IntN(25), p.chance(0.5)
			w.note("a process will die in %d steps, done %t", h.life.left, h.life.after)
		}
		w.accidents(ctx)
		w.disaster(ctx)
		for i, h := range w.hosts { // one may die outside of its ticks
			if h.life.dead {
				w.note("a process is born again")
				if err := w.birth(i); err != nil {
					w.wrong = append(w.wrong, "birth: "+err.Error())
				}
			}
		}
		if h = w.hosts[h.number()]; !h.life.dead {
			w.tick(ctx, h)
		}
		d := 10 * time.Minute
		if p.chance(0.2) {
			d = p.upTo(40*time.Minute) + time.Second
		} else if p.chance(0.003) {
			d = p.upTo(12*time.Hour) + time.Second
		}
		w.clock.Advance(d)
		w.writeByHand()
		w.answerFromDesk(ctx)
	}
	w.troubled = false
	for _, s := range w.services {
		s.clear()
	}
	for end := w.clock.Now().Add(25 * day); w.clock.Now().Before(end) && len(w.wrong) == 0; {
		for _, h := range w.hosts {
			h.life.left = -1
		}
		w.mend(ctx)
		w.tick(ctx, w.hosts[p.rnd.IntN(len(w.hosts))])
		w.clock.Advance(90 * time.Minute)
		w.writeByHand()
		w.answerFromDesk(ctx)
	}
}

// tick lets a process work, and has it born again if it died.
func (w *world) tick(ctx context.Context, h *host) {
	h.busy, h.paused = true, false
	report, err := h.run.Tick(ctx)
	h.busy = false
	if report.Mailboxes > 200 {
		w.wrong = append(w.wrong, fmt.Sprintf("at %v a tick went over its mailboxes %d times", w.clock.Now(), report.Mailboxes))
		for i, c := range w.plan.Candidates {
			w.wrong = append(w.wrong, c.Address+"\n"+(&candidate{world: w, Candidate: c, id: w.ids[i]}).story(ctx))
		}
	}
	if h.life.dead {
		if i := slices.Index(w.hosts[:], h); i >= 0 { // else it was born again meanwhile
			w.note("a process died")
			if err := w.birth(i); err != nil {
				w.wrong = append(w.wrong, "birth: "+err.Error())
			}
		}
		return
	}
	if err != nil && !errors.Is(err, store.ErrConflict) {
		w.wrong = append(w.wrong, fmt.Sprintf("at %v a tick failed: %v", w.clock.Now(), err))
	}
}

// accidents are what happens to a mailbox now and then.
func (w *world) accidents(ctx context.Context) {
	p := w.plan
	s := w.services[p.rnd.IntN(len(w.services))]
	switch {
	case p.chance(0.004):
		w.note("%s: cursors expire", s.plan.Address)
		s.box.ExpireChanges()
	case p.chance(0.002):
		w.note("%s: the grant is withdrawn", s.plan.Address)
		s.withdraw()
	case p.chance(0.05):
		w.mend(ctx)
	case p.chance(0.05): // the mail service pushes, up to three times; most pushes get lost
		link := w.links[slices.Index(w.services, s)]
		for range 1 + p.rnd.IntN(3) {
			if err := w.hosts[0].run.Notify(ctx, link); err != nil {
				w.note("a push failed: %v", err)
			}
		}
	}
	w.pushAccidents(ctx, s)
	if p.chance(p.Trouble * 0.05) {
		w.stepClock(w.hosts[p.rnd.IntN(len(w.hosts))])
	}
}

// mend links again what needs it.
func (w *world) mend(ctx context.Context) {
	for i, s := range w.services {
		link, err := w.stores.Links.Get(ctx, w.links[i])
		if err != nil || link.Status != store.LinkNeedsRelink && link.Status != store.LinkUnusable {
			continue
		}
		h := w.hosts[0]
		if link.Status == store.LinkUnusable { // it broke too often, and somebody looked into it
			if err := h.linker.Forgive(ctx, s.plan.Address, w.links[i]); err != nil {
				w.note("forgiving failed: %v", err)
				continue
			}
		}
		if _, err := h.link(ctx, s, w.links[i]); err != nil {
			w.note("linking again failed: %v", err)
			continue
		}
		w.note("%s is linked again", s.plan.Address)
		if err := h.run.Notify(ctx, w.links[i]); err != nil {
			w.note("notify failed: %v", err)
		}
	}
}

// inject draws a fault.
func (w *world) inject() {
	p := w.plan
	s := w.services[p.rnd.IntN(len(w.services))]
	ops := []string{"send", "send", "send", "get", "content", "list", "changes", "token", "any"}
	f := fault{op: ops[p.rnd.IntN(len(ops))], skip: p.rnd.IntN(4)}
	kinds := []string{"cut before", "cut after", "refuse", "refuse", "refuse after", "html", "call", "call"}
	switch f.kind = kinds[p.rnd.IntN(len(kinds))]; f.kind {
	case "refuse":
		f.status = []int{429, 429, 500, 502, 503, 504}[p.rnd.IntN(6)]
		if p.chance(0.5) {
			f.wait = p.upTo(20*time.Minute) + time.Second
		}
	case "refuse after":
		f.status = []int{500, 502, 503, 504}[p.rnd.IntN(4)]
	case "call": // it is slow, and the other process works meanwhile
		d := p.upTo(8 * time.Minute)
		if f.op == "send" || f.op == "any" {
			d = 0 // a mail that was handed over late was handed over in time
		}
		other := p.rnd.IntN(len(w.hosts))
		f.call = func() {
			if w.pushing || w.linking {
				return
			}
			w.clock.Advance(d)
			if h := w.hosts[other]; !h.busy && !h.life.dead {
				w.tick(context.Background(), h)
			}
		}
	}
	w.note("%s: %v", s.plan.Address, f)
	s.inject(f)
}
