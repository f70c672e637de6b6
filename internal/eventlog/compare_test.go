package eventlog

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	testInstance = "06eavzc9fdr2d210rf8eqhwxs0"
	testTenant   = "06eavzc9fdr2d210rf8eqhwxs1"
)

func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) } //nolint:forcetypeassert // always is

// testLog is a log with events, its tree, and its key.
type testLog struct {
	log
	leaves [][]byte
	key    ed25519.PrivateKey
	change []string
}

func newTestLog(t *testing.T, n int, name func(i int) string) *testLog {
	t.Helper()
	l := &testLog{key: testKey(1)}
	for i := range n {
		l.leaves = append(l.leaves, event(t, i, name(i)))
	}
	l.log = *grow(l.leaves)
	return l
}

func event(t *testing.T, seq int, object string) []byte {
	t.Helper()
	b, err := (&Leaf{Seq: int64(seq), Time: 1772445600123, Tenant: testTenant, Type: "message.stored", Actor: "cli", Object: object}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func numberName(i int) string { return fmt.Sprint("o", i) }

// receipt is that of the log when it had size events, day days after the first.
func (l *testLog) receipt(t *testing.T, size, day int) *Receipt {
	t.Helper()
	head, err := HeadAt(int64(size), l.read)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20+day, 0, 5, 0, 0, time.UTC)
	c := Checkpoint{Origin: Origin(testInstance, testTenant), Head: head, Time: at, Day: at.AddDate(0, 0, -1).Format(time.DateOnly), Zone: "Europe/Berlin"}
	signed, err := c.Sign(l.key)
	if err != nil {
		t.Fatal(err)
	}
	return &Receipt{Checkpoint: signed, Key: VerifierKey(c.Origin, public(l.key)), KeyChanges: l.change}
}

func (l *testLog) proof(t *testing.T, from, to int) *ConsistencyProof {
	t.Helper()
	p, err := ProveConsistency(int64(from), int64(to), l.read)
	if err != nil {
		t.Fatal(err)
	}
	return &ConsistencyProof{Origin: Origin(testInstance, testTenant), From: int64(from), To: int64(to), Hashes: p}
}

func (l *testLog) export(t *testing.T, day int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewExportWriter(&b, Origin(testInstance, testTenant), int64(len(l.leaves)))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range l.leaves {
		if err := w.Leaf(leaf); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(l.receipt(t, len(l.leaves), day)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func two(a, b *Receipt) []Named { return []Named{{"A", a}, {"B", b}} }

func codes(c *Comparison) (list []Code) {
	for _, f := range c.Findings {
		list = append(list, f.Code)
	}
	return list
}

func TestCompareReceipts(t *testing.T) {
	t.Parallel()
	l := newTestLog(t, 130, numberName)
	for _, size := range []int{0, 1, 2, 5, 64, 129, 130} {
		a, b := l.receipt(t, size, 0), l.receipt(t, 130, 1)
		c := Compare([]Named{{"B", b}, {"A", a}}, Evidence{Proofs: []*ConsistencyProof{l.proof(t, size, 130)}, Key: public(l.key)})
		if c.Verdict != Valid || !c.KeyTrusted || c.Receipts[0].Name != "A" {
			t.Errorf("from %d: %+v", size, c)
		}
		x, err := ReadExport(bytes.NewReader(l.export(t, 2)), []int64{int64(size), 130}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c := Compare(two(a, b), Evidence{Log: x}); c.Verdict != Valid || c.KeyTrusted {
			t.Errorf("from %d by the log: %+v", size, c)
		}
	}
	a, b := l.receipt(t, 7, 0), l.receipt(t, 9, 1)
	for name, c := range map[string]struct {
		got  *Comparison
		want Code
	}{
		"no proof":      {Compare(two(a, b), Evidence{}), CodeProofMissing},
		"another proof": {Compare(two(a, b), Evidence{Proofs: []*ConsistencyProof{l.proof(t, 7, 10)}}), CodeProofMissing},
		"one receipt":   {Compare([]Named{{"A", a}}, Evidence{}), CodeAlone},
		"shorter":       {Compare(two(l.receipt(t, 9, 0), l.receipt(t, 7, 1)), Evidence{Proofs: []*ConsistencyProof{l.proof(t, 7, 9)}}), CodeShorter},
		"another key":   {Compare(two(a, b), Evidence{Proofs: []*ConsistencyProof{l.proof(t, 7, 9)}, Key: public(testKey(9))}), CodeKeyUntrusted},
	} {
		if got := codes(c.got); !slices.Equal(got, []Code{c.want}) || c.got.Verdict != c.want.verdict() {
			t.Errorf("%s: %v, %s", name, got, c.got.Verdict)
		}
	}
}

// TestRewritingIsFound has somebody who holds the key rewrite the log.
func TestRewritingIsFound(t *testing.T) {
	t.Parallel()
	const n = 40
	honest := newTestLog(t, n, numberName)
	yesterday := honest.receipt(t, 30, 0)
	for name, made := range map[string]*testLog{
		"leaf 5 dropped": newTestLog(t, n+3, func(i int) string { return numberName(i + map[bool]int{true: 1}[i >= 5]) }),
		"one put in":     newTestLog(t, n+3, func(i int) string { return numberName(i - map[bool]int{true: 1}[i >= 5]) }),
		"two exchanged": newTestLog(t, n, func(i int) string {
			return numberName(map[int]int{5: 6, 6: 5}[i] + i*map[bool]int{true: 1}[i != 5 && i != 6])
		}),
		"dropped, same size": newTestLog(t, 30, func(i int) string { return numberName(i + map[bool]int{true: 1}[i >= 5]) }),
		"cut off":            newTestLog(t, 29, numberName),
		"cut off and grown":  newTestLog(t, 50, func(i int) string { return numberName(i + map[bool]int{true: 1}[i >= 29]) }),
	} {
		today := made.receipt(t, len(made.leaves), 1)
		var e Evidence
		if len(made.leaves) >= 30 {
			e.Proofs = []*ConsistencyProof{made.proof(t, 30, len(made.leaves))}
		}
		if c := Compare(two(yesterday, today), e); c.Verdict != Invalid {
			t.Errorf("%s, by proof: %s %v", name, c.Verdict, codes(c))
		}
		x, err := ReadExport(bytes.NewReader(made.export(t, 2)), []int64{30, int64(len(made.leaves))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c := Compare([]Named{{"yesterday", yesterday}}, Evidence{Log: x}); c.Verdict != Invalid {
			t.Errorf("%s, by the log: %s %v", name, c.Verdict, codes(c))
		}
	}
}

func TestKeysFollowEachOther(t *testing.T) {
	t.Parallel()
	l := newTestLog(t, 20, numberName)
	a := l.receipt(t, 8, 0)
	s := Succession{Instance: testInstance, Old: public(testKey(1)), New: public(testKey(2)), Time: 5}
	signed, err := s.Sign(testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	e := Evidence{Proofs: []*ConsistencyProof{l.proof(t, 8, 20)}, Key: public(testKey(1))}
	l.key = testKey(2)
	if c := Compare(two(a, l.receipt(t, 20, 1)), e); !slices.Contains(codes(c), CodeKeyUnconnected) || c.KeyTrusted {
		t.Errorf("a key from nowhere: %v", codes(c))
	}
	l.change = []string{signed}
	if c := Compare(two(a, l.receipt(t, 20, 1)), e); c.Verdict != Valid || !c.KeyTrusted {
		t.Errorf("a key that was announced: %+v", c)
	}
	forged, _ := (&Succession{Instance: testInstance, Old: public(testKey(1)), New: public(testKey(2)), Time: 5}).Sign(testKey(2))
	other, _ := (&Succession{Instance: testTenant, Old: public(testKey(1)), New: public(testKey(2)), Time: 5}).Sign(testKey(1))
	for name, change := range map[string][]string{"forged": {forged}, "of another installation": {other}, "twice": {signed, signed}, "none": {""}} {
		l.change = change
		if c := Compare(two(a, l.receipt(t, 20, 1)), e); c.Verdict != Invalid {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestEveryByteOfFiles flips every byte: nothing that is said may change.
func TestEveryByteOfFiles(t *testing.T) {
	t.Parallel()
	l := newTestLog(t, 21, numberName)
	s := Succession{Instance: testInstance, Old: public(testKey(7)), New: public(testKey(1)), Time: 5}
	signed, _ := s.Sign(testKey(7))
	l.change = []string{signed}
	a, b := l.receipt(t, 13, 0), l.receipt(t, 21, 1)
	flip := func(name string, file []byte, holds func([]byte) bool) {
		t.Helper()
		if !holds(file) {
			t.Fatalf("%s does not hold as it is", name)
		}
		for i := range file {
			for _, bit := range []byte{1 << (i % 8), 0x20} { // 0x20: the other case of a letter
				wrong := slices.Clone(file)
				if wrong[i] ^= bit; holds(wrong) {
					t.Fatalf("%s holds with byte %d changed: %q", name, i, wrong[max(0, i-20):min(len(wrong), i+20)])
				}
			}
		}
	}
	encoded := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	proof := l.proof(t, 13, 21)
	flip("receipt", encoded(a.Encode()), func(file []byte) bool {
		r, err := ParseReceipt(file)
		return err == nil && Compare(two(r, b), Evidence{Proofs: []*ConsistencyProof{proof}}).Verdict == Valid
	})
	flip("proof", encoded(proof.Encode()), func(file []byte) bool {
		p, err := ParseConsistencyProof(file)
		return err == nil && Compare(two(a, b), Evidence{Proofs: []*ConsistencyProof{p}}).Verdict == Valid
	})
	path, err := ProveInclusion(21, 5, l.read)
	if err != nil {
		t.Fatal(err)
	}
	flip("inclusion proof", encoded((&InclusionProof{Leaf: string(l.leaves[5]), Hashes: path, Receipt: b}).Encode()), func(file []byte) bool {
		p, err := ParseInclusionProof(file)
		if err != nil {
			return false
		}
		_, _, err = p.Check()
		return err == nil
	})
	flip("log", newTestLog(t, 15, numberName).export(t, 2), func(file []byte) bool {
		x, err := ReadExport(bytes.NewReader(file), []int64{13}, nil)
		return err == nil && Compare([]Named{{"A", a}}, Evidence{Log: x}).Verdict == Valid
	})
}

// TestEvidenceRecordComesLater adds the record to a receipt that was handed out.
func TestEvidenceRecordComesLater(t *testing.T) {
	t.Parallel()
	l := newTestLog(t, 3, numberName)
	r := l.receipt(t, 3, 0)
	r.EvidenceRecord = []byte{0x30, 0}
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseReceipt(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))) // as some mail programs save it
	if err != nil || !bytes.Equal(got.EvidenceRecord, r.EvidenceRecord) || got.Checkpoint != r.Checkpoint {
		t.Errorf("receipt comes back as %+v, %v", got, err)
	}
	if !strings.Contains(string(b), `"evidence_record": "MAA="`) {
		t.Errorf("receipt is %s", b)
	}
}

func FuzzFiles(f *testing.F) {
	f.Add([]byte(`{"format":"muniment receipt 1"}`))
	f.Add([]byte("muniment log 1 muniment/06eavzc9fdr2d210rf8eqhwxs0/06eavzc9fdr2d210rf8eqhwxs1 0\n\n{}\n"))
	f.Add([]byte("muniment log key succession 1\n06eavzc9fdr2d210rf8eqhwxs0\n\n\n0\n\n— a b\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if r, err := ParseReceipt(b); err == nil {
			Compare([]Named{{"A", r}}, Evidence{})
		}
		if p, err := ParseInclusionProof(b); err == nil {
			p.Check() //nolint:errcheck // must not panic
		}
		ParseConsistencyProof(b)                           //nolint:errcheck // as above
		ReadExport(bytes.NewReader(b), []int64{0, 1}, nil) //nolint:errcheck // as above
		OpenSuccession(string(b))                          //nolint:errcheck // as above
		OpenCheckpoint(string(b), public(testKey(1)))      //nolint:errcheck // as above
		ParseVerifierKey(string(b))                        //nolint:errcheck // as above
		parseCheckpoint(string(b))                         //nolint:errcheck // as above
	})
}
