package evidence_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/evidence"
)

func sample() *evidence.Metadata {
	return &evidence.Metadata{
		AOID: "01hx", Version: 1, Tenant: "acme", Source: "journal", Arrived: time.Date(2026, 11, 26, 5, 30, 0, 123456000, time.UTC),
		Envelope: evidence.Envelope{From: "a@b.example", To: []string{"ü@c.example", "d@e.example"}}, Class: "mail",
		Members: []evidence.MetadataSum{{Name: "message", Size: 3, SHA512: sha512.Sum512([]byte("abc"))}}, Salt: [16]byte{1, 2, 3},
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	b, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"aoid":"01hx","arrived":"2026-11-26T05:30:00.123456Z","class":"mail","dated":"","envelope":{"from":"a@b.example","to":["ü@c.example","d@e.example"]},` +
		`"format":"muniment-metadata-1","members":[{"name":"message","sha512":"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f","size":3}],` +
		`"salt":"01020300000000000000000000000000","source":"journal","tenant":"acme","version":1}`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	back, err := evidence.ParseMetadata(b)
	if err != nil || !cmp.Equal(back, sample()) {
		t.Errorf("%v: %s", err, cmp.Diff(back, sample()))
	}
	for name, bad := range map[string][]byte{
		"space":       bytes.Replace(b, []byte(`,"class"`), []byte(`, "class"`), 1),
		"escape":      bytes.Replace(b, []byte("mail"), []byte(`\u006dail`), 1),
		"twice":       bytes.Replace(b, []byte(`"class":"mail"`), []byte(`"class":"mail","class":"mail"`), 1),
		"unknown":     bytes.Replace(b, []byte(`"class"`), []byte(`"klass"`), 1),
		"short salt":  bytes.Replace(b, []byte("0102030000"), []byte("01020300"), 1),
		"upper case":  bytes.Replace(b, []byte("ddaf35"), []byte("DDAF35"), 1),
		"other label": bytes.Replace(b, []byte("metadata-1"), []byte("metadata-2"), 1),
		"more":        append(bytes.Clone(b), '\n'),
		"nothing":     nil,
	} {
		if _, err := evidence.ParseMetadata(bad); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
	for name, change := range map[string]func(*evidence.Metadata){
		"no salt":   func(m *evidence.Metadata) { m.Salt = [16]byte{} },
		"no id":     func(m *evidence.Metadata) { m.AOID = "" },
		"no member": func(m *evidence.Metadata) { m.Members = nil },
		"not UTF-8": func(m *evidence.Metadata) { m.Envelope.From = "\xff" },
		"no time":   func(m *evidence.Metadata) { m.Arrived = time.Time{} },
	} {
		m := sample()
		change(m)
		if _, err := m.Encode(); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"b":1,"a":[true,null,"\u00e9\n\u0001\/"]}`: `{"a":[true,null,"é\n\u0001/"],"b":1}`,
		"{\"\U0001F600\":1,\"\ufb33\":2}":            "{\"\U0001F600\":1,\"\ufb33\":2}", // RFC 8785 §3.2.3: by UTF-16
		`{}`:                                         `{}`, `[]`: `[]`, ` -5 `: `-5`,
	} {
		if got, err := evidence.Canonical([]byte(in)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	for _, bad := range []string{`1.5`, `1e3`, `9007199254740992`, `{"a":1,"a":2}`, `1 2`, `"` + "\xff" + `"`, ``, `[`, `-0`} {
		if got, err := evidence.Canonical([]byte(bad)); err == nil {
			t.Errorf("%s passed as %s", bad, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		m := sample()
		m.Class = s
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := evidence.ParseMetadata(b); err != nil || back.Class != s {
			t.Fatalf("%q came back as %q, %v", s, back.Class, err)
		}
	})
}

// What Encode writes is the canonical form of what any JSON writer makes of the same
// members.
func TestMetadataIsCanonical(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := sample()
		m.Source, m.Class, m.Envelope.From = rapid.String().Draw(t, "source"), rapid.String().Draw(t, "class"), rapid.String().Draw(t, "from")
		m.Envelope.To = rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "to")
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			m.Members = append(m.Members, evidence.MetadataSum{Name: rapid.String().Draw(t, "name"), Size: rapid.Int64Range(0, 1<<53-1).Draw(t, "size")})
		}
		members := []any{}
		for _, x := range m.Members {
			members = append(members, map[string]any{"name": x.Name, "size": x.Size, "sha512": hex.EncodeToString(x.SHA512[:])})
		}
		plain, err := json.Marshal(map[string]any{
			"format": "muniment-metadata-1", "aoid": m.AOID, "version": m.Version, "tenant": m.Tenant, "source": m.Source,
			"arrived": m.Arrived.UTC().Format("2006-01-02T15:04:05.000000Z"), "dated": "",
			"envelope": map[string]any{"from": m.Envelope.From, "to": append([]string{}, m.Envelope.To...)}, "class": m.Class, "members": members, "salt": hex.EncodeToString(m.Salt[:]),
		})
		if err != nil {
			t.Fatal(err)
		}
		want, err := evidence.Canonical(plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.Encode(); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v\n%s\n%s", err, got, want)
		}
	})
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for v, code := range map[evidence.Verdict]int{evidence.Valid: 0, evidence.Invalid: 1, evidence.Indeterminate: 2} {
		b, err := v.MarshalText()
		var back evidence.Verdict
		if err != nil || back.UnmarshalText(b) != nil || back != v || v.ExitCode() != code {
			t.Errorf("%v: %s", v, b)
		}
	}
	f := evidence.Findings{{Code: "a"}, {Code: "b", Verdict: evidence.Indeterminate}}
	if f.Verdict() != evidence.Indeterminate || !f.Has("a") || f.Has("c") {
		t.Error("findings")
	}
}

func FuzzParseMetadata(f *testing.F) {
	b, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := evidence.ParseMetadata(b)
		if err != nil {
			return
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s is written as %s", b, again)
		}
	})
}
