// Package courier is what the adapters share of making requests: the
// transport that adds tokens and proves what became of a send, and the
// reading of answers and pushes that says nothing it should not.
package courier
