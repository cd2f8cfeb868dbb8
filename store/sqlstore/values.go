package sqlstore

import (
	"database/sql"
	"time"
)

// noTime is the zero time in the columns. It sorts before all others.
var noTime = time.Time{}.UnixMicro()

// micros is a time as columns keep it.
func micros(t time.Time) int64 { return t.UnixMicro() }

// orNull is a time in a column that leaves the zero time out.
func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// bytes is opaque data as columns keep it: none is NULL.
func bytes(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// instant scans a time.
type instant struct{ to *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(src any) error {
	var n sql.NullInt64
	if err := n.Scan(src); err != nil {
		return err
	}
	*i.to = time.Time{}
	if n.Valid && n.Int64 != noTime {
		*i.to = time.UnixMicro(n.Int64).UTC()
	}
	return nil
}

// limit is a page's size: n, or def where n is not positive.
func limit(n, def int) int64 {
	if n <= 0 {
		return int64(def)
	}
	return int64(n)
}
