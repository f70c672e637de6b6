package ers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/der"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// raw writes a record by hand, with whatever is asked for.
func raw(t *testing.T, hashes []algo.Hash, chains ...[]ers.Stamp) []byte {
	t.Helper()
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, h := range hashes {
				h.AppendID(b)
			}
		})
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, c := range chains {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, s := range c {
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							if s.Hash != (algo.Hash{}) {
								b.AddASN1(tag(0), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(s.Hash.OID()) })
							}
							if s.Tree != nil {
								b.AddASN1(tag(2), func(b *cryptobyte.Builder) {
									for _, l := range s.Tree {
										b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
											for _, v := range l {
												b.AddASN1OctetString(v)
											}
										})
									}
								})
							}
							b.AddBytes(s.Token)
						})
					}
				})
			}
		})
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func verify(b []byte, data []byte, o ers.Options) *ers.Report {
	return ers.Verify(context.Background(), b, []ers.Member{{Name: "data", Data: ers.Bytes(data)}}, o)
}

// TestSingleHash: the three forms of a record of one hash (BSI M-ADD-04).
func TestSingleHash(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	h, data := algo.SHA256, []byte("one")
	sum := h.Sum(data)
	tree := [][][]byte{{sum}}
	for name, c := range map[string]struct {
		stamp ers.Stamp
		code  evidence.Code
	}{
		"without tree":        {ers.Stamp{Hash: h, Token: w.Stamp(h, sum)}, ""},
		"without digest alg":  {ers.Stamp{Token: w.Stamp(h, sum)}, ""},
		"tree, hash as it is": {ers.Stamp{Hash: h, Tree: tree, Token: w.Stamp(h, sum)}, ""},
		"tree, hashed again":  {ers.Stamp{Hash: h, Tree: tree, Token: w.Stamp(h, h.Sum(sum))}, ers.CodeRehashed},
	} {
		b := raw(t, []algo.Hash{h}, []ers.Stamp{c.stamp})
		r := verify(b, data, w.Options())
		if r.Verdict != evidence.Valid || c.code != "" && !r.Findings.Has(c.code) {
			t.Errorf("%s: %+v", name, r)
		}
		if r = verify(b, []byte("two"), w.Options()); r.Verdict != evidence.Invalid {
			t.Errorf("%s, other data: %v", name, r.Verdict)
		}
	}
}

// TestForms: n-ary lists, unsorted and duplicate values of other writers.
func TestForms(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	h, data := algo.SHA256, []byte("one")
	a, b, c, d := h.Sum(data), h.Sum([]byte("b")), h.Sum([]byte("c")), h.Sum([]byte("d"))
	sorted := func(l ...[]byte) []byte {
		slices.SortFunc(l, bytes.Compare)
		return h.Sum(l...)
	}
	for name, tree := range map[string][][][]byte{
		"three levels, n-ary": {{a, b}, {c, d, b}, {d}},
		"duplicates":          {{a, a}, {a}},
		"unsorted":            {{b, a, d, c}},
	} {
		at := sorted(slices.Clone(tree[0])...)
		for _, l := range tree[1:] {
			at = sorted(append(slices.Clone(l), at)...)
		}
		o := w.Options()
		o.Whole = false
		if r := verify(raw(t, []algo.Hash{h}, []ers.Stamp{{Hash: h, Tree: tree, Token: w.Stamp(h, at)}}), data, o); r.Verdict != evidence.Valid {
			t.Errorf("%s: %+v", name, r.Findings)
		}
	}
}

// TestSortedRenewal: a hash-tree renewal that concatenates sorted is accepted
// and reported (REN-3).
func TestSortedRenewal(t *testing.T) {
	t.Parallel()
	seen := false
	for i := range 40 { // in half of all cases both orders are the same
		w := evidencetest.New(t, tsa.Options{})
		o := evidencetest.NewObject(i, 2)
		records := w.Seal(algo.SHA256, []evidencetest.Object{o})
		w.Pass(time.Hour)
		ancestry, err := records[0].Ancestry(algo.SHA512)
		if err != nil {
			t.Fatal(err)
		}
		var values [][]byte
		differs := false
		for _, m := range o.Sums(algo.SHA512) {
			pair := [][]byte{m, ancestry}
			if bytes.Compare(m, ancestry) > 0 {
				pair, differs = [][]byte{ancestry, m}, true
			}
			values = append(values, algo.SHA512.Sum(pair...))
		}
		leaf, err := ers.Leaf(algo.SHA512, values)
		if err != nil {
			t.Fatal(err)
		}
		b := raw(t, []algo.Hash{algo.SHA256, algo.SHA512}, records[0].Chains[0],
			[]ers.Stamp{{Hash: algo.SHA512, Tree: [][][]byte{values}, Token: w.Stamp(algo.SHA512, leaf)}})
		r := ers.Verify(context.Background(), b, o.Members(), w.Options())
		if r.Verdict != evidence.Valid || r.Findings.Has(ers.CodeSorted) != differs {
			t.Fatalf("differs %v: %v %+v", differs, r.Verdict, r.Findings)
		}
		if seen = seen || differs; seen && i > 2 {
			return
		}
	}
	t.Error("no case in which the orders differ")
}

// TestBroken: each rule of a record, broken once.
func TestBroken(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	h, data := algo.SHA256, []byte("one")
	sum, other := h.Sum(data), h.Sum([]byte("other"))
	first := w.Stamp(h, sum)
	w.Pass(time.Hour)
	renewal := w.Stamp(h, h.Sum(first))
	sum512 := algo.SHA512.Sum(first)
	all := []algo.Hash{algo.SHA256, algo.SHA512}
	for name, c := range map[string]struct {
		record  []byte
		code    evidence.Code
		verdict evidence.Verdict
	}{
		"hash is not listed":         {raw(t, []algo.Hash{algo.SHA512}, []ers.Stamp{{Hash: h, Token: first}}), ers.CodeAlgorithms, evidence.Invalid},
		"hash differs from imprint":  {raw(t, all, []ers.Stamp{{Hash: algo.SHA512, Token: first}}), ers.CodeHashMismatch, evidence.Invalid},
		"tree without lists":         {raw(t, all, []ers.Stamp{{Hash: h, Tree: [][][]byte{}, Token: first}}), ers.CodeUnnamed, evidence.Invalid},
		"empty list":                 {raw(t, all, []ers.Stamp{{Hash: h, Tree: [][][]byte{{sum}, {}}, Token: first}}), ers.CodeUnnamed, evidence.Invalid},
		"tree leads elsewhere":       {raw(t, all, []ers.Stamp{{Hash: h, Tree: [][][]byte{{sum, other}}, Token: first}}), ers.CodeRoot, evidence.Invalid},
		"two hashes in a chain":      {raw(t, all, []ers.Stamp{{Hash: h, Token: first}, {Hash: algo.SHA512, Token: w.Stamp(algo.SHA512, sum512)}}), ers.CodeHashChanged, evidence.Invalid},
		"renewal covers another":     {raw(t, all, []ers.Stamp{{Hash: h, Token: first}, {Hash: h, Token: w.Stamp(h, other)}}), ers.CodeRenewal, evidence.Invalid},
		"renewal is earlier":         {raw(t, all, []ers.Stamp{{Hash: h, Token: renewal}, {Hash: h, Token: first}}), ers.CodeOrder, evidence.Invalid},
		"chain renewal of other":     {raw(t, all, []ers.Stamp{{Hash: h, Token: first}}, []ers.Stamp{{Hash: algo.SHA512, Token: w.Stamp(algo.SHA512, sum512)}}), ers.CodeMember, evidence.Invalid},
		"token is broken":            {raw(t, all, []ers.Stamp{{Hash: h, Token: []byte{0x30, 0}}}), tsp.CodeMalformed, evidence.Invalid},
		"no chain":                   {raw(t, all), ers.CodeMalformed, evidence.Invalid},
		"empty chain":                {raw(t, all, nil), ers.CodeMalformed, evidence.Invalid},
		"bytes behind":               {append(raw(t, all, []ers.Stamp{{Hash: h, Token: first}}), 0), ers.CodeMalformed, evidence.Invalid},
		"as it should be, for check": {raw(t, all, []ers.Stamp{{Hash: h, Token: first}, {Hash: h, Token: renewal}}), "", evidence.Valid},
	} {
		r := verify(c.record, data, w.Options())
		if r.Verdict != c.verdict || c.code != "" && !r.Findings.Has(c.code) {
			t.Errorf("%s: %v, want %v with %q: %+v", name, r.Verdict, c.verdict, c.code, r.Findings)
		}
	}
	if _, err := ers.ParseRecord([]byte{0x30, 0x80, 0, 0}); !errors.Is(err, der.ErrBER) {
		t.Errorf("BER: %v", err)
	}
	if r := verify([]byte{0x30, 0x80, 0, 0}, data, w.Options()); r.Verdict != evidence.Indeterminate {
		t.Errorf("a record by BER cannot be judged: %+v", r.Findings)
	}
	open := append(append([]byte{0x30, 0x80}, first[4:]...), 0, 0) // the token by BER
	if r := verify(raw(t, all, []ers.Stamp{{Hash: h, Token: open}}), data, w.Options()); r.Verdict != evidence.Indeterminate || !r.Findings.Has(ers.CodeMalformed) {
		t.Errorf("a time stamp by BER cannot be judged: %v %+v", r.Verdict, r.Findings)
	}
	if _, err := ers.ParseRecord([]byte{0x30, 3, 2, 1, 2}); !errors.Is(err, ers.CodeVersion) {
		t.Errorf("version 2: %v", err)
	}
	if r := verify([]byte{0x30, 3, 2, 1, 0}, data, w.Options()); r.Verdict != evidence.Invalid || !r.Findings.Has(ers.CodeMalformed) {
		t.Errorf("version 0: %+v", r.Findings)
	}
	o := w.Options()
	o.At = w.Clock().Add(-30 * time.Minute)
	if r := verify(raw(t, all, []ers.Stamp{{Hash: h, Token: first}, {Hash: h, Token: renewal}}), data, o); r.Verdict != evidence.Indeterminate || !r.Findings.Has(ers.CodeFuture) {
		t.Errorf("stamped in the future: %v", r.Verdict)
	}
}

// TestValueLengths: values that are cut otherwise than they were lead to the same root and
// are no hash values.
func TestValueLengths(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	h, data := algo.SHA256, []byte("one")
	sum, n, o := h.Sum(data), 0, w.Options()
	o.Whole = false
	for i := range 50 {
		other := h.Sum([]byte{byte(i)})
		list := [][]byte{sum, other}
		slices.SortFunc(list, bytes.Compare)
		token := w.Stamp(h, h.Sum(list...))
		if r := verify(raw(t, []algo.Hash{h}, []ers.Stamp{{Hash: h, Tree: [][][]byte{{sum, other}}, Token: token}}), data, o); r.Verdict != evidence.Valid {
			t.Fatalf("whole: %+v", r.Findings)
		}
		cut := [][]byte{sum, other[:16], other[16:]}
		slices.SortFunc(cut, bytes.Compare)
		if bytes.Equal(h.Sum(cut...), h.Sum(list...)) {
			n++
		}
		for _, tree := range [][][][]byte{{cut}, {{sum}, {other[:16], other[16:]}}} {
			if r := verify(raw(t, []algo.Hash{h}, []ers.Stamp{{Hash: h, Tree: tree, Token: token}}), data, o); r.Verdict != evidence.Invalid || !r.Findings.Has(ers.CodeMalformed) {
				t.Errorf("cut: %v %+v", r.Verdict, r.Findings)
			}
		}
	}
	if n == 0 {
		t.Error("no values that lead to the same root")
	}
}

// TestAlgorithmEnds: SHA-1 of 2010 is proven if it was renewed in 2011 (ALG-3).
func TestAlgorithmEnds(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	w.Pass(time.Date(2010, 5, 1, 0, 0, 0, 0, time.UTC).Sub(w.Clock()))
	var err error
	if w.Authority, err = tsa.New(tsa.Options{Now: w.Clock, Lifetime: 20 * 365 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	o := evidencetest.NewObject(1, 2)
	records := w.Seal(algo.SHA1, []evidencetest.Object{o})
	late := w.Options()
	late.At = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := ers.Verify(context.Background(), evidencetest.Marshal(t, records[0]), o.Members(), late)
	if r.Verdict != evidence.Indeterminate || r.Integrity != evidence.Valid || !r.Findings.Has(ers.CodeHashEnded) {
		t.Errorf("not renewed: %v %+v", r.Verdict, r.Findings)
	}
	w.Pass(365 * 24 * time.Hour)
	records = w.RenewTrees(algo.SHA256, []evidencetest.Object{o}, records)
	if r = ers.Verify(context.Background(), evidencetest.Marshal(t, records[0]), o.Members(), late); r.Verdict != evidence.Valid {
		t.Errorf("renewed in 2011: %v %+v", r.Verdict, r.Findings)
	}
}

// TestReport: what a program reads from a report; files as members; no members;
// a context that has ended.
func TestReport(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	o := evidencetest.NewObject(1, 2)
	b := evidencetest.Marshal(t, w.Seal(algo.SHA256, []evidencetest.Object{o})[0])
	var files []ers.Member
	for i, m := range o {
		name := filepath.Join(t.TempDir(), string(rune('a'+i)))
		if err := os.WriteFile(name, m, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, ers.Member{Name: name, Data: ers.File(name)})
	}
	r := ers.Verify(context.Background(), b, files, w.Options())
	if r.Verdict != evidence.Valid || !r.Proven.Equal(w.Clock()) || len(r.Stamps) != 1 || len(r.Members) != 2 || !r.Members[0].Covered {
		t.Errorf("%+v", r)
	}
	if want := w.Authority.Unit().NotAfter; !r.Until.Equal(want) {
		t.Errorf("proves until %v, the certificate ends %v", r.Until, want)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back ers.Report
	if err := json.Unmarshal(text, &back); err != nil || back.Verdict != r.Verdict {
		t.Errorf("%v: %s", err, text)
	}
	files[1].Data = ers.File(files[1].Name + ".missing")
	if r = ers.Verify(context.Background(), b, files, w.Options()); r.Verdict != evidence.Indeterminate || !r.Findings.Has(ers.CodeUnreadable) {
		t.Errorf("a file that is missing: %v", r.Verdict)
	}
	if r = ers.Verify(context.Background(), b, nil, w.Options()); r.Verdict != evidence.Indeterminate || !r.Findings.Has(ers.CodeNoData) {
		t.Errorf("no data: %v", r.Verdict)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r = ers.Verify(ctx, b, o.Members(), w.Options()); r.Verdict != evidence.Indeterminate || !r.Findings.Has(ers.CodeTimeBound) {
		t.Errorf("given up: %v", r.Verdict)
	}
	basis := w.Options()
	basis.Basis = true
	if r = ers.Verify(context.Background(), b, o.Members(), basis); r.Verdict != evidence.Valid {
		t.Errorf("a record with a CRL inside keeps to Basis-ERS: %+v", r.Findings)
	}
	w.Authority.Alter = nil
}
