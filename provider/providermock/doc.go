// Package providermock holds generated mocks of Provider, Mailbox and
// TokenSource, for tests that want to see single calls. For tests of
// behaviour the in-memory Provider of package postoffice is the better
// stand-in: a mock accepts what no mailbox would. The file mocks.go is
// written by go generate in package provider.
package providermock
