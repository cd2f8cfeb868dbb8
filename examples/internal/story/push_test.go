package story

import (
	"github.com/outreachkit/outreach/linking"
	"github.com/outreachkit/outreach/sequence/runner"
)

// A linker shows until when the runner has mail pushed.
var _ runner.PushNoter = (*linking.Linker)(nil)
