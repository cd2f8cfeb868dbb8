// Package seal encrypts what a store keeps, and tells when it was changed or
// moved. It imports only the standard library.
//
// Sealer is the interface that linking, sequence/runner and store/sqlstore
// take. Its method set is that of Google Tink's AEAD, so that a primitive from
// Tink, with its keys in a key service, is one as it is. KeyRing is another,
// for hosts that hold their keys themselves.
//
// # What it is good for
//
// Who reads the database, a backup of it or a replica learns no token, no
// words and no recipient's name from what is sealed. Who may also write to it
// can't change a record unseen, nor put one in the place of another: the
// record's id is the associated data. They can still delete records, and put
// back an older one with the same id. What a store searches by stays plain;
// package store names those columns.
//
// # Keys
//
// A key is 32 bytes of a cryptographic random source, such as
//
//	openssl rand -base64 32
//
// or crypto/rand.Read. It is never a password, nor derived from one. Its ID
// is any number that no other key has had, such as the date: it lies in the
// open in everything the key sealed. Keys live apart from the database and its
// backups. Whoever loses a key loses what it sealed.
//
// # How many messages a key may seal
//
// Nonces are 96 random bits, so NIST SP 800-38D section 8.3 allows 2^32
// messages for each key, counted over all processes and for its whole life;
// beyond that, two nonces may be equal, and both messages lie open. A host
// that seals a hundred a second gets there after 16 months. KeyRing can't
// count across processes: rotate in time, once a year for most.
//
// # Rotation
//
//  1. Add the new key at the end of every process's ring. All can open what
//     it will seal.
//  2. Move it to the front everywhere. It seals from now on.
//  3. Rewrite what older keys sealed: Reseal of linking.Linker, of
//     runner.Runner and of sqlstore's Conversations. What is left is short of
//     life: flows, which end within twice linking.Config.FlowTTL.
//  4. Drop the old key once those have ended, all three returned no error, and
//     no backup from before step 3 will be restored. Until then it stays at
//     the end of the ring.
//
// Of a key that became known, all that it ever sealed lies open, in every
// backup too: rotate, revoke the grants of all links, and link anew.
//
// # Key services
//
// With a key service, "it does not open" must be told from "nobody could be
// asked": a link whose token does not open is unlinked without revoking, and
// an enrollment is set aside; both wait where it is only Temporary. The errors
// of a service's client need not say so by themselves (googleapi.Error does
// not), and what Tink's aead.New returns drops the cause of every error of
// Decrypt. So either
//
//   - let the key service open a keyset once, when the process starts, and
//     seal with its primitive in memory, which asks nobody; or
//   - put a Sealer in front that knows the service's errors, and returns
//     Unavailable for all but the one that says that a ciphertext is bad.
//
// # Switching it on
//
// linking seals from the first link on. The runner and sqlstore mark what
// they seal, so they can begin later: set their ReadPlain, call their Reseal,
// and switch ReadPlain off once it has returned no error.
//
// # Ciphertexts of KeyRing
//
//	1 byte    version, 0x81
//	4 bytes   the key's ID, big endian
//	8 bytes   a keyed digest of the associated data
//	12 bytes  nonce
//	n bytes   the plaintext, encrypted
//	16 bytes  GCM's tag
//
// The first three and the caller's associated data are GCM's associated data.
// The digest says only why a ciphertext does not open, ErrMoved or
// ErrTampered; whether it opens is GCM's word alone.
package seal
