package sqlstore

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/outreachkit/outreach/store"
)

// entryRow is an entry as it is read.
type entryRow struct {
	key, conversation string
	at                time.Time
	data              []byte
}

func entryOf(key string) string { return "entry " + key }

// subjectOf binds a subject to its conversation and not to its entry: the
// database copies the first entry's into the summary.
func subjectOf(conversation string) string { return "subject of " + conversation }

// sealEntry is what of an entry is words, as the columns have it.
func (c *core) sealEntry(e *store.Entry) (subject, data []byte, err error) {
	kept := *e
	kept.At = time.Time{} // the column has it
	if data, err = json.Marshal(kept); err != nil {
		return nil, nil, fmt.Errorf("entry %s: %w", e.Key, err)
	}
	if data, err = c.box.Seal(data, entryOf(e.Key)); err != nil {
		return nil, nil, err
	}
	// What begins so was sealed, and who writes a mail may choose its subject.
	subject, err = c.box.Seal([]byte(strings.TrimLeft(e.Subject, "\x01")), subjectOf(e.Conversation))
	return subject, data, err
}

// openEntry reads what sealEntry made. A sealed entry knows where it belongs.
func (c *core) openEntry(row entryRow) (store.Entry, error) {
	data, err := c.box.Open(row.data, entryOf(row.key))
	if err != nil {
		return store.Entry{}, err
	}
	var e store.Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return store.Entry{}, fmt.Errorf("entry %s is not readable: %w", row.key, err)
	}
	if c.box.Sealer != nil && e.Conversation != row.conversation {
		return store.Entry{}, fmt.Errorf("entry %s was moved here from another conversation", row.key)
	}
	e.At = row.at
	return e, nil
}
