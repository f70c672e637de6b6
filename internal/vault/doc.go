// Package vault keeps the bytes of archived messages for good.
//
// Objects of one group commit are written as one write-once segment; each
// object is a frame of it: compressed, then encrypted under a key of its own.
// The keys rest in a second object beside the segment, so that one message can
// be erased although its segment is locked. Large base64 bodies are stored once
// per tenant as parts; a message is then a skeleton from which the original is
// re-assembled byte for byte, which is proved before Write and again on every
// read. docs/format.md specifies every byte.
//
// The vault knows neither catalog nor mail: what a message says, who may read it
// and whether it may be erased is decided by its only caller, package archive.
// It never deletes on its own account.
//
// Layout of the package:
//
//	vault.go      Config, Vault, tenants
//	keyring.go    the instance key file; tenant keys and what is derived from them
//	object.go     the types callers hand in and get back
//	prepare.go    hash, cut, compress, encrypt (concurrent, CPU bound)
//	cut.go        finds base64 bodies and proves that they can be made again
//	frame.go      the chunked encryption of one frame
//	payload.go    the plaintext of a frame and its re-assembly
//	segment.go    the layout of segment and key objects
//	write.go      one batch becomes one durable segment
//	read.go       opens, verifies and streams a stored object
//	scan.go       walks and checks whole segments (rebuild, fsck)
//	erase.go      destroys keys
//	compact.go    merges small segments, clusters similar messages
//	dict.go       finds text that many messages share
package vault
