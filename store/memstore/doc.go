// Package memstore keeps everything in memory and is not durable: for trying
// things out, for tests, and as the reference reading of the contracts in
// package store. It is safe for concurrent use within one process.
package memstore
