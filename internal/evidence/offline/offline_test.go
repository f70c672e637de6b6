package offline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsa"
)

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRun(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	o := evidencetest.NewObject(1, 2)
	dir, trust := t.TempDir(), t.TempDir()
	record := write(t, filepath.Join(dir, "x.er"), evidencetest.Marshal(t, w.Seal(algo.SHA256, []evidencetest.Object{o})[0]))
	one, two := write(t, filepath.Join(dir, "one"), o[0]), write(t, filepath.Join(dir, "two"), o[1])
	other := write(t, filepath.Join(dir, "other"), []byte("other"))
	write(t, filepath.Join(trust, "root.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Authority.Root().Raw}))
	write(t, filepath.Join(trust, "README"), []byte("no certificate"))
	crl, err := w.Authority.CRL()
	if err != nil {
		t.Fatal(err)
	}
	list := write(t, filepath.Join(dir, "crl"), crl)
	at := w.Options().At
	for name, c := range map[string]struct {
		r    offline.Request
		want evidence.Verdict
		text string
	}{
		"whole":        {offline.Request{Record: record, Files: []string{one, two}, Anchors: []string{trust}, At: at, Whole: true}, evidence.Valid, "TEST AUTHORITY"},
		"odd file":     {offline.Request{Record: record, Files: []string{one, two}, Anchors: []string{trust}, At: at, Whole: true}, evidence.Valid, string(offline.CodeAnchor)},
		"with a CRL":   {offline.Request{Record: record, Files: []string{one, two}, Anchors: []string{trust}, Beside: []string{list}, At: at}, evidence.Valid, "unchanged since 2026-11-01 12:00:00 UTC"},
		"a part":       {offline.Request{Record: record, Files: []string{two}, Anchors: []string{trust}, At: at}, evidence.Valid, string(ers.CodePartial)},
		"not whole":    {offline.Request{Record: record, Files: []string{two}, Anchors: []string{trust}, At: at, Whole: true}, evidence.Invalid, string(ers.CodeGroup)},
		"other":        {offline.Request{Record: record, Files: []string{other}, Anchors: []string{trust}, At: at}, evidence.Invalid, "NOT covered"},
		"no anchors":   {offline.Request{Record: record, Files: []string{one}, At: at}, evidence.Indeterminate, "fit together"},
		"no data":      {offline.Request{Record: record, Anchors: []string{trust}, At: at}, evidence.Indeterminate, string(ers.CodeNoData)},
		"not a record": {offline.Request{Record: one, Files: []string{one}, Anchors: []string{trust}, At: at}, evidence.Invalid, string(ers.CodeMalformed)},
	} {
		var out bytes.Buffer
		if v, err := offline.Run(context.Background(), c.r, &out); err != nil || v != c.want || !strings.Contains(out.String(), c.text) {
			t.Errorf("%s: %v, %v\n%s", name, v, err, out.String())
		}
		c.r.JSON = true
		out.Reset()
		var r ers.Report
		if v, err := offline.Run(context.Background(), c.r, &out); err != nil || json.Unmarshal(out.Bytes(), &r) != nil || r.Verdict != v {
			t.Errorf("%s as JSON: %v\n%s", name, err, out.String())
		}
	}
	for name, r := range map[string]offline.Request{
		"no record":     {Record: filepath.Join(dir, "none")},
		"no anchor":     {Record: record, Anchors: []string{one}},
		"no directory":  {Record: record, Anchors: []string{filepath.Join(dir, "none")}},
		"beside: other": {Record: record, Beside: []string{other}},
	} {
		if v, err := offline.Run(context.Background(), r, &bytes.Buffer{}); !errors.Is(err, offline.ErrRequest) || v == evidence.Valid {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}
