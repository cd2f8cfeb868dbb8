// Package pgtest gives tests a real PostgreSQL: a temporary cluster, started
// from the installed binaries, on a unix socket in a directory of its own.
//
//	var postgres = pgtest.Lazy{Driver: "pgx", Prepare: migrate}
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		postgres.Stop()
//		os.Exit(code)
//	}
//
//	func TestStore(t *testing.T) {
//		dsn := postgres.DSN(t) // a database of its own
//		...
//	}
//
// A test is skipped, by name, where PostgreSQL is not installed, and fails
// there if OUTREACH_REQUIRE_POSTGRES is 1. OUTREACH_PG_BIN is the directory of
// initdb and postgres; without it the PATH is searched, and then the places
// where packages of Linux distributions put them, newest first.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ErrMissing: PostgreSQL is not installed.
var ErrMissing = errors.New("pgtest: initdb and postgres are not installed; install PostgreSQL's server, or set OUTREACH_PG_BIN to their directory")

// Config says how a cluster is.
type Config struct {
	// Driver is the name of a database/sql driver for PostgreSQL that the
	// test has registered.
	Driver string

	// Durable leaves fsync and all that on, for benchmarks. Tests don't
	// survive a power cut anyhow.
	Durable bool

	// Settings are more of the server's, such as "max_connections=50".
	Settings []string
}

// Cluster is a running server. Databases may be made concurrently.
type Cluster struct {
	cfg   Config
	dir   string
	hold  io.Closer // the server stops when it is closed, or this process ends
	log   *os.File
	done  chan error
	admin *sql.DB
	count atomic.Int64
}

// bin finds the directory of initdb and postgres.
func bin() (string, error) {
	has := func(dir string) bool {
		for _, name := range []string{"initdb", "postgres"} {
			if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
				return false
			}
		}
		return true
	}
	if dir := os.Getenv("OUTREACH_PG_BIN"); dir != "" {
		if !has(dir) {
			return "", fmt.Errorf("%w (OUTREACH_PG_BIN is %s)", ErrMissing, dir)
		}
		return dir, nil
	}
	if found, err := exec.LookPath("initdb"); err == nil {
		// initdb looks for postgres beside itself, where it really is.
		if found, err = filepath.EvalSymlinks(found); err == nil && has(filepath.Dir(found)) {
			return filepath.Dir(found), nil
		}
	}
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	more, _ := filepath.Glob("/usr/pgsql-*/bin")
	dirs = append(dirs, more...)
	version := func(dir string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(filepath.Dir(dir)), "pgsql-"))
		return n
	}
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range dirs {
		if has(dir) {
			return dir, nil
		}
	}
	return "", ErrMissing
}

// Start makes a cluster and starts it. ErrMissing if there are no binaries.
func Start(ctx context.Context, cfg Config) (c *Cluster, err error) {
	programs, err := bin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	c = &Cluster{cfg: cfg, dir: dir, done: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop())
			c = nil
		}
	}()
	attr, err := owner(dir) // PostgreSQL refuses to run as root
	if err != nil {
		return c, fmt.Errorf("pgtest: %w", err)
	}
	data := filepath.Join(dir, "data")
	initdb := func(locale ...string) ([]byte, error) {
		args := append([]string{"-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"}, locale...)
		cmd := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), args...)
		cmd.Dir, cmd.SysProcAttr = dir, attr
		return cmd.CombinedOutput()
	}
	// Sorting by a language finds statements that rely on the order of bytes
	// and don't say so. Not every server was built with it.
	if _, err := initdb("--locale=C", "--locale-provider=icu", "--icu-locale=en-US"); err != nil {
		if out, err := initdb("--locale=C"); err != nil {
			return c, fmt.Errorf("pgtest: initdb: %w\n%s", err, out)
		}
	}
	if err := c.run(programs, data, attr); err != nil {
		return c, err
	}
	if c.admin, err = sql.Open(cfg.Driver, c.dsn("postgres")); err != nil {
		return c, fmt.Errorf("pgtest: %w", err)
	}
	return c, c.wait(ctx)
}

// wait returns when the server answers.
func (c *Cluster) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := c.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case ended := <-c.done:
			c.done <- ended
			log, _ := io.ReadAll(io.NewSectionReader(c.log, 0, 1<<16)) // it has no name any more
			return fmt.Errorf("pgtest: the server ended (%v):\n%s", ended, log)
		case <-ctx.Done():
			return fmt.Errorf("pgtest: the server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// dsn names a database.
func (c *Cluster) dsn(database string) string {
	return fmt.Sprintf("host=%s port=5432 user=postgres dbname=%s sslmode=disable", c.dir, database)
}

// Create makes a database, as a copy of a template unless that is empty, and
// returns the string to open it with. drop removes it and whoever is
// connected to it.
func (c *Cluster) Create(ctx context.Context, template string) (dsn string, drop func() error, err error) {
	name := fmt.Sprintf("test%d", c.count.Add(1))
	query := "CREATE DATABASE " + name
	if template != "" {
		query += " TEMPLATE " + template
	}
	if _, err := c.admin.ExecContext(ctx, query); err != nil {
		return "", nil, fmt.Errorf("pgtest: %w", err)
	}
	drop = func() error {
		_, err := c.admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
		return err
	}
	return c.dsn(name), drop, nil
}

// Stop ends the server and removes its files.
func (c *Cluster) Stop() error {
	var errs []error
	if c.admin != nil {
		errs = append(errs, c.admin.Close())
	}
	if c.hold != nil {
		errs = append(errs, c.hold.Close())
		<-c.done
	}
	if c.log != nil {
		errs = append(errs, c.log.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}
