// Package crashtest tests that nothing is sent twice and nothing is lost when
// processes die, or stand still, at any moment. Its tests run the runner and
// sqlstore in processes of their own, on SQLite or PostgreSQL, against a fake
// Google in the test's process, which also owns the time.
//
//	go test ./internal/crashtest -kills 500 -seed 7
//
// TestKill kills a process again and again, with SIGKILL: at a request before
// it is served, or served and not answered, or some instants after its answer,
// or soon after the process began. TestFreeze has several processes share a
// PostgreSQL and stops one with SIGSTOP around a send, until its lease and all
// deadlines are long past and others did its work; then it goes on.
package crashtest
