package linking

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/outreachkit/outreach/provider"
	"github.com/outreachkit/outreach/store"
)

// record is store.Link.Data: what linking knows of a link beside the columns
// that a store searches by. It is read by recordOf and written by keepRecord
// alone. What a newer program put there is kept.
type record struct {
	Version int `json:"v"` // of this format, recordVersion

	Asked     provider.Access `json:"asked,omitempty"`     // what the host wants the link to do; empty is what it has
	Requested provider.Access `json:"requested,omitempty"` // what the user was last asked for; less than Asked after a step down

	Tenant string `json:"tenant,omitempty"` // what the latest flow was limited to
	Claims string `json:"claims,omitempty"` // what the next sign-in has to prove, see provider.Error.Claims

	Fault   fault   `json:"fault,omitzero"`    // why it does not work
	Breaks  []brk   `json:"breaks,omitempty"`  // involuntary ends of the grant, of late
	History []entry `json:"history,omitempty"` // the latest, oldest first
	Seq     int     `json:"seq,omitempty"`     // of the latest entry
	Told    int     `json:"told,omitempty"`    // of the latest entry that the host took
	Teller  *teller `json:"teller,omitempty"`  // who tells the host now; nil is nobody

	Health  health        `json:"health,omitzero"`
	Aliases []aliasHealth `json:"aliases,omitempty"` // further addresses in use

	Delegations []delegation `json:"delegations,omitempty"` // who may send from it beside its owner
	Delegated   []delegated  `json:"delegated,omitempty"`   // of an actor's own record: where to look

	extra map[string]json.RawMessage // fields of a newer program
}

// recordVersion is the format that this program writes. A later one may add
// fields, and may not give another meaning to those of this one.
const recordVersion = 1

// recordOf reads a link's record. Of a link that was made before there were
// records it is the zero one.
func recordOf(link store.Link) (record, error) {
	rec := record{Version: recordVersion}
	if len(link.Data) == 0 {
		return rec, nil
	}
	err := json.Unmarshal(link.Data, &rec)
	if err == nil {
		err = json.Unmarshal(link.Data, &rec.extra)
	}
	if err != nil {
		// The cause could repeat what is in the record.
		return record{}, fmt.Errorf("linking: the data of link %s can't be read: it was not written by this module", link.ID)
	}
	return rec, nil
}

// keepRecord writes a record into the link that is about to be stored.
func keepRecord(link *store.Link, rec record) error {
	rec.Version = max(rec.Version, recordVersion)
	known, err := json.Marshal(rec)
	if err != nil { // a time that JSON can't hold
		return fmt.Errorf("linking: the data of link %s: %w", link.ID, err)
	}
	out := make(map[string]json.RawMessage)
	if err := json.Unmarshal(known, &out); err != nil {
		return fmt.Errorf("linking: the data of link %s: %w", link.ID, err)
	}
	for name, value := range rec.extra {
		if _, ok := out[name]; !ok && !inRecord(name) {
			out[name] = value
		}
	}
	if link.Data, err = json.Marshal(out); err != nil {
		return fmt.Errorf("linking: the data of link %s: %w", link.ID, err)
	}
	return nil
}

// inRecord reports whether this program knows the field: one that it left
// empty must not come back.
func inRecord(name string) bool {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[record]()) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return true
		}
	}
	return false
}
