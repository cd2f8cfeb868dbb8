package quote

import (
	"strings"
)

// Body is what a message says, in one or both of its alternatives.
type Body struct {
	Text string // text/plain, decoded to UTF-8
	HTML string // text/html, decoded to UTF-8
}

// Kind says what a piece of a body is.
type Kind string

// The kinds. Written and Context are kept in the fresh text.
const (
	Written     Kind = "written"     // the author's own words
	Context     Kind = "context"     // words of others without which the author's mean nothing
	Quote       Kind = "quote"       // history
	Attribution Kind = "attribution" // who wrote what is quoted, and when
	Signature   Kind = "signature"
	Disclaimer  Kind = "disclaimer" // legal notices, and what scanners and gateways add
	Forwarded   Kind = "forwarded"  // a mail sent on, with its header lines
)

// Kept reports whether the kind belongs to the fresh text.
func (k Kind) Kept() bool { return k == Written || k == Context }

// Piece is a run of whole lines of one kind.
type Piece struct {
	Kind Kind
	Text string // with line ends
}

// Parts is a body in pieces, in the order of the body.
type Parts struct {
	// Pieces together are the body: of a text, joined they are the text byte
	// for byte; of HTML, its text, with quoted lines marked by "> ".
	Pieces []Piece
	HTML   bool // the pieces come from the HTML alternative
}

// Fresh returns what is worth reading first: what the author wrote, with the
// passages it answers. Lines end in \n, and there are no blank lines around
// it. It is empty if the author wrote nothing.
func (p Parts) Fresh() string { return p.join(Kind.Kept) }

// Written returns only the author's own words.
func (p Parts) Written() string { return p.join(func(k Kind) bool { return k == Written }) }

func (p Parts) join(keep func(Kind) bool) string {
	var lines []string
	folded := true
	for _, piece := range p.Pieces {
		if !keep(piece.Kind) {
			folded = true
			continue
		}
		add := strings.Split(strings.ReplaceAll(strings.TrimSuffix(piece.Text, "\n"), "\r\n", "\n"), "\n")
		if end := len(add) - 1; strings.HasSuffix(piece.Text, "\r\n") {
			add[end] = strings.TrimSuffix(add[end], "\r")
		}
		// Around what is folded one blank line is enough.
		for folded && len(add) > 0 && clean(add[0]) == "" && (len(lines) == 0 || clean(lines[len(lines)-1]) == "") {
			add = add[1:]
		}
		folded = folded && len(add) == 0
		lines = append(lines, add...)
	}
	for len(lines) > 0 && clean(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}

// Split cuts a body into pieces. Of two alternatives it reads the HTML if
// that marks its history or signature, else the text.
func Split(b Body) Parts {
	if clean(b.HTML) != "" {
		lines, marked := htmlLines(b.HTML)
		if marked || clean(b.Text) == "" {
			return Parts{Pieces: pieces(lines), HTML: true}
		}
	}
	return Parts{Pieces: pieces(textLines(b.Text))}
}

// Fresh returns the fresh text of a plain text. A text of nothing but marked
// lines, without an attribution among them, comes back whole. Applying it again changes
// nothing in mail as programs write it. It may fold more where Context was
// kept, or where a notice stood below folded history: what was around them
// is gone.
func Fresh(text string) string { return Split(Body{Text: text}).Fresh() }

// pieces merges the lines of one kind that follow one another.
func pieces(lines []line) []Piece {
	kinds := classify(lines)
	var out []Piece
	for start := 0; start < len(lines); {
		end := start + 1
		for end < len(lines) && kinds[end] == kinds[start] {
			end++
		}
		var b strings.Builder
		for _, l := range lines[start:end] {
			b.WriteString(l.raw)
		}
		out = append(out, Piece{Kind: kinds[start], Text: b.String()})
		start = end
	}
	return out
}
