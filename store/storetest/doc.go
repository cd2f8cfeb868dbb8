// Package storetest tells whether a store keeps the contracts of package
// store. It knows no implementation: a Harness brings one, and every check is
// a named subtest with a store of its own.
//
// The package's own tests run the suite over stores that are broken in one
// way each, and hold that it finds every one of them.
package storetest
