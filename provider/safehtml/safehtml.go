package safehtml

import (
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
)

// Options says what else may stay. The zero value is the strictest.
type Options struct {
	// RemoteImages keeps pictures that a reader's browser would load from
	// elsewhere, and with them tracking pixels.
	RemoteImages bool
}

// Policy sanitises. It is safe for concurrent use. Make one and keep it.
type Policy struct{ p *bluemonday.Policy }

var (
	number = regexp.MustCompile(`^[0-9]{1,4}%?$`)
	length = regexp.MustCompile(`^(?:auto|0|[0-9]{1,4}(?:\.[0-9]{1,4})?(?:px|pt|em|ex|rem|cm|mm|in|%)?)(?:\s+(?:auto|0|[0-9]{1,4}(?:\.[0-9]{1,4})?(?:px|pt|em|ex|rem|cm|mm|in|%)?)){0,3}$`)
	colour = regexp.MustCompile(`(?i)^(?:#[0-9a-f]{3,8}|[a-z]{3,24}|rgba?\([0-9., %]{1,40}\))$`)
	border = regexp.MustCompile(`(?i)^(?:[a-z0-9#.%]{1,30}|rgba?\([0-9., %]{1,40}\))(?:\s+(?:[a-z0-9#.%]{1,30}|rgba?\([0-9., %]{1,40}\))){0,4}$`)
	names  = regexp.MustCompile(`(?i)^[\p{L}0-9 ,'"_-]{1,200}$`)
	word   = regexp.MustCompile(`(?i)^[a-z-]{1,20}$`)
	weight = regexp.MustCompile(`(?i)^(?:bold|bolder|lighter|normal|[1-9]00)$`)
	local  = regexp.MustCompile(`(?i)^cid:[^\s<>"']{1,500}$`)
	// A browser resolves "https:path" against the page that it stands in.
	target = regexp.MustCompile(`(?i)^\s*(?:https?://|mailto:|tel:|cid:)[^\s]`)
	remote = regexp.MustCompile(`(?i)^(?:cid:|https?://)[^\s<>"']+$`)
)

// New makes a policy.
func New(o Options) *Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("a", "abbr", "address", "b", "big", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt",
		"em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "section",
		"small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr")
	p.AllowNoAttrs().OnElements("a", "span", "font")
	p.SkipElementsContent("title", "noscript", "template", "object", "applet", "embed", "iframe", "frameset", "svg", "math", "textarea", "select", "audio", "video", "canvas", "xml")

	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AllowAttrs("href").Matching(target).OnElements("a")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	source := local
	if o.RemoteImages {
		source = remote
	}
	p.AllowAttrs("src").Matching(source).OnElements("img")

	p.AllowAttrs("dir").Matching(regexp.MustCompile(`(?i)^(?:ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`(?i)^[a-z0-9-]{1,35}$`)).Globally()
	p.AllowAttrs("title", "alt").OnElements("a", "abbr", "img")
	p.AllowAttrs("align", "valign").Matching(word).OnElements("caption", "col", "colgroup", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "p", "table", "tbody", "td", "tfoot", "th", "thead", "tr")
	p.AllowAttrs("width", "height", "border", "cellpadding", "cellspacing", "colspan", "rowspan", "span", "start", "value").Matching(number).OnElements("col", "colgroup", "hr", "img", "li", "ol", "table", "td", "th", "tr")
	p.AllowAttrs("bgcolor", "color").Matching(colour).OnElements("font", "hr", "table", "tbody", "td", "th", "tr")
	p.AllowAttrs("face").Matching(names).OnElements("font")
	p.AllowAttrs("size").Matching(regexp.MustCompile(`^[+-]?[1-7]$`)).OnElements("font")

	for re, styles := range map[*regexp.Regexp][]string{
		colour: {"color", "background-color", "background"},
		length: {"font-size", "line-height", "padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "width", "max-width"},
		border: {"border", "border-top", "border-right", "border-bottom", "border-left", "border-color", "border-style", "border-width", "border-collapse", "border-spacing"},
		names:  {"font-family"},
		weight: {"font-weight"},
		word:   {"font-style", "text-align", "text-decoration", "text-transform", "vertical-align", "white-space", "list-style-type", "direction"},
	} {
		p.AllowStyles(styles...).Matching(re).Globally()
	}
	return &Policy{p}
}

// Sanitize returns what of an HTML document may be shown inside an element of
// another one, such as a div. It takes any input.
func (p *Policy) Sanitize(html string) string {
	return strings.TrimSpace(contained(p.p.Sanitize(plainStyles(html))))
}
