package postoffice

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// ChangeKind is what happened to a message.
type ChangeKind string

// The kinds of change.
const (
	Added        ChangeKind = "added" // it became visible
	Deleted      ChangeKind = "deleted"
	LabelAdded   ChangeKind = "label added"
	LabelRemoved ChangeKind = "label removed"
)

// Change is one line of a mailbox's change log. Labels are shared and must
// not be changed.
type Change struct {
	ID     int64 // grows, with gaps
	Kind   ChangeKind
	Number int64
	Thread int64
	Label  string   // the label added or removed
	Labels []string // all labels after the change; before it, for Deleted
	Own    bool
	At     time.Time
}

func (m *Mailbox) log(msg *message, kind ChangeKind, label string) {
	if !msg.visible {
		return // its Added line, to come, tells the labels it has by then
	}
	m.lastChange += 1 + int64(len(m.changes)%3)
	ch := Change{
		ID: m.lastChange, Kind: kind, Number: msg.Number, Thread: msg.Thread, Label: label,
		Labels: msg.Labels, Own: msg.Own, At: m.office.clock.Now(),
	}
	m.changes = append(m.changes, ch)
	for _, tell := range m.watchers {
		tell(ch)
	}
}

// OnChange has tell called for every change from now on, for services that
// push. The office is locked meanwhile: tell may schedule something on the
// clock, and must not call the office.
func (m *Mailbox) OnChange(tell func(Change)) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	m.watchers = append(m.watchers, tell)
}

// LastChange returns the id of the newest change: the position that means
// "from now on".
func (m *Mailbox) LastChange() int64 {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	return m.lastChange
}

// Changes returns at most limit changes after the given id, oldest first, and
// whether there are more. A limit of zero is no limit. ErrExpired: the log
// does not reach back so far, or the id has not been given out yet.
func (m *Mailbox) Changes(after int64, limit int) (list []Change, more bool, err error) {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	if after < m.floor || after > m.lastChange {
		return nil, false, fmt.Errorf("changes after %d: %w", after, ErrExpired)
	}
	i := sort.Search(len(m.changes), func(i int) bool { return m.changes[i].ID > after })
	rest := m.changes[i:]
	if limit > 0 && len(rest) > limit {
		return slices.Clone(rest[:limit]), true, nil
	}
	return slices.Clone(rest), false, nil
}

// ExpireChanges truncates the log. Every position taken before is expired,
// LastChange's too; take a new one from LastChange.
func (m *Mailbox) ExpireChanges() {
	m.office.mu.Lock()
	defer m.office.mu.Unlock()
	m.lastChange++
	m.floor = m.lastChange
	m.changes = nil
}
