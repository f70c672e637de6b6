package ers_test

import (
	"bytes"
	"context"
	"crypto/rand"
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

// world is a test authority with a clock that is set by hand.
type world struct {
	t         testing.TB
	authority *tsa.Authority
	mu        sync.Mutex
	now       time.Time
}

func newWorld(t testing.TB, o tsa.Options) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	o.Now = w.clock
	var err error
	if w.authority, err = tsa.New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// stamp returns a token with the CRL of the moment inside, as Enrich makes it.
func (w *world) stamp(h algo.Hash, imprint []byte) []byte {
	w.t.Helper()
	r, err := tsp.NewRequest(h, imprint, nil, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	crl, err := w.authority.CRL()
	if err != nil {
		w.t.Fatal(err)
	}
	w.authority.Alter = func(p *tsa.Parts) { p.CRLs = [][]byte{crl} }
	b, err := w.authority.Issue(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) options() ers.Options {
	return ers.Options{At: w.clock().Add(time.Second), Anchors: tsp.NewAnchors(certs(w.authority)), Whole: true}
}

// object is one archived version: its members.
type object [][]byte

func newObject(i, members int) object {
	var o object
	for m := range members {
		o = append(o, fmt.Appendf(nil, "object %d, member %d", i, m))
	}
	return o
}

func (o object) sums(h algo.Hash) (sums [][]byte) {
	for _, m := range o {
		sums = append(sums, h.Sum(m))
	}
	return sums
}

func (o object) members() (all []ers.Member) {
	for i, m := range o {
		all = append(all, ers.Member{Name: fmt.Sprint("member ", i), Data: ers.Bytes(m)})
	}
	return all
}

// treeOf returns the tree over the leaves.
func treeOf(t testing.TB, h algo.Hash, leaves [][]byte) *ers.Tree {
	t.Helper()
	tree, err := ers.NewTree(h, bytes.Join(leaves, nil))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func path(t testing.TB, n ers.Nodes, i int) [][]byte {
	t.Helper()
	p, err := ers.Path(n, int64(i))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func rootOf(t testing.TB, n ers.Nodes) []byte {
	t.Helper()
	b, err := ers.Root(n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seal stamps objects in one tree and returns their records.
func (w *world) seal(h algo.Hash, objects []object) []*ers.Record {
	w.t.Helper()
	var leaves [][]byte
	for _, o := range objects {
		leaf, err := ers.Leaf(h, o.sums(h))
		if err != nil {
			w.t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	tree := treeOf(w.t, h, leaves)
	token := w.stamp(h, rootOf(w.t, tree))
	var records []*ers.Record
	for i, o := range objects {
		r, err := ers.Initial(h, o.sums(h), path(w.t, tree, i), token)
		if err != nil {
			w.t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// renewStamps renews the last tokens of the records, each only once.
func (w *world) renewStamps(records []*ers.Record) []*ers.Record {
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
	tree := treeOf(w.t, h, leaves)
	token := w.stamp(h, rootOf(w.t, tree))
	var out []*ers.Record
	for _, r := range records {
		next, err := r.RenewStamp(path(w.t, tree, at[string(r.Last().Token)]), token)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, next)
	}
	return out
}

// renewTrees hashes all objects anew.
func (w *world) renewTrees(h algo.Hash, objects []object, records []*ers.Record) []*ers.Record {
	w.t.Helper()
	var leaves [][]byte
	for i, r := range records {
		leaf, _, err := r.RenewedLeaf(h, objects[i].sums(h))
		if err != nil {
			w.t.Fatal(err)
		}
		leaves = append(leaves, leaf)
	}
	tree := treeOf(w.t, h, leaves)
	token := w.stamp(h, rootOf(w.t, tree))
	var out []*ers.Record
	for i, r := range records {
		next, err := r.RenewTree(h, objects[i].sums(h), path(w.t, tree, i), token)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, next)
	}
	return out
}

func marshal(t testing.TB, r *ers.Record) []byte {
	t.Helper()
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// verified requires that the records are valid for their objects, for no others,
// and that they are read back as they were written.
func verified(t testing.TB, o ers.Options, objects []object, records []*ers.Record) {
	t.Helper()
	o.Cache = tsp.NewCache(1000)
	for i, r := range records {
		b := marshal(t, r)
		report := ers.Verify(context.Background(), b, objects[i].members(), o)
		if report.Verdict != evidence.Valid || report.Integrity != evidence.Valid {
			t.Fatalf("object %d: %v, %+v", i, report.Verdict, report.Findings)
		}
		if !report.Test {
			t.Error("a stamp of the test authority is not marked")
		}
		if other := objects[(i+1)%len(objects)]; len(objects) > 1 {
			if report := ers.Verify(context.Background(), b, other.members(), o); report.Verdict != evidence.Invalid || !report.Findings.Has(ers.CodeMember) {
				t.Fatalf("object %d with the data of another: %v", i, report.Verdict)
			}
		}
		part := objects[i].members()[1:]
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
		if again := marshal(t, back); !bytes.Equal(b, again) {
			t.Fatalf("object %d: the record is written differently after reading", i)
		}
	}
}
