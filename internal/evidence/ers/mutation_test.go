package ers_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// meaning is what a report says, without what an attacker may change without
// harm: which revocation data are there.
func meaning(r *ers.Report) ers.Report {
	m := *r
	m.Findings = nil
	m.Stamps = append([]ers.StampReport(nil), r.Stamps...)
	for i := range m.Stamps {
		m.Stamps[i].Path = nil
	}
	return m
}

// TestMutation flips every byte of a record of three chains in turn, in three
// ways. What is still valid must say the same as before (VER-2).
func TestMutation(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	objects := []evidencetest.Object{evidencetest.NewObject(1, 2), evidencetest.NewObject(2, 3), evidencetest.NewObject(3, 2)}
	records := w.Seal(algo.SHA256, objects)
	w.Pass(time.Hour)
	records = w.RenewStamps(records)
	w.Pass(time.Hour)
	records = w.RenewTrees(algo.SHA512, objects, records)
	b := evidencetest.Marshal(t, records[1])
	o := w.Options()
	whole := ers.Verify(context.Background(), b, objects[1].Members(), o)
	if whole.Verdict != evidence.Valid {
		t.Fatalf("%+v", whole.Findings)
	}
	// The last token holds a copy of the root, which is taken from the anchors.
	root := w.Authority.Root().Raw
	copied := bytes.LastIndex(b, root)
	o.Cache = tsp.NewCache(8)
	flips := []byte{0x01}
	if os.Getenv("MUNIMENT_TEST_LONG") != "" {
		flips = []byte{0x01, 0x80, 0xff}
	}
	harmless, inRoot := 0, 0
	for i := range b {
		for _, flip := range flips {
			bad := bytes.Clone(b)
			bad[i] ^= flip
			r := ers.Verify(context.Background(), bad, objects[1].Members(), o)
			if r.Verdict != evidence.Valid {
				continue
			}
			if diff := cmp.Diff(meaning(whole), meaning(r)); diff != "" {
				t.Errorf("byte %d (%02x instead of %02x): valid with another meaning: %s", i, bad[i], b[i], diff)
			}
			if i >= copied && i < copied+len(root) {
				inRoot++
			} else {
				harmless++
				t.Logf("byte %d: %02x instead of %02x is harmless", i, bad[i], b[i])
			}
		}
	}
	t.Logf("%d bytes; of %d changes %d in the copy of the root and %d elsewhere leave the record valid with the same meaning", len(b), len(b)*len(flips), inRoot, harmless)
	if harmless > 20*len(flips) { // list of algorithms and version in the last token, which nobody signs
		t.Error("too many changes are harmless")
	}
	// Every byte of the data.
	for m := range objects[1] {
		for i := range objects[1][m] {
			changed := evidencetest.NewObject(2, 3)
			changed[m][i] ^= 1
			if r := ers.Verify(context.Background(), b, changed.Members(), o); r.Verdict != evidence.Invalid {
				t.Fatalf("member %d, byte %d: %v", m, i, r.Verdict)
			}
		}
	}
}

func FuzzVerify(f *testing.F) {
	w := evidencetest.New(f, tsa.Options{})
	objects := []evidencetest.Object{evidencetest.NewObject(1, 2), evidencetest.NewObject(2, 3)}
	records := w.Seal(algo.SHA256, objects)
	f.Add(evidencetest.Marshal(f, records[0]))
	w.Pass(time.Hour)
	records = w.RenewTrees(algo.SHA512, objects, w.RenewStamps(records))
	f.Add(evidencetest.Marshal(f, records[1]))
	o := w.Options()
	o.Basis, o.Cache = true, tsp.NewCache(8)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := ers.Verify(context.Background(), b, evidencetest.NewObject(77, 2).Members(), o)
		if r.Verdict == evidence.Valid {
			t.Error("valid for data that nobody has stamped")
		}
	})
}

func FuzzOpenTree(f *testing.F) {
	tree := evidencetest.TreeOf(f, algo.SHA256, [][]byte{make([]byte, 32), make([]byte, 32), make([]byte, 32)})
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(_ *testing.T, b []byte) {
		if tree, err := ers.OpenTree(bytes.NewReader(b), int64(len(b))); err == nil {
			_, _ = ers.Path(tree, tree.Leaves()-1)
			_ = tree.Check()
		}
	})
}
