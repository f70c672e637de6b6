package seal_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
)

// leaves makes n leaves, the last identifier first.
func leaves(n int) ([]uid.ID, []byte) {
	ids, values := make([]uid.ID, n), []byte(nil)
	for i := range ids {
		ids[i] = uid.New(time.Unix(int64(2*n-i), 0))
		v := sha256.Sum256(ids[i][:])
		values = append(values, v[:]...)
	}
	return ids, values
}

// up computes the root that a path leads to (RFC 4998 §4.3).
func up(v []byte, path [][]byte) []byte {
	for _, s := range path {
		if bytes.Compare(v, s) > 0 {
			v, s = s, v
		}
		h := sha256.Sum256(append(append([]byte{}, v...), s...))
		v = h[:]
	}
	return v
}

func TestTree(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 5, 8, 13, 1000} {
		ids, values := leaves(n)
		wanted := map[uid.ID][]byte{}
		for i, id := range ids {
			wanted[id] = bytes.Clone(values[i*32:][:32])
		}
		tree, err := seal.Build(algo.SHA256, ids, values)
		if err != nil {
			t.Fatal(err)
		}
		tenant, batch := uid.New(time.Unix(1, 0)), uid.New(time.Unix(2, 0))
		r, size, err := tree.Encode(tenant, batch)
		if err != nil {
			t.Fatal(err)
		}
		root, err := tree.Root()
		if err != nil {
			t.Fatal(err)
		}
		object, err := io.ReadAll(r)
		if err != nil || int64(len(object)) != size {
			t.Fatalf("%d leaves: %d bytes, want %d, %v", n, len(object), size, err)
		}
		f, err := seal.OpenTree(bytes.NewReader(object), size, tenant, batch)
		if err != nil {
			t.Fatal(err)
		}
		for id, v := range wanted {
			leaf, found, err := f.Find(id)
			if err != nil || !found {
				t.Fatalf("%d leaves: %s not found, %v", n, id, err)
			}
			have, err := f.Value(leaf)
			if err != nil || !bytes.Equal(have, v) {
				t.Fatalf("%d leaves: value %x, want %x, %v", n, have, v, err)
			}
			path, err := ers.Path(f.Nodes(), leaf)
			if err != nil || !bytes.Equal(up(v, path), root) {
				t.Fatalf("%d leaves: the path of %d does not lead to the root, %v", n, leaf, err)
			}
		}
		if _, found, err := f.Find(uid.New(time.Unix(9999999, 0))); found || err != nil {
			t.Errorf("%d leaves: a stranger is found, %v", n, err)
		}
		if checked, err := f.Check(nil); err != nil || !bytes.Equal(checked, root) {
			t.Errorf("%d leaves: check: %x, %v", n, checked, err)
		}
		if n > 13 {
			continue
		}
		for i := range object { // every byte counts
			bad := bytes.Clone(object)
			bad[i] ^= 1
			f, err := seal.OpenTree(bytes.NewReader(bad), size, tenant, batch)
			if err == nil {
				_, err = f.Check(nil)
			}
			if !errors.Is(err, seal.ErrDamaged) {
				t.Fatalf("%d leaves: the change of byte %d is not found: %v", n, i, err)
			}
		}
	}
}

func TestTreeRefusesTwins(t *testing.T) {
	t.Parallel()
	ids, values := leaves(4)
	ids[3] = ids[0]
	if _, err := seal.Build(algo.SHA256, ids, values); err == nil {
		t.Error("a leaf that is there twice is taken")
	}
}

func TestBatchAndStamp(t *testing.T) {
	t.Parallel()
	b := &seal.Batch{ID: uid.New(time.Unix(9, 0)), Hash: algo.SHA256, CreatedAt: time.Unix(9, 0).UTC(), Oldest: time.Unix(8, 0).UTC()}
	for i := range 3 {
		v := sha256.Sum256([]byte{byte(i)})
		b.Trees = append(b.Trees, seal.TreeEntry{Tenant: uid.New(time.Unix(int64(i), 0)), Leaves: 1, Root: v[:]})
	}
	if err := b.Complete(); err != nil {
		t.Fatal(err)
	}
	nodes, err := b.Nodes()
	if err != nil {
		t.Fatal(err)
	}
	for i, tree := range b.Trees {
		path, err := ers.Path(nodes, int64(i))
		if err != nil || !bytes.Equal(up(tree.Root, path), b.Root) {
			t.Errorf("the path of tree %d does not lead to the root, %v", i, err)
		}
	}
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := seal.ParseBatch(data, b.ID); err != nil || again.Leaves() != 3 || !bytes.Equal(again.Root, b.Root) {
		t.Errorf("batch: %+v, %v", again, err)
	}
	s := &seal.Stamp{Batch: b.ID, Number: 1, Token: []byte{1, 2, 3}, Authority: "Test", Qualified: "unknown"}
	stamp, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := seal.ParseStamp(stamp, b.ID, 1); err != nil || !bytes.Equal(again.Token, s.Token) {
		t.Errorf("stamp: %+v, %v", again, err)
	}
	for i := range max(len(data), len(stamp)) {
		if i < len(data) {
			bad := bytes.Clone(data)
			bad[i] ^= 1
			if _, err := seal.ParseBatch(bad, b.ID); !errors.Is(err, seal.ErrDamaged) {
				t.Fatalf("batch: the change of byte %d is not found: %v", i, err)
			}
		}
		if i < len(stamp) {
			bad := bytes.Clone(stamp)
			bad[i] ^= 1
			if _, err := seal.ParseStamp(bad, b.ID, 1); !errors.Is(err, seal.ErrDamaged) {
				t.Fatalf("stamp: the change of byte %d is not found: %v", i, err)
			}
		}
	}
	if _, err := seal.ParseStamp(stamp, b.ID, 2); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("a stamp in the place of another: %v", err)
	}
}
