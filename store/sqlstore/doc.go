// Package sqlstore keeps everything of package store in SQLite or PostgreSQL,
// through database/sql. It imports no driver: the host brings the one it has.
//
//	db, err := sql.Open("pgx", dsn)
//	s, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL})
//	err = s.Migrate(ctx)
//	r, err := runner.New(runner.Config{Store: s.Enrollments(), ...})
//
// New does no I/O. The *sql.DB stays the host's to configure and to close.
//
// # Tables
//
// Nothing makes or changes tables but Migrate, which a host calls when it is
// deployed: it brings the tables to this program's version, all or nothing,
// and does nothing where nothing is to do. Any number of processes may call
// it at once. Hosts that have a tool for migrations give it the files of
// Schema instead. Without the tables, and with those of another version,
// every method returns ErrSchema, which says what to do; a process that has
// seen tables that fit does not look again, so stop the old programs before
// a migration unless the change log says that they may go on.
//
// Prefix begins the names of all tables, so that they stand beside the host's
// own, and one database holds several stores. On PostgreSQL they are in the
// first schema of the search_path.
//
// The columns that a person may want to look at are plain: who, to whom,
// which status, due when. Times are microseconds since 1970. Engine state,
// merge data, mail bytes, tokens and definitions are bytes. With Options.Sealer
// the words of conversations are sealed, too.
//
// # SQLite
//
// SQLite 3.39 or later, with a file of the machine's own disk, not one of a
// network. Open it with a wait for the lock, the write-ahead log, and
// transactions that begin with the lock; for modernc.org/sqlite that is
//
//	file:outreach.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate
//
// In the WAL, synchronous(NORMAL) is faster, and loses the last commits in a
// power cut, though not the database: mails that left before the cut may then
// leave again. One connection writes at a time; those of one Store wait in
// line, those of other processes for the busy_timeout. A database in memory
// is one for each connection, so db.SetMaxOpenConns(1) must be set for it.
// All processes share the machine's clock, and leases end by that.
//
// # PostgreSQL
//
// PostgreSQL 12 or later. Leases end by the server's clock. A pool that is
// shared by transactions, such as PgBouncer's, needs the driver's mode without
// prepared statements; nothing here lives longer than a transaction. The role
// needs no rights but those on the tables, and to make them for Migrate. The
// module's own transactions are READ COMMITTED whatever the default is.
//
// # Commits
//
// A commit locks the mailboxes of its batch first, then everything else in
// the order that package store gives, so that commits don't deadlock with
// each other. If they do all the same, with transactions of the host's for
// one, the loser is tried again, as are failed serializations (40001, 40P01)
// and SQLITE_BUSY. When the connection is lost during COMMIT the error is
// store.ErrUnknown; when it is lost before, nothing was written and the error
// is the driver's. Errors of the database are within those returned: use
// errors.As.
//
// A claim is one scan of an index of mailboxes, by the earliest time that
// something of theirs is due. Its cost does not grow with the enrollments
// that are not due; BenchmarkClaimAmong measures that up to a million.
//
// # The host's own transaction
//
// WithTx gives a Store that works inside the host's transaction, so that a
// row of the host's own and an enrollment are there together or not at all.
// Its example enrolls so with a runner.
package sqlstore
