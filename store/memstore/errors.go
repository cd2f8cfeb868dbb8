package memstore

import (
	"fmt"

	"github.com/outreachkit/outreach/store"
)

// invalid is an ErrInvalid that says what is wrong.
func invalid(problem string) error { return fmt.Errorf("memstore: %s: %w", problem, store.ErrInvalid) }
