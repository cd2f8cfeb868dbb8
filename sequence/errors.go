package sequence

import "strconv"

// ErrTransition matches, with errors.Is, a TransitionError: the event can't
// happen to an enrollment in this state. Nothing was changed. Where two
// callers raced, load the state again and decide anew.
const ErrTransition = Error("sequence: event impossible in this state")

// ErrBadState matches, with errors.Is, a BadStateError: the state was not
// made by this package, or was damaged since. Do not go on with it: show the
// enrollment to a person.
const ErrBadState = Error("sequence: bad state")

// TransitionError says which event was impossible in which state. It matches
// ErrTransition.
type TransitionError struct {
	Event Event
	State State
}

func (e *TransitionError) Error() string {
	return "sequence: event impossible in this state: " + e.Event.String() + " on " + e.State.String()
}

// Is reports whether target is ErrTransition.
func (e *TransitionError) Is(target error) bool { return target == ErrTransition }

// BadStateError says what is wrong with a State or its encoding. It matches
// ErrBadState.
type BadStateError struct {
	Problem string
}

func (e *BadStateError) Error() string { return "sequence: bad state: " + e.Problem }

// Is reports whether target is ErrBadState.
func (e *BadStateError) Is(target error) bool { return target == ErrBadState }

func badVersion(v byte) error {
	return &BadStateError{Problem: "encoding version " + strconv.Itoa(int(v)) + " is not known to this release"}
}
