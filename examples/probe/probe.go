package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/sequence"
	"github.com/outreachkit/outreach/sequence/runner"
	"github.com/outreachkit/outreach/store/memstore"
)

// overheard is a provider of which the probe keeps what passes by.
type overheard struct {
	provider.Provider
	tokens provider.TokenSource // of the mailbox that was opened last
	scopes []string             // as granted
}

func (o *overheard) Open(acc provider.Account, ts provider.TokenSource) provider.Mailbox {
	o.tokens = ts
	return o.Provider.Open(acc, ts)
}

func (o *overheard) Exchange(ctx context.Context, cb provider.Callback) (provider.Grant, error) {
	g, err := o.Provider.Exchange(ctx, cb)
	o.scopes = g.Scopes
	return g, err
}

// probe is one run over one mailbox.
type probe struct {
	prov     *overheard
	wire     *wire
	api      string // base URL of Graph with its version
	now      func() time.Time
	wait     func(ctx context.Context, d time.Duration) error
	patience time.Duration
	out      io.Writer

	linker *linking.Linker
	mem    *memstore.Store
	linked provider.Linked
	mails  int
	report report
}

const (
	owner = "the person at the terminal"

	// every is the pause between two looks.
	every = 5 * time.Second
)

// run links, previews, goes through the beliefs and prints the report.
func (p *probe) run(ctx context.Context, consent func(context.Context, begin) (callback, error)) error {
	p.mem = memstore.New(memstore.Options{Now: p.now})
	var err error
	p.linker, err = linking.New(linking.Config{
		Providers: []provider.Provider{p.prov}, Links: p.mem.Tokens(), Flows: p.mem.Flows(), Now: p.now,
		InsecurePlainTokens: true, // nothing outlives the process
	})
	if err != nil {
		return err
	}
	p.report = report{service: string(p.prov.Kind()), began: p.now()}
	if err := p.link(ctx, consent); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	if err := p.preview(ctx); err != nil {
		return fmt.Errorf("preview: %w", err)
	}
	if err := p.beliefs(ctx); err != nil {
		return err
	}
	p.report.print(p.out)
	return nil
}

func (p *probe) say(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

func (p *probe) link(ctx context.Context, consent func(context.Context, begin) (callback, error)) error {
	session := rand.Text()
	back, err := consent(ctx, func(redirectURL string) (string, error) {
		begun, err := p.linker.Begin(ctx, linking.BeginParams{Owner: owner, Session: session, Provider: p.prov.Name(), RedirectURL: redirectURL})
		return begun.URL, err
	})
	if err != nil {
		return err
	}
	p.report.see("SendsIssuer", yesNo(back.query.Has("iss")), "the redirect carries iss (RFC 9207)")
	done, err := p.linker.Complete(ctx, linking.CompleteParams{Query: back.query, Owner: owner, Session: session})
	if err != nil {
		return err
	}
	p.report.see("granted", strings.Join(p.prov.scopes, " "), "the scopes, as the module understood them")
	p.say("%s is linked with access %q.", done.Link.Address, done.Link.Access)
	p.linked, err = p.linker.Open(ctx, done.Link.ID)
	return err
}

// preview proves that the link sends and receives, as a host would.
func (p *probe) preview(ctx context.Context) error {
	if !p.linked.Abilities.Preview {
		p.report.see("preview", "not offered", "with this access nothing can be read back")
		return nil
	}
	run, err := runner.New(runner.Config{
		Store: p.mem.Enrollments(), Mailboxes: p.linker, Key: []byte(rand.Text() + rand.Text()), Domain: "probe.example.com", Now: p.now,
	})
	if err != nil {
		return err
	}
	e, err := run.Preview(ctx, runner.PreviewParams{
		Key: "probe", Link: p.linked.Link, FromName: "Probe", Sequence: &sequence.Sequence{ID: "probe", Version: 1, Steps: []sequence.Step{
			{ID: 1, Subject: "Probe: a preview", Text: "The first mail of a preview."}, {ID: 2, Days: 1, Text: "The second, in the same thread."},
		}},
	})
	if err != nil {
		return err
	}
	p.say("A preview of two mails is on its way to your own inbox.")
	var status runner.PreviewReport
	began := p.now()
	for {
		if _, err := run.Tick(ctx); err != nil {
			return err
		}
		if status, err = run.PreviewStatus(ctx, e.ID); err != nil {
			return err
		}
		took := p.now().Sub(began).Round(time.Second)
		if status.Proven() {
			p.report.see("preview", "proven", fmt.Sprintf("seen in Sent and in the inbox after %v", took))
			return nil
		}
		if took > p.patience {
			p.report.see("preview", "not proven", fmt.Sprintf("not seen everywhere after %v", took))
			return nil
		}
		if err := p.wait(ctx, every); err != nil {
			return err
		}
	}
}

// until looks again and again until found returns true, or patience ends.
func (p *probe) until(ctx context.Context, found func() (bool, error)) (bool, time.Duration, error) {
	began := p.now()
	for {
		ok, err := found()
		took := p.now().Sub(began).Round(time.Second)
		var pe *provider.Error
		if errors.As(err, &pe) && (pe.Kind == provider.ErrTemporary || pe.Kind == provider.ErrThrottled) {
			ok, err = false, nil
		}
		if err != nil || ok || took > p.patience {
			return ok, took, err
		}
		if err := p.wait(ctx, every); err != nil {
			return false, took, err
		}
	}
}

func yesNo(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
