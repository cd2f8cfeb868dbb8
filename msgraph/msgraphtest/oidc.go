package msgraphtest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
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
		return jose.JSONWebKey{}, fmt.Errorf("msgraphtest: %w", err)
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
	s.entra.keys.mu.Lock()
	defer s.entra.keys.mu.Unlock()
	_, err := s.entra.keys.add()
	return err
}

// keySet serves the public keys, which all tenants share.
func (s *Server) keySet(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.segment(r.PathValue("tenant")); !ok {
		s.refuseToken(w, s.problem(90002))
		return
	}
	if _, err := s.entra.keys.current(); err != nil {
		http.Error(w, "no key", http.StatusInternalServerError)
		return
	}
	s.entra.keys.mu.Lock()
	defer s.entra.keys.mu.Unlock()
	var set jose.JSONWebKeySet
	for _, k := range s.entra.keys.list[max(0, len(s.entra.keys.list)-2):] {
		set.Keys = append(set.Keys, k.Public())
	}
	w.Header().Set("Cache-Control", "max-age=86400, private")
	writeJSON(w, http.StatusOK, set)
}

// discovery is OpenID Connect Discovery section 4, but for the issuer of
// several tenants: that is a template.
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("tenant")
	g, ok := s.segment(name)
	if !ok {
		p := s.problem(90002)
		p.code = "invalid_tenant"
		s.refuseToken(w, p)
		return
	}
	base := s.LoginURL()
	at := base + "/" + name
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": g.issuer(base), "authorization_endpoint": at + "/oauth2/v2.0/authorize", "token_endpoint": at + "/oauth2/v2.0/token",
		"jwks_uri": at + "/discovery/v2.0/keys", "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"subject_types_supported": []string{"pairwise"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"scopes_supported":                      []string{"openid", "profile", "email", offlineScope},
		"claims_supported":                      []string{"sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver", "email"},
	})
}

// idToken signs who consented
// (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
func (s *Server) idToken(p person, scopes []string, nonce string) (string, error) {
	key, err := s.entra.keys.current()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	now := s.clock.Now()
	sub := sha256.Sum256([]byte(s.cfg.ClientID + " " + p.tenant.ID + " " + p.object))
	claims := map[string]any{
		"iss": s.LoginURL() + "/" + p.tenant.ID + "/v2.0", "aud": s.cfg.ClientID, "sub": base64.RawURLEncoding.EncodeToString(sub[:]),
		"ver": "2.0", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if slices.Contains(scopes, "profile") {
		claims["tid"], claims["oid"], claims["name"], claims["preferred_username"] = p.tenant.ID, p.object, p.box.Name(), p.upn
	}
	if slices.Contains(scopes, "email") && p.email != "" {
		claims["email"] = p.email
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}
