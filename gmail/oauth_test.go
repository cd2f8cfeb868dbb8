package gmail_test

import (
	"crypto/sha256"
	"encoding/base64"
)

const (
	redirectURL = "http://127.0.0.1/oauth/callback"
	verifier    = "a-verifier-of-at-least-forty-three-characters-canary"
)

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
