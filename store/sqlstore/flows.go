package sqlstore

import (
	"context"

	"github.com/outreachkit/outreach/store"
)

// Put implements store.FlowStore. It also forgets flows past their time.
func (f *Flows) Put(ctx context.Context, fl store.Flow) error {
	const op = "put flow"
	if fl.Key == "" || fl.TTL <= 0 {
		return f.h.explain(ctx, op, invalid("a flow needs a Key and a positive TTL"))
	}
	if !plain(fl.Key) {
		return f.h.explain(ctx, op, errText)
	}
	return f.h.write(ctx, op, func(c conn) error {
		if _, err := c.exec("DELETE FROM outreach_flows WHERE gone <= {now}"); err != nil {
			return err
		}
		n, err := c.exec("INSERT INTO outreach_flows (key, data, expires, gone) VALUES (?, ?, ?, {now} + ?) ON CONFLICT DO NOTHING",
			fl.Key, bytes(fl.Data), micros(fl.Expires), fl.TTL.Microseconds())
		if err == nil && n == 0 {
			err = &store.ConflictError{Record: "flow", ID: fl.Key}
		}
		return err
	})
}

// Take implements store.FlowStore. What a lost connection takes is gone: the
// flow begins again, and is never taken twice.
func (f *Flows) Take(ctx context.Context, key string) (store.Flow, error) {
	const op = "take flow"
	if !plain(key) {
		return store.Flow{}, f.h.explain(ctx, op, errText)
	}
	var fl store.Flow
	var left int64
	found := false
	err := f.h.write(ctx, op, func(c conn) (err error) {
		fl = store.Flow{Key: key}
		found, err = c.one([]any{&fl.Data, instant{&fl.Expires}, &left}, "DELETE FROM outreach_flows WHERE key = ? RETURNING data, expires, gone - {now}", key)
		return err
	})
	if err == nil && (!found || left <= 0) {
		err = f.h.explain(ctx, op, store.ErrNotFound)
	}
	if err != nil {
		return store.Flow{}, err
	}
	return fl, nil
}
