package offline_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsa"
)

// entry is a file of a ZIP file, written as it says.
type entry struct {
	zip.FileHeader
	content string
}

// zipped writes the bundle, its files in the order of their names, and then more entries.
func (b bundle) zipped(t *testing.T, more ...entry) []byte {
	t.Helper()
	var all []entry
	for name, content := range b {
		all = append(all, entry{zip.FileHeader{Name: name, Method: zip.Deflate}, string(content)})
	}
	slices.SortFunc(all, func(x, y entry) int { return strings.Compare(x.Name, y.Name) })
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range append(all, more...) {
		f, err := z.CreateHeader(&e.FileHeader)
		if err == nil {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// plain writes the bundle as most programs do: lengths before the contents, no descriptors.
func (b bundle) plain(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	if _, err := z.CreateHeader(&zip.FileHeader{Name: "trust/"}); err != nil {
		t.Fatal(err)
	}
	for name, content := range b {
		f, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: uint64(len(content)),
			UncompressedSize64: uint64(len(content)), Extra: []byte{0xfe, 0xca, 0, 0}})
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestZIP: a ZIP file from which somebody could unpack other files than those that were
// verified is not verified at all.
func TestZIP(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	dir := t.TempDir()
	good, other := newBundle(t, w, "one", []byte("one")), newBundle(t, w, "two", []byte("two"))
	root := write(t, filepath.Join(dir, "root.pem"), good["trust/anchors.pem"])
	file := func(name string) entry { return entry{zip.FileHeader{Name: name, Method: zip.Deflate}, "fake"} }
	link := file("link")
	link.SetMode(fs.ModeSymlink | 0o777)
	raw := good.zipped(t)
	// edited returns the file with a text in place of the nth occurrence of another of
	// equal length.
	edited := func(old, with string, n int) []byte {
		b := bytes.Clone(raw)
		at := 0
		for range n {
			at += 1 + bytes.Index(b[at:], []byte(old))
		}
		copy(b[at-1:], with)
		return b
	}
	// after returns the file with bytes behind the contents of the last file, and a
	// directory that knows where it is now.
	after := func(more string) []byte {
		at := bytes.Index(raw, []byte("PK\x01\x02"))
		b := slices.Concat(raw[:at], []byte(more), raw[at:])
		end := b[len(b)-22:]
		binary.LittleEndian.PutUint32(end[16:], binary.LittleEndian.Uint32(end[16:])+uint32(len(more)))
		return b
	}
	comment := append(bytes.Clone(raw), "hello"...)
	comment[len(raw)-2] = 5
	for name, c := range map[string]struct {
		raw  []byte
		want string // empty: it is verified
	}{
		"as it is":                {raw, ""},
		"without descriptors":     {good.plain(t), ""},
		"another file":            {good.zipped(t, file("notes.txt")), ""},
		"twice the same":          {good.zipped(t, file("original.eml")), "twice"},
		"twice the manifest":      {good.zipped(t, entry{zip.FileHeader{Name: "bundle.json"}, string(other["bundle.json"])}), "twice"},
		"twice, not listed":       {good.zipped(t, file("x"), file("x")), "twice"},
		"other case":              {good.zipped(t, file("Original.EML")), "twice"},
		"point at the end":        {good.zipped(t, file("original.eml.")), "twice"},
		"space at the end":        {good.zipped(t, file("trust /anchors.pem")), "twice"},
		"here":                    {good.zipped(t, file("./original.eml")), "the name"},
		"above":                   {good.zipped(t, file("../original.eml")), "the name"},
		"by way of above":         {good.zipped(t, file("trust/../original.eml")), "the name"},
		"absolute":                {good.zipped(t, file("/original.eml")), "the name"},
		"backslash":               {good.zipped(t, file(`trust\anchors.pem`)), "the name"},
		"zero byte":               {good.zipped(t, file("original.eml\x00")), "the name"},
		"no name":                 {good.zipped(t, file("")), "the name"},
		"file and folder":         {good.zipped(t, file("original.eml/x")), "a folder"},
		"folder and file":         {good.zipped(t, entry{zip.FileHeader{Name: "original.eml/"}, ""}), "a folder"},
		"symbolic link":           {good.zipped(t, link), "no file"},
		"the same file before it": {slices.Concat(raw, raw), "it"},
		"another file before it":  {slices.Concat(other.zipped(t), raw), "it"},
		"another file behind it":  {slices.Concat(raw, other.zipped(t)), "it"},
		"something before it":     {slices.Concat([]byte("#!/bin/sh\n"), raw), "should be"},
		"something behind it":     {append(bytes.Clone(raw), 0), "behind"},
		"comment":                 {comment, "behind"},
		"bytes of no file":        {after("nothing"), "no file"},
		"file of no directory":    {after(string(raw[:bytes.Index(raw, []byte("PK\x01\x02"))])), "no file"},
		"other name before it":    {edited("original.eml", "0riginal.eml", 1), "should be"},
		"other name behind it":    {edited("original.eml", "0riginal.eml", 2), "should be"},
		"method differs":          {edited("PK\x03\x04\x14\x00\x08\x00\x08", "PK\x03\x04\x14\x00\x08\x00\x00", 1), "should be"},
	} {
		path := write(t, filepath.Join(dir, "bundle.zip"), c.raw)
		var out bytes.Buffer
		v, err := offline.Verify(context.Background(), offline.Request{Files: []string{path}, Anchors: []string{root}, At: w.Options().At, NoRevocation: true}, &out)
		switch {
		case c.want == "" && (err != nil || v != evidence.Valid):
			t.Errorf("%s: %v, %v\n%s", name, v, err, out.String())
		case c.want != "" && (!errors.Is(err, offline.ErrRequest) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, %v\n%s", name, v, err, out.String())
		}
	}
}

// TestManifestClaims: what the manifest says of time stamps is what the record holds, and
// nothing in it is said twice.
func TestManifestClaims(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	dir := t.TempDir()
	good, other := newBundle(t, w, "one", []byte("one")), newBundle(t, w, "two", []byte("two"))
	root := write(t, filepath.Join(dir, "root.pem"), good["trust/anchors.pem"])
	record, err := ers.ParseRecord(good["evidence.er"])
	if err != nil {
		t.Fatal(err)
	}
	strange, err := ers.ParseRecord(other["evidence.er"])
	if err != nil {
		t.Fatal(err)
	}
	token := good.with("token.tst", record.Chains[0][0].Token)
	verify := func(b bundle) (evidence.Verdict, string, error) {
		var out bytes.Buffer
		v, err := offline.Verify(context.Background(), offline.Request{Files: []string{b.zip(t, filepath.Join(dir, "b.zip"))}, Anchors: []string{root}, At: w.Options().At, NoRevocation: true}, &out)
		return v, out.String(), err
	}
	told := func(b bundle, more string) bundle { return b.replaced("bundle.json", `"v":1`, `"v":1,`+more) }
	for name, c := range map[string]struct {
		b    bundle
		want evidence.Verdict
	}{
		"its token":        {told(token, tokenClaim(t, w, record)), evidence.Valid},
		"another token":    {told(token.with("token.tst", strange.Chains[0][0].Token), tokenClaim(t, w, record)), evidence.Invalid},
		"not qualified":    {told(token, `"qualified":"no","test":true,"tokens":[]`), evidence.Valid},
		"called qualified": {told(token, `"qualified":"yes","test":true,"tokens":[]`), evidence.Invalid},
	} {
		if v, out, err := verify(c.b); err != nil || v != c.want {
			t.Errorf("%s: %v, %v\n%s", name, v, err, out)
		}
	}
	for name, b := range map[string]bundle{
		"a name twice":     told(good, `"aoid":"two"`),
		"two values":       good.with("bundle.json", append(bytes.Clone(good["bundle.json"]), " {}"...)),
		"bytes behind":     good.with("bundle.json", append(bytes.Clone(good["bundle.json"]), 'x')),
		"a member twice":   good.replaced("bundle.json", `"file":"metadata.json"`, `"file":"original.eml"`),
		"token is missing": told(good, tokenClaim(t, w, record)),
		"token, leads out": told(token, strings.Replace(tokenClaim(t, w, record), "token.tst", "../token.tst", 1)),
		"token, no such":   told(token, strings.Replace(tokenClaim(t, w, record), "token.tst", "x", 1)),
	} {
		if v, out, err := verify(b); v == evidence.Valid || !errors.Is(err, offline.ErrRequest) {
			t.Errorf("%s: %v, %v\n%s", name, v, err, out)
		}
	}
}

// tokenClaim is what a manifest says of the only time stamp of a record.
func tokenClaim(t *testing.T, w *evidencetest.World, r *ers.Record) string {
	t.Helper()
	report := ers.Verify(context.Background(), evidencetest.Marshal(t, r), nil, w.Options())
	b, err := json.Marshal([]offline.ManifestToken{{File: "token.tst", GenTime: report.Proven}})
	if err != nil {
		t.Fatal(err)
	}
	return `"test":true,"tokens":` + string(b)
}
