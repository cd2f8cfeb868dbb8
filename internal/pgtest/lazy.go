package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// T is what Lazy needs of a *testing.T or *testing.B.
type T interface {
	Helper()
	Name() string
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Lazy is a cluster that starts when the first test needs it.
type Lazy struct {
	Config

	// Prepare makes what every database of the tests begins with, in a
	// database that the others are copies of. Nil is nothing.
	Prepare func(ctx context.Context, dsn string) error

	once    sync.Once
	cluster *Cluster
	err     error
}

// template is a database that others are copies of.
const template = "prepared"

func (l *Lazy) start() {
	ctx := context.Background()
	if l.cluster, l.err = Start(ctx, l.Config); l.err != nil {
		return
	}
	if _, l.err = l.cluster.admin.ExecContext(ctx, "CREATE DATABASE "+template); l.err != nil || l.Prepare == nil {
		return
	}
	if err := l.Prepare(ctx, l.cluster.dsn(template)); err != nil {
		l.err = fmt.Errorf("pgtest: prepare: %w", err)
	}
}

// DSN makes a database for the test as Prepare left it.
func (l *Lazy) DSN(t T) string {
	t.Helper()
	return l.create(t, template)
}

// Empty makes an empty database for the test.
func (l *Lazy) Empty(t T) string {
	t.Helper()
	return l.create(t, "")
}

// Copy makes a database for the test that is a copy of another, which DSN,
// Empty or Copy returned. Nobody may be connected to that meanwhile.
func (l *Lazy) Copy(t T, dsn string) string {
	t.Helper()
	_, name, _ := strings.Cut(dsn, "dbname=")
	name, _, _ = strings.Cut(name, " ")
	return l.create(t, name)
}

// begin starts the cluster, or skips the test.
func (l *Lazy) begin(t T) {
	t.Helper()
	l.once.Do(l.start)
	if errors.Is(l.err, ErrMissing) && os.Getenv("OUTREACH_REQUIRE_POSTGRES") != "1" {
		t.Skipf("%s needs PostgreSQL: %v", t.Name(), l.err)
	}
	if l.err != nil {
		t.Fatalf("%v", l.err)
	}
}

func (l *Lazy) create(t T, from string) string {
	t.Helper()
	l.begin(t)
	dsn, drop, err := l.cluster.Create(context.Background(), from)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Errorf("pgtest: drop: %v", err)
		}
	})
	return dsn
}

// Stop ends the cluster, if one was started.
func (l *Lazy) Stop() error {
	if l.cluster == nil {
		return nil
	}
	return l.cluster.Stop()
}
