package store

import (
	"context"
	"time"
)

// Flow is an OAuth flow that has begun and not come back.
type Flow struct {
	// Key is a digest of the state parameter; the state itself is not stored.
	Key     string
	Data    []byte        // opaque to the store
	Expires time.Time     // by the caller's clock; for housekeeping
	TTL     time.Duration // the store forgets the flow so long after Put, by its own clock
}

// FlowStore keeps pending flows. Safe for concurrent use.
type FlowStore interface {
	// Put stores a flow, and removes those past their TTL. The same key twice
	// is ErrConflict.
	Put(ctx context.Context, f Flow) error

	// Take returns the flow and removes it, atomically: of two callers one
	// gets it and the other ErrNotFound. A flow past its TTL is ErrNotFound.
	Take(ctx context.Context, key string) (Flow, error)
}
