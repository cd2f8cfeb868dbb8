package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"when": func(t time.Time) string { return t.Format("2 Jan 2006, 15:04") }, "day": func(t time.Time) string { return t.Format("2 January 2006") },
	"status": statusWord, "tone": tone, "mender": menderWord, "finding": findingWord, "state": stateWord, "change": changeWord, "name": userName,
	"effect": effectWord, "codes": codes,
}).Parse(pageHTML))

// card is one link on the page.
type card struct {
	linking.Status
	Service     string
	History     []linking.Change // latest first
	Delegations []linking.Delegation
	Colleagues  []colleague
	Report      *linking.CheckReport
	Letter      *linking.AdminMessage // where an administrator is who can mend it
	Mishaps     []mishap
}

type colleague struct{ ID, Name string }

// view is the page.
type view struct {
	User       string
	Users      []colleague
	Now        time.Time
	Trouble    *trouble
	Letter     *linking.AdminMessage
	Alarms     []linking.Registration
	Cards      []card
	Ended      []linking.Status
	From       []linking.Delegation // links of others
	Registered []linking.Registration
}

func (w *world) page(rw http.ResponseWriter, r *http.Request) {
	s := w.session(r)
	if s == nil {
		s = w.enter(rw, users[0].id)
	}
	v, err := w.view(r.Context(), s)
	var out bytes.Buffer
	if err == nil {
		err = page.Execute(&out, v)
	}
	if err != nil {
		http.Error(rw, w.linker.Diagnose("", err).Remedy, http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	_, _ = out.WriteTo(rw)
}

func (w *world) view(ctx context.Context, s *session) (view, error) {
	v := view{User: s.user, Now: w.clock.Now()}
	for _, u := range users {
		v.Users = append(v.Users, colleague{u.id, u.name})
	}
	w.mu.Lock()
	v.Trouble, s.trouble = s.trouble, nil
	w.mu.Unlock()
	if v.Trouble != nil && v.Trouble.Diagnosis.Mender == provider.MendAdmin {
		v.Letter = w.letter(v.Trouble.Provider, provider.AccessReplies)
	}
	var err error
	if v.Registered, err = w.linker.Registrations(ctx); err != nil {
		return v, err
	}
	for _, reg := range v.Registered {
		if reg.Alarm {
			v.Alarms = append(v.Alarms, reg)
		}
	}
	if v.From, err = w.linker.DelegatedTo(ctx, s.user); err != nil {
		return v, err
	}
	links, err := w.linker.List(ctx, s.user)
	if err != nil {
		return v, err
	}
	slices.SortFunc(links, func(a, b linking.Link) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Address, b.Address))
	})
	for _, link := range links {
		c, err := w.card(ctx, s, link)
		if err != nil {
			return v, err
		}
		if link.Status == store.LinkUnlinked {
			v.Ended = append(v.Ended, c.Status)
			continue
		}
		v.Cards = append(v.Cards, c)
	}
	return v, nil
}

func (w *world) card(ctx context.Context, s *session, link linking.Link) (card, error) {
	c := card{Service: link.Kind.Service(), Mishaps: w.mishaps(link)}
	var err error
	if c.Status, err = w.linker.Status(ctx, link.ID); err != nil {
		return c, err
	}
	if c.History, err = w.linker.History(ctx, link.ID); err != nil {
		return c, err
	}
	slices.Reverse(c.History)
	c.History = c.History[:min(len(c.History), 6)]
	if c.Delegations, err = w.linker.Delegations(ctx, s.user, link.ID); err != nil {
		return c, err
	}
	for _, u := range users {
		if u.id != s.user {
			c.Colleagues = append(c.Colleagues, colleague{u.id, u.name})
		}
	}
	w.mu.Lock()
	if report, ok := s.reports[link.ID]; ok {
		c.Report = &report
	}
	w.mu.Unlock()
	if c.Diagnosis.Mender == provider.MendAdmin {
		c.Letter = w.letter(link.Provider, c.Asked)
	}
	return c, nil
}

// letter is what a user forwards to their administrator, nil where the service
// has no advice.
func (w *world) letter(providerName string, access provider.Access) *linking.AdminMessage {
	m, err := w.linker.AdviseAdmin(linking.AdviseAdminParams{
		Provider: providerName, App: "Example Recruiting", Access: access, RedirectURL: w.base + "/admin/callback",
	})
	if err != nil {
		return nil
	}
	return &m
}

func userName(id string) string {
	for _, u := range users {
		if u.id == id {
			return u.name
		}
	}
	return id
}

// The words of a host for the closed sets of codes.

func statusWord(s store.LinkStatus) string {
	return map[store.LinkStatus]string{
		store.LinkLinked: "Works", store.LinkLimited: "Works in part", store.LinkNeedsRelink: "Link again", store.LinkHeld: "On hold",
		store.LinkUnusable: "Not usable", store.LinkUnlinking: "Being unlinked", store.LinkUnlinked: "Unlinked",
	}[s]
}

func tone(s store.LinkStatus) string {
	switch s {
	case store.LinkLinked:
		return "good"
	case store.LinkLimited, store.LinkHeld, store.LinkUnlinking:
		return "warn"
	case store.LinkUnlinked:
		return "none"
	}
	return "bad"
}

func menderWord(m provider.Mender) string {
	return map[provider.Mender]string{
		provider.MendUser: "You can mend this", provider.MendAdmin: "Your administrator can mend this", provider.MendOperator: "We have to mend this",
		provider.MendNobody: "Nothing needs to be done",
	}[m]
}

func findingWord(of linking.CheckOf) string {
	word, ok := map[linking.CheckOf]string{
		linking.CheckGrant: "Permission", linking.CheckAccess: "Extent of the permission", linking.CheckMailbox: "Mailbox",
		linking.CheckPush: "Announcement of new mail", linking.CheckRead: "Last read", linking.CheckSent: "Last mail sent",
	}[of]
	if !ok {
		return string(of)
	}
	return word
}

func stateWord(s linking.FindingState) string {
	return map[linking.FindingState]string{
		linking.FindingGood: "good", linking.FindingWarn: "look at it", linking.FindingBad: "not working", linking.FindingUnsure: "could not tell", linking.FindingNone: "none yet",
	}[s]
}

func changeWord(c linking.Change) string {
	switch c.Kind {
	case linking.ChangeDelegated:
		return userName(c.Actor) + " may send from it until " + c.Until.Format("2 January")
	case linking.ChangeUndelegated:
		return userName(c.Actor) + " may not send from it any more"
	case linking.ChangeSilent:
		return "Not read for too long"
	case linking.ChangeHeard:
		return "Read again"
	}
	switch {
	case c.Was == "":
		return "Linked"
	case c.Status == store.LinkNeedsRelink:
		return "The permission ended"
	case c.Was == store.LinkNeedsRelink || c.Was == store.LinkHeld:
		return "Works again"
	}
	return statusWord(c.Status)
}

// codes are what a user names to support.
func codes(d provider.Diagnosis) string {
	if code := d.Params[provider.ParamCode]; code != "" && code != string(d.Reason) {
		return string(d.Reason) + " · " + code
	}
	return string(d.Reason)
}

func effectWord(s linking.Status) string {
	switch {
	case !s.Revokes || s.Revoking == provider.RevokesNothing:
		return "After unlinking, the permission stays at " + s.Link.Kind.Service() + ", unused, until it is removed there."
	case s.Revoking == provider.RevokesAll:
		return "Unlinking ends everything you allowed us at " + s.Link.Kind.Service() + "."
	}
	return "Unlinking ends the permission at " + s.Link.Kind.Service() + "."
}
