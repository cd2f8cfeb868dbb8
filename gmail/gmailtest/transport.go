package gmailtest

import (
	"net/http"

	"github.com/outreachkit/outreach/internal/inprocess"
)

// Transport answers requests to URL without a socket. It fires the trace
// hooks of a request that was written and answered, so a client that reasons
// from them reasons as it would over a network. A cut connection is an
// io.ErrUnexpectedEOF.
func (s *Server) Transport() http.RoundTripper { return inprocess.Transport(s) }
