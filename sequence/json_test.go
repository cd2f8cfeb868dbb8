package sequence_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/outreachkit/outreach/sequence"
)

// TestJSON holds the form in which sequences are stored, and hashed.
func TestJSON(t *testing.T) {
	for name, tt := range map[string]struct {
		seq    sequence.Sequence
		stored string
	}{
		"the least": {
			sequence.Sequence{Steps: []sequence.Step{{ID: 1, Subject: "Hello"}}},
			`{"steps":[{"id":1,"subject":"Hello"}]}`,
		},
		"all": {
			sequence.Sequence{
				ID: "welcome", Version: 3, Zone: "Europe/Berlin", AutoReplyHold: time.Hour, HoldUnknown: true, Independent: true, KeepGoing: true,
				AcceptThreadOnly: true, AcceptBlind: true, Window: sequence.Window{Days: sequence.Workdays, From: 9 * time.Hour, To: 17 * time.Hour},
				Steps: []sequence.Step{{ID: 1, Days: 2, After: time.Minute, Subject: "Hello", Text: "T", HTML: "<p>T</p>"}},
			},
			`{"id":"welcome","version":3,"steps":[{"id":1,"days":2,"after":60000000000,"subject":"Hello","text":"T","html":"\u003cp\u003eT\u003c/p\u003e"}],` +
				`"zone":"Europe/Berlin","window":{"days":62,"from":32400000000000,"to":61200000000000},"auto_reply_hold":3600000000000,` +
				`"hold_unknown":true,"independent":true,"keep_going":true,"accept_thread_only":true,"accept_blind":true}`,
		},
	} {
		if got, err := json.Marshal(tt.seq); err != nil || string(got) != tt.stored {
			t.Errorf("%s: written as %s, %v", name, got, err)
		}
		var back sequence.Sequence
		if err := json.Unmarshal([]byte(tt.stored), &back); err != nil || !reflect.DeepEqual(back, tt.seq) {
			t.Errorf("%s: read as %+v, %v", name, back, err)
		}
		if v := reflect.ValueOf(tt.seq); name == "all" {
			for i := range v.NumField() {
				if v.Field(i).IsZero() {
					t.Errorf("the test leaves out %s", v.Type().Field(i).Name)
				}
			}
		}
	}
}
