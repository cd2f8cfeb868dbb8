package provider_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outreachkit/outreach/provider"
)

// TestReasons holds that each reason is there once, with words and a mender.
func TestReasons(t *testing.T) {
	var seen []provider.Reason
	for _, r := range provider.Reasons() {
		d := provider.Explain(r, "Google", nil)
		if slices.Contains(seen, r) || d.Reason != r || d.Mender == "" || !strings.HasSuffix(d.Remedy, ".") || strings.Contains(d.Remedy, "{") {
			t.Errorf("%s: %+v", r, d)
		}
		seen = append(seen, r)
	}
	if d := provider.Explain("made_up", "", nil); d.Reason != provider.ReasonUnknown {
		t.Errorf("a reason that is none: %+v", d)
	}
}

func TestExplain(t *testing.T) {
	params := map[string]string{provider.ParamWant: "m***@example.com", provider.ParamGot: "t***@example.com"}
	d := provider.Explain(provider.ReasonWrongMailbox, "Google", params)
	if !strings.HasPrefix(d.Remedy, "You chose t***@example.com, but this link belongs to m***@example.com.") || d.Params[provider.ParamService] != "Google" {
		t.Errorf("%+v", d)
	}
	if len(params) != 2 {
		t.Errorf("the caller's map became %v", params)
	}
	if d := provider.Explain(provider.ReasonTemporary, "", nil); !strings.HasPrefix(d.Remedy, "The mail service ") || d.Params != nil {
		t.Errorf("without a service: %+v", d)
	}
	if d := provider.Explain(provider.ReasonTemporary, "Google", nil).With(provider.MendAdmin, "{service} is away."); d.Mender != provider.MendAdmin || d.Remedy != "Google is away." {
		t.Errorf("with other words: %+v", d)
	}
}

func TestExplainKind(t *testing.T) {
	until := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	err := fmt.Errorf("outer: %w", &provider.Error{Kind: provider.ErrThrottled, Reason: "slowDown", RetryAfter: 90 * time.Second, Until: until})
	d := provider.ExplainKind(err, "Google")
	want := map[string]string{provider.ParamService: "Google", provider.ParamCode: "slowDown", provider.ParamRetryAfter: "1m30s", provider.ParamUntil: "2026-03-01T11:00:00Z"}
	if d.Reason != provider.ReasonThrottled || fmt.Sprint(d.Params) != fmt.Sprint(want) {
		t.Errorf("%+v", d)
	}
	if d := provider.ExplainKind(&provider.Error{Kind: provider.ErrRelink, Reason: string(provider.ReasonTokenLost)}, ""); d.Reason != provider.ReasonTokenLost {
		t.Errorf("a code that is a reason: %+v", d)
	}
	if d := provider.ExplainKind(&provider.FieldError{Op: "x", Field: "Owner", Problem: "is empty"}, ""); d.Reason != provider.ReasonRequestInvalid || d.Params[provider.ParamField] != "Owner" {
		t.Errorf("a field: %+v", d)
	}
	if d := provider.ExplainKind(errors.New("else"), ""); d.Reason != provider.ReasonUnknown {
		t.Errorf("no kind: %+v", d)
	}
	if d := provider.ExplainKind(nil, ""); d.Reason != "" || d.Mender != provider.MendNobody {
		t.Errorf("nil: %+v", d)
	}
}

func TestSituation(t *testing.T) {
	cause := &provider.Error{Kind: provider.ErrRelink, Reason: "invalid_grant"}
	s := provider.Situation{Now: time.Unix(1, 0)}
	err := fmt.Errorf("outer: %w", s.In(cause))
	if got, ok := provider.SituationOf(err); !ok || got != s || !errors.Is(err, provider.ErrRelink) || s.In(cause).Error() != cause.Error() {
		t.Errorf("%v, %v", got, err)
	}
	if _, ok := provider.SituationOf(cause); ok || s.In(nil) != nil {
		t.Error("a situation out of nothing")
	}
}
