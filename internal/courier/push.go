package courier

import (
	"io"
	"net/http"

	"github.com/outreachkit/outreach/provider"
)

// PushBody reads what a service pushed, of at most limit bytes. A longer one
// is ErrTooLarge; one that broke off is ErrTemporary, so that it comes again.
func PushBody(op string, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "body_not_read"}
	case int64(len(body)) > limit:
		return nil, &provider.Error{Kind: provider.ErrTooLarge, Op: op, Reason: "body_too_long"}
	}
	return body, nil
}
