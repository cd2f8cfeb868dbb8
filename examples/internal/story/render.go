package story

import (
	"context"
	"fmt"
	"strings"
	"text/template"

	"github.com/outreachkit/outreach/sequence/runner"
)

// renderer fills in the words with text/template. A name that is missing is
// an error, and holds the mail: nobody is greeted as "<no value>".
type renderer struct{}

func (renderer) Render(_ context.Context, r runner.RenderRequest) (runner.Rendered, error) {
	var out runner.Rendered
	for _, part := range []struct {
		words string
		to    *string
	}{{r.Step.Subject, &out.Subject}, {r.Step.Text, &out.Text}} {
		t, err := template.New("step").Option("missingkey=error").Parse(part.words)
		if err != nil {
			return out, fmt.Errorf("step %d: %w", r.Step.ID, err)
		}
		var b strings.Builder
		if err := t.Execute(&b, r.Data); err != nil {
			return out, fmt.Errorf("step %d: %w", r.Step.ID, err)
		}
		*part.to = b.String()
	}
	return out, nil
}

func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}
