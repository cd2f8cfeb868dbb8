// Package postoffice is the mail world behind the fakes of this module: a
// virtual clock, mailboxes, delivery, threads, scripted people who answer,
// bounce or stay silent, and books in which the world records by itself what
// was sent to whom and what was read. It speaks no protocol. gmailtest and
// msgraphtest put their wire formats on top of it, and MemProvider is a
// provider.Provider over it without any wire, as an example for people who
// implement one and as a fast stand-in for tests of hosts.
//
// # Time
//
// Nothing happens by itself. Whoever owns the Clock calls Advance, and all
// that was due on the way (a delayed delivery, an answer, a message that
// becomes visible) happens in order on that goroutine. The same calls in the
// same order give the same world, byte for byte.
//
// With ProviderConfig.Push a MemProvider's mailboxes can be watched, and tell
// of new mail as it becomes visible. Mailbox.OnChange is for fakes that push.
//
// # Beliefs
//
// What could not be proven about the real services is a named switch in
// Beliefs. Tests flip them one at a time.
//
// # Books
//
// Books are the control of every promise about sending and reading: they
// count what the world saw, not what a client says it did.
//
// Everything is safe for concurrent use. Nothing here is meant to be durable
// or to carry real mail.
package postoffice
