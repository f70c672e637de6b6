package offline_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsa"
)

// newMany is a bundle of several objects.
func newMany(t *testing.T, w *evidencetest.World, ids ...string) bundle {
	t.Helper()
	all := bundle{offline.ContentsFile: []byte("contents\n")}
	list := sha256.New()
	for i, id := range ids {
		folder := fmt.Sprintf("%s/%06d-%s", offline.ObjectsFolder, i+1, id)
		one := newBundle(t, w, id, []byte("message "+id))
		for name, b := range one {
			all[folder+"/"+name] = b
		}
		all[folder+"/"+offline.ReadmeFile] = []byte("how to verify it\n")
		sum := sha256.Sum256(one[offline.ManifestFile])
		list.Write(offline.ListLine(folder, id, hex.EncodeToString(sum[:])))
	}
	for name, v := range map[string]any{
		offline.ManyFile:     offline.Many{Version: offline.ManyVersion, Tenant: "tenant", Title: "all", Volume: 1},
		offline.CompleteFile: offline.Complete{Version: offline.ManyVersion, Objects: int64(len(ids)), Valid: int64(len(ids)), List: hex.EncodeToString(list.Sum(nil))},
	} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = b
	}
	var sums bytes.Buffer
	for _, name := range []string{offline.ManyFile, offline.ContentsFile, offline.CompleteFile} {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(all[name]), name)
	}
	return all.with(offline.SumsFile, sums.Bytes())
}

// TestMany: in a bundle of many objects each is verified, none may be missing or be
// another, and files that belong to none of them are told.
func TestMany(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	dir := t.TempDir()
	good := newMany(t, w, "one", "two", "three")
	root := write(t, filepath.Join(dir, "root.pem"), good["objects/000001-one/trust/anchors.pem"])
	swapped := good.with("objects/000001-one/original.eml", good["objects/000002-two/original.eml"]).with("objects/000002-two/original.eml", good["objects/000001-one/original.eml"])
	dropped := good
	for name := range good {
		if strings.HasPrefix(name, "objects/000002-two/") {
			dropped = dropped.without(name)
		}
	}
	for name, c := range map[string]struct {
		b    bundle
		want evidence.Verdict
		text string
	}{
		"as it is":           {good, evidence.Valid, "3 valid, 0 indeterminate, 0 invalid"},
		"originals swapped":  {swapped, evidence.Invalid, "1 valid, 0 indeterminate, 2 invalid"},
		"an object less":     {dropped, evidence.Invalid, string(offline.CodeObjects)},
		"cut off":            {good.without(offline.CompleteFile), evidence.Indeterminate, string(offline.CodeIncomplete)},
		"contents changed":   {good.with(offline.ContentsFile, []byte("x")), evidence.Invalid, string(offline.CodeSums)},
		"a file at the top":  {good.with("urgent.eml", []byte("x")), evidence.Valid, `"urgent.eml": no part of the bundle`},
		"a file in a folder": {good.with("objects/000002-two/fake.eml", []byte("x")), evidence.Valid, `"objects/000002-two/fake.eml": no part of the bundle`},
		"a folder of none":   {good.with("objects/000004-four/original.eml", []byte("x")), evidence.Valid, `"objects/000004-four/original.eml": no part of the bundle`},
		"a manifest of one":  {good.with("bundle.json", good["objects/000001-one/bundle.json"]), evidence.Valid, `"bundle.json": no part of the bundle`},
	} {
		for form, path := range map[string]string{"zip": c.b.zip(t, filepath.Join(dir, name+".zip")), "directory": c.b.unpack(t, filepath.Join(dir, name))} {
			r := offline.Request{Files: []string{path}, Anchors: []string{root}, At: w.Options().At, NoRevocation: true}
			var out bytes.Buffer
			v, err := offline.Verify(context.Background(), r, &out)
			if err != nil || v != c.want || !strings.Contains(out.String(), c.text) || name == "as it is" && strings.Contains(out.String(), string(offline.CodeUnlisted)) {
				t.Errorf("%s (%s): %v, %v\n%s", name, form, v, err, out.String())
			}
		}
	}
}
