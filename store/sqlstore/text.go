package sqlstore

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Statements are written once for both dialects, with tables under the
// default prefix, ? for a parameter, and these words:
//
//	{now}         the store's clock in microseconds, read when it is evaluated
//	{lock}        locks the rows until the end of the transaction
//	{skip}        likewise, and leaves out rows that others have locked
//	{in}          in a list of strings, one parameter from list
//	{in numbers}  in a list of integers, one parameter from numbers
//	{few}         in the few rows of a query, which follows up to {end few}
//
// SQLite has one writer at a time, so its rows need no locks.
func (c *core) text(s string) string {
	words := []string{"{lock}", "", "{skip}", "", "{in}", "IN (SELECT value FROM json_each(?))", "{in numbers}", "IN (SELECT value FROM json_each(?))", "{few}", "IN (", "{end few}", ")"}
	if c.dialect == PostgreSQL {
		words = []string{"{lock}", "FOR NO KEY UPDATE", "{skip}", "FOR NO KEY UPDATE SKIP LOCKED",
			"{in}", "= ANY(?::text[])", "{in numbers}", "= ANY(?::bigint[])", "{few}", "= ANY(ARRAY(", "{end few}", "))"}
	}
	s = strings.NewReplacer(append(words, defaultPrefix, c.prefix, "{now}", c.clock())...).Replace(s)
	if c.dialect == SQLite {
		return s
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(s, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		s = after
	}
}

// clock is the store's clock as an expression. PostgreSQL's is read when the
// expression is evaluated, any other when the statement is written, which is
// after all statements before it.
func (c *core) clock() string {
	switch {
	case c.now != nil:
		return strconv.FormatInt(c.now().UnixMicro(), 10)
	case c.dialect == PostgreSQL:
		return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
	}
	return strconv.FormatInt(time.Now().UnixMicro(), 10)
}

// list is the parameter of {in}.
func (c *core) list(values []string) string {
	if c.dialect == PostgreSQL {
		return array(len(values), func(i int) any { return values[i] })
	}
	if values == nil {
		return "[]"
	}
	out, _ := json.Marshal(values) // strings can't fail
	return string(out)
}

// numbers is the parameter of {in numbers}.
func (c *core) numbers(values []int64) string {
	if c.dialect == PostgreSQL {
		return array(len(values), func(i int) any { return values[i] })
	}
	if values == nil {
		return "[]"
	}
	out, _ := json.Marshal(values) // integers can't fail
	return string(out)
}

// column is one column of rows that cross to the database together.
type column struct{ name, kind string }

// columns reads "name kind, name kind".
func columns(s string) []column {
	var out []column
	for part := range strings.SplitSeq(s, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(part), " ")
		out = append(out, column{name, kind})
	}
	return out
}

func names(cols []column) string {
	out := make([]string, len(cols))
	for i, col := range cols {
		out[i] = col.name
	}
	return strings.Join(out, ", ")
}

// rowsAtOnce is how many rows of so many columns one statement takes: SQLite
// has 32766 parameters, and PostgreSQL's arrays should fit into memory.
func (c *core) rowsAtOnce(columns int) int {
	if c.dialect == SQLite {
		return 30_000 / columns
	}
	return 10_000
}

// with begins a statement with rows, as a table named v. On PostgreSQL many
// rows are one array for each column, so that the statement is the same for
// any number and is planned once; the arrays are written as text, which every
// driver can pass.
func (c *core) with(cols []column, rows [][]any) (string, []any) {
	var b strings.Builder
	b.WriteString("WITH v(" + names(cols) + ") AS (")
	if c.dialect == PostgreSQL && len(rows) > 1 {
		args := make([]any, len(cols))
		b.WriteString("SELECT * FROM unnest(")
		for i, col := range cols {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("?::" + col.kind + "[]")
			args[i] = array(len(rows), func(n int) any { return rows[n][i] })
		}
		b.WriteString(")) ")
		return b.String(), args
	}
	args := make([]any, 0, len(rows)*len(cols))
	b.WriteString("VALUES ")
	for n, row := range rows {
		if n > 0 {
			b.WriteString(", ")
		}
		for i, col := range cols {
			switch {
			case i == 0:
				b.WriteString("(")
			default:
				b.WriteString(", ")
			}
			b.WriteString("?")
			if c.dialect == PostgreSQL {
				b.WriteString("::" + col.kind)
			}
		}
		b.WriteString(")")
		args = append(args, row...)
	}
	b.WriteString(") ")
	return b.String(), args
}

// array writes a PostgreSQL array.
func array(n int, at func(int) any) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		switch v := at(i).(type) {
		case nil:
			b.WriteString("NULL")
		case string:
			b.WriteByte('"')
			for j := range len(v) {
				if v[j] == '"' || v[j] == '\\' {
					b.WriteByte('\\')
				}
				b.WriteByte(v[j])
			}
			b.WriteByte('"')
		case int64:
			b.WriteString(strconv.FormatInt(v, 10))
		case bool:
			b.WriteString(strconv.FormatBool(v))
		case []byte:
			b.WriteString(`"\\x`)
			b.WriteString(hex.EncodeToString(v))
			b.WriteByte('"')
		}
	}
	b.WriteByte('}')
	return b.String()
}
