package sequence

import (
	"encoding/binary"
	"fmt"
)

// The encoding of a State, version 1: this byte; status, reason, holds, open
// step, unknown (0 or 1), crossed step, attempts, a byte each; then, eight
// bytes each and big-endian, done, skipped, enrolled at, last sent, held
// until, retry at.
const (
	stateVersion = 1
	stateSize    = 8 + 6*8
)

// AppendBinary appends the state's encoding to b. Equal states have equal
// bytes. The error is ErrBadState where the state could not be decoded
// again; b is then returned as it was.
func (st State) AppendBinary(b []byte) ([]byte, error) {
	if problem := st.problem(); problem != "" {
		return b, &BadStateError{Problem: problem}
	}
	var unknown byte
	if st.Unknown {
		unknown = 1
	}
	b = append(b, stateVersion, byte(st.Status), byte(st.Reason), byte(st.Holds),
		byte(st.Open), unknown, byte(st.Crossed), st.Attempts)
	for _, word := range [...]uint64{
		st.Done, st.Skipped,
		uint64(st.EnrolledAt), uint64(st.LastSent), uint64(st.HeldUntil), uint64(st.RetryAt),
	} {
		b = binary.BigEndian.AppendUint64(b, word)
	}
	return b, nil
}

// MarshalBinary returns the state's encoding. See AppendBinary.
func (st State) MarshalBinary() ([]byte, error) {
	return st.AppendBinary(make([]byte, 0, stateSize))
}

// UnmarshalBinary sets the state to what AppendBinary wrote. It accepts
// nothing else: an unknown version, missing or trailing bytes, or a state
// that Apply could not have made is ErrBadState, and the receiver is left as
// it was. It keeps no part of b.
func (st *State) UnmarshalBinary(b []byte) error {
	switch {
	case len(b) == 0:
		return &BadStateError{Problem: "no bytes"}
	case b[0] != stateVersion:
		return badVersion(b[0])
	case len(b) != stateSize:
		return &BadStateError{Problem: fmt.Sprintf("%d bytes, not %d", len(b), stateSize)}
	case b[5] > 1:
		return &BadStateError{Problem: "unknown is neither 0 nor 1"}
	}
	word := func(i int) uint64 { return binary.BigEndian.Uint64(b[8+8*i:]) }
	dec := State{
		Status:     Status(b[1]),
		Reason:     Reason(b[2]),
		Holds:      Holds(b[3]),
		Open:       StepID(b[4]),
		Unknown:    b[5] == 1,
		Crossed:    StepID(b[6]),
		Attempts:   b[7],
		Done:       word(0),
		Skipped:    word(1),
		EnrolledAt: Instant(word(2)),
		LastSent:   Instant(word(3)),
		HeldUntil:  Instant(word(4)),
		RetryAt:    Instant(word(5)),
	}
	if problem := dec.problem(); problem != "" {
		return &BadStateError{Problem: problem}
	}
	*st = dec
	return nil
}
