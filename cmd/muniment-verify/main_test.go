package main

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
)

// TestLinksNothing: an auditor has to trust this program, so that it must not
// link the archive, a database or HTTP (VER-1).
func TestLinksNothing(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.FieldsSeq(string(out)) {
		ours, is := strings.CutPrefix(dep, "github.com/muniment/muniment/")
		if is && ours != "cmd/muniment-verify" && ours != "internal/trustlist" && ours != "internal/eventlog" && !strings.HasPrefix(ours, "internal/evidence") || dep == "net/http" || dep == "database/sql" {
			t.Errorf("links %s", dep)
		}
	}
}

func TestExitCodes(t *testing.T) {
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
		"valid":         {[]string{"--record", record, "--anchors", root, "--at", at, "--whole", one, two}, 0},
		"invalid":       {[]string{"--record", record, "--anchors", root, "--at", at, other}, 1},
		"indeterminate": {[]string{"--record", record, "--at", at, one}, 2},
		"no record":     {[]string{one}, 2},
		"missing file":  {[]string{"--record", filepath.Join(dir, "none"), one}, 2},
		"bad time":      {[]string{"--record", record, "--at", "soon", one}, 2},
		"bad flag":      {[]string{"--nothing"}, 2},
	} {
		var out, errs bytes.Buffer
		if got := run(c.args, &out, &errs); got != c.want {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, got, c.want, out.String(), errs.String())
		}
	}
}
