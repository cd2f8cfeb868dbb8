package provider

// Mender is who can mend a fault.
type Mender string

// The menders.
const (
	MendNobody   Mender = "nobody"   // it passes by itself, or can't be mended
	MendUser     Mender = "user"     // the mailbox's user
	MendAdmin    Mender = "admin"    // their administrator
	MendOperator Mender = "operator" // whoever runs the host's app
)

// Diagnosis explains an error to people.
type Diagnosis struct {
	Reason string            // a stable code of this module, such as grant_revoked
	Params map[string]string // values for the text; the service's own code under "code"
	Mender Mender
	Remedy string // one or two English sentences a host can show as they are
}
