// Package eventlog is the mathematics of the event log every tenant has: an
// append-only Merkle tree (RFC 6962 §2.1, RFC 9162 §2.1) over canonical leaves.
// Who holds two heads of a log can be shown that the later one continues the
// earlier one, and that an event is in it, without being shown the events.
//
// The package knows no database and no server: package catalog stores what it
// computes, and an auditor can read all of it in an hour. It uses SHA-256 only,
// as RFC 6962 does.
//
//	leaf.go    what an event commits to, and its one encoding
//	tree.go    the growing tree and its root
//	proof.go   inclusion and consistency
package eventlog
