// Package eventlog is the mathematics of the tenant's event log: a Merkle tree
// (RFC 6962 §2.1) over canonical leaves.
package eventlog

import "golang.org/x/mod/sumdb/tlog"

// Hash is a node of the tree.
type Hash = tlog.Hash

// Head is the state of a log.
type Head struct {
	Size int64
	Root Hash
}
