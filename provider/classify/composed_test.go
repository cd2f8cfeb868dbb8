package classify_test

import (
	"encoding/base64"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

// composed is one mail of testdata: its name, what is known of it, its header
// and its text.
type composed struct {
	name   string
	fields []string
	head   string
	text   string
	dsn    string
}

const (
	composedRecipient = "olga.berg@kunde.example"
	composedMessageID = "<c1d2e3@agency.example>"
	returnedHeader    = "Message-ID: " + composedMessageID + "\n" +
		"Date: Tue, 1 Sep 2026 12:00:00 +0200\n" +
		"From: Nora Lind <nora@agency.example>\n" +
		"To: Olga Berg <" + composedRecipient + ">\n" +
		"Subject: A role in Lisbon\n" +
		"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	returnedMail = returnedHeader + "\nHello Olga, would you move to Lisbon?\n"
)

// readComposed reads a file of testdata.
func readComposed(t testing.TB, name string) []composed {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("{r}", composedRecipient, "{d}", "kunde.example", "{orig}", returnedMail)
	var cases []composed
	for _, block := range strings.Split("\n"+string(b), "\n== ")[1:] {
		first, rest, _ := strings.Cut(block, "\n")
		c := composed{}
		for _, f := range strings.Split(first, "|") {
			c.fields = append(c.fields, strings.TrimSpace(f))
		}
		c.name, c.fields = c.fields[0], append(c.fields[1:], "", "", "")
		rest, c.dsn, _ = strings.Cut(fill.Replace(rest), "\n-- dsn\n")
		c.head, c.text, _ = strings.Cut(rest, "\n\n")
		cases = append(cases, c)
	}
	return cases
}

// encoded is the header as it is on the wire.
func encoded(head string) string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(head), "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if display, addr, ok := strings.Cut(value, " <"); ok && name == "From" {
			value = mime.BEncoding.Encode("utf-8", display) + " <" + addr
		} else {
			value = mime.BEncoding.Encode("utf-8", value)
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	return b.String()
}

// body is a text part in the charset that the options name.
func (c *composed) body(t testing.TB) (header, text string) {
	t.Helper()
	options := strings.Join(c.fields, " ")
	charset, kind := "utf-8", "plain"
	if _, after, ok := strings.Cut(options, "charset="); ok {
		charset = strings.Fields(after)[0]
	}
	if strings.Contains(options, "html") {
		kind = "html"
	}
	e, err := htmlindex.Get(charset)
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.NewEncoder().Bytes([]byte(c.text + "\n"))
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	coded := base64.StdEncoding.EncodeToString(b)
	var lines []string
	for part := range slices.Chunk([]byte(coded), 76) {
		lines = append(lines, string(part))
	}
	return "Content-Type: text/" + kind + "; charset=" + charset + "\nContent-Transfer-Encoding: base64\n", strings.Join(lines, "\n")
}

func multipart(kind string, parts ...string) string {
	return "MIME-Version: 1.0\nContent-Type: multipart/" + kind + "; boundary=\"=_b\"\n\n--=_b\n" +
		strings.Join(parts, "\n--=_b\n") + "\n--=_b--\n"
}

// bounce is the report as its recipient gets it.
func (c *composed) bounce(t testing.TB) (*provider.Envelope, *provider.Message) {
	t.Helper()
	h, text := c.body(t)
	head := "Return-Path: <>\nTo: Nora Lind <nora@agency.example>\nDate: Tue, 1 Sep 2026 10:00:05 +0000\nMessage-ID: <report.1@mx.example>\n" + encoded(c.head)
	raw := head + "MIME-Version: 1.0\n" + h + "\n" + text
	if c.dsn != "" {
		status, returned := "message/delivery-status", "text/rfc822-headers"
		if slices.Contains(c.fields, "global") {
			status, returned = "message/global-delivery-status", "message/global-headers"
		}
		raw = head + multipart("report; report-type=delivery-status", h+"\n"+text,
			"Content-Type: "+status+"\n\n"+c.dsn, "Content-Type: "+returned+"\n\n"+returnedHeader)
	}
	msg := parse(t, raw)
	env := msg.Envelope
	if slices.Contains(c.fields, "graph") { // an internally generated report has no Internet headers
		env.Header, env.Partial, env.Class, env.ContentType = nil, true, "REPORT.IPM.Note.NDR", ""
		if c.fields[0] == "late" {
			env.Class = "REPORT.IPM.Note.Delayed"
		}
	}
	return &env, msg
}

func parse(t testing.TB, raw string) *provider.Message {
	t.Helper()
	msg, err := mimemsg.Read([]byte(strings.ReplaceAll(raw, "\n", "\r\n")))
	if err != nil {
		t.Logf("defect: %v", err)
	}
	return msg
}

// headerSets are the headers of the systems that answer, and of the gateways
// that mark what people write.
var headerSets = map[string]string{
	"exo": "Return-Path: <>\nAuto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: olga.berg@kunde.example\n" +
		"X-MS-Exchange-Parent-Message-Id: " + composedMessageID + "\nIn-Reply-To: " + composedMessageID + "\n",
	"rule": "Auto-Submitted: auto-generated\nX-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\nX-Auto-Response-Suppress: All\n" +
		"X-MS-Exchange-Inbox-Rules-Loop: olga.berg@kunde.example\nX-MS-Exchange-Parent-Message-Id: " + composedMessageID + "\n",
	"ruleforward": "Auto-Submitted: auto-generated\nX-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\nX-Auto-Response-Suppress: All\n" +
		"X-MS-Exchange-Inbox-Rules-Loop: olga.berg@kunde.example\nX-MS-Exchange-Parent-Message-Id: <an.answer@kunde.example>\n",
	"gmail":     "Auto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes\nIn-Reply-To: " + composedMessageID + "\n",
	"notes":     "Auto-Submitted: auto-generated\nX-Mailer: HCL Domino\n",
	"bsd":       "Auto-Submitted: auto-replied\nPrecedence: bulk\n",
	"zimbra":    "Auto-Submitted: auto-replied (zimbra; type=vacation)\nPrecedence: bulk\nIn-Reply-To: " + composedMessageID + "\n",
	"sieve":     "Auto-Submitted: auto-replied (vacation)\nPrecedence: bulk\nReturn-Path: <>\nIn-Reply-To: " + composedMessageID + "\n",
	"cpanel":    "X-Autorespond: A role in Lisbon\nPrecedence: auto_reply\nX-Precedence: auto_reply\n",
	"replied":   "Auto-Submitted: auto-replied\n",
	"generated": "Auto-Submitted: auto-generated\nIn-Reply-To: " + composedMessageID + "\n",
	"ticket":    "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\nIn-Reply-To: " + composedMessageID + "\n",
	"otrs":      "Precedence: bulk\nAuto-Submitted: auto-replied\nX-Powered-By: OTRS\n",
	"rt":        "Precedence: bulk\nX-RT-Loop-Prevention: kunde.example\nManaged-By: RT\nAuto-Submitted: auto-replied\n",
	"autoreply": "X-Autoreply: yes\n",
	"challenge": "Auto-Submitted: auto-replied\n",
	"null":      "Return-Path: <>\n",
	"bulk":      "Precedence: bulk\nIn-Reply-To: " + composedMessageID + "\n",
	"plain":     "In-Reply-To: " + composedMessageID + "\nReturn-Path: <olga.berg@kunde.example>\n",
	"suppress":  "X-Auto-Response-Suppress: All\nIn-Reply-To: " + composedMessageID + "\n",
	"listprec":  "Precedence: list\nIn-Reply-To: " + composedMessageID + "\n",
	"autono":    "Auto-Submitted: no\nX-Autoreply: no\nX-Autorespond: false\nIn-Reply-To: " + composedMessageID + "\n",
	"ruleloop":  "X-MS-Exchange-Inbox-Rules-Loop: olga.berg@kunde.example\nIn-Reply-To: " + composedMessageID + "\n",
	"feedback":  "Feedback-ID: 1:kunde:gateway\nIn-Reply-To: " + composedMessageID + "\n",
	"unsubhdr":  "List-Unsubscribe: <mailto:gateway@kunde.example>\nIn-Reply-To: " + composedMessageID + "\n",
}

// letter is an answer, a machine's or a person's.
func (c *composed) letter(t testing.TB, set string) (*provider.Envelope, *provider.Message) {
	t.Helper()
	h, text := c.body(t)
	from := "From: Olga Berg <" + composedRecipient + ">\n"
	if strings.Contains("\n"+c.head, "\nFrom:") {
		from = ""
	}
	extra, ok := headerSets[set]
	if !ok {
		if extra = ""; !slices.Contains([]string{"none", "html", "attach", "dsnattached"}, set) {
			t.Fatalf("%s: no header set %q", c.name, set)
		}
	}
	head := extra + from + "To: Nora Lind <nora@agency.example>\nDate: Tue, 1 Sep 2026 10:00:05 +0000\nMessage-ID: <answer.1@kunde.example>\n" + encoded(c.head)
	raw := head + "MIME-Version: 1.0\n" + h + "\n" + text
	switch set {
	case "attach":
		raw = head + multipart("mixed", "Content-Type: application/pdf; name=cv.pdf\nContent-Disposition: attachment; filename=cv.pdf\n\nxx")
	case "dsnattached":
		raw = head + multipart("mixed", h+"\n"+text, "Content-Type: message/rfc822\nContent-Disposition: attachment\n\n"+
			"From: MAILER-DAEMON@mx.kunde.example\nSubject: Undelivered Mail Returned to Sender\n"+strings.ReplaceAll(multipart("report; report-type=delivery-status",
			"Content-Type: text/plain\n\nThis is the mail system at host mx.kunde.example.", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"+
				"Final-Recipient: rfc822; nora@agency.example\nAction: failed\nStatus: 5.1.1\n"), "=_b", "=_c"))
	}
	msg := parse(t, raw)
	env := msg.Envelope
	return &env, msg
}

// score counts what was right.
type score struct{ right, of int }

func (s *score) add(ok bool) {
	s.of++
	if ok {
		s.right++
	}
}

func (s score) share() float64 {
	if s.of == 0 {
		return 1
	}
	return float64(s.right) / float64(s.of)
}

func (s score) String() string {
	return fmt.Sprintf("%d of %d (%.1f %%)", s.right, s.of, 100*s.share())
}

var composedKinds = map[string]classify.Kind{
	"hard": classify.Hard, "soft": classify.Soft, "late": classify.Late, "limit": classify.Limit, "policy": classify.Policy, "unclear": classify.Unclear,
}

// bounceScores is how the reports of one file are judged.
type bounceScores struct {
	found, recipient, cited, kind, status score
	hardAsHard, softAsHard                score
}

func scoreBounces(t *testing.T, file string) bounceScores {
	var s bounceScores
	for _, c := range readComposed(t, file) {
		env, msg := c.bounce(t)
		v := classify.Classify(env, msg)
		want := strings.Split(c.fields[0], ",")
		class := classify.Bounce
		if want[0] == "late" {
			class = classify.Delayed
		}
		s.found.add(v.Class == class)
		if v.Class != class {
			t.Logf("%s: %s by %s, want %s", c.name, v.Class, v.Evidence, class)
			continue
		}
		s.cited.add(msg.Report != nil && provider.BareID(msg.Report.OriginalMessageID) == provider.BareID(composedMessageID) || !strings.Contains(c.text+c.dsn, "Message-ID: "+composedMessageID) && c.dsn == "")
		i := slices.IndexFunc(v.Failed, func(f classify.Failure) bool { return provider.Normalize(f.Recipient) == composedRecipient })
		s.recipient.add(i >= 0)
		if i < 0 {
			t.Logf("%s: recipient not found in %v", c.name, v.Failed)
			if len(v.Failed) != 1 {
				continue
			}
			i = 0
		}
		f := v.Failed[i]
		ok := slices.ContainsFunc(want, func(k string) bool { return composedKinds[k] == f.Kind })
		s.kind.add(ok)
		if want[0] == "hard" {
			s.hardAsHard.add(f.Kind == classify.Hard)
		} else {
			s.softAsHard.add(f.Kind == classify.Hard)
		}
		if !ok {
			t.Logf("%s: kind %s (%s), want %s", c.name, f.Kind, f.Status, c.fields[0])
		}
		if c.fields[1] != "" {
			s.status.add(f.Status == c.fields[1])
			if f.Status != c.fields[1] {
				t.Logf("%s: status %s, want %s", c.name, f.Status, c.fields[1])
			}
		}
	}
	return s
}

// machineScores is how the automatic answers of one file are judged.
type machineScores struct{ found, exact, challenge, date, wrongDate, bounced score }

func scoreMachines(t *testing.T, file string) machineScores {
	var s machineScores
	sent := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range readComposed(t, file) {
		env, msg := c.letter(t, c.fields[2])
		v := classify.Classify(env, msg)
		s.bounced.add(v.Class == classify.Bounce || v.Class == classify.Delayed)
		switch c.fields[0] {
		case "challenge":
			s.challenge.add(v.Class == classify.Challenge)
			if v.Class != classify.Challenge {
				t.Logf("%s: %s by %s, want challenge", c.name, v.Class, v.Evidence)
			}
			continue
		case "auto", "away":
		default:
			t.Fatalf("%s: class %q", c.name, c.fields[0])
		}
		s.found.add(v.Class == classify.AutoReply || v.Class == classify.OutOfOffice)
		want := classify.AutoReply
		if c.fields[0] == "away" {
			want = classify.OutOfOffice
		}
		s.exact.add(v.Class == want)
		if v.Class != want {
			t.Logf("%s: %s by %s, want %s", c.name, v.Class, v.Evidence, want)
		}
		got := "none"
		if !v.Until.IsZero() {
			got = v.Until.Format(time.DateOnly)
			s.wrongDate.add(v.Until.Before(sent) || v.Until.After(sent.AddDate(2, 0, 0)))
		}
		if c.fields[1] != "?" && v.Class == want {
			s.date.add(got == c.fields[1])
			if got != c.fields[1] {
				t.Logf("%s: until %s, want %s", c.name, got, c.fields[1])
			}
		} else if c.fields[1] == "?" {
			t.Logf("%s: until %s (open)", c.name, got)
		}
	}
	return s
}

// lost are the classes that let a drip go on.
var lost = []classify.Class{classify.AutoReply, classify.OutOfOffice, classify.Bounce, classify.Delayed, classify.Receipt, classify.FeedbackReport}

// peopleScores is how people's mail of one file is judged: lost to a machine's
// class, or taken for a person's at once and not only held.
type peopleScores struct{ lost, human, bounced, automatic score }

func scorePeople(t *testing.T, file string) peopleScores {
	var s peopleScores
	for _, c := range readComposed(t, file) {
		env, msg := c.letter(t, c.fields[0])
		v := classify.Classify(env, msg)
		s.lost.add(slices.Contains(lost, v.Class))
		s.human.add(v.Class == classify.Human)
		s.bounced.add(v.Class == classify.Bounce || v.Class == classify.Delayed)
		s.automatic.add(v.Class == classify.AutoReply || v.Class == classify.OutOfOffice)
		if v.Class != classify.Human {
			t.Logf("%s: %s by %s", c.name, v.Class, v.Evidence)
		}
	}
	return s
}

// TestComposed prints how the composed mail is judged, and holds the floors.
func TestComposed(t *testing.T) {
	b, m, p := scoreBounces(t, "bounces.txt"), scoreMachines(t, "automatic.txt"), scorePeople(t, "people.txt")
	report(t, b, m, p)
	if b.kind.share() < 0.88 || b.status.share() < 0.95 || b.hardAsHard.share() < 0.80 || m.challenge.share() < 0.85 || m.exact.share() < 0.90 || m.date.share() < 0.95 || p.human.share() < 0.95 {
		t.Error("below the floor")
	}
}

// TestSecondComposed judges mail that was written after the rules were.
func TestSecondComposed(t *testing.T) {
	b, m, p := scoreBounces(t, "bounces2.txt"), scoreMachines(t, "automatic2.txt"), scorePeople(t, "people2.txt")
	report(t, b, m, p)
}

// report prints the scores and holds the floors that any sample must reach.
func report(t *testing.T, b bounceScores, m machineScores, p peopleScores) {
	t.Helper()
	falsely := m.bounced.right + p.bounced.right
	precision := score{b.found.right, b.found.right + falsely}
	automatic := score{m.found.right, m.found.right + p.automatic.right}
	t.Logf("\nbounces: recall %v, precision %v, recipient %v, our mail cited %v, kind %v, status %v\n"+
		"hard called hard %v, soft called hard %v\n"+
		"automatic: recall %v, precision %v, exact class %v, challenges %v, return date %v, dates not to be believed %v\n"+
		"people: lost %v, called human %v",
		b.found, precision, b.recipient, b.cited, b.kind, b.status, b.hardAsHard, b.softAsHard,
		m.found, automatic, m.exact, m.challenge, m.date, m.wrongDate, p.lost, p.human)
	if b.found.share() < 0.97 || precision.share() < 0.998 || b.recipient.share() < 0.95 || b.cited.share() < 1 || b.softAsHard.share() >= 0.02 ||
		m.found.share() < 0.72 || automatic.share() < 0.93 || m.wrongDate.right > 0 || p.lost.right > 0 {
		t.Error("below the bar")
	}
}
