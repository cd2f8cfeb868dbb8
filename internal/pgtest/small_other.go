//go:build !linux

package pgtest

import "errors"

// Small is a database on a disk of its own.
type Small struct{ DSN string }

// Small is for Linux: elsewhere the test is skipped, by name.
func (l *Lazy) Small(t T, _ int) *Small {
	t.Helper()
	t.Skipf("%s needs a small disk, and mounts one only on Linux", t.Name())
	return nil
}

// Fill and Free are never reached.
func (s *Small) Fill() error { return errors.ErrUnsupported }
func (s *Small) Free() error { return errors.ErrUnsupported }
