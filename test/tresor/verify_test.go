package tresor

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// sound has the archive examine itself.
func (w *world) sound(t *testing.T) error {
	t.Helper()
	var found []string
	_, err := w.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) { found = append(found, fmt.Sprintf("%+v", f)) }})
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%q", found)
	}
	return err
}

// stamp gets a time stamp on a value.
func (w *world) stamp(t *testing.T, h algo.Hash, imprint []byte) []byte {
	t.Helper()
	return must(w.tsa.Issue(must(tsp.NewRequest(h, imprint, nil, rand.Reader))(t)))(t)
}

// recordOf is a sound evidence record over a text and another.
func (w *world) recordOf(t *testing.T, content string) []byte {
	t.Helper()
	return must(w.recordBy(t, algo.SHA256, []byte(content), []byte("and another")).Marshal())(t)
}

func sums(h algo.Hash, contents ...[]byte) [][]byte {
	var out [][]byte
	for _, c := range contents {
		out = append(out, h.Sum(c))
	}
	return out
}

func (w *world) recordBy(t *testing.T, h algo.Hash, contents ...[]byte) *ers.Record {
	t.Helper()
	members := sums(h, contents...)
	return must(ers.Initial(h, members, nil, w.stamp(t, h, must(ers.Leaf(h, members))(t))))(t)
}

// protected are the bytes that version V001 of a package protects.
func protected(p *tresor.Package) [][]byte {
	var out [][]byte
	for _, id := range p.Versions[0].Protected() {
		out = append(out, p.Object(id).Bytes())
	}
	return out
}

func (w *world) verify(t *testing.T, p *tresor.Package, record []byte) api.VerifyResponse {
	t.Helper()
	return ask[api.VerifyResponse](t, w, "verify", api.VerifyRequest{XAIP: text(t, p), Record: record})
}

// verdictOf is that on one object.
func verdictOf(t *testing.T, r api.VerifyResponse, id string) string {
	t.Helper()
	for _, o := range r.Objects {
		if o.ID == id {
			return o.Verdict
		}
	}
	t.Errorf("nothing about %s: %+v", id, r)
	return ""
}

// The stamps of these tests have no revocation data beside them, as they would in an
// archive: a verdict on them may be indeterminate, never invalid.
func sureEnough(t *testing.T, what string, r api.VerifyResponse, id string) {
	t.Helper()
	if v := verdictOf(t, r, id); v == "invalid" || r.Result.Major == string(tresor.Failure) {
		t.Errorf("%s: %s, %+v", what, v, r)
	}
}

func TestMVE01PackageWithEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.withEvidence(t)
	r := w.verify(t, p, nil)
	for _, o := range p.Objects {
		sureEnough(t, "with evidence", r, o.ID)
	}
	signed := xaipSigned("signature")
	r = w.verify(t, signed, must(w.recordBy(t, algo.SHA256, protected(signed)...).Marshal())(t))
	sureEnough(t, "with a signature", r, "record")
	if v := verdictOf(t, r, "CR-01"); v != "indeterminate" {
		t.Errorf("the signature is %s", v)
	}
}

func TestMVE02Delta(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expect(t, "delta", w.verify(t, dxaipOK(nobody(), 2), nil).Result, tresor.OK, tresor.NoMinor)
}

// The cases judge containers without a package, which this archive does not.
func TestMVE03And06NoPackage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := ask[api.VerifyResponse](t, w, "verify", api.VerifyRequest{XAIP: []byte("PK\x03\x04")})
	expect(t, "container", out.Result, tresor.Failure, tresor.XAIPWrong)
}

func TestMVE04BadEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.withEvidence(t)
	p.Object("DO-02").SetBytes([]byte("drei"))
	p.Object("DO-02").Sum = nil
	expect(t, "another object", w.verify(t, p, nil).Result, tresor.Failure, tresor.XAIPEvidence)
	expect(t, "of another package", w.verify(t, xaipOK(), w.recordOf(t, "x")).Result, tresor.Failure, tresor.XAIPEvidence)
	ok := xaipOK()
	expect(t, "less than all", w.verify(t, ok, must(w.recordBy(t, algo.SHA256, protected(ok)[:2]...).Marshal())(t)).Result, tresor.Failure, tresor.XAIPEvidence)
}

// The case wants the bad signature to be found; it is said that it was not judged.
func TestMVE05DeltaWithSignatureIsNotJudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := dxaipOK(nobody(), 2)
	p.Objects = append(p.Objects, object(tresor.KindSignature, "CR-01", "", "no signature", "DO-01"))
	p.Versions[0].Units[0].Unprotected = []string{"CR-01"}
	r := w.verify(t, p, nil)
	expect(t, "delta", r.Result, tresor.Warning, tresor.PartlySuccessful)
	if v := verdictOf(t, r, "CR-01"); v != "indeterminate" {
		t.Errorf("the signature is %s", v)
	}
}

func TestMVE07HashAlgorithms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := xaipOK()
	for h, weak := range map[algo.Hash]bool{algo.SHA1: true, algo.SHA224: true, algo.SHA256: false, algo.SHA384: false, algo.SHA512: false,
		algo.SHA3_224: true, algo.SHA3_256: false, algo.SHA3_384: false, algo.SHA3_512: false} {
		r := w.verify(t, p, must(w.recordBy(t, h, protected(p)...).Marshal())(t))
		if r.Result.Minor == string(tresor.HashNotSuitable) && weak {
			continue
		}
		sureEnough(t, h.String(), r, "record")
		bad := w.verify(t, p, must(w.recordBy(t, h, append(protected(p)[1:], []byte("other"))...).Marshal())(t))
		expect(t, h.String(), bad.Result, tresor.Failure, tresor.XAIPEvidence)
	}
}

func TestMADD01TimeStampRenewal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := xaipOK()
	rec := w.recordBy(t, algo.SHA256, protected(p)...)
	renewed := must(rec.RenewStamp(nil, w.stamp(t, algo.SHA256, ers.TokenLeaf(algo.SHA256, rec.Last().Token))))(t)
	sureEnough(t, "renewed", w.verify(t, p, must(renewed.Marshal())(t)), "record")
	// The new stamp is on another one.
	renewed.Chains[0][1].Token = w.stamp(t, algo.SHA256, algo.SHA256.Sum([]byte("x")))
	expect(t, "not renewed", w.verify(t, p, must(renewed.Marshal())(t)).Result, tresor.Failure, tresor.XAIPEvidence)
}

func TestMADD02HashTreeRenewal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := xaipOK()
	rec := w.recordBy(t, algo.SHA256, protected(p)...)
	members := sums(algo.SHA512, protected(p)...)
	leaf, _, err := rec.RenewedLeaf(algo.SHA512, members)
	if err != nil {
		t.Fatal(err)
	}
	renewed := must(rec.RenewTree(algo.SHA512, members, nil, w.stamp(t, algo.SHA512, leaf)))(t)
	sureEnough(t, "renewed", w.verify(t, p, must(renewed.Marshal())(t)), "record")
	p.Object("DO-02").SetBytes([]byte("drei"))
	expect(t, "another object", w.verify(t, p, must(renewed.Marshal())(t)).Result, tresor.Failure, tresor.XAIPEvidence)
}

func TestMADD04FormsOfASingleHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := xaipOK()
	p.Objects = p.Objects[2:] // one object alone
	p.Versions[0].Units[0].Protected = []string{"DO-02"}
	h := algo.SHA256
	sum := h.Sum([]byte("zwei"))
	for name, s := range map[string]ers.Stamp{
		"no tree":                 {Hash: h, Token: w.stamp(t, h, sum)},
		"a tree of one":           {Hash: h, Tree: [][][]byte{{sum}}, Token: w.stamp(t, h, sum)},
		"a tree of one, hashed":   {Hash: h, Tree: [][][]byte{{sum}}, Token: w.stamp(t, h, h.Sum(sum))},
		"of another, and refused": {Hash: h, Tree: [][][]byte{{h.Sum([]byte("x"))}}, Token: w.stamp(t, h, h.Sum([]byte("x")))},
	} {
		r := w.verify(t, p, must((&ers.Record{Chains: []ers.Chain{{s}}}).Marshal())(t))
		if name == "of another, and refused" {
			expect(t, name, r.Result, tresor.Failure, tresor.XAIPEvidence)
			continue
		}
		sureEnough(t, name, r, "record")
	}
}

// The proof bundle of a version has its parts in place of an original, and the offline
// verifier knows them.
func TestBundleOfAVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	aoid := w.submit(t, xaipOK())
	w.seal(t)
	b := must(w.Bundle(t.Context(), w.tenant.ID, must(uid.Parse(aoid))(t)))(t)
	path := filepath.Join(t.TempDir(), b.Name())
	f := must(os.Create(path))(t)
	if err := b.WriteZIP(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root.der")
	if err := os.WriteFile(root, w.tsa.Root().Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	report := &logWriter{}
	if v, err := offline.RunBundles(t.Context(), offline.Request{Anchors: []string{root}}, []string{path}, report); err != nil || v.ExitCode() != 0 {
		t.Errorf("%v, %v: %s", v, err, report.b)
	}
}

type logWriter struct{ b []byte }

func (l *logWriter) Write(p []byte) (int, error) { l.b = append(l.b, p...); return len(p), nil }
