// Package mimemsg builds the mail that leaves and reads the mail that comes
// in: the one place of the module that knows MIME.
//
// Building is deterministic: the same Draft has the same bytes, so a mail that
// is built again after a crash is the same mail. The entities and their
// boundaries are written by go-message; the values of headers are formatted
// here, because which of them may be folded and encoded, and how, depends on
// the header. What can't be said in a mail is refused before there are bytes.
//
// Reading never fails on what people and their programs really send: it
// returns what it could read together with what went wrong. It is bounded in
// depth, parts and size of the text, and takes time in proportion to the size
// of the mail, so a hostile mail costs little. It does not use go-message's
// reader for two reasons: that one ends a multipart at the first malformed
// header, and decodes charsets by way of a package variable, so that the
// result would depend on what else the host's program imports. Charsets come
// from golang.org/x/text, asked for by name.
//
// The package has no state, and its functions may be called concurrently.
package mimemsg
