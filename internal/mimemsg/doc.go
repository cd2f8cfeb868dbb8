// Package mimemsg builds the mail that leaves and reads the mail that comes
// in: the one place of the module that knows MIME. Boundaries, transfer
// encodings and headers are go-message's work; what is here is which parts a
// mail has, what is refused, and how to go on when a mail is malformed.
//
// Building is deterministic: the same Draft has the same bytes, so a mail that
// is built again after a crash is the same mail.
//
// Reading never fails on what people and their programs really send: it
// returns what it could read together with what went wrong. It is bounded in
// depth, parts and size of the text, so a hostile mail costs little.
package mimemsg
