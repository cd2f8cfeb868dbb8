package linking

import "github.com/outreachkit/outreach/store"

// Allowed lets tests ask which changes of status there may be.
func Allowed(from, to store.LinkStatus) bool { return allowed(from, to) }
