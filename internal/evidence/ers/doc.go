// Package ers makes and verifies evidence records (RFC 4998). It works on hash
// values and tokens only: it reads no archive, keeps no state and asks nobody.
//
// # What is made
//
// The profile muniment-ERS, a subset that all known verifiers understand:
// version 1, without cryptoInfos, encryptionInfo and attributes; digestAlgorithm
// always written; one object is one group of at least two members; trees are
// binary, so every list after the first holds one value; values are stored
// sorted; a hash-tree renewal concatenates in the order of RFC 4998 §5.3, not
// sorted. The same batch always yields the same bytes.
//
// # What is verified
//
// All of RFC 4998 but encrypted data (encryptionInfo), and the forms that are
// in use although the text does not allow or not mean them; see Verify.
//
// # The rule of hash trees
//
//	node(list) = the value                 if there is one
//	           = H(sorted, concatenated)   if there are more; duplicates stay
//	root       = node(list 0), then for each further list H(sorted(list + root))
//
//	codes.go     the code of every finding
//	record.go    Record: the structures, read and written
//	node.go      the rule of hash trees
//	tree.go      Tree, Nodes: binary trees and the way from a leaf to the root
//	stored.go    StoredTree: the tree as bytes (docs/format-evidence.md, "Hash trees")
//	issue.go     records from batches: initial, renewed by stamp, renewed by tree
//	member.go    Data: what is hashed
//	verify.go    Verify
//	cover.go     whether a stamp covers what it must
//	report.go    Report: what Verify returns
//	schedule.go  when a renewal is due
package ers
