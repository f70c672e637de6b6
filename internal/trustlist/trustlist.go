// Package trustlist answers whether a time stamp is a qualified one, as far as
// trusted lists tell (ETSI TS 119 612; standard QTS-1 … QTS-5). It reads lists from
// bytes, checks their enveloped XML signature against certificates that the caller
// pins, and looks up the service that issued a time stamp, with the status it had
// then.
//
// It reaches for no network, and decides nothing else: whether the token itself is
// valid and carries the statement of a qualified time stamp (QTS-1) is for who
// verifies it. Without a list that is signed by a pinned certificate and not out of
// date, the answer is NotDetermined, never Qualified.
//
//	xml.go      the document as a tree, with limits
//	c14n.go     exclusive canonical XML
//	dsig.go     the one enveloped signature
//	list.go     what a list says
//	qualify.go  the verdict
package trustlist

import "errors"

// ErrList is returned (wrapped) for bytes that are no trusted list.
var ErrList = errors.New("no trusted list")

// Bounds of a list. The largest national list had 2.1 MB when this was written.
const (
	maxBytes    = 32 << 20
	maxNodes    = 1 << 20 // elements, texts and instructions
	maxDepth    = 64
	maxAttrs    = 64     // of one element
	maxServices = 50_000 // and as many entries of history
	maxCerts    = 50_000
)
