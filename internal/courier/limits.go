package courier

import (
	"time"

	"github.com/outreachkit/outreach/provider"
)

// LocateMargin is how far a service's clock may be behind the one that made
// an intent, where a mail is looked for by its time. It is wider than
// provider.ClockSlack, which decides whose answer a message is: here a margin
// too narrow lets a mail that left go unseen, and one too wide costs a few
// more messages of the account's own that are compared.
const LocateMargin = 5 * time.Minute

// NegativeLimit names the first field of l that is negative; empty if none
// is.
func NegativeLimit(l provider.Limits) string {
	for _, f := range [...]struct {
		name     string
		negative bool
	}{
		{"MaxMessageBytes", l.MaxMessageBytes < 0}, {"MaxRecipients", l.MaxRecipients < 0}, {"SendsPerMinute", l.SendsPerMinute < 0},
		{"SendTimeout", l.SendTimeout < 0}, {"Settle", l.Settle < 0},
	} {
		if f.negative {
			return f.name
		}
	}
	return ""
}
