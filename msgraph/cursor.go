package msgraph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// position is what a cursor holds. A round goes through the delta of each
// followed folder and then through what the whole mailbox received lately.
type position struct {
	Subject string `json:"s"`           // a digest
	Links   []link `json:"l"`           // one for each followed folder
	Folder  int    `json:"f,omitempty"` // the next to read in this round; beyond the last it is the mailbox
	Skip    int    `json:"k,omitempty"` // how far the mailbox was read in this round
	Since   int64  `json:"t"`           // seconds since the epoch: all received before was told by earlier rounds
	Round   int64  `json:"r,omitempty"` // when this round began, zero before its first request

	// Seen are digests of what the last round listed of the mailbox, and
	// Window of what this one has listed so far: rounds overlap, and what was
	// told before is not told again.
	Seen   digests `json:"d,omitempty"`
	Window digests `json:"w,omitempty"`
}

// digests are 8 bytes each. That a new message has the digest of another one
// in the same window, and is passed over, is one chance in 10^16.
type digests []byte

const digestBytes = 8

// maxDigests bounds a cursor. Of a mailbox that receives more in an hour the
// oldest are told again in each round.
const maxDigests = 2000

func digestOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return string(sum[:digestBytes])
}

func (d digests) set() map[string]bool {
	m := make(map[string]bool, len(d)/digestBytes)
	for chunk := range slices.Chunk(d, digestBytes) {
		m[string(chunk)] = true
	}
	return m
}

func (d digests) with(digest string) digests {
	if len(d) >= maxDigests*digestBytes {
		return d
	}
	return append(d, digest...)
}

// link is one of Graph's next or delta links, without the host: the path, and
// the query as it came.
type link string

// followed are the folders whose delta is read, in this order. Sent Items are
// among them for the copies of our own mail and for what its owner writes by
// hand.
func followed() []string { return []string{"inbox", "junkemail", "sentitems"} }

const (
	sentFolder    = 2
	cursorVersion = "m1."
)

// overlap is how far before its beginning a round looks back in the mailbox:
// mail that Exchange received can take so long to show, a belief set wide on
// purpose.
const overlap = time.Hour

func (m *mailbox) digest() string {
	sum := sha256.Sum256([]byte("msgraph cursor\x00" + m.acc.Subject))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// cursor writes a position.
func (m *mailbox) cursor(op string, pos position) (provider.Cursor, error) {
	pos.Subject = m.digest()
	data, err := json.Marshal(pos)
	if err != nil {
		return "", &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "cursor_not_written", Err: err}
	}
	if len(data)+len(cursorVersion) > provider.MaxCursor {
		return "", &provider.Error{Kind: provider.ErrTemporary, Op: op, Reason: "cursor_too_long"}
	}
	return provider.Cursor(cursorVersion + string(data)), nil
}

// position reads a cursor of this mailbox.
func (m *mailbox) position(op string, c provider.Cursor) (position, error) {
	fail := func(reason string) (position, error) {
		return position{}, &provider.Error{Kind: provider.ErrRejected, Op: op, Reason: reason}
	}
	data, ok := strings.CutPrefix(string(c), cursorVersion)
	if c == "" {
		return fail("cursor_zero")
	}
	var pos position
	if !ok || len(c) > provider.MaxCursor || json.Unmarshal([]byte(data), &pos) != nil ||
		len(pos.Links) != len(followed()) || pos.Folder < 0 || pos.Folder > len(followed()) || pos.Skip < 0 || pos.Since <= 0 ||
		len(pos.Seen)%digestBytes != 0 || len(pos.Window)%digestBytes != 0 {
		return fail("cursor_malformed")
	}
	if pos.Subject != m.digest() {
		return fail("cursor_of_another_mailbox")
	}
	for _, l := range pos.Links {
		if !m.p.ours(string(l)) {
			return fail("cursor_malformed")
		}
	}
	return pos, nil
}

// ours reports whether a path with a query is one of the API's own.
func (p *Provider) ours(path string) bool {
	return strings.HasPrefix(path, p.root) && !strings.Contains(path, "..") && !strings.ContainsAny(path, " \r\n\t\\#")
}
