package eventlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func leaf(change func(*Leaf)) *Leaf {
	l := &Leaf{Seq: 7, Time: 1772445600123, Tenant: "06eavzc9fdr2d210rf8eqhwxs0", Type: "message.stored", Actor: "user:x", Object: "o/1", Digest: "a+b=", Details: "00ff"}
	if change != nil {
		change(l)
	}
	return l
}

// TestLeafIsAsDocumented pins the bytes: they are hashed for ever.
func TestLeafIsAsDocumented(t *testing.T) {
	t.Parallel()
	b, err := leaf(nil).Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"actor":"user:x","details":"00ff","digest":"a+b=","object":"o/1","seq":7,"tenant":"06eavzc9fdr2d210rf8eqhwxs0","time":1772445600123,"type":"message.stored","v":1}`
	if string(b) != want {
		t.Errorf("leaf is\n%s, want\n%s", b, want)
	}
	// encoding/json writes members of a map by name: the canonical form.
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	if len(members) != 9 {
		t.Errorf("%d members, want 9", len(members))
	}
	if h, want := LeafHash(b).String(), "343IJnl2jJRnHPD+VV9BPM84qtd/U68zVZCJgDm/w2k="; h != want {
		t.Errorf("hash is %s, want %s", h, want)
	}
}

func TestLeafComesBack(t *testing.T) {
	t.Parallel()
	for _, want := range []*Leaf{
		leaf(nil), leaf(func(l *Leaf) { l.Object, l.Digest, l.Details = "", "", "" }), leaf(func(l *Leaf) { l.Seq, l.Time = 0, 0 }),
		leaf(func(l *Leaf) { l.Seq, l.Time = maxExact-1, -maxExact+1 }), leaf(func(l *Leaf) { l.Type = strings.Repeat("a", maxField) }),
		leaf(func(l *Leaf) {
			for _, f := range []*string{&l.Tenant, &l.Type, &l.Actor, &l.Object, &l.Digest, &l.Details} {
				*f = strings.Repeat("z", maxField)
			}
			l.Seq, l.Time = maxExact-1, -maxExact+1
		}),
	} {
		b, err := want.Encode()
		if err != nil {
			t.Errorf("%+v: %v", want, err)
			continue
		}
		got, err := ParseLeaf(b)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("leaf differs: %v\n%s", err, diff)
		}
	}
}

func TestLeafRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Leaf){
		"negative number": func(l *Leaf) { l.Seq = -1 }, "number too large": func(l *Leaf) { l.Seq = maxExact },
		"time too large": func(l *Leaf) { l.Time = maxExact }, "time too small": func(l *Leaf) { l.Time = math.MinInt64 },
		"no tenant": func(l *Leaf) { l.Tenant = "" }, "no type": func(l *Leaf) { l.Type = "" }, "no actor": func(l *Leaf) { l.Actor = "" },
		"long text": func(l *Leaf) { l.Object = strings.Repeat("a", maxField+1) },
		"address":   func(l *Leaf) { l.Object = "anna@example.com" }, "space": func(l *Leaf) { l.Digest = "a b" },
		"quote": func(l *Leaf) { l.Type = `a"b` }, "backslash": func(l *Leaf) { l.Actor = `a\b` }, "umlaut": func(l *Leaf) { l.Tenant = "ä" },
		"NUL": func(l *Leaf) { l.Details = "\x00" }, "not UTF-8": func(l *Leaf) { l.Object = "\xff" },
	} {
		if b, err := leaf(change).Encode(); !errors.Is(err, ErrLeaf) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
	}
}

func seeds() []string {
	const good = `{"actor":"user:x","details":"00ff","digest":"a+b=","object":"o/1","seq":7,"tenant":"t","time":1772445600123,"type":"message.stored","v":1}`
	return []string{
		good, good + "\n", " " + good, strings.Replace(good, `"v":1`, `"v":2`, 1), strings.Replace(good, `,"v":1`, ``, 1), strings.Replace(good, `"seq":7`, `"seq":7.0`, 1),
		strings.Replace(good, `"seq":7`, `"seq":07`, 1), strings.Replace(good, `"seq":7`, `"seq":-0`, 1), strings.Replace(good, `"seq":7`, `"seq":"7"`, 1),
		strings.Replace(good, `"seq"`, `"Seq"`, 1), strings.Replace(good, `"o/1"`, `"o\/1"`, 1), strings.Replace(good, `"o/1"`, `null`, 1),
		strings.Replace(good, `"v":1`, `"v":1,"v":1`, 1), strings.Replace(good, `"v":1`, `"v":1,"x":1`, 1), strings.Replace(good, `"o/1"`, `"`+strings.Repeat("a", maxLeaf)+`"`, 1),
		strings.Replace(good, `"o/1"`, `"anna@example.com"`, 1), strings.Replace(good, `"t"`, `"\u0074"`, 1), ``, `{}`, `null`, `[]`, `{"v":1}`, good[:len(good)-1], strings.Repeat("[", maxLeaf),
	}
}

func TestParseLeafTakesOnlyTheCanonicalForm(t *testing.T) {
	t.Parallel()
	for i, s := range seeds() {
		l, err := ParseLeaf([]byte(s))
		if i == 0 && err != nil {
			t.Errorf("%s: %v", s, err)
		}
		if i > 0 && !errors.Is(err, ErrLeaf) {
			t.Errorf("%.200q is a leaf: %+v, %v", s, l, err)
		}
	}
}

func FuzzParseLeaf(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseLeaf(b)
		if err != nil {
			if !errors.Is(err, ErrLeaf) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		again, err := l.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q comes back as %q, %v", b, again, err)
		}
		if bytes.ContainsAny(b, "@ \\") {
			t.Fatalf("%q is in the log", b)
		}
	})
}

func TestDetailsHash(t *testing.T) {
	t.Parallel()
	salt := [SaltSize]byte{1, 2, 3}
	if h := DetailsHash(salt, nil) + DetailsHash(salt, map[string]string{}); h != "" {
		t.Errorf("no details have hash %s", h)
	}
	details := map[string]string{"who": "anna@example.com", "a": ""}
	hash := DetailsHash(salt, details)
	// Computed by another program.
	if want := "91fe0305b158088ccd1a068e7c6f2f680b09498b62892b16e991d9d34357d194"; hash != want {
		t.Errorf("hash is %s, want %s", hash, want)
	}
	seen := map[string]string{hash: "the details"}
	for name, h := range map[string]string{
		"another salt":   DetailsHash([SaltSize]byte{1, 2, 4}, details),
		"another value":  DetailsHash(salt, map[string]string{"who": "anna@example.con", "a": ""}),
		"another name":   DetailsHash(salt, map[string]string{"whp": "anna@example.com", "a": ""}),
		"one less":       DetailsHash(salt, map[string]string{"who": "anna@example.com"}),
		"border moved":   DetailsHash(salt, map[string]string{"wh": "oanna@example.com", "a": ""}),
		"values swapped": DetailsHash(salt, map[string]string{"a": "anna@example.com", "who": ""}),
	} {
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
}
