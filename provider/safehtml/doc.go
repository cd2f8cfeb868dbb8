// Package safehtml makes the HTML of an incoming mail safe to show in a page
// of the host. The work is bluemonday's, a parser with a list of what may
// stay; this package is that list, made for mail.
//
// What stays: the elements that text is made of, tables included; links to
// http, https, mailto and tel; pictures that lie in the mail itself (cid:);
// colours, fonts, alignment, borders and sizes. What goes: scripts, event
// handlers, forms, frames, embedded documents, style sheets, names and ids,
// relative addresses, and every style that could cover or leave its place.
//
// Pictures from elsewhere go too: to load one tells its sender that the mail
// was opened, when, and from where. Options.RemoteImages lets them stay.
//
// What comes out is whole: it leaves nothing open that would reach into the
// page after it, such as a link, and closes nothing of the page around it.
//
// Links open in a page of their own that knows nothing of the host's
// (noopener, noreferrer), and search engines do not follow them. A link has
// to name its host: a browser resolves "https:path" against the host's page.
//
// Styles with escapes or of more than eight kilobytes go, whatever they say.
//
// A sanitiser is one wall. A host that shows mail does well to have a second:
// a Content-Security-Policy without unsafe-inline scripts, or a sandboxed
// frame.
package safehtml
