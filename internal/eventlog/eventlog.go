// Package eventlog is the mathematics of the event log every tenant has: an
// append-only Merkle tree (RFC 6962 §2.1, RFC 9162 §2.1) over canonical leaves.
// Who holds two heads of a log can be shown that the later one continues the
// earlier one, and that an event is in it, without being shown the events.
//
// Heads are handed out as signed checkpoints (C2SP tlog-checkpoint over C2SP
// signed-note), alone or in daily receipts; what is handed out can be checked
// with this package alone, without server, database or network.
//
// The package knows no database and no server: package catalog stores what it
// computes, and an auditor can read all of it in an hour. It uses SHA-256 only,
// as RFC 6962 does.
//
//	leaf.go    what an event commits to, and its one encoding
//	tree.go    the growing tree and its root
//	proof.go   inclusion and consistency
//	key.go     keys that sign, and how one follows another
//	checkpoint.go  signed heads
//	receipt.go     checkpoints in a file, to be handed out
//	files.go       proofs in files
//	export.go      a whole log in a file
//	compare.go     do receipts belong to one log that was only ever appended to?
package eventlog
