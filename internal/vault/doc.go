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
//	vault.go      Config, Vault, open segments
//	tenant.go     tenant keys and descriptions
//	keyring.go    the instance key file, and what is derived from keys
//	object.go     the types callers hand in and get back
//	prepare.go    hash, cut, compress, encrypt (concurrent, CPU bound)
//	large.go      the same for what is not held in memory
//	cut.go        finds base64 bodies and proves that they can be made again
//	codec.go      compression, and a cache
//	frame.go      the chunked encryption of one frame
//	payload.go    the plaintext of a frame and its re-assembly
//	segment.go    the layout of segment and key objects
//	write.go      one batch becomes one durable segment
//	read.go       opens and verifies a stored object
//	stream.go     the same for what is not held in memory
//	meta.go       reads what is known of an object without its content
//	scan.go       lists, walks and checks whole segments (rebuild, fsck)
//	erase.go      destroys keys, removes segments
//	hold.go       what must not be deleted, beside the segments
//	compact.go    merges small segments, similar messages together
//	plan.go       what the compactor is to copy, and how
//	cluster.go    finds what is similar
//	shared.go     finds text that messages share
//	dict.go       makes and reads dictionaries of it
package vault
