package message

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse reads a message given as a string.
func parse(raw string) *Facts { return Parse(context.Background(), strings.NewReader(raw)) }

func TestParseAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		want     []Party
	}{
		{"plain", "a@b.example", []Party{{Address: "a@b.example"}}},
		{"case", "A@B.Example", []Party{{Address: "a@b.example"}}},
		{"name", "Ann Bo <a@b.example>", []Party{{Name: "Ann Bo", Address: "a@b.example"}}},
		{"quoted name", `"Bo, Ann" <a@b.example>`, []Party{{Name: "Bo, Ann", Address: "a@b.example"}}},
		{"escaped quotes", `"Ann \"X\" Bo" <a@b.example>`, []Party{{Name: `Ann "X" Bo`, Address: "a@b.example"}}},
		{"comment as name", "a@b.example (Ann Bo)", []Party{{Name: "Ann Bo", Address: "a@b.example"}}},
		{"two", "a@b.example, c@d.example", []Party{{Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"semicolon", "a@b.example; c@d.example", []Party{{Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"empty entries", ",, a@b.example ,;", []Party{{Address: "a@b.example"}}},
		{"group", "Team: a@b.example, c@d.example;", []Party{{Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"empty group", "undisclosed-recipients:;", nil},
		{"group and more", "x: a@b.example; c@d.example", []Party{{Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"route", "<@hosta.example,@hostb.example:a@b.example>", []Party{{Address: "a@b.example"}}},
		{"no brackets", "Ann Bo a@b.example", []Party{{Name: "Ann Bo", Address: "a@b.example"}}},
		{"bracket not closed", "Ann <a@b.example", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"bracket not opened", "a@b.example>", []Party{{Address: "a@b.example"}}},
		{"double brackets", "Ann <<a@b.example>>", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"quote not closed", `"Ann <a@b.example>, Bo <c@d.example>`, []Party{{Name: "Ann", Address: "a@b.example"}, {Name: "Bo", Address: "c@d.example"}}},
		{"comment not closed", "a@b.example (Ann, c@d.example", []Party{{Name: "Ann", Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"mailto", "<mailto:a@b.example>", []Party{{Address: "a@b.example"}}},
		{"encoded name", "=?utf-8?q?M=C3=BCller?= <m@b.example>", []Party{{Name: "Müller", Address: "m@b.example"}}},
		{"encoded name in quotes", `"=?utf-8?q?M=C3=BCller?=" <m@b.example>`, []Party{{Name: "Müller", Address: "m@b.example"}}},
		{"encoded comma", "=?utf-8?q?M=2C_A?= <m@b.example>", []Party{{Name: "M, A", Address: "m@b.example"}}},
		{"encoded name in comment", "m@b.example (=?utf-8?q?M=C3=BCller?=)", []Party{{Name: "Müller", Address: "m@b.example"}}},
		{"raw name", "M\xfcller <m@b.example>", []Party{{Name: "Müller", Address: "m@b.example"}}},
		{"Unicode", "Jürgen <jürgen@bücher.example>", []Party{{Name: "Jürgen", Address: "jürgen@bücher.example"}}},
		{"Punycode", "<a@xn--bcher-kva.example>", []Party{{Address: "a@bücher.example"}}},
		{"needless quotes", `"a.b"@c.example`, []Party{{Address: "a.b@c.example"}}},
		{"needed quotes", `"a b"@c.example`, []Party{{Address: `"a b"@c.example`}}},
		{"quoted at sign", `"a@b"@c.example`, []Party{{Address: `"a@b"@c.example`}}},
		{"literal", "a@[192.0.2.1]", []Party{{Address: "a@[192.0.2.1]"}}},
		{"name is the address", "a@b.example <a@b.example>", []Party{{Address: "a@b.example"}}},
		{"only a name", "Ann Bo", []Party{{Name: "Ann Bo"}}},
		{"null", "<>", nil},
		{"nested comments", "a@b.example (Ann (the boss))", []Party{{Name: "Ann (the boss)", Address: "a@b.example"}}},
		{"space in address", "<a @ b.example>", []Party{{Address: "a@b.example"}}},
		{"colon in name", "Ann: <a@b.example>", []Party{{Address: "a@b.example"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, parseAddresses(c.in, "")); diff != "" {
				t.Errorf("parseAddresses(%q): %s", c.in, diff)
			}
		})
	}
}

// TestThousands reads all recipients of a letter to many.
func TestThousands(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("From: a@b.example\nTo: first@b.example")
	for i := range 4000 {
		fmt.Fprintf(&b, ",\n \"Recipient No. %d\" <r%d@recipients.example>", i, i)
	}
	f := parse(b.String() + "\n\nbody")
	if len(f.Parties) != 4002 || f.Parties[4001].Address != "r3999@recipients.example" || len(f.Warnings) > 0 {
		t.Errorf("%d parties, %v", len(f.Parties), f.Warnings)
	}
}

func TestNormalizeAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" <A@B.Example> ": "a@b.example", "A@B.Example.": "a@b.example", "MAILTO:a@b": "a@b", "@r:a@b": "a@b", "nobody": "nobody", "": "", "@": "@",
		"ÄÖ@BÜCHER.example": "äö@bücher.example", "a@XN--BCHER-KVA.example": "a@bücher.example",
	} {
		got := NormalizeAddress(in)
		if got != want || NormalizeAddress(got) != got {
			t.Errorf("NormalizeAddress(%q) = %q, want %q", in, got, want)
		}
	}
}
