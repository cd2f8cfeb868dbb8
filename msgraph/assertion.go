package msgraph

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/outreachkit/outreach/provider"
)

// asserting puts a client assertion (RFC 7523 section 2.2) into requests to
// the token endpoint, in place of a secret
// (https://learn.microsoft.com/entra/identity-platform/certificate-credentials).
type asserting struct {
	next   http.RoundTripper
	id     string
	thumb  string // x5t#S256 (RFC 7515 section 4.1.8)
	signer crypto.Signer
	now    func() time.Time
}

func newAsserting(next http.RoundTripper, id string, cert *x509.Certificate, signer crypto.Signer, now func() time.Time) *asserting {
	sum := sha256.Sum256(cert.Raw)
	return &asserting{next: next, id: id, thumb: base64.RawURLEncoding.EncodeToString(sum[:]), signer: signer, now: now}
}

// RoundTrip implements http.RoundTripper.
func (a *asserting) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	assertion, err := a.sign(req.URL.String())
	if err != nil {
		return nil, &provider.Error{Kind: provider.ErrApp, Reason: "assertion_not_signed", Err: err}
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	encoded := []byte(form.Encode())
	out := req.Clone(req.Context())
	out.Body, out.GetBody, out.ContentLength = io.NopCloser(bytes.NewReader(encoded)), nil, int64(len(encoded))
	return a.next.RoundTrip(out)
}

// assertionLife is the longest that Entra's page allows.
const assertionLife = 10 * time.Minute

func (a *asserting) sign(audience string) (string, error) {
	opts := (&jose.SignerOptions{}).WithType("JWT").WithHeader("x5t#S256", a.thumb)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: cryptosigner.Opaque(a.signer)}, opts)
	if err != nil {
		return "", err
	}
	now := a.now()
	claims, err := json.Marshal(map[string]any{
		"iss": a.id, "sub": a.id, "aud": audience, "jti": rand.Text(), "nbf": now.Unix(), "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

// validCredential names what is wrong with how the app proves who it is.
func (c *Config) validCredential() error {
	switch {
	case c.Certificate == nil && c.Key == nil:
		if c.ClientSecret == "" {
			return badConfig("ClientSecret", "is empty; it is the value, not the id, of a client secret of the app registration, unless there is a Certificate")
		}
		return nil
	case c.ClientSecret != "":
		return badConfig("ClientSecret", "is given beside a Certificate; give one of them")
	case c.Certificate == nil || c.Key == nil:
		return badConfig("Certificate", "and Key belong together; one of them is nil")
	}
	pub, ok := c.Certificate.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok || pub.N.BitLen() < 2048:
		return badConfig("Certificate", "must be one for an RSA key of 2048 bits or more: Entra takes PS256")
	case !pub.Equal(c.Key.Public()):
		return badConfig("Key", "is not the key of Certificate")
	}
	return nil
}
