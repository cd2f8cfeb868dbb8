package gmailtest

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/outreachkit/outreach/provider/postoffice"
)

// keys are the signing keys, newest last. They are made when first needed.
type keys struct {
	mu   sync.Mutex
	list []jose.JSONWebKey
}

// current returns the newest key.
func (k *keys) current() (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.list) == 0 {
		return k.add()
	}
	return k.list[len(k.list)-1], nil
}

func (k *keys) add() (jose.JSONWebKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("gmailtest: %w", err)
	}
	return k.publish(key), nil
}

func (k *keys) publish(key *rsa.PrivateKey) jose.JSONWebKey {
	jwk := jose.JSONWebKey{Key: key, KeyID: fmt.Sprintf("key-%d", len(k.list)+1), Algorithm: "RS256", Use: "sig"}
	k.list = append(k.list, jwk)
	return jwk
}

// RotateKeys makes a new signing key. The newest two are published.
func (s *Server) RotateKeys() error {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	_, err := s.keys.add()
	return err
}

func (s *Server) certs(w http.ResponseWriter, _ *http.Request) {
	if _, err := s.keys.current(); err != nil {
		http.Error(w, "no key", http.StatusInternalServerError)
		return
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, k := range s.keys.list[max(0, len(s.keys.list)-2):] {
		set.Keys = append(set.Keys, k.Public())
	}
	w.Header().Set("Cache-Control", "public, max-age=19800")
	writeJSON(w, http.StatusOK, set)
}

// discovery is OpenID Connect Discovery section 4.
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	e := s.Endpoints()
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": e.Issuer, "authorization_endpoint": e.Auth, "token_endpoint": e.Token, "revocation_endpoint": e.Revoke,
		"jwks_uri": e.JWKS, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "code_challenge_methods_supported": []string{"plain", "S256"},
	})
}

// idToken signs who consented. The caller holds s.mu.
func (s *Server) idToken(box *postoffice.Mailbox, nonce string) (string, error) {
	now := s.clock.Now()
	claims := map[string]any{
		"iss": s.base, "azp": s.cfg.ClientID, "aud": s.cfg.ClientID, "sub": box.Subject(), "email": box.Address(), "email_verified": true,
		"name": box.Name(), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if _, domain, ok := strings.Cut(box.Address(), "@"); ok && domain != "gmail.com" {
		claims["hd"] = domain
	}
	return s.SignPush(claims)
}
