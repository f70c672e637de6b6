package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
)

// TestVerify: the exit code is the verdict, also where something cannot be read.
func TestVerify(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	o := evidencetest.NewObject(1, 2)
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	record := put("x.er", evidencetest.Marshal(t, w.Seal(algo.SHA256, []evidencetest.Object{o})[0]))
	one, two, other := put("one", o[0]), put("two", o[1]), put("other", []byte("other"))
	root := put("root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Authority.Root().Raw}))
	at := w.Options().At.Format(time.RFC3339)
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"valid":         {[]string{"--anchors", root, "--at", at, "--whole", "--json", one, two}, 0},
		"invalid":       {[]string{"--anchors", root, "--at", at, "--json", other}, 1},
		"indeterminate": {[]string{"--at", at, "--json", one}, 2},
	} {
		var out, errs bytes.Buffer
		if got := run(append([]string{"verify", "--record", record}, c.args...), &out, &errs); got != c.want || !json.Valid(out.Bytes()) {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, got, c.want, out.String(), errs.String())
		}
	}
	var out, errs bytes.Buffer
	if got := run([]string{"verify", "--record", filepath.Join(dir, "none"), one}, &out, &errs); got != 2 || out.Len() > 0 || errs.Len() == 0 {
		t.Errorf("no record: exit code %d, %s", got, out.String())
	}
}
