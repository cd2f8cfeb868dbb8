package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/outreachkit/outreach/store"
)

// linkColumns end with what is left of the mark.
const linkColumns = `id, owner, provider, kind, subject, address, addresses, access, tenant, scopes, status, reason, token, data,
	mark_by, mark_until - {now}, created, changed, version`

func scanLink(r *sql.Rows) (store.Link, error) {
	var l store.Link
	var addresses, scopes string
	var by sql.NullString
	var left int64
	err := r.Scan(&l.ID, &l.Owner, &l.Provider, &l.Kind, &l.Subject, &l.Address, &addresses, &l.Access, &l.Tenant, &scopes, &l.Status, &l.Reason,
		&l.Token, &l.Data, &by, &left, instant{&l.Created}, instant{&l.Changed}, &l.Version)
	if err != nil {
		return store.Link{}, err
	}
	if by.Valid {
		l.Mark = &store.RefreshMark{By: by.String, Left: time.Duration(left) * time.Microsecond}
	}
	for _, list := range []struct {
		from string
		to   *[]string
	}{{addresses, &l.Addresses}, {scopes, &l.Scopes}} {
		if err := json.Unmarshal([]byte(list.from), list.to); err != nil {
			return store.Link{}, fmt.Errorf("link %s: a list in it is not readable: %w", l.ID, err)
		}
	}
	return l, nil
}

// link selects one link.
func (c conn) link(where string, args ...any) (store.Link, bool, error) {
	var l store.Link
	found := false
	err := c.query(func(r *sql.Rows) (err error) {
		found = true
		l, err = scanLink(r)
		return err
	}, "SELECT "+linkColumns+" FROM outreach_links WHERE "+where, args...)
	return l, found, err
}

func plainLink(l store.Link) bool {
	if l.Mark != nil && !plain(l.Mark.By) {
		return false
	}
	return plain(l.ID, l.Owner, l.Provider, l.Kind, l.Subject, l.Address, l.Access, l.Tenant, string(l.Status), l.Reason) &&
		plain(l.Addresses...) && plain(l.Scopes...)
}

func asJSON(list []string) string {
	out, _ := json.Marshal(list) // strings can't fail
	return string(out)
}

// mark returns the columns of a mark: who has it, and for how long.
func mark(m *store.RefreshMark) (by any, micros int64) {
	if m == nil {
		return nil, 0
	}
	return m.By, m.Left.Microseconds()
}

// Create implements store.TokenStore.
func (t *Tokens) Create(ctx context.Context, l store.Link) (store.Link, error) {
	const op = "create link"
	if l.ID == "" || l.Kind == "" || l.Subject == "" || l.Owner == "" || l.Status == store.LinkUnlinked {
		return store.Link{}, t.h.explain(ctx, op, invalid("a new link needs an ID, an Owner, a Kind and a Subject, and is not unlinked"))
	}
	if !plainLink(l) {
		return store.Link{}, t.h.explain(ctx, op, errText)
	}
	var out store.Link
	err := t.h.write(ctx, op, func(c conn) error {
		by, left := mark(l.Mark)
		n, err := c.exec(`INSERT INTO outreach_links (id, owner, provider, kind, subject, address, addresses, access, tenant, scopes, status, reason, token, data,
			mark_by, mark_until, created, changed, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {now} + ?, ?, ?, 1) ON CONFLICT DO NOTHING`,
			l.ID, l.Owner, l.Provider, l.Kind, l.Subject, l.Address, asJSON(l.Addresses), l.Access, l.Tenant, asJSON(l.Scopes), string(l.Status), l.Reason,
			bytes(l.Token), bytes(l.Data), by, left, micros(l.Created), micros(l.Changed))
		if err != nil {
			return err
		}
		there, found, err := c.link("id = ?", l.ID)
		if err != nil {
			return err
		}
		if n == 1 {
			out = there
			return nil
		}
		if found {
			return &store.ConflictError{Record: "link", ID: l.ID}
		}
		holder, found, err := c.link("kind = ? AND subject = ? AND status <> 'unlinked'", l.Kind, l.Subject)
		if err != nil {
			return err
		}
		if !found {
			return errAgain // it was released meanwhile
		}
		return fmt.Errorf("link %s: %w", holder.ID, store.ErrOwned)
	})
	return out, err
}

// Get implements store.TokenStore.
func (t *Tokens) Get(ctx context.Context, id string) (store.Link, error) {
	const op = "get link"
	if !plain(id) {
		return store.Link{}, t.h.explain(ctx, op, errText)
	}
	var l store.Link
	err := t.h.read(ctx, op, func(c conn) (err error) {
		l, err = c.linkByID(id)
		return err
	})
	return l, err
}

func (c conn) linkByID(id string) (store.Link, error) {
	l, found, err := c.link("id = ?", id)
	if err == nil && !found {
		err = notFound("link", id)
	}
	return l, err
}

// Find implements store.TokenStore.
func (t *Tokens) Find(ctx context.Context, kind, subject string) (store.Link, error) {
	const op = "find link"
	if !plain(kind, subject) {
		return store.Link{}, t.h.explain(ctx, op, errText)
	}
	var l store.Link
	err := t.h.read(ctx, op, func(c conn) error {
		var found bool
		var err error
		l, found, err = c.link("kind = ? AND subject = ? AND status <> 'unlinked'", kind, subject)
		if err == nil && !found {
			err = fmt.Errorf("a link of this mailbox: %w", store.ErrNotFound)
		}
		return err
	})
	return l, err
}

// CompareAndSwap implements store.TokenStore.
func (t *Tokens) CompareAndSwap(ctx context.Context, l store.Link) (store.Link, error) {
	const op = "swap link"
	if !plainLink(l) {
		return store.Link{}, t.h.explain(ctx, op, errText)
	}
	var out store.Link
	err := t.h.write(ctx, op, func(c conn) error {
		n, err := c.swapLink(l)
		if err != nil {
			return err
		}
		there, err := c.linkByID(l.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return &store.ConflictError{Record: "link", ID: l.ID}
		}
		out = there
		return nil
	})
	return out, err
}

func (c conn) swapLink(l store.Link) (int64, error) {
	if l.Status == store.LinkUnlinked {
		return c.exec(`UPDATE outreach_links SET data = ?, changed = ?, version = version + 1
			WHERE id = ? AND version = ? AND status = 'unlinked' AND kind = ? AND subject = ? AND owner = ? AND created = ?`,
			bytes(l.Data), micros(l.Changed), l.ID, l.Version, l.Kind, l.Subject, l.Owner, micros(l.Created))
	}
	by, left := mark(l.Mark)
	return c.exec(`UPDATE outreach_links SET provider = ?, address = ?, addresses = ?, access = ?, tenant = ?, scopes = ?, status = ?, reason = ?,
			token = ?, data = ?, mark_by = ?, mark_until = {now} + ?, changed = ?, version = version + 1
			WHERE id = ? AND version = ? AND status <> 'unlinked' AND kind = ? AND subject = ? AND owner = ? AND created = ?`,
		l.Provider, l.Address, asJSON(l.Addresses), l.Access, l.Tenant, asJSON(l.Scopes), string(l.Status), l.Reason,
		bytes(l.Token), bytes(l.Data), by, left, micros(l.Changed),
		l.ID, l.Version, l.Kind, l.Subject, l.Owner, micros(l.Created))
}

// List implements store.TokenStore.
func (t *Tokens) List(ctx context.Context, p store.ListLinks) ([]store.Link, error) {
	const op = "list links"
	if !plain(p.Owner, string(p.Status), p.After) {
		return nil, t.h.explain(ctx, op, errText)
	}
	where, args := "id > ?", []any{p.After}
	if p.Owner != "" {
		where, args = where+" AND owner = ?", append(args, p.Owner)
	}
	if p.Status != "" {
		where, args = where+" AND status = ?", append(args, string(p.Status))
	}
	args = append(args, limit(p.Limit, 100))
	var out []store.Link
	err := t.h.read(ctx, op, func(c conn) error {
		out = nil
		return c.query(func(r *sql.Rows) error {
			l, err := scanLink(r)
			out = append(out, l)
			return err
		}, "SELECT "+linkColumns+" FROM outreach_links WHERE "+where+" ORDER BY id LIMIT ?", args...)
	})
	return out, err
}

// Release implements store.TokenStore.
func (t *Tokens) Release(ctx context.Context, id string, version int64) (store.Link, error) {
	const op = "release link"
	if !plain(id) {
		return store.Link{}, t.h.explain(ctx, op, errText)
	}
	var out store.Link
	err := t.h.write(ctx, op, func(c conn) error {
		n, err := c.exec(`UPDATE outreach_links SET status = 'unlinked', token = NULL, mark_by = NULL, mark_until = 0, version = version + 1
			WHERE id = ? AND version = ? AND status <> 'unlinked'`, id, version)
		if err != nil {
			return err
		}
		there, err := c.linkByID(id)
		if err != nil {
			return err
		}
		if n == 0 && there.Status != store.LinkUnlinked {
			return &store.ConflictError{Record: "link", ID: id}
		}
		out = there
		return nil
	})
	return out, err
}
