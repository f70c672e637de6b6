// Package evidencetest makes evidence for tests: a test authority with a clock
// that is set by hand, objects, their records, and a small archive that lives
// through decades. Nothing of it may be linked into the program.
package evidencetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// World is a test authority with a clock that is set by hand.
type World struct {
	t         testing.TB
	Authority *tsa.Authority
	mu        sync.Mutex
	now       time.Time
}

// New returns a world that begins on 1 November 2026.
func New(t testing.TB, o tsa.Options) *World {
	t.Helper()
	w := &World{t: t, now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = w.Clock
	var err error
	if w.Authority, err = tsa.New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

// Clock returns the time of the world.
func (w *World) Clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Pass lets time pass.
func (w *World) Pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Stamp returns a token with the CRL of the moment inside, as Enrich makes it.
func (w *World) Stamp(h algo.Hash, imprint []byte) []byte {
	w.t.Helper()
	r, err := tsp.NewRequest(h, imprint, nil, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	crl, err := w.Authority.CRL()
	if err != nil {
		w.t.Fatal(err)
	}
	w.Authority.Alter = func(p *tsa.Parts) { p.CRLs = [][]byte{crl} }
	b, err := w.Authority.Issue(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// Options are those of a verification now, for whole groups.
func (w *World) Options() ers.Options {
	return ers.Options{At: w.Clock().Add(time.Second), Anchors: tsp.NewAnchors([]*x509.Certificate{w.Authority.Root()}), Whole: true}
}

// Object is one archived version: its members.
type Object [][]byte

// NewObject returns the i-th object, with that many members.
func NewObject(i, members int) Object {
	var o Object
	for m := range members {
		o = append(o, fmt.Appendf(nil, "object %d, member %d", i, m))
	}
	return o
}

// Sums returns the hashes of the members.
func (o Object) Sums(h algo.Hash) (sums [][]byte) {
	for _, m := range o {
		sums = append(sums, h.Sum(m))
	}
	return sums
}

// Members returns the members as the verifier takes them.
func (o Object) Members() (all []ers.Member) {
	for i, m := range o {
		all = append(all, ers.Member{Name: fmt.Sprint("member ", i), Data: ers.Bytes(m)})
	}
	return all
}

// TreeOf returns the tree over the leaves.
func TreeOf(t testing.TB, h algo.Hash, leaves [][]byte) *ers.Tree {
	t.Helper()
	tree, err := ers.NewTree(h, bytes.Join(leaves, nil))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// Path is ers.Path.
func Path(t testing.TB, n ers.Nodes, i int) [][]byte {
	t.Helper()
	p, err := ers.Path(n, int64(i))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// RootOf is ers.Root.
func RootOf(t testing.TB, n ers.Nodes) []byte {
	t.Helper()
	b, err := ers.Root(n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Seal stamps objects in one tree and returns their records.
func (w *World) Seal(h algo.Hash, objects []Object) []*ers.Record {
	w.t.Helper()
	var leaves [][]byte
	for _, o := range objects {
		leaf, err := ers.Leaf(h, o.Sums(h))
		if err != nil {
			w.t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	tree := TreeOf(w.t, h, leaves)
	token := w.Stamp(h, RootOf(w.t, tree))
	var records []*ers.Record
	for i, o := range objects {
		r, err := ers.Initial(h, o.Sums(h), Path(w.t, tree, i), token)
		if err != nil {
			w.t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// RenewStamps renews the last tokens of the records, each only once.
func (w *World) RenewStamps(records []*ers.Record) []*ers.Record {
	w.t.Helper()
	h := records[0].Last().Hash
	var leaves [][]byte
	at := map[string]int{}
	for _, r := range records {
		token := r.Last().Token
		if _, known := at[string(token)]; !known {
			at[string(token)] = len(leaves)
			leaves = append(leaves, ers.TokenLeaf(h, token))
		}
	}
	tree := TreeOf(w.t, h, leaves)
	token := w.Stamp(h, RootOf(w.t, tree))
	var out []*ers.Record
	for _, r := range records {
		next, err := r.RenewStamp(Path(w.t, tree, at[string(r.Last().Token)]), token)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, next)
	}
	return out
}

// RenewTrees hashes all objects anew.
func (w *World) RenewTrees(h algo.Hash, objects []Object, records []*ers.Record) []*ers.Record {
	w.t.Helper()
	var leaves [][]byte
	for i, r := range records {
		leaf, _, err := r.RenewedLeaf(h, objects[i].Sums(h))
		if err != nil {
			w.t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	tree := TreeOf(w.t, h, leaves)
	token := w.Stamp(h, RootOf(w.t, tree))
	var out []*ers.Record
	for i, r := range records {
		next, err := r.RenewTree(h, objects[i].Sums(h), Path(w.t, tree, i), token)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, next)
	}
	return out
}

// Marshal is Record.Marshal.
func Marshal(t testing.TB, r *ers.Record) []byte {
	t.Helper()
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Verified requires that the records are valid for their objects, for no others,
// and that they are read back as they were written.
func Verified(t testing.TB, o ers.Options, objects []Object, records []*ers.Record) {
	t.Helper()
	o.Cache = tsp.NewCache(1000)
	for i, r := range records {
		if i > 5 && i < len(records)-5 && i%50 != 0 {
			continue // of the large batches a sample
		}
		b := Marshal(t, r)
		report := ers.Verify(context.Background(), b, objects[i].Members(), o)
		if report.Verdict != evidence.Valid || report.Integrity != evidence.Valid {
			t.Fatalf("object %d: %v, %+v", i, report.Verdict, report.Findings)
		}
		if !report.Test {
			t.Error("a stamp of the test authority is not marked")
		}
		if other := objects[(i+1)%len(objects)]; len(objects) > 1 {
			if report := ers.Verify(context.Background(), b, other.Members(), o); report.Verdict != evidence.Invalid || !report.Findings.Has(ers.CodeMember) {
				t.Fatalf("object %d with the data of another: %v", i, report.Verdict)
			}
		}
		part := objects[i].Members()[1:]
		if report := ers.Verify(context.Background(), b, part, o); report.Verdict != evidence.Invalid || !report.Findings.Has(ers.CodeGroup) {
			t.Fatalf("object %d in part: %v", i, report.Verdict)
		}
		loose := o
		loose.Whole = false
		if report := ers.Verify(context.Background(), b, part, loose); report.Verdict != evidence.Valid || !report.Findings.Has(ers.CodePartial) {
			t.Fatalf("object %d in part, which is allowed: %v", i, report.Verdict)
		}
		back, err := ers.ParseRecord(b)
		if err != nil {
			t.Fatal(err)
		}
		if again := Marshal(t, back); !bytes.Equal(b, again) {
			t.Fatalf("object %d: the record is written differently after reading", i)
		}
	}
}
