package quote

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlLines renders HTML as lines of text, quoted ones marked by "> ", with
// what mail programs mark in it. It says whether anything was marked.
func htmlLines(h string) ([]line, bool) {
	r := renderer{open: make(map[atom.Atom]int)}
	z := html.NewTokenizer(strings.NewReader(h))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end: a reader of a string has no other error
			r.flush()
			r.trimEnd()
			if r.rest.Len() > 0 {
				r.lines = append(r.lines, line{raw: r.rest.String(), text: clean(r.rest.String())})
			}
			return r.lines, r.marked
		case html.TextToken:
			text := string(z.Text())
			if n := len(r.stack); n > 0 && r.stack[n-1].name == atom.Head && clean(text) != "" {
				r.pop(atom.Head)
			}
			if r.skipped == 0 {
				r.text(text)
			}
		case html.StartTagToken:
			r.start(z)
		case html.SelfClosingTagToken:
			r.start(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(atom.Lookup(name))
		}
	}
}

// Reds that people choose for their answers.
var (
	red      = regexp.MustCompile(`^(?:red|#f00|#ff0000|#c00000|#ee0000|rgb\((?:255|192|238),0,0\))$`)
	redStyle = regexp.MustCompile(`(?:^|;)color:(?:red|#f00|#ff0000|#c00000|#ee0000|rgb\((?:255|192|238),0,0\))(?:;|!|$)`)
)

// maxDepth bounds how deep elements are followed. What is deeper is read as
// if it were at this depth.
const maxDepth = 2000

// element is an open element.
type element struct {
	name   atom.Atom
	hint   hint
	quote  bool
	skip   bool
	pre    bool // line ends count
	red    bool
	spaced bool // it has a margin
	group  bool // of a program's history: blockquotes in it are cited
}

// renderer turns tokens into lines.
type renderer struct {
	stack []element
	open  map[atom.Atom]int // how many of each are on the stack

	quotes, groups, skipped, pre, reds int

	redBytes int    // of the line that is being written
	hints    [6]int // how many open elements give each hint

	buf    strings.Builder // the line that is being written
	space  bool            // a space is due before the next word
	gap    bool            // a blank line is due before the next text
	cut    bool            // the next line starts unmarked history
	marked bool
	lines  []line
	rest   strings.Builder // what is below maxLines
}

func (r *renderer) start(z *html.Tokenizer) {
	tag, more := z.TagName()
	name := atom.Lookup(tag)
	if r.open[atom.Head] > 0 && !inHead[name] {
		r.pop(atom.Head) // its end was forgotten
	}
	e := element{name: name, pre: name == atom.Pre}
	var class, id, kind string
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		switch string(k) {
		case "class":
			class = strings.ToLower(string(v))
		case "id":
			id = strings.ToLower(string(v)) + id
		case "name":
			id += " name=" + strings.ToLower(string(v))
		case "style":
			style := strings.ReplaceAll(strings.ToLower(string(v)), " ", "")
			e.pre = strings.Contains(style, "white-space:pre")
			e.red = redStyle.MatchString(style)
		case "color":
			e.red = red.MatchString(strings.ToLower(string(v)))
		case "type":
			kind = strings.ToLower(string(v))
		}
	}
	switch name {
	case atom.Br:
		r.line()
		return
	case atom.Hr:
		r.flush()
		r.buf.WriteString("-----")
		r.flush()
		r.mark(class, id)
		return
	case atom.Img, atom.Input, atom.Meta, atom.Link, atom.Base, atom.Col, atom.Area, atom.Wbr, atom.Embed, atom.Source, atom.Param, atom.Track:
		r.mark(class, id)
		return
	case atom.Td, atom.Th:
		r.space = r.buf.Len() > 0
	case atom.Head, atom.Title, atom.Style, atom.Script, atom.Template, atom.Noscript, atom.Object, atom.Iframe, atom.Svg:
		e.skip = true
	case atom.Blockquote:
		r.flush()
		if n := len(r.lines); n > 0 && r.lines[n-1].text != "" {
			r.add("") // above the passage, not in it
		}
		e.quote = true
	}
	if blocks[name] {
		r.flush()
		e.spaced = spacedOut[name] && !strings.Contains(class, "msonormal")
		r.gap = name != atom.Blockquote && (r.gap || e.spaced && len(r.lines) > 0)
	}
	r.mark(class, id)
	e.hint, e.group = marksOf(class, id)
	if e.group {
		e.hint |= hintContained
	}
	if e.quote && (kind == "cite" || r.groups > 0 || strings.Contains(class, "cite") || e.group && !strings.Contains(class, "gmail_quote")) {
		e.hint |= hintCited
	}
	if n := len(r.stack); n > 0 && r.stack[n-1].name == name && closesItself[name] {
		r.pop(name)
	}
	if len(r.stack) < maxDepth {
		r.stack = append(r.stack, e)
		r.open[name]++
		r.count(e, 1)
		if name == atom.Li {
			r.buf.WriteString("- ")
		}
	}
}

// mark notes an anchor below which all is history.
func (r *renderer) mark(class, id string) {
	if r.quotes > 0 {
		return // it is of a mail that is quoted
	}
	if strings.HasSuffix(id, "divrplyfwdmsg") || strings.Contains(class, "outlookmessageheader") || strings.HasSuffix(id, "mail-editor-reference-message-container") {
		r.flush()
		r.cut, r.marked = true, true
	}
}

// marksOf says what an element's class and id tell. They are those of Gmail,
// Yahoo, Proton Mail, Zoho, Outlook, Thunderbird, Apple and others, also with
// the prefix that a mail program gives to what it quotes.
func marksOf(class, id string) (h hint, group bool) {
	for c := range strings.FieldsSeq(class + " " + id) {
		c = strings.TrimPrefix(c, "x_")
		switch {
		case c == "gmail_signature" || c == "moz-signature" || c == "protonmail_signature_block" || c == "ms-outlook-mobile-signature" || c == "signature" || c == "applemailsignature" || c == "name=messagesignaturesection" || c == "front-signature" || c == "zm-_id_-sgn" || c == "gmail_signature_prefix" || c == "mail_signature":
			h |= hintSignature
		case strings.HasPrefix(c, "yahoo_quoted") || strings.HasPrefix(c, "yqt"):
			h |= hintHistory
		case strings.HasSuffix(c, "mail-editor-reference-message-container"):
			h |= hintContained
		case c == "gmail_attr" || c == "moz-cite-prefix":
			h |= hintAttribution
		case c == "gmail_quote" || c == "gmail_extra" || c == "gmail_quote_container" || c == "protonmail_quote" || c == "zmail_extra" || c == "tutanota_quote" || c == "qt" || c == "quoted_text" || c == "name=messagereplysection" || c == "name=quote" || c == "moz-forward-container" || c == "yandex_quote" || c == "ms-outlook-quote":
			group = true
		}
	}
	return h, group
}

func (r *renderer) count(e element, by int) {
	for i := range r.hints {
		if e.hint&(1<<i) != 0 {
			r.hints[i] += by
			r.marked = true
		}
	}
	if e.quote {
		r.quotes += by
	}
	if e.group {
		r.groups += by
	}
	if e.skip {
		r.skipped += by
	}
	if e.red {
		r.reds += by
	}
	if e.pre {
		r.pre += by
	}
}

// end closes the innermost open element of a name, and what is open in it.
func (r *renderer) end(name atom.Atom) {
	if name == atom.Br || name == atom.P && r.open[name] == 0 {
		r.line()
		return
	}
	if r.open[name] == 0 {
		return
	}
	r.pop(name)
}

// pop closes elements up to the innermost one of a name, which is open.
func (r *renderer) pop(name atom.Atom) {
	for {
		e := r.stack[len(r.stack)-1]
		if blocks[e.name] || e.quote || e.hint != 0 {
			r.flush()
			r.gap = r.gap || e.spaced && len(r.lines) > 0
		}
		r.stack = r.stack[:len(r.stack)-1]
		r.open[e.name]--
		r.count(e, -1)
		if e.name == name {
			return
		}
	}
}

// text adds words to the line.
func (r *renderer) text(s string) {
	if r.reds > 0 {
		r.redBytes += len(clean(s))
	}
	if r.pre > 0 {
		for i, part := range strings.Split(s, "\n") {
			if i > 0 {
				r.line()
			}
			r.buf.WriteString(strings.TrimRight(part, "\r"))
		}
		return
	}
	s = strings.ReplaceAll(s, "\r", " ")
	for _, c := range s {
		switch {
		case c == '\u00a0':
			r.word()
			r.buf.WriteByte(' ')
		case unicode.IsSpace(c):
			r.space = r.buf.Len() > 0
		default:
			r.word()
			r.buf.WriteRune(c)
		}
	}
}

func (r *renderer) word() {
	if r.space {
		r.buf.WriteByte(' ')
		r.space = false
	}
}

// flush ends the line if there is one.
func (r *renderer) flush() {
	if r.buf.Len() > 0 {
		r.line()
	}
	r.space = false
}

// line ends the line, which may be blank.
func (r *renderer) line() {
	s := strings.TrimRightFunc(r.buf.String(), unicode.IsSpace)
	r.buf.Reset()
	r.space = false
	if s == "-" && r.open[atom.Li] > 0 {
		return // an item whose text is in a block of its own
	}
	if r.gap && clean(s) != "" {
		r.gap = false
		if n := len(r.lines); n > 0 && r.lines[n-1].text != "" {
			r.add("")
		}
	}
	r.add(s)
}

func (r *renderer) add(s string) {
	l := line{text: clean(s), depth: min(r.quotes, 50)}
	if l.text != "" {
		if 2*r.redBytes > len(l.text) {
			l.hint |= hintRed
		}
		r.redBytes = 0
	}
	for i, n := range r.hints {
		if n > 0 {
			l.hint |= 1 << i
		}
	}
	if r.cut && l.text != "" && l.depth == 0 {
		l.hint |= hintCut
		r.cut = false
	}
	if l.depth > 0 {
		l.hint &^= hintSignature | hintAttribution
		l.raw = strings.TrimRight(strings.Repeat(">", l.depth)+" "+s, " ") + "\n"
	} else {
		l.raw = s + "\n"
	}
	if len(r.lines) >= maxLines {
		r.rest.WriteString(l.raw)
		return
	}
	r.lines = append(r.lines, l)
}

// trimEnd drops the blank lines at the end.
func (r *renderer) trimEnd() {
	for n := len(r.lines); n > 0 && r.lines[n-1].text == "" && r.lines[n-1].depth == 0; n = len(r.lines) {
		r.lines = r.lines[:n-1]
	}
}

// inHead are the elements of a head. Any other ends it.
var inHead = atoms(atom.Head, atom.Meta, atom.Link, atom.Base, atom.Title, atom.Style, atom.Script, atom.Noscript, atom.Template)

// blocks are the elements that begin and end lines.
var blocks = atoms(atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Center, atom.Dd, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figure, atom.Footer, atom.Form, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6,
	atom.Header, atom.Html, atom.Li, atom.Main, atom.Ol, atom.P, atom.Pre, atom.Section, atom.Table, atom.Tbody, atom.Tfoot, atom.Thead, atom.Tr, atom.Ul)

// spacedOut are those with a margin.
var spacedOut = atoms(atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Blockquote, atom.Ul, atom.Ol, atom.Table, atom.Pre)

// closesItself are those that end where the next of them begins.
var closesItself = atoms(atom.P, atom.Li, atom.Td, atom.Th, atom.Tr, atom.Dt, atom.Dd, atom.Option)

func atoms(as ...atom.Atom) map[atom.Atom]bool {
	m := make(map[atom.Atom]bool, len(as))
	for _, a := range as {
		m[a] = true
	}
	return m
}
