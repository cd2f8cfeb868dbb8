// Package clicks has a real Chromium use the program examples/settings as a
// person does: by the buttons of its page and of both services' pages. It is a
// module of its own so that no host has the browser's driver in its module
// graph. Its test runs in this directory:
//
//	go test .
package clicks
