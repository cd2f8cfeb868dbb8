package safehtml

import (
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// contained makes a fragment whole: what it leaves open is closed, and what
// would close something of the page around it is gone. It is read as a browser
// reads it, and written down as it was understood.
func contained(fragment string) string {
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(fragment), root)
	if err != nil { // nested deeper than anybody reads
		return html.EscapeString(textOf(fragment))
	}
	var b strings.Builder
	for _, n := range nodes {
		write(&b, n, "")
	}
	return b.String()
}

// lists are the elements outside of which an item would end one of the page's.
var lists = map[string][]string{"li": {"ul", "ol"}, "dt": {"dl"}, "dd": {"dl"}}

var void = map[string]bool{"br": true, "col": true, "hr": true, "img": true, "wbr": true}

// write writes a node. Within lists the elements around it.
func write(b *strings.Builder, n *html.Node, within string) {
	switch n.Type {
	case html.TextNode:
		b.WriteString(html.EscapeString(n.Data))
		return
	case html.ElementNode:
	default:
		return
	}
	name, attrs := n.Data, n.Attr
	if in := lists[name]; in != nil {
		inside := false
		for _, list := range in {
			inside = inside || strings.Contains(within, " "+list+" ")
		}
		if !inside {
			name, attrs = "div", nil
		}
	}
	b.WriteString("<" + name)
	for _, a := range attrs {
		b.WriteString(" " + a.Key + `="` + html.EscapeString(a.Val) + `"`)
	}
	b.WriteString(">")
	if void[name] {
		return
	}
	if first := n.FirstChild; name == "pre" && first != nil && first.Type == html.TextNode && strings.HasPrefix(first.Data, "\n") {
		b.WriteString("\n") // the first one after <pre> is no part of the text
	}
	for c := range n.ChildNodes() {
		write(b, c, within+" "+name+" ")
	}
	b.WriteString("</" + name + ">")
}

// textOf is the text of a fragment.
func textOf(fragment string) string {
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(fragment)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() == io.EOF {
				return b.String()
			}
			return ""
		case html.TextToken:
			b.Write(z.Text())
		}
	}
}
