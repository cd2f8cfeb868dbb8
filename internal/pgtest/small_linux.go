package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Disk is a small disk of its own.
type Disk struct{ Dir string }

// NewDisk puts a disk with room for so many megabytes at an empty directory,
// for the test. That takes the right to mount: a test that has not is skipped,
// by name.
func NewDisk(t T, dir string, megabytes int) *Disk {
	t.Helper()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0777", megabytes))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skipf("%s needs a small disk, and may not mount one: %v", t.Name(), err)
	}
	if err != nil {
		t.Fatalf("pgtest: mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("pgtest: unmount: %v", err)
		}
	})
	return &Disk{Dir: dir}
}

// Small is a database on a disk of its own.
type Small struct {
	*Disk
	DSN string
}

// Small makes a database for the test, as Prepare left it, on a disk of its
// own with room for so many megabytes, as NewDisk does.
func (l *Lazy) Small(t T, megabytes int) *Small {
	t.Helper()
	l.begin(t)
	dir := l.cluster.dir + fmt.Sprintf("/small%d", l.cluster.count.Add(1))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	s := &Small{Disk: NewDisk(t, dir, megabytes)}
	data := filepath.Join(s.Dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if _, err := owner(data); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	ctx, name := context.Background(), filepath.Base(s.Dir)
	if _, err := l.cluster.admin.ExecContext(ctx, fmt.Sprintf("CREATE TABLESPACE %s LOCATION '%s'", name, data)); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() {
		if _, err := l.cluster.admin.ExecContext(ctx, "DROP TABLESPACE "+name); err != nil {
			t.Errorf("pgtest: %v", err)
		}
	})
	s.DSN = l.create(t, template+" TABLESPACE "+name)
	return s
}

// Fill leaves no room on the disk, Free all that is not the database's.
func (d *Disk) Fill() error {
	f, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	for room := bytes.Repeat([]byte{1}, 1<<16); len(room) > 0; {
		if _, err = f.Write(room); err != nil {
			room = room[:len(room)/2]
		}
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// Free undoes Fill.
func (d *Disk) Free() error { return os.Remove(d.filler()) }

func (d *Disk) filler() string { return filepath.Join(d.Dir, "filler") }
