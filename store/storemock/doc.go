// Package storemock holds generated mocks of the store's interfaces, for tests
// that want to see single calls or make one of them fail. For tests of
// behaviour package memstore is the better stand-in: a mock accepts what no
// store would, such as a commit from an old reading. The file mocks.go is
// written by go generate in package store.
package storemock
