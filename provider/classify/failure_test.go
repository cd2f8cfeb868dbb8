package classify_test

import (
	"testing"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/provider/classify"
)

func TestFailures(t *testing.T) {
	cases := []struct {
		name       string
		action     string
		status     string
		diagnostic string
		class      classify.Class
		kind       classify.Kind
		code       string
	}{
		{"no such user", "failed", "5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist", classify.Bounce, classify.Hard, "5.1.1"},
		{"the real code stands in the diagnostic", "failed", "5.0.0", "smtp; 550 5.1.1 <bo@example.org>: user unknown", classify.Bounce, classify.Hard, "5.1.1"},
		{"no code, but words in answer to the address", "failed", "5.0.0", "smtp; 550 no such user here (in reply to RCPT TO command)", classify.Bounce, classify.Hard, "5.0.0"},
		{"the same in answer to the mail", "failed", "5.0.0", "smtp; 550 no such user here (in reply to end of DATA command)", classify.Bounce, classify.Policy, "5.0.0"},
		{"the same in answer to nobody knows what", "failed", "5.0.0", "smtp; 550 no such user here", classify.Bounce, classify.Unclear, "5.0.0"},
		{"the reply begins with the address, as to RCPT", "failed", "5.0.0", "smtp; 550 <bo@example.org>... User unknown", classify.Bounce, classify.Hard, "5.0.0"},
		{"it begins with another's address", "failed", "5.0.0", "smtp; 550 <maria@example.org>... User unknown", classify.Bounce, classify.Unclear, "5.0.0"},
		{"the address in an answer to the mail", "failed", "5.0.0", "smtp; 550 <bo@example.org>: User unknown (in reply to end of DATA command)", classify.Bounce, classify.Policy, "5.0.0"},
		{"no such user for now", "failed", "", "host mx.example.org said: 450 user unknown (in reply to RCPT TO command)", classify.Bounce, classify.Soft, ""},
		{"no such user, and what to do", "failed", "5.1.1", "smtp; 550 5.1.1 user unknown, please check the address and try again later", classify.Bounce, classify.Hard, "5.1.1"},
		{"what may pass, under a hard code", "failed", "5.1.1", "smtp; 550 5.1.1 temporary failure of the directory, user unknown", classify.Bounce, classify.Soft, "5.1.1"},
		{"RFC 5321's own words, to the address", "failed", "5.0.0", "550 Requested action not taken: mailbox unavailable (in reply to RCPT TO command)", classify.Bounce, classify.Hard, "5.0.0"},
		{"RFC 5321's own words, to nobody knows what", "failed", "5.0.0", "550 Requested action not taken: mailbox unavailable", classify.Bounce, classify.Unclear, "5.0.0"},
		{"Outlook.com's for no such user", "failed", "5.5.0", "smtp;550 Requested action not taken: mailbox unavailable (S2017062302)", classify.Bounce, classify.Hard, "5.5.0"},
		{"the reporting system's words count after the server's", "failed", "5.0.0", "it was rejected by the recipient domain. The error was: 550 550 5.1.1 user unknown", classify.Bounce, classify.Hard, "5.1.1"},
		{"a domain that takes no mail", "failed", "", "an MX or SRV record indicated no SMTP service", classify.Bounce, classify.Hard, ""},
		{"an address that a service has put on its list", "failed", "5.1.1", "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address", classify.Bounce, classify.Policy, "5.1.1"},
		{"no such host", "failed", "5.4.4", "X-Postfix; Host or domain name not found. Name service error for name=example.org type=A: Host not found", classify.Bounce, classify.Hard, "5.4.4"},
		{"a full mailbox", "failed", "5.2.2", "smtp; 552 mailbox full", classify.Bounce, classify.Soft, "5.2.2"},
		{"a full mailbox under a hard code", "failed", "5.1.1", "smtp; 550 5.1.1 user is over quota", classify.Bounce, classify.Soft, "5.1.1"},
		{"an account on hold", "failed", "5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled", classify.Bounce, classify.Soft, "5.2.1"},
		{"a policy", "failed", "5.7.1", "smtp; 550 5.7.1 message rejected", classify.Bounce, classify.Policy, "5.7.1"},
		{"a policy that says the user is unknown", "failed", "5.7.1", "smtp; 550 5.7.1 user unknown", classify.Bounce, classify.Policy, "5.7.1"},
		{"a hard code with a reason that is the sender's", "failed", "5.1.0", "smtp; 550 5.1.0 blocked, poor reputation", classify.Bounce, classify.Policy, "5.1.0"},
		{"the sender is unknown, not the recipient", "failed", "5.1.0", "host mx.example.org said: 553 5.1.0 agency.example.com does not exist (in reply to MAIL FROM command)", classify.Bounce, classify.Policy, "5.1.0"},
		{"a list of blocked senders", "failed", "5.0.0", "smtp; 554 your IP is listed at zen.spamhaus.org", classify.Bounce, classify.Policy, "5.0.0"},
		{"the sender's daily limit", "failed", "5.1.90", "smtp; 550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients", classify.Bounce, classify.Limit, "5.1.90"},
		{"the sender may not send", "failed", "5.1.8", "smtp; 550 5.1.8 Access denied, bad outbound sender", classify.Bounce, classify.Limit, "5.1.8"},
		{"another system's word for a bad sender address", "failed", "5.1.8", "smtp; 501 5.1.8 Sender address rejected: Domain not found", classify.Bounce, classify.Policy, "5.1.8"},
		{"the sender is restricted", "failed", "5.1.91", "", classify.Bounce, classify.Limit, "5.1.91"},
		{"the tenant is blocked", "failed", "5.7.705", "smtp; 550 5.7.705 Access denied, tenant has exceeded threshold", classify.Bounce, classify.Limit, "5.7.705"},
		{"the tenant sends from where no mail is taken", "failed", "5.7.708", "smtp; 550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", classify.Bounce, classify.Limit, "5.7.708"},
		{"the tenant's external limit", "failed", "5.7.233", "smtp; 550 5.7.233 Your message can't be sent because your tenant exceeded its daily limit", classify.Bounce, classify.Limit, "5.7.233"},
		{"a trial tenant's external limit", "failed", "5.7.232", "", classify.Bounce, classify.Limit, "5.7.232"},
		{"a domain that proves nothing", "failed", "5.7.515", "smtp; 550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level", classify.Bounce, classify.Limit, "5.7.515"},
		{"Gmail's rate", "delayed", "4.7.28", "smtp; 421-4.7.28 Gmail has detected an unusual rate of mail", classify.Delayed, classify.Limit, "4.7.28"},
		{"Gmail's daily quota", "failed", "5.4.5", "smtp; 550 5.4.5 Daily user sending limit exceeded", classify.Bounce, classify.Limit, "5.4.5"},
		{"5.4.5 of another system", "failed", "5.4.5", "smtp; 550 5.4.5 mail system congestion", classify.Bounce, classify.Soft, "5.4.5"},
		{"a passing failure", "failed", "4.4.1", "smtp; connection timed out", classify.Bounce, classify.Soft, "4.4.1"},
		{"late", "delayed", "4.4.1", "smtp; connection timed out", classify.Delayed, classify.Late, "4.4.1"},
		{"nothing is said", "failed", "5.0.0", "", classify.Bounce, classify.Unclear, "5.0.0"},
		{"an address is no code", "failed", "5.0.0", "smtp; 554 host 10.5.1.1 said no", classify.Bounce, classify.Unclear, "5.0.0"},
		{"the words of an address are none", "failed", "5.1.1", "smtp; 550 5.1.1 <spam@policy.example.org>: no such user, see https://example.org/blocked", classify.Bounce, classify.Hard, "5.1.1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			env, msg := mail("mailer-daemon@example.org", "Undelivered", "", "Content-Type", "multipart/report; report-type=delivery-status")
			msg.Report = &provider.Report{Type: "delivery-status", Recipients: []provider.RecipientReport{{
				Final: "bo@example.org", Action: c.action, Status: c.status, Diagnostic: c.diagnostic,
			}}}
			got := classify.Classify(env, msg)
			if got.Class != c.class {
				t.Fatalf("class %q, want %q", got.Class, c.class)
			}
			want := classify.Failure{Recipient: "bo@example.org", Status: c.code, Kind: c.kind}
			if len(got.Failed) != 1 || got.Failed[0] != want {
				t.Errorf("failures %+v, want %+v", got.Failed, want)
			}
		})
	}
}

func TestDelivered(t *testing.T) {
	env, msg := mail("mailer-daemon@example.org", "Delivery report", "", "Content-Type", "multipart/report; report-type=delivery-status")
	msg.Report = &provider.Report{Type: "delivery-status", Recipients: []provider.RecipientReport{{Final: "bo@example.org", Action: "delivered", Status: "2.0.0"}}}
	if got := classify.Classify(env, msg); got.Class != classify.Receipt || got.Failed != nil {
		t.Errorf("%+v", got)
	}
}

// TestTextTellsTheStage: that the mail was refused, and not the address, may
// stand in the words for people alone.
func TestTextTellsTheStage(t *testing.T) {
	env, msg := mail("mailer-daemon@example.org", "Undelivered", "<bo@example.org>: host mx said: 550 <bo@example.org>: no such user (in reply to end of DATA command)\n",
		"Content-Type", "multipart/report; report-type=delivery-status")
	msg.Report = &provider.Report{Type: "delivery-status", Recipients: []provider.RecipientReport{
		{Final: "bo@example.org", Action: "failed", Status: "5.0.0", Diagnostic: "smtp; 550 <bo@example.org>: no such user"},
	}}
	if got := classify.Classify(env, msg); len(got.Failed) != 1 || got.Failed[0].Kind != classify.Policy {
		t.Errorf("%+v", got.Failed)
	}
}

// TestOneRefusalOfTwo: at what the server refused one recipient tells nothing
// of another.
func TestOneRefusalOfTwo(t *testing.T) {
	env, msg := mail("mailer-daemon@example.org", "Undelivered",
		"<ann@example.org>: host mx said: 550 no such user (in reply to RCPT TO command)\n<bo@example.org>: host mx said: 550 no such user (in reply to end of DATA command)\n",
		"Content-Type", "multipart/report; report-type=delivery-status")
	msg.Report = &provider.Report{Type: "delivery-status", Recipients: []provider.RecipientReport{
		{Final: "ann@example.org", Action: "failed", Status: "5.0.0", Diagnostic: "smtp; 550 no such user"},
		{Final: "bo@example.org", Action: "failed", Status: "5.0.0", Diagnostic: "smtp; 550 no such user"},
	}}
	got := classify.Classify(env, msg)
	if len(got.Failed) != 2 || got.Failed[0].Kind != classify.Hard || got.Failed[1].Kind != classify.Policy {
		t.Errorf("%+v", got.Failed)
	}
}
