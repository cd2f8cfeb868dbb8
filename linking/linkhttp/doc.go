// Package linkhttp is the net/http side of package linking, for hosts that
// want it: handlers that begin a flow and take its callback, for users and for
// administrators. A host that rather writes them has two short functions to
// write; the example of package linking shows them.
//
// # The host's part
//
// Who is signed in is for the host to say, with Config.User: the owner, and a
// session id that the browser keeps and nobody can guess. A cookie that holds
// it must be SameSite=Lax or None, since the callback comes from another site;
// a Strict one is not sent along.
//
// # What is checked
//
// A flow begins by POST alone, and not from a page of another site
// (http.CrossOriginProtection), so that no link and no foreign form begins one
// in a user's name. Callbacks are GET alone: a HEAD of a program that looks at
// addresses would use the state up. Every answer has Referrer-Policy:
// no-referrer, because a callback's address holds a code, and Cache-Control:
// no-store. All else is checked by package linking, which also sees to it that
// ReturnTo is a path on the host's own site.
package linkhttp
