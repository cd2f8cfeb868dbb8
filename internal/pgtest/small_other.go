//go:build !linux

package pgtest

import "errors"

// Disk is a small disk of its own.
type Disk struct{ Dir string }

// NewDisk is for Linux: elsewhere the test is skipped, by name.
func NewDisk(t T, _ string, _ int) *Disk {
	t.Helper()
	t.Skipf("%s needs a small disk, and mounts one only on Linux", t.Name())
	return nil
}

// Small is a database on a disk of its own.
type Small struct {
	*Disk
	DSN string
}

// Small is for Linux, as NewDisk is.
func (l *Lazy) Small(t T, _ int) *Small {
	t.Helper()
	NewDisk(t, "", 0)
	return nil
}

// Fill and Free are never reached.
func (d *Disk) Fill() error { return errors.ErrUnsupported }
func (d *Disk) Free() error { return errors.ErrUnsupported }
