package main

import (
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// The benchmark measures the verifier with a bundle that it makes itself: it
// must keep to the format.
func TestBundleIsValid(t *testing.T) {
	t.Parallel()
	const objects = 4
	var leaves []byte
	for i := range objects {
		leaf, err := ers.Leaf(algo.SHA256, sums(object(i), algo.SHA256))
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leaf...)
	}
	dir := t.TempDir()
	var x batch
	if err := x.seal(filepath.Join(dir, "tree"), algo.SHA256, leaves); err != nil {
		t.Fatal(err)
	}
	records := make([][]byte, objects)
	if err := x.issue(algo.SHA256, records); err != nil {
		t.Fatal(err)
	}
	file, anchors := filepath.Join(dir, "many.zip"), filepath.Join(dir, "root.pem")
	if err := os.WriteFile(anchors, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.root.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := x.bundle(file, records); err != nil {
		t.Fatal(err)
	}
	r := offline.Request{Files: []string{file}, Anchors: []string{anchors}, At: time.Now().Add(time.Minute)}
	if v, err := offline.Verify(t.Context(), r, io.Discard); err != nil || v != evidence.Valid {
		t.Errorf("the bundle is %v, %v", v, err)
	}
}
