package story

import (
	"context"
	"fmt"

	"github.com/outreachkit/outreach/sequence/runner"
)

// timeline prints the host's events as they come.
type timeline struct{ s *Story }

func (t timeline) Handle(_ context.Context, ev runner.Event) error {
	name, ok := t.s.names[ev.Enrollment]
	if !ok {
		return nil // the preview's, and those of the whole mailbox
	}
	if text := sentence(ev, name); text != "" {
		t.s.say("%s", text)
	}
	return nil
}

func sentence(ev runner.Event, name string) string {
	switch ev.Kind {
	case runner.EventSent:
		return fmt.Sprintf("step %d is sent to %s", ev.Step, name)
	case runner.EventUnknown:
		return fmt.Sprintf("step %d to %s got no answer from the service: the mailbox will be asked", ev.Step, name)
	case runner.EventReplied:
		return fmt.Sprintf("%s answered (%s): the drip stops", name, ev.Reason)
	case runner.EventAutoReplied:
		return fmt.Sprintf("%s is out of office, the drip waits until %s", name, ev.Until.Format("Mon 02 Jan"))
	case runner.EventBounced:
		return fmt.Sprintf("the mail to %s bounced (%s): the drip stops", name, ev.Reason)
	case runner.EventCrossed:
		return fmt.Sprintf("step %d to %s had left before the answer was seen", ev.Step, name)
	case runner.EventCompleted:
		return fmt.Sprintf("%s got every step", name)
	case runner.EventHeld:
		return fmt.Sprintf("%s is held: %s", name, ev.Reason)
	case runner.EventFlagged:
		return fmt.Sprintf("%s waits for a recruiter: its conversation is flagged", name)
	}
	return ""
}
