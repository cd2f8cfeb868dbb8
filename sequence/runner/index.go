package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/outreachkit/outreach/store"
)

// indexed is a value as an index row may have it. What a database could not
// keep, or not index, stands there as its digest: strange mail must not stop
// the reading of a mailbox.
func indexed(value string) string {
	if len(value) <= store.MaxIndexValue && plain(value) == value {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// plain is a text without what a database could not keep.
func plain(s string) string {
	if utf8.ValidString(s) && !strings.ContainsRune(s, 0) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func indexKey(kind store.IndexKind, value string) store.IndexKey {
	return store.IndexKey{Kind: kind, Value: indexed(value)}
}
