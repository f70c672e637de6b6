package ers_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

const million = 1_000_000

// leaves returns n leaf values, those of the objects at the front being real.
func leaves(t testing.TB, h algo.Hash, n int, objects []evidencetest.Object) []byte {
	t.Helper()
	all := make([]byte, 0, n*h.Size())
	for i := range n {
		if i < len(objects) {
			leaf, err := ers.Leaf(h, objects[i].Sums(h))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, leaf...)
			continue
		}
		all = append(all, h.Sum(binary.BigEndian.AppendUint64(nil, uint64(i)))...)
	}
	return all
}

// onDisk writes the tree of a batch and opens it again.
func onDisk(t testing.TB, tree *ers.Tree) (stored *ers.StoredTree, size int64) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "tree"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if size, err = tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	if stored, err = ers.OpenTree(f, size); err != nil {
		t.Fatal(err)
	}
	return stored, size
}

// TestMillion issues records on demand from the stored tree of a million
// objects (ERS-7): each below 50 ms, two hashes per leaf at most.
func TestMillion(t *testing.T) {
	if os.Getenv("MUNIMENT_TEST_LONG") == "" {
		t.Skip("long; MUNIMENT_TEST_LONG=1 runs it")
	}
	h := algo.SHA256
	w := evidencetest.New(t, tsa.Options{})
	var objects []evidencetest.Object
	for i := range 1000 {
		objects = append(objects, evidencetest.NewObject(i, 2+i%3))
	}
	all := leaves(t, h, million, objects)
	started := time.Now()
	tree, err := ers.NewTree(h, all)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("tree of %d leaves in %v", million, time.Since(started))
	stored, size := onDisk(t, tree)
	if perLeaf := float64(size) / million; perLeaf > 64.001 {
		t.Errorf("%.2f bytes per leaf", perLeaf)
	}
	token := w.Stamp(h, evidencetest.RootOf(t, stored))
	var records []*ers.Record
	slowest := time.Duration(0)
	for i, o := range objects {
		started := time.Now()
		r, err := ers.Initial(h, o.Sums(h), evidencetest.Path(t, stored, i), token)
		if err != nil {
			t.Fatal(err)
		}
		evidencetest.Marshal(t, r)
		slowest = max(slowest, time.Since(started))
		records = append(records, r)
	}
	t.Logf("slowest of 1000 records on demand: %v", slowest)
	if slowest > 50*time.Millisecond {
		t.Errorf("a record took %v", slowest)
	}
	evidencetest.Verified(t, w.Options(), objects, records)
}

func BenchmarkTree(b *testing.B) {
	all := leaves(b, algo.SHA256, million, nil)
	for b.Loop() {
		if _, err := ers.NewTree(algo.SHA256, all); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(million*float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}

func BenchmarkRecord(b *testing.B) {
	h := algo.SHA256
	w := evidencetest.New(b, tsa.Options{})
	o := evidencetest.NewObject(0, 2)
	tree, err := ers.NewTree(h, leaves(b, h, million, []evidencetest.Object{o}))
	if err != nil {
		b.Fatal(err)
	}
	stored, _ := onDisk(b, tree)
	token := w.Stamp(h, evidencetest.RootOf(b, stored))
	for b.Loop() {
		r, err := ers.Initial(h, o.Sums(h), evidencetest.Path(b, stored, 0), token)
		if err != nil {
			b.Fatal(err)
		}
		evidencetest.Marshal(b, r)
	}
}

// BenchmarkVerify verifies records of one batch of a million, as they lie in a
// bundle: different objects, one token.
func BenchmarkVerify(b *testing.B) {
	h := algo.SHA256
	w := evidencetest.New(b, tsa.Options{Scheme: algo.RSA})
	var objects []evidencetest.Object
	for i := range 1000 {
		o := evidencetest.NewObject(i, 2)
		o[0] = append(o[0], bytes.Repeat([]byte("mail "), 2000)...)
		objects = append(objects, o)
	}
	tree, err := ers.NewTree(h, leaves(b, h, million, objects))
	if err != nil {
		b.Fatal(err)
	}
	token := w.Stamp(h, evidencetest.RootOf(b, tree))
	var records [][]byte
	for i, o := range objects {
		r, err := ers.Initial(h, o.Sums(h), evidencetest.Path(b, tree, i), token)
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, evidencetest.Marshal(b, r))
	}
	o := w.Options()
	for _, cached := range []bool{true, false} {
		b.Run(map[bool]string{true: "cached", false: "uncached"}[cached], func(b *testing.B) {
			o.Cache = nil
			if cached {
				o.Cache = tsp.NewCache(100)
			}
			i := 0
			for b.Loop() {
				if r := ers.Verify(context.Background(), records[i%1000], objects[i%1000].Members(), o); r.Verdict != evidence.Valid {
					b.Fatalf("%+v", r.Findings)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
