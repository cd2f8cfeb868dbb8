package gmail

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/outreachkit/outreach/provider"
)

// cursor writes a position: version, a digest of the subject, history id.
func (m *mailbox) cursor(historyID uint64) provider.Cursor {
	return provider.Cursor("g1." + m.digest() + "." + strconv.FormatUint(historyID, 10))
}

func (m *mailbox) digest() string {
	sum := sha256.Sum256([]byte("gmail cursor\x00" + m.acc.Subject))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// position reads a cursor of this mailbox.
func (m *mailbox) position(op string, c provider.Cursor) (uint64, error) {
	fail := func(reason string) (uint64, error) {
		return 0, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: reason}
	}
	parts := strings.Split(string(c), ".")
	switch {
	case c == "":
		return fail("cursor_zero")
	case len(c) > 256 || len(parts) != 3 || parts[0] != "g1":
		return fail("cursor_malformed")
	case parts[1] != m.digest():
		return fail("cursor_of_another_mailbox")
	}
	id, err := strconv.ParseUint(parts[2], 10, 64)
	if err != nil || id == 0 || strconv.FormatUint(id, 10) != parts[2] {
		return fail("cursor_malformed")
	}
	return id, nil
}
