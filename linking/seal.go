package linking

import (
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/outreachkit/outreach/store"
)

// storedToken is a token as it is kept, before sealing.
type storedToken struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh"`
	Type    string    `json:"type,omitempty"`
	Expiry  time.Time `json:"expiry"`
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
		return nil, fmt.Errorf("%w: %s: wrong key, or the record was tampered with", ErrSealed, what)
	}
	return plain, nil
}

// tokenOf opens a link's token.
func (l *Linker) tokenOf(link store.Link) (*oauth2.Token, error) {
	if len(link.Token) == 0 {
		return nil, fmt.Errorf("%w: link %s has no token", ErrSealed, link.ID)
	}
	data, err := l.open(link.Token, "link "+link.ID)
	if err != nil {
		return nil, err
	}
	var t storedToken
	if json.Unmarshal(data, &t) != nil {
		return nil, fmt.Errorf("%w: link %s", ErrSealed, link.ID)
	}
	return &oauth2.Token{AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: t.Type, Expiry: t.Expiry}, nil
}
