package ers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// TestBatches seals batches of all small sizes and renews them twice by stamp
// and twice by tree.
func TestBatches(t *testing.T) {
	t.Parallel()
	for _, scheme := range []algo.Scheme{algo.ECDSA, algo.RSA, algo.PSS} {
		for _, size := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 1000} {
			if scheme != algo.ECDSA && size != 3 {
				continue
			}
			t.Run(fmt.Sprintf("%s %d", scheme, size), func(t *testing.T) {
				t.Parallel()
				w := evidencetest.New(t, tsa.Options{Scheme: scheme})
				var objects []evidencetest.Object
				for i := range size {
					objects = append(objects, evidencetest.NewObject(i, 2+i%3))
				}
				records := w.Seal(algo.SHA256, objects)
				if first := w.Seal(algo.SHA256, objects[:1]); size > 1 {
					records[0] = first[0] // one object of another batch, so that there are two tokens to renew
				}
				evidencetest.Verified(t, w.Options(), objects, records)
				for round := range 4 {
					w.Pass(time.Hour)
					if round%2 == 0 {
						records = w.RenewStamps(records)
					} else {
						records = w.RenewTrees([]algo.Hash{algo.SHA512, algo.SHA3_256}[round/2], objects, records)
					}
					evidencetest.Verified(t, w.Options(), objects, records)
				}
			})
		}
	}
}

// TestDeterministic: the same batch yields the same bytes (ERS-8).
func TestDeterministic(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	o := evidencetest.NewObject(1, 4)
	leaf, err := ers.Leaf(algo.SHA256, o.Sums(algo.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	token := w.Stamp(algo.SHA256, leaf)
	sums := o.Sums(algo.SHA256)
	var first []byte
	for range 24 {
		r, err := ers.Initial(algo.SHA256, sums, nil, token)
		if err != nil {
			t.Fatal(err)
		}
		if b := evidencetest.Marshal(t, r); first == nil {
			first = b
		} else if !bytes.Equal(first, b) {
			t.Fatal("the record depends on the order of the members")
		}
		slices.Reverse(sums[:3])
		sums[0], sums[3] = sums[3], sums[0]
	}
}

// TestUpperTree seals two tenants under one token: records verify, and none
// holds a hash of the other tenant's objects (ERS-9).
func TestUpperTree(t *testing.T) {
	t.Parallel()
	h := algo.SHA256
	w := evidencetest.New(t, tsa.Options{})
	tenants := [][]evidencetest.Object{{evidencetest.NewObject(1, 2)}, {evidencetest.NewObject(2, 2), evidencetest.NewObject(3, 3), evidencetest.NewObject(4, 2)}, {evidencetest.NewObject(5, 2), evidencetest.NewObject(6, 2)}}
	var trees []*ers.Tree
	var roots [][]byte
	for _, objects := range tenants {
		var leaves [][]byte
		for _, o := range objects {
			leaf, err := ers.Leaf(h, o.Sums(h))
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leaf)
		}
		trees = append(trees, evidencetest.TreeOf(t, h, leaves))
		roots = append(roots, evidencetest.RootOf(t, trees[len(trees)-1]))
	}
	upper := evidencetest.TreeOf(t, h, roots)
	token := w.Stamp(h, evidencetest.RootOf(t, upper))
	for n, objects := range tenants {
		var records []*ers.Record
		for i, o := range objects {
			r, err := ers.Initial(h, o.Sums(h), append(evidencetest.Path(t, trees[n], i), evidencetest.Path(t, upper, n)...), token)
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, r)
			for other, theirs := range tenants {
				for _, x := range theirs {
					for _, sum := range x.Sums(h) {
						if other != n && bytes.Contains(evidencetest.Marshal(t, r), sum) {
							t.Errorf("a record of tenant %d holds a member's hash of tenant %d", n, other)
						}
					}
				}
			}
		}
		o := w.Options()
		for i, r := range records {
			if report := ers.Verify(context.Background(), evidencetest.Marshal(t, r), objects[i].Members(), o); report.Verdict != evidence.Valid {
				t.Errorf("tenant %d: %+v", n, report.Findings)
			}
		}
	}
}

// TestIssueRefuses: worthless records are not made.
func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	h := algo.SHA256
	o := evidencetest.NewObject(1, 2)
	leaf, err := ers.Leaf(h, o.Sums(h))
	if err != nil {
		t.Fatal(err)
	}
	token := w.Stamp(h, leaf)
	if _, err := ers.Initial(h, o.Sums(h)[:1], nil, token); err == nil {
		t.Error("a group of one member passed")
	}
	if _, err := ers.Initial(h, o.Sums(h), [][]byte{leaf}, token); !errors.Is(err, ers.CodeRoot) {
		t.Errorf("wrong sibling: %v", err)
	}
	if _, err := ers.Initial(algo.SHA512, o.Sums(algo.SHA512), nil, token); !errors.Is(err, ers.CodeHashMismatch) {
		t.Errorf("another hash: %v", err)
	}
	if _, err := ers.Initial(h, o.Sums(h), nil, token[:len(token)-1]); !errors.Is(err, tsp.CodeMalformed) {
		t.Errorf("broken token: %v", err)
	}
	r, err := ers.Initial(h, o.Sums(h), nil, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.RenewStamp(nil, token); !errors.Is(err, ers.CodeRenewal) {
		t.Errorf("renewed by a token that covers something else: %v", err)
	}
	if _, err := r.RenewTree(algo.SHA512, o.Sums(algo.SHA512), nil, token); err == nil {
		t.Error("renewed by a token of another hash")
	}
}

// TestStoredTree writes trees and reads them piece by piece.
func TestStoredTree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 70).Draw(rt, "leaves")
		h := rapid.SampledFrom([]algo.Hash{algo.SHA256, algo.SHA512}).Draw(rt, "hash")
		var leaves [][]byte
		for i := range n {
			leaves = append(leaves, h.Sum(fmt.Append(nil, i)))
		}
		tree := evidencetest.TreeOf(t, h, leaves)
		var b bytes.Buffer
		if _, err := tree.WriteTo(&b); err != nil {
			rt.Fatal(err)
		}
		if got, most := b.Len(), 64+32+2*n*h.Size(); got > most {
			rt.Fatalf("%d bytes for %d leaves, more than two hashes each", got, n)
		}
		stored, err := ers.OpenTree(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			rt.Fatal(err)
		}
		if err := stored.Check(); err != nil {
			rt.Fatal(err)
		}
		for i := range n {
			want, got := evidencetest.Path(t, tree, i), evidencetest.Path(t, stored, i)
			if !slices.EqualFunc(want, got, bytes.Equal) {
				rt.Fatalf("leaf %d of %d: another path", i, n)
			}
		}
		if _, err := ers.Path(stored, int64(n)); err == nil {
			rt.Fatal("a leaf beyond the end has a path")
		}
		// A damaged byte is found: by Check always, by Path if the path leads over it.
		bad := bytes.Clone(b.Bytes())
		at := rapid.IntRange(64, len(bad)-1).Draw(rt, "damaged")
		bad[at] ^= 1
		if stored, err = ers.OpenTree(bytes.NewReader(bad), int64(len(bad))); err == nil && stored.Check() == nil {
			rt.Fatalf("byte %d is damaged and nobody notices", at)
		}
		for i := range n {
			if p, err := ers.Path(stored, int64(i)); err == nil && !slices.EqualFunc(p, evidencetest.Path(t, tree, i), bytes.Equal) {
				rt.Fatalf("leaf %d: a wrong path from a damaged tree", i)
			}
		}
		if _, err := ers.OpenTree(bytes.NewReader(b.Bytes()[1:]), int64(b.Len()-1)); err == nil {
			rt.Fatal("a tree without its first byte opens")
		}
	})
}
