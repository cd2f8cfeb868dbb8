package sqlstore

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed schema
var schema embed.FS

// Schema returns the numbered SQL files that make the tables, under the
// default prefix. Migrate runs them; a host that has a tool for that may give
// it these files instead, in the order of their names. Each runs once, and
// the last statement of each writes down that it has run.
func Schema(d Dialect) fs.FS {
	sub, err := fs.Sub(schema, "schema/"+string(d))
	if err != nil { // of a dialect that is no path
		return embed.FS{}
	}
	return sub
}

// step is one file of the schema.
type step struct {
	version    int64
	name       string
	statements []string
}

func (c *core) steps() ([]step, error) {
	files := Schema(c.dialect)
	found, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(found)
	var out []step
	for _, name := range found {
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the schema's file %s has no number: %w", name, err)
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		s := step{version: version, name: name}
		for part := range strings.SplitSeq(string(data), ";\n") {
			if strings.TrimSpace(part) != "" {
				s.statements = append(s.statements, part)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// Version is the schema's version that this program works with.
const Version = 3

// Migrate makes the tables, or brings them to this program's version. It
// changes all or nothing, may run in many processes at once, and does nothing
// when there is nothing to do. Nothing else in this package changes tables.
// Tables of a newer program are ErrSchema.
func (s *Store) Migrate(ctx context.Context) error {
	h := s.h
	if h.bound {
		return fmt.Errorf("sqlstore: migrate: the Store is bound to a transaction; call it on the one that New returned")
	}
	steps, err := h.steps()
	if err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", err)
	}
	return h.retry(ctx, "migrate", func() error { return h.migrate(ctx, steps) })
}

func (h handle) migrate(ctx context.Context, steps []step) error {
	tx, err := h.db.BeginTx(ctx, h.options())
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	c := conn{h.core, ctx, tx}
	if h.dialect == PostgreSQL {
		sum := fnv.New64a()
		_, _ = sum.Write([]byte("outreach sqlstore " + strings.ToLower(h.prefix))) // it can't fail
		if _, err := c.exec("SELECT pg_advisory_xact_lock(?)", int64(sum.Sum64())); err != nil {
			return c.lookedFor(err)
		}
	}
	at, err := c.version()
	if err != nil {
		return err
	}
	if at > Version {
		return newer(at)
	}
	for _, s := range steps {
		if s.version <= at {
			continue
		}
		for _, statement := range s.statements {
			// The files have no words that text replaces, but the prefix.
			if _, err := c.q.ExecContext(ctx, strings.ReplaceAll(statement, defaultPrefix, c.prefix)); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	if at == Version {
		return nil
	}
	return h.unknown(tx.Commit())
}

// version is the schema's, 0 if there is none.
func (c conn) version() (int64, error) {
	there, text := false, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND lower(name) = lower('outreach_schema'))"
	if c.dialect == PostgreSQL {
		text = "SELECT to_regclass('outreach_schema') IS NOT NULL"
	}
	if _, err := c.one([]any{&there}, text); err != nil || !there {
		return 0, c.lookedFor(err)
	}
	var at int64
	_, err := c.one([]any{&at}, "SELECT coalesce(max(version), 0) FROM outreach_schema")
	return at, err
}

// lookedFor names the dialect in what went wrong with the first words that
// were said in it.
func (c conn) lookedFor(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("look for the tables, with %q as Options.Dialect: %w", c.dialect, err)
}

// fits is nil if the tables are of this program's version. Once seen, that is
// not asked again.
func (c conn) fits() error {
	if c.ready.Load() {
		return nil
	}
	at, err := c.version()
	switch {
	case err != nil:
		return err
	case at > Version:
		return newer(at)
	case at == 0:
		return fmt.Errorf("the tables of prefix %s are missing; call Migrate: %w", c.prefix, ErrSchema)
	case at < Version:
		return fmt.Errorf("the tables are of version %d and this program's of %d; call Migrate: %w", at, Version, ErrSchema)
	}
	c.ready.Store(true)
	return nil
}

func newer(at int64) error {
	return fmt.Errorf("the tables are of version %d and this program knows %d; run a newer program: %w", at, Version, ErrSchema)
}
