package msgraphtest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/internal/mimemsg"
	"github.com/outreachkit/outreach/msgraph/msgraphtest"
	"github.com/outreachkit/outreach/provider/postoffice"
)

// sendPlain sends a mail with net/http, which does not repeat it.
func (w *graphWorld) sendPlain(raw []byte) (answer, error) {
	w.t.Helper()
	return w.send(http.MethodPost, "/me/sendMail", encoded(raw), "Content-Type", "text/plain")
}

// TestFaults: what a client sees of each fault, and what was done.
func TestFaults(t *testing.T) {
	for _, sockets := range []bool{true, false} {
		for _, c := range []struct {
			rule   msgraphtest.Rule
			cut    bool
			status int
			code   string
			sent   int
		}{
			{rule: msgraphtest.Rule{Fault: msgraphtest.CutBefore}, cut: true},
			{rule: msgraphtest.Rule{Fault: msgraphtest.CutAfter}, cut: true, sent: 1},
			{rule: msgraphtest.Rule{Fault: msgraphtest.CutWithin}, cut: true, status: 202, sent: 1},
			{rule: msgraphtest.Rule{Fault: msgraphtest.Refuse}, status: 503, code: "UnknownError"},
			{rule: msgraphtest.Rule{Fault: msgraphtest.Refuse, Status: 403, Reason: "ErrorQuotaExceeded"}, status: 403, code: "ErrorQuotaExceeded"},
			{rule: msgraphtest.Rule{Fault: msgraphtest.RefuseAfter, Status: 504, Reason: "UnknownError"}, status: 504, code: "UnknownError", sent: 1},
			{rule: msgraphtest.Rule{Fault: msgraphtest.HTML}, status: 200},
			{rule: msgraphtest.Rule{Fault: msgraphtest.HTML, Status: 502}, status: 502},
			{rule: msgraphtest.Rule{Fault: msgraphtest.Call}, status: 202, sent: 1},
		} {
			w := newGraphWorld(t, sockets, msgraphtest.Config{})
			var called atomic.Int64
			c.rule.Op = "sendMail"
			c.rule.Call = func() { called.Add(1 + 10*int64(len(w.office.Books().Submissions()))) }
			w.ms.Inject(c.rule)
			a, err := w.sendPlain(w.mail("Offer"))
			name := fmt.Sprint(c.rule.Fault, " ", c.rule.Status, ", sockets ", sockets)
			if (err != nil) != c.cut || a.status != c.status || a.code() != c.code {
				t.Errorf("%s: answered with %d %s: %v", name, a.status, a.body, err)
			}
			if n := len(w.office.Books().Submissions()); n != c.sent {
				t.Errorf("%s: %d were sent", name, n)
			}
			want := 1 + 10*int64(c.sent) // Call comes after what was done
			if c.rule.Fault == msgraphtest.Call {
				want = 1
			}
			if n := called.Load(); n != want {
				t.Errorf("%s: Call saw %d", name, n)
			}
			if n := w.box.Requests()[postoffice.RequestSend]; n != 1 {
				t.Errorf("%s: %d requests are counted", name, n)
			}
			if a, err = w.sendPlain(w.mail("Next")); err != nil || a.status != http.StatusAccepted {
				t.Errorf("%s strikes twice: %d, %v", name, a.status, err)
			}
		}
	}
}

// TestCutWithin: half of an answer, then nothing.
func TestCutWithin(t *testing.T) {
	for _, sockets := range []bool{true, false} {
		for _, encoding := range []string{"gzip", "identity"} {
			w := newGraphWorld(t, sockets, msgraphtest.Config{})
			w.arrives("Hello")
			whole := w.get("/me/messages", "Accept-Encoding", encoding)
			w.ms.Inject(msgraphtest.Rule{Fault: msgraphtest.CutWithin})
			a, err := w.send(http.MethodGet, "/me/messages", "", "Accept-Encoding", encoding)
			if !errors.Is(err, io.ErrUnexpectedEOF) || a.status != 200 || len(a.body) != len(whole.body)/2 {
				t.Errorf("sockets %t, %s: %d of %d bytes: %v", sockets, encoding, len(a.body), len(whole.body), err)
			}
		}
	}
}

// TestRefusals: the parts of an error.
func TestRefusals(t *testing.T) {
	w := newGraphWorld(t, true, msgraphtest.Config{})
	w.ms.Inject(msgraphtest.Rule{
		Fault: msgraphtest.Refuse, Status: 429, Reason: "TooManyRequests", InnerReason: "ApplicationThrottled", Message: "Wait.", RetryAfter: 1500 * time.Millisecond, Times: 2,
	})
	a := w.refuses("/me/messages", 429, "TooManyRequests")
	if a.at("error", "innerError", "code") != "ApplicationThrottled" || a.at("error", "message") != "Wait." || a.header.Get("Retry-After") != "2" {
		t.Errorf("answered with %v %s", a.header, a.body)
	}
	_, err := w.me().Messages().Get(t.Context(), nil)
	odata(t, err, 429, "TooManyRequests")
	w.ms.Inject(msgraphtest.Rule{Fault: msgraphtest.HTML})
	if a := w.get("/me/messages"); !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.HasPrefix(a.body, "<!DOCTYPE html>") {
		t.Errorf("the page is %s", a.body)
	}
}

// TestRefuseClient: Entra does not take the client's secret.
func TestRefuseClient(t *testing.T) {
	w := newEntraWorld(t, true, msgraphtest.Config{Policy: msgraphtest.PolicyAny})
	code := w.code(msgraphtest.Answer{})
	w.ms.Inject(msgraphtest.Rule{Op: "token", Fault: msgraphtest.RefuseClient})
	_, err := w.exchange(code)
	var e *oauth2.RetrieveError
	if !errors.As(err, &e) || e.ErrorCode != "invalid_client" || !strings.HasPrefix(e.ErrorDescription, "AADSTS7000215:") {
		t.Errorf("refused with %v", err)
	}
	if _, err := w.exchange(code); err != nil {
		t.Errorf("the code is gone: %v", err)
	}
}

// TestRules: which requests a rule strikes, and how often.
func TestRules(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	m := w.arrives("Hello")
	raw := "From: " + anna + "\r\nTo: " + maria + "\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n1\r\n--b--\r\n"
	file, err := w.office.Deliver(postoffice.Mail{To: maria, Raw: []byte(raw)})
	w.must(err)
	attached := "/me/messages/" + msgraphtest.MessageID(file) + "/attachments"
	one := attached + "/" + w.get(attached).rows()[0]["id"].(string)
	for op, path := range map[string]string{
		"messages.get": "/me/messages/" + msgraphtest.MessageID(m), "messages.value": "/me/messages/" + msgraphtest.MessageID(m) + "/$value", "messages.list": "/me/messages",
		"attachments.list": attached, "attachments.get": one, "attachments.value": one + "/$value", "delta": "/me/mailFolders/inbox/messages/delta()", "me": "/me",
		"mailFolders.get": "/me/mailFolders/inbox", "mailFolders.list": "/me/mailFolders",
	} {
		w.ms.Inject(msgraphtest.Rule{Op: op, Fault: msgraphtest.Refuse, Status: 503, Reason: "x", Times: -1})
		if op == "me" {
			w.get("/me/mailFolders")
		} else {
			w.get("/me")
		}
		w.refuses(path, 503, "x")
		w.refuses(path, 503, "x")
		w.ms.ClearFaults()
		w.get(path)
	}
}

// TestRulesNarrow: by the mail's text, by the mailbox, and after some.
func TestRulesNarrow(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	w.ms.Inject(msgraphtest.Rule{Op: "sendMail", To: "Bea@clients.example.org", Fault: msgraphtest.Refuse, Status: 500, Skip: 1, Times: 2})
	toBea := func(d *mimemsg.Draft) { d.To[0].Addr = "bea@clients.example.org" }
	status := func(change ...func(*mimemsg.Draft)) int {
		a, err := w.sendPlain(w.mail("x", change...))
		w.must(err)
		return a.status
	}
	json := `{"message":{"subject":"x","toRecipients":[{"emailAddress":{"address":"BEA@clients.example.org"}}]}}`
	got := []int{status(), status(toBea), status(toBea), status(), w.do(http.MethodPost, "/me/sendMail", json, "Content-Type", "application/json").status, status(toBea)}
	if fmt.Sprint(got) != "[202 202 500 202 500 202]" {
		t.Errorf("answered with %v", got)
	}

	mine, omars := w.bearer, w.token(omar, "Mail.Read")
	w.ms.Inject(msgraphtest.Rule{Mailbox: "jobs@agency.example.com", Fault: msgraphtest.Refuse, Reason: "first"})
	w.ms.Inject(msgraphtest.Rule{Op: "messages.list", Fault: msgraphtest.Refuse, Reason: "second"})
	w.bearer = omars
	w.refuses("/me/messages", 503, "second") // the older one is for Maria
	w.get("/me/messages")
	w.bearer = mine
	w.refuses("/me/messages", 503, "first")
	w.get("/me/messages")
}

// TestTrace: in process, a request tells what it would tell over a network.
func TestTrace(t *testing.T) {
	w := newGraphWorld(t, false, msgraphtest.Config{})
	for fault, want := range map[msgraphtest.Fault]string{
		msgraphtest.Call: "conn,headers,wrote,byte", msgraphtest.CutBefore: "conn,headers,wrote", msgraphtest.CutAfter: "conn,headers,wrote",
	} {
		w.ms.Inject(msgraphtest.Rule{Fault: fault})
		var got []string
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { got = append(got, "conn") }, WroteHeaders: func() { got = append(got, "headers") },
			WroteRequest: func(httptrace.WroteRequestInfo) { got = append(got, "wrote") }, GotFirstResponseByte: func() { got = append(got, "byte") },
		})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.ms.GraphURL()+"/v1.0/me", nil)
		w.must(err)
		req.Header.Set("Authorization", "Bearer "+w.bearer)
		resp, err := w.http.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if strings.Join(got, ",") != want || errors.Is(err, io.ErrUnexpectedEOF) == (fault == msgraphtest.Call) {
			t.Errorf("%s: %v, %v", fault, got, err)
		}
	}
}
