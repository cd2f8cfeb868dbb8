// Package story is what the quickstarts tell: three weeks of a recruiter's
// mail, with one candidate of each sort. It is written against the module's
// contracts alone; a quickstart brings the mail service.
package story
