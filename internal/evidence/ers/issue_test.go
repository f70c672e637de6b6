package ers_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

func certs(a *tsa.Authority) []*x509.Certificate { return []*x509.Certificate{a.Root()} }

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
				w := newWorld(t, tsa.Options{Scheme: scheme})
				var objects []object
				for i := range size {
					objects = append(objects, newObject(i, 2+i%3))
				}
				records := w.seal(algo.SHA256, objects)
				if first := w.seal(algo.SHA256, objects[:1]); size > 1 {
					records[0] = first[0] // one object of another batch, so that there are two tokens to renew
				}
				verified(t, w.options(), objects, records)
				for round := range 4 {
					w.pass(time.Hour)
					if round%2 == 0 {
						records = w.renewStamps(records)
					} else {
						records = w.renewTrees([]algo.Hash{algo.SHA512, algo.SHA3_256}[round/2], objects, records)
					}
					verified(t, w.options(), objects, records)
				}
			})
		}
	}
}

// TestDeterministic: the same batch yields the same bytes (ERS-8).
func TestDeterministic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tsa.Options{})
	o := newObject(1, 4)
	leaf, err := ers.Leaf(algo.SHA256, o.sums(algo.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	token := w.stamp(algo.SHA256, leaf)
	sums := o.sums(algo.SHA256)
	var first []byte
	for range 24 {
		r, err := ers.Initial(algo.SHA256, sums, nil, token)
		if err != nil {
			t.Fatal(err)
		}
		if b := marshal(t, r); first == nil {
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
	w := newWorld(t, tsa.Options{})
	tenants := [][]object{{newObject(1, 2)}, {newObject(2, 2), newObject(3, 3), newObject(4, 2)}, {newObject(5, 2), newObject(6, 2)}}
	var trees []*ers.Tree
	var roots [][]byte
	for _, objects := range tenants {
		var leaves [][]byte
		for _, o := range objects {
			leaf, err := ers.Leaf(h, o.sums(h))
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leaf)
		}
		trees = append(trees, treeOf(t, h, leaves))
		roots = append(roots, rootOf(t, trees[len(trees)-1]))
	}
	upper := treeOf(t, h, roots)
	token := w.stamp(h, rootOf(t, upper))
	for n, objects := range tenants {
		var records []*ers.Record
		for i, o := range objects {
			r, err := ers.Initial(h, o.sums(h), append(path(t, trees[n], i), path(t, upper, n)...), token)
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, r)
			for other, theirs := range tenants {
				for _, x := range theirs {
					for _, sum := range x.sums(h) {
						if other != n && bytes.Contains(marshal(t, r), sum) {
							t.Errorf("a record of tenant %d holds a member's hash of tenant %d", n, other)
						}
					}
				}
			}
		}
		o := w.options()
		for i, r := range records {
			if report := ers.Verify(context.Background(), marshal(t, r), objects[i].members(), o); report.Verdict != evidence.Valid {
				t.Errorf("tenant %d: %+v", n, report.Findings)
			}
		}
	}
}

// TestIssueRefuses: worthless records are not made.
func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tsa.Options{})
	h := algo.SHA256
	o := newObject(1, 2)
	leaf, err := ers.Leaf(h, o.sums(h))
	if err != nil {
		t.Fatal(err)
	}
	token := w.stamp(h, leaf)
	if _, err := ers.Initial(h, o.sums(h)[:1], nil, token); err == nil {
		t.Error("a group of one member passed")
	}
	if _, err := ers.Initial(h, o.sums(h), [][]byte{leaf}, token); !errors.Is(err, ers.CodeRoot) {
		t.Errorf("wrong sibling: %v", err)
	}
	if _, err := ers.Initial(algo.SHA512, o.sums(algo.SHA512), nil, token); !errors.Is(err, ers.CodeHashMismatch) {
		t.Errorf("another hash: %v", err)
	}
	if _, err := ers.Initial(h, o.sums(h), nil, token[:len(token)-1]); !errors.Is(err, tsp.CodeMalformed) {
		t.Errorf("broken token: %v", err)
	}
	r, err := ers.Initial(h, o.sums(h), nil, token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.RenewStamp(nil, token); !errors.Is(err, ers.CodeRenewal) {
		t.Errorf("renewed by a token that covers something else: %v", err)
	}
	if _, err := r.RenewTree(algo.SHA512, o.sums(algo.SHA512), nil, token); err == nil {
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
		tree := treeOf(t, h, leaves)
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
			want, got := path(t, tree, i), path(t, stored, i)
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
			if p, err := ers.Path(stored, int64(i)); err == nil && !slices.EqualFunc(p, path(t, tree, i), bytes.Equal) {
				rt.Fatalf("leaf %d: a wrong path from a damaged tree", i)
			}
		}
		if _, err := ers.OpenTree(bytes.NewReader(b.Bytes()[1:]), int64(b.Len()-1)); err == nil {
			rt.Fatal("a tree without its first byte opens")
		}
	})
}
