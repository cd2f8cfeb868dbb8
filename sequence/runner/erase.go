package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// Erase removes what is kept of a recipient: enrollments, mails and the
// conversation. Keyed hashes of the address, and of those that the person
// answered from, remain, so that the address is not enrolled again, and that
// what the person writes in a thread that holds mail to others, too, is neither
// read nor logged. It says how many enrollments there were.
//
// What is in other people's conversations is theirs: mail that the person was
// in copy of, or wrote as somebody in copy, is kept until they are erased.
func (r *Runner) Erase(ctx context.Context, addr string) (int, error) {
	key := provider.Normalize(addr)
	if key == "" {
		return 0, &provider.FieldError{Op: "runner: erase", Field: "addr", Problem: "is not a mail address"}
	}
	addrs, err := r.addressesOf(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("runner: erase: %w", err)
	}
	var b store.Batch
	for _, a := range addrs {
		for _, hash := range []string{r.suppressionHash(a), r.erasedHash(a)} {
			b.Suppressions = append(b.Suppressions, store.Suppression{Hash: hash, Reason: "erased", At: r.cfg.Now()})
		}
	}
	if err := r.cfg.Store.Commit(ctx, b); err != nil {
		return 0, fmt.Errorf("runner: erase: %w", err)
	}
	n, err := r.cfg.Store.Erase(ctx, key)
	if err != nil {
		return n, fmt.Errorf("runner: erase: %w", err)
	}
	if r.cfg.Log != nil {
		if _, err := r.cfg.Log.Erase(ctx, key); err != nil {
			return n, fmt.Errorf("runner: erase from the conversation log: %w", err)
		}
	}
	return n, nil
}

// addressesOf lists the address and those that its owner answered from. A
// record that can't be read is erased all the same.
func (r *Runner) addressesOf(ctx context.Context, addr string) ([]string, error) {
	var rows []store.Enrollment
	if err := r.listAll(ctx, store.ListEnrollments{Recipient: addr}, func(row store.Enrollment) { rows = append(rows, row) }); err != nil {
		return nil, err
	}
	seen := map[string]bool{addr: true}
	addrs := []string{addr}
	for _, row := range rows {
		l, err := r.understand(ctx, row)
		if errors.Is(err, errDamaged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, a := range l.rec.Known {
			if !seen[a] {
				seen[a] = true
				addrs = append(addrs, a)
			}
		}
	}
	return addrs, nil
}

func (r *Runner) erasedHash(addr string) string {
	return derive(r.cfg.Key, "erased", provider.Normalize(addr))
}

// erased reports whether everybody who signs a message was erased.
func (r *Runner) erased(ctx context.Context, from []provider.Address) (bool, error) {
	var hashes []string
	for _, a := range from {
		if provider.Normalize(a.Addr) == "" {
			return false, nil
		}
		hashes = append(hashes, r.erasedHash(a.Addr))
	}
	if len(hashes) == 0 {
		return false, nil
	}
	hit, err := r.cfg.Store.Suppressed(ctx, hashes)
	if err != nil {
		return false, fmt.Errorf("runner: erased: %w", err)
	}
	for _, h := range hashes {
		if !slices.Contains(hit, h) {
			return false, nil
		}
	}
	return true, nil
}
