package classify_test

import (
	"net/textproto"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

// mail builds a message from header pairs and a text.
func mail(from, subject, text string, headers ...string) (*provider.Envelope, *provider.Message) {
	env := &provider.Envelope{
		Ref: "1", From: []provider.Address{{Addr: from}}, Subject: subject,
		Date:     time.Date(2026, 9, 1, 10, 0, 0, 0, time.FixedZone("", 2*3600)),
		Received: time.Date(2026, 9, 1, 8, 0, 5, 0, time.UTC),
		Header:   textproto.MIMEHeader{},
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Content-Type" {
			env.ContentType = headers[i+1]
			continue
		}
		env.Header.Add(headers[i], headers[i+1])
	}
	return env, &provider.Message{Envelope: *env, Text: text}
}

func TestClassify(t *testing.T) {
	answer := func(env *provider.Envelope) { env.InReplyTo = []string{"<a@mail.example.com>"} }
	cases := []struct {
		name          string
		from, subject string
		text          string
		headers       []string
		change        func(env *provider.Envelope)
		want          classify.Class
	}{
		{name: "a plain answer", from: "cara@example.net", subject: "Re: A role", text: "Sounds good, tell me more.", change: answer, want: classify.Human},
		{name: "an answer about being away, by hand", from: "cara@example.net", subject: "Re: A role", text: "I am on vacation until 14 September, let's talk then.", change: answer, want: classify.Human},
		{name: "an answer that asks machines not to answer", from: "cara@example.net", subject: "Re: A role", text: "Yes.", headers: []string{"X-Auto-Response-Suppress", "All"}, want: classify.Human},
		{name: "an answer forwarded by a rule", from: "cara@example.net", subject: "Re: A role", text: "Yes.", headers: []string{"X-MS-Exchange-Inbox-Rules-Loop", "cara@example.net"}, want: classify.Human},
		{name: "a header that says no", from: "cara@example.net", subject: "Re: A role", text: "Yes.", headers: []string{"X-Autoreply", "no", "X-Autorespond", "false", "Auto-Submitted", "No"}, want: classify.Human},
		{name: "a person who answers an automatic answer", from: "cara@example.net", subject: "Re: Automatic reply: A role", text: "I am back now.", want: classify.Human},
		{name: "a person whose client says bulk", from: "cara@example.net", subject: "Re: A role", text: "Yes.", headers: []string{"Precedence", "bulk"}, want: classify.Human},
		{name: "Gmail's vacation responder", from: "olga@example.net", subject: "Out of office Re: A role", text: "I am away until September 14.",
			headers: []string{"Auto-Submitted", "auto-replied", "Precedence", "bulk", "X-Autoreply", "yes"}, want: classify.OutOfOffice},
		{name: "Exchange's out-of-office", from: "olga@example.net", subject: "Automatic reply: A role", text: "I am on annual leave.",
			headers: []string{"Auto-Submitted", "auto-generated", "X-MS-Exchange-Generated-Message-Source", "Mailbox Rules Agent", "X-Auto-Response-Suppress", "All"}, want: classify.OutOfOffice},
		{name: "a parameter behind the value", from: "olga@example.net", subject: "Thanks", text: "We received your mail.", headers: []string{"Auto-Submitted", "auto-replied; owner-email=olga@example.net"}, want: classify.AutoReply},
		{name: "a ticket system relaying a person", from: "help@example.net", subject: "Re: A role", text: "Cara wrote: yes please.", headers: []string{"Auto-Submitted", "auto-generated"}, want: classify.Unsure},
		{name: "a vacation program that marks nothing but its sender", from: "olga@example.net", subject: "Away from my mail", text: "I am out of the office.", headers: []string{"Return-Path", "<>"}, want: classify.OutOfOffice},
		{name: "an empty return path and nothing else", from: "olga@example.net", subject: "Hello", text: "Hello.", headers: []string{"Return-Path", "<>"}, want: classify.Unsure},
		{name: "Gmail's bounce, which calls itself an automatic answer", from: "mailer-daemon@googlemail.com", subject: "Delivery Status Notification (Failure)", text: "Address not found",
			headers: []string{"Auto-Submitted", "auto-replied", "X-Failed-Recipients", "bo@example.org", "Content-Type", "multipart/report; report-type=delivery-status"}, want: classify.Bounce},
		{name: "Gmail's delay notice", from: "mailer-daemon@googlemail.com", subject: "Delivery Status Notification (Delay)", text: "still trying",
			headers: []string{"Auto-Submitted", "auto-replied", "X-Failed-Recipients", "bo@example.org"}, want: classify.Delayed},
		{name: "Exchange's report, known by its class", from: "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@example.org", subject: "Undeliverable: A role", change: func(env *provider.Envelope) { env.Class = "REPORT.IPM.Note.NDR" }, want: classify.Bounce},
		{name: "a read receipt", from: "cara@example.net", subject: "Read: A role", headers: []string{"Content-Type", "multipart/report; report-type=disposition-notification"}, want: classify.Receipt},
		{name: "a person who forwards a bounce", from: "cara@example.net", subject: "Fwd: Undeliverable", text: "See attached, your mail bounced.", headers: []string{"Content-Type", "multipart/mixed"}, want: classify.Human},
		{name: "a challenge", from: "noreply@filter.example.org", subject: "Please confirm", text: "Please confirm you are human by clicking here.", want: classify.Challenge},
		{name: "an answered invitation", from: "cara@example.net", subject: "Accepted: Call", change: func(env *provider.Envelope) { env.Class = "IPM.Schedule.Meeting.Resp.Pos" }, want: classify.Meeting},
		{name: "a newsletter", from: "news@example.net", subject: "This week", headers: []string{"List-Id", "<news.example.net>"}, want: classify.List},
		{name: "an answer through a list", from: "cara@example.net", subject: "Re: A role", text: "Yes", headers: []string{"List-Id", "<team.example.net>"}, change: answer, want: classify.Unsure},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			env, msg := mail(c.from, c.subject, c.text, c.headers...)
			if c.change != nil {
				c.change(env)
			}
			got := classify.Classify(env, msg)
			if got.Class != c.want {
				t.Errorf("class %q by %q, want %q", got.Class, got.Evidence, c.want)
			}
			if got.Evidence == "" {
				t.Error("no evidence named")
			}
		})
	}
}

func TestReturnDate(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, zone) }
	cases := []struct {
		text string
		want time.Time
	}{
		{"I will be back on 14 September 2026.", day(2026, 9, 14)},
		{"I am away until 14 September 2026.", day(2026, 9, 15)},
		{"Back on September 14th, see you then", day(2026, 9, 14)},
		{"Returning on 2026-09-14.", day(2026, 9, 14)},
		{"Ich bin bis 14.09.2026 im Urlaub.", day(2026, 9, 15)},
		{"Ich bin ab dem 14.09. wieder erreichbar", day(2026, 9, 14)},
		{"Ich bin wieder am 14. September im Büro", day(2026, 9, 14)},
		{"Je serai de retour le 14 septembre.", day(2026, 9, 14)},
		{"Absent jusqu'au 14 septembre 2026", day(2026, 9, 15)},
		{"Estaré fuera hasta el 14 de septiembre", day(2026, 9, 15)},
		{"Sono in ferie fino al 14 settembre", day(2026, 9, 15)},
		{"Ik ben afwezig tot 14 september", day(2026, 9, 14)},
		{"away until 2 January", day(2027, 1, 3)},
		{"away until 25/09/2026", day(2026, 9, 26)},
		{"away until 09/10/2026", day(2026, 10, 10)},
		{"away until 14 September 1999", time.Time{}},
		{"away until 14 September 2099", time.Time{}},
		{"until we meet again", time.Time{}},
		{"founded on 14 September 2026", time.Time{}},
		{"away until 31 February 2027", time.Time{}},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			env, msg := mail("olga@example.net", "Out of office", c.text, "Auto-Submitted", "auto-replied")
			got := classify.Classify(env, msg)
			if got.Class != classify.OutOfOffice {
				t.Fatalf("class %q", got.Class)
			}
			if !got.Until.Equal(c.want) {
				t.Errorf("until %v, want %v", got.Until, c.want)
			}
		})
	}
}

func TestHeadersAlone(t *testing.T) {
	env, _ := mail("mailer-daemon@googlemail.com", "Delivery Status Notification (Failure)", "", "X-Failed-Recipients", "bo@example.org, al@example.org")
	got := classify.Classify(env, nil)
	if got.Class != classify.Bounce || len(got.Failed) != 2 || got.Failed[0].Kind != classify.Unclear {
		t.Errorf("got %+v: a report without content names its recipients and judges none", got)
	}
	if got := classify.Classify(nil, nil); got.Class != classify.Unsure {
		t.Errorf("nothing is %q", got.Class)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add("olga@example.net", "Out of office", "away until 09/10/2026", "auto-replied")
	f.Add("mailer-daemon@example.org", "Undelivered", "550 5.1.1 \xff", "")
	f.Fuzz(func(t *testing.T, from, subject, text, auto string) {
		env, msg := mail(from, subject, text, "Auto-Submitted", auto)
		first := classify.Classify(env, msg)
		second := classify.Classify(env, msg)
		if first.Class != second.Class || !first.Until.Equal(second.Until) {
			t.Fatal("the same message has two verdicts")
		}
		if first.Class == "" {
			t.Fatal("no class")
		}
		if !first.Until.IsZero() && !first.Until.After(env.Date) {
			t.Fatal("back before leaving")
		}
	})
}
