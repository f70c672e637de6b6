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
		{"comment before the at sign", "a(x)@b.example", []Party{{Name: "x", Address: "a@b.example"}}},
		{"comment after the at sign", "a@(x)b.example", []Party{{Name: "x", Address: "a@b.example"}}},
		{"comment in the brackets", "<a@b.example (x)>", []Party{{Name: "x", Address: "a@b.example"}}},
		{"comment in the brackets beside a name", "Ann <a@b.example (x)>", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"comment first", "(x) a@b.example", []Party{{Name: "x", Address: "a@b.example"}}},
		{"comment with brackets", "a@b.example (see <http://c.example>)", []Party{{Name: "see <http://c.example>", Address: "a@b.example"}}},
		{"comment with a comma", "a@b.example (Bo, Ann)", []Party{{Name: "Bo, Ann", Address: "a@b.example"}}},
		{"spaces around the at sign", "a @ b.example", []Party{{Address: "a@b.example"}}},
		{"space before the at sign", "a @b.example, c @d.example", []Party{{Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"space after the at sign", "Ann a@ b.example", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"spaces before dots", "a .b@c .example", []Party{{Address: "a.b@c.example"}}},
		{"name with a dot", "Dr. Ann a@b.example", []Party{{Name: "Dr. Ann", Address: "a@b.example"}}},
		{"single quotes", "'a@b.example'", []Party{{Address: "a@b.example"}}},
		{"single quotes in brackets", "Ann <'a@b.example'>", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"name in single quotes", "'Ann' <a@b.example>", []Party{{Name: "'Ann'", Address: "a@b.example"}}},
		{"quotes", `"a@b.example"`, []Party{{Address: "a@b.example"}}},
		{"apostrophe", "o'bo@b.example", []Party{{Address: "o'bo@b.example"}}},
		{"square brackets", "[a@b.example]", []Party{{Address: "a@b.example"}}},
		{"two without a comma", "a@b.example c@d.example", []Party{{Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"two with names, without a comma", "Ann <a@b.example> Bo <c@d.example>", []Party{{Name: "Ann", Address: "a@b.example"}, {Name: "Bo", Address: "c@d.example"}}},
		{"two in brackets", "<a@b.example c@d.example>", []Party{{Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"one after brackets", "Ann <a@b.example> c@d.example", []Party{{Name: "Ann", Address: "a@b.example"}, {Address: "c@d.example"}}},
		{"name in brackets", "Ann <boss> <a@b.example>", []Party{{Name: "Ann <boss>", Address: "a@b.example"}}},
		{"name after brackets", "<a@b.example> Ann", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"bare mailto", "mailto:a@b.example", []Party{{Address: "a@b.example"}}},
		{"bare mailto after another", "c@d.example, mailto:a@b.example?subject=x", []Party{{Address: "c@d.example"}, {Address: "a@b.example"}}},
		{"mailto and text", "Ann mailto:a@b.example", []Party{{Address: "a@b.example"}}},
		{"address in an encoded word", "=?utf-8?q?Ann_=3Ca=40b.example=3E?=", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"address for a name", "c@d.example <a@b.example>", []Party{{Name: "c@d.example", Address: "a@b.example"}}},
		{"hidden by pipermail", "a at b.example (Ann)", []Party{{Name: "Ann", Address: "a@b.example"}}},
		{"comment not closed before brackets", "Ann ( <a@b.example>", []Party{{Name: "Ann (", Address: "a@b.example"}}},
		{"name in brackets behind", "a@b.example <Ann>", []Party{{Name: "Ann", Address: "a@b.example"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, _ := parseAddresses(c.in, "", MaxParties)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("parseAddresses(%q): %s", c.in, diff)
			}
		})
	}
}

// TestFoldedAddress reads an address that is folded before its at sign.
func TestFoldedAddress(t *testing.T) {
	t.Parallel()
	f := parse("To: a\r\n @b.example,\r\n c@\r\n\td.example\r\n\r\nx")
	want := []Party{{Role: RoleTo, Address: "a@b.example"}, {Role: RoleTo, Address: "c@d.example"}}
	if diff := cmp.Diff(want, f.Parties); diff != "" {
		t.Error(diff)
	}
}

// many is a message to n recipients, whom each field names by the thousand.
func many(n int) string {
	var b strings.Builder
	b.WriteString("From: a@b.example\r\n")
	for i := range n {
		switch {
		case i%1000 == 0 && i > 0:
			b.WriteString("\r\nTo: ")
		case i == 0:
			b.WriteString("To: ")
		default:
			b.WriteString(",\r\n ")
		}
		fmt.Fprintf(&b, "\"A recipient with a rather long name, No. %d\" <recipient.number.%d@department.recipients.example>", i, i)
	}
	return b.String() + "\r\n\r\nbody"
}

// TestMaxParties reads as many as it promises, in many fields and in one, and
// says if there are more.
func TestMaxParties(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{many(MaxParties - 1), strings.ReplaceAll(many(MaxParties-1), "\r\nTo: ", ",\r\n ")} {
		raw = strings.Replace(raw, "From: a@b.example,\r\n", "From: a@b.example\r\nTo: ", 1)
		bounded(t, func() {
			f := parse(raw)
			if n := len(f.Parties); n != MaxParties || f.Parties[n-1].Address != "recipient.number.19998@department.recipients.example" || len(f.Warnings) > 0 || f.Truncated {
				t.Errorf("%d parties, %v", n, f.Warnings)
			}
		})
	}
	f := parse(strings.Replace(many(MaxParties), "To: ", "Reply-To: r@b.example\r\nTo: ", 1))
	if n := len(f.Parties); n != MaxParties+1 || len(f.Warnings) != 1 || !strings.Contains(f.Warnings[0], "too many people") || !f.Truncated {
		t.Errorf("%d parties, %v", n, f.Warnings)
	}
	// Everybody twice is no more people.
	twice := many(MaxParties - 1)
	twice = strings.TrimSuffix(twice, "\r\n\r\nbody") + "\r\n" + strings.TrimPrefix(twice, "From: a@b.example\r\n")
	if f := parse(twice); len(f.Parties) != MaxParties || len(f.Warnings) > 0 {
		t.Errorf("%d parties, %v", len(f.Parties), f.Warnings)
	}
}

// TestLongHeaderIsTold warns of each kind of field that is left out.
func TestLongHeaderIsTold(t *testing.T) {
	t.Parallel()
	f := parse("X-Long: " + strings.Repeat("a", maxField+window) + "\r\n" + strings.Repeat("X-More: "+strings.Repeat("b", 200<<10)+"\r\n", 50) + "To: a@b.example\r\n\r\nx")
	if got := strings.Join(f.Warnings, "; "); !strings.Contains(got, "a header field is too long") || !strings.Contains(got, "the header is too long") {
		t.Errorf("warnings: %s", got)
	}
}

// TestHostileAddresses takes fields that are built to take long.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"@ ", " .a@", "<", ">", "(", ")", "<a@b>", "]", "'", "a@b]", "\"", "\\", "=?utf-8?q?a@b?= ", "a@b ", "mailto:", ":", ";", "a@b(", "@["} {
		bounded(t, func() { parse("To: x@y.example " + strings.Repeat(piece, 1<<20/len(piece)) + "\r\n\r\nx") })
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
		"JU\u0308RGEN@Bu\u0308cher.example": "jürgen@bücher.example",
	} {
		got := NormalizeAddress(in)
		if got != want || NormalizeAddress(got) != got {
			t.Errorf("NormalizeAddress(%q) = %q, want %q", in, got, want)
		}
	}
}
