package eventlog

import (
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

func raw(list []Hash) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = list[i][:]
	}
	return out
}

// TestProofsHoldElsewhere has an independent implementation check every proof of
// logs with 0 to 130 events.
func TestProofsHoldElsewhere(t *testing.T) {
	t.Parallel()
	const n = 130
	leaves := numbered(n)
	l := grow(leaves)
	heads := make([]Head, n+1)
	for size := range heads {
		h, err := HeadAt(int64(size), l.read)
		if err != nil {
			t.Fatal(err)
		}
		heads[size] = h
	}
	if string(heads[0].Root[:]) != string(rfc6962.DefaultHasher.EmptyRoot()) {
		t.Errorf("the empty log has root %s", heads[0].Root)
	}
	for size := range uint64(n + 1) {
		for seq := range size {
			p, err := ProveInclusion(int64(size), int64(seq), l.read)
			if err != nil {
				t.Fatal(err)
			}
			leaf := rfc6962.DefaultHasher.HashLeaf(leaves[seq])
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, seq, size, leaf, raw(p), heads[size].Root[:]); err != nil {
				t.Fatalf("event %d of %d: %v", seq, size, err)
			}
		}
		for from := range size + 1 {
			p, err := ProveConsistency(int64(from), int64(size), l.read)
			if err != nil {
				t.Fatal(err)
			}
			if err := proof.VerifyConsistency(rfc6962.DefaultHasher, from, size, raw(p), heads[from].Root[:], heads[size].Root[:]); err != nil {
				t.Fatalf("from %d to %d: %v", from, size, err)
			}
		}
	}
}
