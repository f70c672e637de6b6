// Package catalog is the database of nouns: tenants, users, sources, and what
// is known about every archived message, where it rests and what was done with
// it. One code serves SQLite and PostgreSQL.
//
// It stores and finds; it decides nothing. Who may see what, what is a
// duplicate and when something may be deleted is decided in package archive.
// It never holds the bytes of a message: those are in the vault, from which
// the message tables can be rebuilt.
//
// Three promises hold for every method:
//
//   - Rows of another tenant do not exist: every query on a tenant's data
//     carries the tenant in its WHERE clause, and answers ErrNotFound.
//   - What a method has written is durable when it returns without error.
//   - Every row carries check sums over all its columns, made here on writing
//     and verified here on every reading. A row that was changed by anything
//     but this package is reported as *RowError and never returned.
//
// All methods are safe for concurrent use, by several processes as well.
//
//	model.go     the nouns                   commit.go    what one group commit makes durable
//	open.go      connections, transactions   message.go capture.go part.go segment.go
//	sqlite.go postgres.go   the dialects     tenant.go user.go session.go source.go
//	migrations/  the schema, per dialect     event.go     the tenant's event log
//	access.go accessrecord.go   requests for access to other people's mail, and what was read
//	smarthost.go outbox.go   mail that leaves     instance.go the log of the installation
//	seal.go sealrow.go sealbatch.go   what is proven, and by which time stamp
//	webhook.go delivery.go trouble.go   other programs that are told of events
//	sum.go       check sums of rows          indexed.go   what the index still has to learn
//	text.go      text no database refuses    relocate.go walk.go   for the caretakers
//	check.go reference.go beyond.go   what must hold between rows
//
// Package catalogtest holds what must be true on every database.
package catalog
