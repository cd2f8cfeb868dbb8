package courier_test

import (
	"testing"

	"github.com/outreachkit/outreach/internal/courier"
	"github.com/outreachkit/outreach/provider"
)

// A status becomes a code, which a program can match and no language changes.
func TestStatusCode(t *testing.T) {
	for status, want := range map[int]string{0: "", 502: "http_502", 599: "http_599"} {
		if got := courier.StatusCode(status); got != want || got != courier.Code(got) {
			t.Errorf("%d: %q", status, got)
		}
	}
}

func TestNegativeLimit(t *testing.T) {
	for want, l := range map[string]provider.Limits{
		"": {}, "MaxMessageBytes": {MaxMessageBytes: -1}, "MaxRecipients": {MaxRecipients: -1}, "SendsPerMinute": {SendsPerMinute: -1},
		"SendTimeout": {SendTimeout: -1}, "Settle": {Settle: -1},
	} {
		if got := courier.NegativeLimit(l); got != want {
			t.Errorf("%q: %q", want, got)
		}
	}
}
