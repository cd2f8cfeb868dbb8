package msgraphtest

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// AddCertificate gives the registration a certificate, for client assertions
// in place of a secret.
func (s *Server) AddCertificate(cert *x509.Certificate) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.certificates = append(s.entra.certificates, cert)
}

// RemoveCertificate takes a certificate from the registration.
func (s *Server) RemoveCertificate(cert *x509.Certificate) {
	s.entra.mu.Lock()
	defer s.entra.mu.Unlock()
	s.entra.certificates = slices.DeleteFunc(s.entra.certificates, cert.Equal)
}

// checkAssertion verifies a client assertion
// (https://learn.microsoft.com/entra/identity-platform/certificate-credentials).
func (s *Server) checkAssertion(r *http.Request, assertion string) *problem {
	if r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return s.missingParameter("client_assertion_type")
	}
	jws, err := jose.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.PS256, jose.RS256})
	if err != nil || len(jws.Signatures) != 1 {
		return s.problem(700027)
	}
	thumb, _ := jws.Signatures[0].Protected.ExtraHeaders["x5t#S256"].(string)
	s.entra.mu.Lock()
	i := slices.IndexFunc(s.entra.certificates, func(c *x509.Certificate) bool {
		sum := sha256.Sum256(c.Raw)
		return base64.RawURLEncoding.EncodeToString(sum[:]) == thumb
	})
	var cert *x509.Certificate
	if i >= 0 {
		cert = s.entra.certificates[i]
	}
	s.entra.mu.Unlock()
	now := s.clock.Now()
	if cert == nil || now.After(cert.NotAfter) {
		return s.problem(700027)
	}
	payload, err := jws.Verify(cert.PublicKey)
	if err != nil {
		return s.problem(700027)
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		From     int64  `json:"nbf"`
		Until    int64  `json:"exp"`
	}
	switch err := json.Unmarshal(payload, &claims); {
	case err != nil || claims.ID == "":
		return s.problem(700027)
	case claims.Issuer != s.cfg.ClientID || claims.Subject != s.cfg.ClientID:
		return s.problem(700021)
	case claims.Audience != s.LoginURL()+r.URL.Path:
		return s.problem(700023)
	case claims.From > now.Unix() || claims.Until <= now.Unix() || claims.Until-claims.From > 600:
		return s.problem(700024)
	}
	return nil
}
