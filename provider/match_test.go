package provider

import (
	"fmt"
	"math/rand/v2"
	"net/textproto"
	"reflect"
	"slices"
	"testing"
	"time"
)

var (
	matchStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	matchMe    = Account{Subject: "me", Address: "ada@example.com", Addresses: []string{"ada@example.com", "recruiting@example.com"}, Access: AccessReplies}
)

// carol and dan are two conversations.
func matchKnown() *Known {
	return &Known{Account: matchMe, Sent: []Sent{
		{
			Key: "carol", MessageIDs: []string{"<c1@example.com>", "c2@example.com"}, SendKeys: []string{"key-c1", "key-c2"},
			Threads: []string{"tc", "both", ""}, Recipients: []string{"carol@example.org", "Carol.Private@example.net"},
			Copied: []string{"boss@example.com"}, First: matchStart, Last: matchStart.AddDate(0, 0, 3),
		},
		{
			Key: "dan", MessageIDs: []string{"<d1@example.com>"}, SendKeys: []string{"key-d1"}, Threads: []string{"td", "shared", "both"},
			Recipients: []string{"dan@example.org"}, First: matchStart.AddDate(0, 0, 1), Last: matchStart.AddDate(0, 0, 1),
		},
	}}
}

func from(addr string, change ...func(*Envelope)) *Envelope {
	env := &Envelope{
		Ref: "m1", Thread: "tx", Place: PlaceInbox, MessageID: "<in@example.org>", From: []Address{{Addr: addr}},
		Received: matchStart.AddDate(0, 0, 2), Header: textproto.MIMEHeader{},
	}
	for _, f := range change {
		f(env)
	}
	return env
}

func refs(ids ...string) func(*Envelope) { return func(e *Envelope) { e.References = ids } }
func thread(id string) func(*Envelope)   { return func(e *Envelope) { e.Thread = id } }
func place(p Place) func(*Envelope)      { return func(e *Envelope) { e.Place = p } }
func at(t time.Time) func(*Envelope)     { return func(e *Envelope) { e.Received = t } }
func own(e *Envelope)                    { e.Own = true }
func also(addr string) func(*Envelope) {
	return func(e *Envelope) { e.From = append(e.From, Address{Addr: addr}) }
}
func to(addr string) func(*Envelope) {
	return func(e *Envelope) { e.To = append(e.To, Address{Addr: addr}) }
}
func id(s string) func(*Envelope)         { return func(e *Envelope) { e.MessageID = s } }
func head(name, v string) func(*Envelope) { return func(e *Envelope) { e.Header.Add(name, v) } }

func TestMatch(t *testing.T) {
	const carol, dan, stranger, daemon = "carol@example.org", "dan@example.org", "eve@example.org", "mailer-daemon@googlemail.com"
	none := ""
	for _, c := range []struct {
		name string
		env  *Envelope
		want string
	}{
		{"cites us", from(stranger, refs("<c1@example.com>")), "in carol:reference"},
		{"cites us without brackets", from(stranger, refs("c2@example.com")), "in carol:reference"},
		{"answers us", from(stranger, func(e *Envelope) { e.InReplyTo = []string{"<d1@example.com>"} }), "in dan:reference"},
		{"Exchange's parent", from(stranger, head("X-MS-Exchange-Parent-Message-Id", "<c1@example.com>")), "in carol:reference"},
		{"cites both", from(stranger, refs("<c1@example.com>", "<d1@example.com>")), "in carol:reference dan:reference"},
		{"cites mail of others", from(stranger, refs("<x@example.com>")), none},
		{"cites nothing legible", from(stranger, refs("", "<>")), none},
		{"ids are compared as written", from(stranger, refs("<C1@example.com>")), none},

		{"in the thread", from(stranger, thread("tc")), "in carol:thread"},
		{"recipient in the thread", from(carol, thread("tc")), "in carol:thread"},
		{"citing outweighs the thread", from(stranger, thread("td"), refs("<c1@example.com>")), "in carol:reference"},
		{"citing outweighs the address", from(dan, refs("<c1@example.com>")), "in carol:reference"},
		{"in a thread that services merged", from(dan, thread("shared")), "in dan:thread"},
		{"in another's thread that services merged", from(dan, thread("tc")), "in dan:address"},
		{"an empty thread is none", from(stranger, thread("")), none},

		{"copied colleague cites", from("Boss@example.com", refs("<c1@example.com>")), "in carol:reference,copied"},
		{"copied colleague in the thread", from("boss@example.com", thread("tc")), "in carol:thread,copied"},
		{"copied colleague elsewhere", from("boss@example.com"), none},
		{"copied colleague in a thread that services merged", from("boss@example.com", thread("both")), "in carol:thread,copied"},
		{"nobody's in a thread that services merged", from(stranger, thread("both")), "in carol:thread dan:thread"},
		{"copied colleague with the recipient", from("boss@example.com", also(carol), thread("tc")), "in carol:thread"},

		{"copied colleague with the recipient cites", from("boss@example.com", also(carol), refs("<c1@example.com>")), "in carol:reference"},

		{"no author, citing us", from("", func(e *Envelope) { e.From = nil }, refs("<c1@example.com>")), "in carol:reference"},
		{"recipient elsewhere", from(" CAROL@example.org "), "in carol:address"},
		{"recipient's other address", from("carol.private@example.net"), "in carol:address"},
		{"recipient before our mail", from(carol, at(matchStart.Add(-time.Hour))), none},
		{"recipient just before our mail", from(carol, at(matchStart.Add(-ClockSlack-time.Second))), none},
		{"recipient before our mail, by clocks that differ", from(carol, at(matchStart.Add(-ClockSlack))), "in carol:address"},
		{"recipient within the second of our mail", from(carol, at(matchStart)), "in carol:address"},
		{"recipient citing before our mail", from(carol, at(matchStart.Add(-time.Hour)), refs("<c1@example.com>")), "in carol:reference"},
		{"recipient in junk", from(carol, place(PlaceJunk)), "in carol:address"},
		{"recipient in trash", from(carol, place(PlaceTrash)), "in carol:address"},
		{"recipient at an unknown time", from(carol, at(time.Time{})), none},
		{"stranger", from(stranger), none},
		{"nobody", from(""), none},

		{"our copy", from("ada@example.com", own, place(PlaceSent), id("<c1@example.com>")), "sent carol:reference"},
		{"our copy by its key", from("ada@example.com", own, id("<new@mail.gmail.com>"), head(KeyHeader, " key-c2 ")), "sent carol:reference"},
		{"our copy by the id it had", from("ada@example.com", own, id("<new@mail.gmail.com>"), head("X-Google-Original-Message-ID", "<d1@example.com>")), "sent dan:reference"},
		{"our copy in Sent under another From", from("alias@example.net", place(PlaceSent), id("<c1@example.com>")), "sent carol:reference"},
		{"our copy that a rule moved", from("ada@example.com", place(PlaceOther), id("<c2@example.com>"), refs("<c1@example.com>")), "sent carol:reference"},
		{"our copy received in copy", from("recruiting@example.com", id("<c2@example.com>"), refs("<c1@example.com>")), "sent carol:reference"},
		{"our mail back from a list", from("careers@lists.example.org", id("<c1@example.com>")), "sent carol:reference"},
		{"an answer that copies our key", from(carol, head(KeyHeader, "key-c1")), "in carol:address"},
		{"written by hand in the thread", from("ada@example.com", own, place(PlaceSent), thread("tc")), "own carol:thread"},
		{"an answer that a rule filed among the sent mail", from(carol, own, place(PlaceSent), refs("<c1@example.com>")), "in carol:reference"},
		{"a new mail that a rule filed among the sent mail", from(carol, own, place(PlaceSent)), "in carol:address"},
		{"sent under a name that is not known", from(stranger, own, place(PlaceSent), refs("<c1@example.com>")), "own carol:reference"},
		{"written by hand in the thread of two, to one of them", from("ada@example.com", own, thread("both"), to(dan)), "own dan:thread"},
		{"written by hand in the thread of two, to both", from("ada@example.com", own, thread("both"), to(dan), to(carol)), "own carol:thread dan:thread"},
		{"written by hand in the thread of two, to another", from("ada@example.com", own, thread("both"), to(stranger)), "own carol:thread dan:thread"},
		{"written by hand as an alias", from("Recruiting@example.com", refs("<c1@example.com>")), "own carol:reference"},
		{"own mail about something else", from("ada@example.com", own, place(PlaceSent)), none},
		{"own address forged, citing us", from("ada@example.com", refs("<c1@example.com>")), "own carol:reference"},
		{"own address forged, citing nothing", from("ada@example.com"), none},
		{"own address beside the recipient's", from("ada@example.com", also(carol)), "in carol:address"},
		{"recipient beside our own address", from(carol, also("ada@example.com"), refs("<c1@example.com>")), "in carol:reference"},

		{"report in the thread", from(daemon, thread("tc"), refs("<c1@example.com>")), "in carol:reference"},
		{"report elsewhere", from(daemon), "report carol:report dan:report"},
		{"report of Exchange", from("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com"), "report carol:report dan:report"},
		{"report that names dan", from(daemon, head("X-Failed-Recipients", "x@example.org, Dan@example.org")), "report dan:report"},
		{"report that names a copied colleague", from(daemon, head("X-Failed-Recipients", "boss@example.com")), "report carol:report"},
		{"report that names others", from(daemon, head("X-Failed-Recipients", "x@example.org")), none},
		{"report that names in brackets", from(daemon, head("X-Failed-Recipients", "<dan@example.org>")), "report dan:report"},
		{"report that names illegibly", from(daemon, head("X-Failed-Recipients", "?")), "report carol:report dan:report"},
		{"report with two lines", from(daemon, head("X-Failed-Recipients", "x@example.org"), head("X-Failed-Recipients", carol)), "report carol:report"},
		{"report before our mail", from(daemon, at(matchStart.Add(-3*time.Minute))), none},
		{"report between the first mails", from(daemon, at(matchStart.Add(time.Hour))), "report carol:report"},
		{"report after five days", from(daemon, at(matchStart.AddDate(0, 0, 6).Add(time.Minute))), "report carol:report"},
		{"report long after", from(daemon, at(matchStart.AddDate(0, 0, 9))), none},
		{"nobody at another domain", from("nobody@example.org"), none},

		{"draft", from("ada@example.com", own, func(e *Envelope) { e.Draft = true }, refs("<c1@example.com>")), none},
		{"draft by its place", from(carol, place(PlaceDraft), refs("<c1@example.com>")), none},
		{"without a ref", from(carol, func(e *Envelope) { e.Ref = "" }), none},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Match(c.env, matchKnown())
			if got := describe(m); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if (len(m.Hits) > 0) != m.Warrant.Permits("me") || m.Warrant.Permits("you") || m.Warrant.Permits("") {
				t.Errorf("hits %v, warrant %+v", m.Hits, m.Warrant)
			}
			if len(m.Hits) > 0 && (m.Warrant.Ref() != c.env.Ref || m.Warrant.Evidence() != m.Hits[0].Evidence) {
				t.Errorf("the warrant is for %s by %s", m.Warrant.Ref(), m.Warrant.Evidence())
			}
		})
	}
}

func describe(m Matched) string {
	s := string(m.Direction)
	for _, h := range m.Hits {
		s += fmt.Sprintf(" %s:%s", h.Key, h.Evidence)
		if h.Copied {
			s += ",copied"
		}
	}
	return s
}

func TestMatchWithoutKnowledge(t *testing.T) {
	env := from("carol@example.org", refs("<c1@example.com>"))
	anonymous := matchKnown()
	anonymous.Account.Subject = ""
	for name, m := range map[string]Matched{
		"no envelope": Match(nil, matchKnown()), "no knowledge": Match(env, nil), "nothing sent": Match(env, &Known{Account: matchMe}),
		"no subject": Match(env, anonymous), "empty": Match(&Envelope{}, &Known{}),
	} {
		if !reflect.DeepEqual(m, Matched{}) {
			t.Errorf("%s: %+v", name, m)
		}
	}
	quiet := matchKnown()
	quiet.NoReports = true
	if m := Match(from("mailer-daemon@googlemail.com"), quiet); m.Direction != DirectionNone {
		t.Errorf("reports are switched off: %+v", m)
	}
}

func TestZeroWarrantPermitsNothing(t *testing.T) {
	var w Warrant
	for _, subject := range []string{"", "me"} {
		if w.Permits(subject) {
			t.Errorf("the zero Warrant is good for %q", subject)
		}
	}
}

// strength orders evidence, strongest first.
func strength(e Evidence) int {
	return slices.Index([]Evidence{EvidenceReference, EvidenceThread, EvidenceAddress, EvidenceReport}, e)
}

// TestMatchProperties draws envelopes from few parts, so that they collide
// with what is known, and checks what holds for all.
func TestMatchProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	some := func(list ...string) []string {
		var out []string
		for range rng.IntN(3) {
			out = append(out, pick(list...))
		}
		return out
	}
	ids := []string{"<c1@example.com>", "c2@example.com", "<d1@example.com>", "<x@example.com>", "", "<>"}
	addrs := []string{"carol@example.org", "dan@example.org", "boss@example.com", "ada@example.com", "eve@example.org", "postmaster@example.org", ""}
	for range 20000 {
		env := &Envelope{
			Ref: Ref(pick("m1", "m1", "m2", "")), Thread: pick("tc", "td", "shared", "tx", ""),
			Place: Place(pick("", "inbox", "sent", "draft", "outbox", "junk", "trash", "other")), Own: rng.IntN(4) == 0, Draft: rng.IntN(8) == 0,
			MessageID: pick(ids...), InReplyTo: some(ids...), References: some(ids...),
			Received: matchStart.Add(time.Duration(rng.IntN(20)-4) * 12 * time.Hour), Header: textproto.MIMEHeader{},
		}
		for _, a := range some(addrs...) {
			env.From = append(env.From, Address{Addr: a})
		}
		if rng.IntN(3) == 0 {
			env.Header.Add(KeyHeader, pick("key-c1", "key-d1", "other"))
		}
		if rng.IntN(3) == 0 {
			env.Header.Add("X-Failed-Recipients", pick(addrs...))
		}
		known := matchKnown()
		before, asked := *env, *known
		m := Match(env, known)
		if again := Match(env, known); !reflect.DeepEqual(m, again) {
			t.Fatalf("not pure: %+v then %+v", m, again)
		}
		if !reflect.DeepEqual(before, *env) || !reflect.DeepEqual(asked, *known) {
			t.Fatal("Match changed its arguments")
		}
		switch {
		case (len(m.Hits) == 0) != (m.Warrant == Warrant{}), (len(m.Hits) == 0) != (m.Direction == DirectionNone):
			t.Fatalf("%+v of %+v", m, env)
		case len(m.Hits) > 0 && (env.Draft || env.Place == PlaceDraft || env.Ref == ""):
			t.Fatalf("a draft matches: %+v", m)
		case (env.Own || env.Place == PlaceSent || env.Place == PlaceOutbox) && !slices.ContainsFunc(known.Sent, func(s Sent) bool { return containsAny(s.Recipients, env.From) }) && (m.Direction == DirectionIn || m.Direction == DirectionReport):
			t.Fatalf("own mail is an answer: %+v of %+v", m, env)
		case len(env.From) == 1 && matchMe.Owns(env.From[0].Addr) && m.Direction == DirectionIn:
			t.Fatalf("an own address is an answer: %+v of %+v", m, env)
		}
		for _, h := range m.Hits {
			if h.Evidence != m.Hits[0].Evidence {
				t.Fatalf("evidence is mixed: %+v", m)
			}
			if s := known.Sent[slices.IndexFunc(known.Sent, func(s Sent) bool { return s.Key == h.Key })]; h.Evidence == EvidenceAddress && env.Received.Before(s.First.Add(-ClockSlack)) {
				t.Fatalf("an address counts before our first mail: %+v of %+v", m, env)
			}
		}
		// More knowledge never weakens the evidence, and citing us is seen
		// whatever else is known.
		if len(m.Hits) > 0 {
			known.Sent = append(known.Sent, Sent{Key: "new", MessageIDs: []string{"<x@example.com>"}, First: matchStart, Last: matchStart})
			more := Match(env, known)
			if len(more.Hits) == 0 || more.Direction == m.Direction && strength(more.Hits[0].Evidence) > strength(m.Hits[0].Evidence) {
				t.Fatalf("more knowledge weakened %+v to %+v", m, more)
			}
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("m1", "tc", "inbox", "<in@example.org>", "<c1@example.com>", "carol@example.org", "x@example.org", "key-c1", false)
	f.Add("m1", "", "sent", "c1@example.com", "", "ada@example.com", "", "", true)
	f.Fuzz(func(t *testing.T, ref, thread, where, mid, cites, author, failed, key string, mine bool) {
		env := &Envelope{
			Ref: Ref(ref), Thread: thread, Place: Place(where), Own: mine, MessageID: mid, References: []string{cites},
			From: []Address{{Addr: author}}, Received: matchStart.AddDate(0, 0, 2),
			Header: textproto.MIMEHeader{"X-Failed-Recipients": {failed}, KeyHeader: {key}},
		}
		m := Match(env, matchKnown())
		if (len(m.Hits) > 0) != m.Warrant.Permits("me") {
			t.Fatalf("%+v", m)
		}
		signed := slices.ContainsFunc(matchKnown().Sent, func(s Sent) bool { return containsAny(s.Recipients, env.From) })
		if mine && !signed && (m.Direction == DirectionIn || m.Direction == DirectionReport) {
			t.Fatalf("own mail is an answer: %+v", m)
		}
	})
}

func TestIsSystemSender(t *testing.T) {
	for addr, want := range map[string]bool{
		"MAILER-DAEMON@mx.example.org": true, "Postmaster@example.org": true, "nobody@gmail.com": true, "nobody@example.com": false,
		"microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@example.com": true, "carol@example.org": false, "mailer-daemon": false, "": false,
	} {
		if got := IsSystemSender([]Address{{Addr: addr}}); got != want {
			t.Errorf("%q: %v", addr, got)
		}
	}
	if IsSystemSender(nil) {
		t.Error("nobody is a system sender")
	}
}

func TestBareID(t *testing.T) {
	for in, want := range map[string]string{"<a@b>": "a@b", " <a@b> ": "a@b", "a@b": "a@b", "": "", "<>": ""} {
		if got := BareID(in); got != want {
			t.Errorf("BareID(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEnvelopeHeadersAreKnownByCanonicalName(t *testing.T) {
	seen := make(map[string]bool)
	for _, name := range EnvelopeHeaders() {
		key := textproto.CanonicalMIMEHeaderKey(name)
		if seen[key] {
			t.Errorf("%s is listed twice", name)
		}
		seen[key] = true
	}
	// The spellings that Match looks up.
	for _, key := range []string{KeyHeader, "X-Google-Original-Message-Id", "X-Ms-Exchange-Parent-Message-Id", "X-Failed-Recipients"} {
		if !seen[key] {
			t.Errorf("%s is not canonical or not asked for", key)
		}
	}
	list := EnvelopeHeaders()
	list[0] = "changed"
	if EnvelopeHeaders()[0] == "changed" {
		t.Error("the caller does not own the slice")
	}
}
