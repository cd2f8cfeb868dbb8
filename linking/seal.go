package linking

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
	"github.com/outreachkit/outreach/store/seal"
)

// storedToken is a token as it is kept, before sealing.
type storedToken struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh"`
	Type    string    `json:"type,omitempty"`
	Expiry  time.Time `json:"expiry"`
}

// SealError says that a record does not open, and matches ErrSealed, or that
// this could not be told now, and matches provider.ErrTemporary. The Sealer's
// own error is wrapped, and is part of the text only where it is seal's or
// temporary, and so known to say nothing of the record.
type SealError struct {
	Record string // such as "link 42"
	Err    error
}

func (e *SealError) Error() string {
	var oe *seal.OpenError
	switch {
	case e.Temporary():
		return fmt.Sprintf("linking: it can't be told now whether %s opens; try again: %v", e.Record, e.Err)
	case errors.As(e.Err, &oe):
		return fmt.Sprintf("%v: %s: %v", ErrSealed, e.Record, oe)
	}
	return fmt.Sprintf("%v: %s: wrong key, or the record was tampered with", ErrSealed, e.Record)
}

// Temporary reports whether the record may open later.
func (e *SealError) Temporary() bool { return seal.Temporary(e.Err) }

// Unwrap returns the kind and the cause.
func (e *SealError) Unwrap() []error {
	var kind error = ErrSealed
	if e.Temporary() {
		kind = provider.ErrTemporary
	}
	if e.Err == nil {
		return []error{kind}
	}
	return []error{kind, e.Err}
}

func (l *Linker) seal(data []byte, what string) ([]byte, error) {
	if l.cfg.Sealer == nil {
		return data, nil
	}
	sealed, err := l.cfg.Sealer.Encrypt(data, []byte(what))
	if err != nil {
		return nil, fmt.Errorf("linking: %s could not be sealed: %w", what, err)
	}
	return sealed, nil
}

func (l *Linker) open(data []byte, what string) ([]byte, error) {
	if l.cfg.Sealer == nil {
		return data, nil
	}
	plain, err := l.cfg.Sealer.Decrypt(data, []byte(what))
	if err != nil {
		return nil, &SealError{Record: what, Err: err}
	}
	return plain, nil
}

// tokenOf opens a link's token. Its errors are of type *SealError.
func (l *Linker) tokenOf(link store.Link) (*oauth2.Token, error) {
	what := linkRecord(link.ID)
	if len(link.Token) == 0 {
		return nil, &SealError{Record: what}
	}
	data, err := l.open(link.Token, what)
	if err != nil {
		return nil, err
	}
	var t storedToken
	if json.Unmarshal(data, &t) != nil {
		return nil, &SealError{Record: what}
	}
	return &oauth2.Token{AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: t.Type, Expiry: t.Expiry}, nil
}

// linkRecord is the associated data of a link's token.
func linkRecord(id string) string { return "link " + id }
