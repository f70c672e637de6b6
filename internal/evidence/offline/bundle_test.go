package offline_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsa"
)

// bundle is the files of a bundle.
type bundle map[string][]byte

// with returns a copy with another file.
func (b bundle) with(name string, content []byte) bundle {
	c := maps.Clone(b)
	c[name] = content
	return c
}

func (b bundle) without(name string) bundle {
	c := maps.Clone(b)
	delete(c, name)
	return c
}

// replaced returns a copy in whose file a text stands in the place of another.
func (b bundle) replaced(name, old, new string) bundle {
	return b.with(name, bytes.Replace(b[name], []byte(old), []byte(new), 1))
}

func (b bundle) zip(t *testing.T, path string) string {
	t.Helper()
	return write(t, path, b.zipped(t))
}

func (b bundle) unpack(t *testing.T, dir string) string {
	t.Helper()
	for name, content := range b {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, content)
	}
	return dir
}

// newBundle seals an original with its metadata.
func newBundle(t *testing.T, w *evidencetest.World, aoid string, original []byte) bundle {
	t.Helper()
	md := &evidence.Metadata{AOID: aoid, Version: 1, Tenant: "tenant", Arrived: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Salt: [evidence.SaltSize]byte{1},
		Members: []evidence.MetadataSum{{Name: "original", Size: int64(len(original)), SHA512: sha512.Sum512(original)}}}
	metadata, err := md.Encode()
	if err != nil {
		t.Fatal(err)
	}
	record := evidencetest.Marshal(t, w.Seal(algo.SHA256, []evidencetest.Object{{original, metadata}, evidencetest.NewObject(7, 2)})[0])
	member := func(name, file string, b []byte) map[string]any {
		sum := sha256.Sum256(b)
		return map[string]any{"name": name, "file": file, "size": len(b), "sha256": hex.EncodeToString(sum[:])}
	}
	manifest, err := json.Marshal(map[string]any{"v": 1, "aoid": aoid, "tenant": "tenant", "record": "evidence.er", "anchors": "trust/anchors.pem",
		"members": []any{member("original", "original.eml", original), member("metadata", "metadata.json", metadata)}})
	if err != nil {
		t.Fatal(err)
	}
	return bundle{"bundle.json": manifest, "evidence.er": record, "original.eml": original, "metadata.json": metadata,
		"trust/anchors.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Authority.Root().Raw})}
}

// withheld is without the member metadata; extra goes into the manifest.
func (b bundle) withheld(extra string) bundle {
	m := string(b["bundle.json"])
	from := strings.Index(m, `,{"file":"metadata.json"`)
	to := from + strings.Index(m[from:], "}") + 1
	return b.with("bundle.json", []byte("{"+extra+m[1:from]+m[to:]))
}

func TestBundles(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	dir := t.TempDir()
	good, other := newBundle(t, w, "one", []byte("one")), newBundle(t, w, "two", []byte("two"))
	root := write(t, filepath.Join(dir, "root.pem"), good["trust/anchors.pem"])
	for name, c := range map[string]struct {
		b    bundle
		own  bool
		want evidence.Verdict
		text string
	}{
		"as it is":           {good, false, evidence.Valid, "unchanged since"},
		"own anchors":        {good, true, evidence.Indeterminate, string(offline.CodeOwnAnchors)},
		"other original":     {good.with("original.eml", []byte("two")), false, evidence.Invalid, "NOT covered"},
		"other record":       {good.with("evidence.er", other["evidence.er"]), false, evidence.Invalid, "NOT covered"},
		"other object":       {good.replaced("bundle.json", `"aoid":"one"`, `"aoid":"two"`), false, evidence.Invalid, string(offline.CodeMetadata)},
		"other tenant":       {good.replaced("bundle.json", `"tenant":"tenant"`, `"tenant":"another"`), false, evidence.Invalid, string(offline.CodeMetadata)},
		"other size":         {good.replaced("bundle.json", `"size":3`, `"size":4`), false, evidence.Invalid, string(offline.CodeManifest)},
		"withheld, not told": {good.withheld(""), false, evidence.Invalid, "group-incomplete"},
		"withheld":           {good.withheld(`"withheld":["metadata"],`), false, evidence.Valid, string(offline.CodeWithheld)},
	} {
		for form, path := range map[string]string{"zip": c.b.zip(t, filepath.Join(dir, name+".zip")), "directory": c.b.unpack(t, filepath.Join(dir, name))} {
			r := offline.Request{Files: []string{path}, Anchors: []string{root}, At: w.Options().At, NoRevocation: true}
			if c.own {
				r.Anchors = nil
			}
			var out bytes.Buffer
			if v, err := offline.Verify(context.Background(), r, &out); err != nil || v != c.want || !strings.Contains(out.String(), c.text) {
				t.Errorf("%s (%s): %v, %v\n%s", name, form, v, err, out.String())
			}
		}
	}
	both := offline.Request{Files: []string{good.zip(t, filepath.Join(dir, "a.zip")), good.with("original.eml", []byte("x")).zip(t, filepath.Join(dir, "b.zip"))},
		Anchors: []string{root}, At: w.Options().At, NoRevocation: true, JSON: true}
	var out bytes.Buffer
	v, err := offline.Verify(context.Background(), both, &out)
	var told struct {
		Verdict evidence.Verdict
		Bundles []struct{ AOID string }
	}
	if err != nil || v != evidence.Invalid || json.Unmarshal(out.Bytes(), &told) != nil || told.Verdict != v || len(told.Bundles) != 2 || told.Bundles[1].AOID != "one" {
		t.Errorf("two as JSON: %v, %v\n%s", v, err, out.String())
	}
	for name, b := range map[string]bundle{
		"empty":           {},
		"no manifest":     good.without("bundle.json"),
		"no record":       good.without("evidence.er"),
		"no original":     good.without("original.eml"),
		"unknown field":   good.replaced("bundle.json", `"v":1`, `"v":1,"x":1`),
		"another version": good.replaced("bundle.json", `"v":1`, `"v":2`),
		"leads out":       good.replaced("bundle.json", `"evidence.er"`, `"../root.pem"`),
		"absolute":        good.replaced("bundle.json", `"evidence.er"`, `"/etc/passwd"`),
		"no JSON":         good.with("bundle.json", []byte("{")),
	} {
		for _, path := range []string{b.zip(t, filepath.Join(dir, "bad.zip")), b.unpack(t, t.TempDir())} {
			if v, err := offline.Verify(context.Background(), offline.Request{Files: []string{path}, Anchors: []string{root}}, &bytes.Buffer{}); v == evidence.Valid || err == nil && v != evidence.Invalid {
				t.Errorf("%s: %v, %v", name, v, err)
			}
		}
	}
	if _, err := offline.Verify(context.Background(), offline.Request{Files: []string{root}}, &bytes.Buffer{}); !errors.Is(err, offline.ErrRequest) {
		t.Errorf("what is no bundle: %v", err)
	}
}
