package linking

import "github.com/outreachkit/outreach/provider"

// ReasonSealer is the reason of an ErrTemporary where it could not be told
// whether a record opens, because the Sealer's key service is down. The link
// is left as it is.
const ReasonSealer = "sealer_unavailable"

// The reasons of an ErrApp that this package finds.
const (
	reasonNotConfigured = "provider_not_configured"
	reasonNotOpen       = string(provider.ReasonRecordSealed)
)

// ours is a fault that this package found: its code is one of
// provider.Reasons.
func ours(kind provider.ErrorKind, r provider.Reason) fault {
	return fault{Kind: kind, Reason: string(r)}
}
