package courier

import (
	"fmt"

	"github.com/outreachkit/outreach/provider"
)

// CheckOutgoing refuses before any request what a service would refuse, or
// accept and bounce, or silently change: Gmail is believed to put the primary
// address in place of a From that is none of the account's, and Graph sends on
// behalf of it or answers ErrorSendAsDenied.
func CheckOutgoing(op string, out *provider.Outgoing, acc provider.Account, limits provider.Limits) error {
	if out == nil {
		return Invalid(op, "Outgoing", "is nil")
	}
	switch n := len(out.To) + len(out.Cc) + len(out.Bcc); {
	case len(out.Raw) == 0:
		return Invalid(op, "Raw", "is empty")
	case out.NotAfter.IsZero():
		return Invalid(op, "NotAfter", "is not set")
	case n == 0:
		return Invalid(op, "To", "names no recipient")
	case limits.MaxRecipients > 0 && n > limits.MaxRecipients:
		return Invalid(op, "To", fmt.Sprintf("with Cc and Bcc names %d recipients; the limit is %d", n, limits.MaxRecipients))
	case !acc.Owns(out.From.Addr):
		return &provider.Error{Kind: provider.ErrSenderNotAllowed, Op: op, Reason: "from_not_owned"}
	case limits.MaxMessageBytes > 0 && int64(len(out.Raw)) > limits.MaxMessageBytes:
		return &provider.Error{Kind: provider.ErrTooLarge, Op: op, Reason: "message_bytes"}
	}
	return nil
}
