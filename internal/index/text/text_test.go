package text_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/index/text"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"Hello, World!", "hello world"},
		{"Straße STRASSE STRAẞE", "strasse strasse strasse"},
		{"Müller mu\u0308ller MÜLLER", "muller muller muller"},
		{"Ærø Œuvre Łódź þing ıI İ", "aero oeuvre lodz thing ii i"},
		{"RE-2024/0815", "re 2024 0815"},
		{"max.mustermann@example.org", "max mustermann example org"},
		{"don't o’clock", "don t o clock"},
		{"soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"},
		{"ﬁn ＡＢＣ １２ ² Ⅷ", "fin abc 12 2 viii"},
		{"under_score a·b", "under score a b"},
		{"Привет ΚΌΣΜΟΣ κόσμος", "привет κοσμοσ κοσμοσ"},
		{"שָׁלוֹם مُحَمَّد", "שלום محمد"},
		{"हिन्दी", "हिन्दी"},
		{"中文信", "中文 文信 信"},
		{"中", "中"},
		{"2024年報告x", "2024 年報 報告 告 x"},
		{"ﾃｽﾄ ガ カ\u3099", "テス スト ト ガ ガ"},
		{"한국 \u1112\u1161\u11ab\u1100\u116e\u11a8", "한국 국 한국 국"},
		{"ไทย", "ไท ทย ย"},
		{"a\xffb\xc3", "a b"},
		{"€ 5 § 3 😀x", "5 3 x"},
		{strings.Repeat("a", 100), strings.Repeat("a", text.MaxToken)},
		{strings.Repeat("ж", 100), strings.Repeat("ж", text.MaxToken/2)},
	} {
		if got := strings.Join(text.Words(c.text, 100), " "); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestTokenPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"a, Bär.", "[a], [Bär]."},
		{"Ba\u0308r\u0301 x", "[Ba\u0308r\u0301] [x]"},
		{"中文信", "[中文][文信][信]"},
	} {
		var b strings.Builder
		at := 0
		for _, tok := range text.Tokens(c.text, 10) {
			b.WriteString(c.text[at:max(tok.Start, at)] + "[" + c.text[tok.Start:tok.End] + "]")
			at = tok.End
		}
		b.WriteString(c.text[at:])
		if b.String() != c.want {
			t.Errorf("%q: got %s, want %s", c.text, b.String(), c.want)
		}
	}
}

func TestSequence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
		open bool
	}{
		{"", nil, false},
		{"foo bar", []string{"foo", "bar"}, false},
		{"中", []string{"中"}, true},
		{"中文", []string{"中文"}, false},
		{"中文信", []string{"中文", "文信"}, false},
		{"中文x", []string{"中文", "文", "x"}, false},
		{"x中", []string{"x", "中"}, true},
	} {
		got, open := text.Sequence(c.text, 10)
		if d := cmp.Diff(c.want, got); d != "" || open != c.open {
			t.Errorf("%s: open %t: %s", c.text, open, d)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, want string }{
		{"", ""},
		{"  ", ""},
		{" Büro  Süd ", "buro_sud"},
		{"C++", "c__2b___2b_"},
		{"C#", "c__23_"},
		{"---", "__2d___2d___2d_"},
		{"中文", "中文"},
		{"ﾃｽﾄ カ\u3099", "テスト_ガ"},
	} {
		if got := text.Key(c.value); got != c.want {
			t.Errorf("%q: got %s, want %s", c.value, got, c.want)
		}
	}
	long := strings.Repeat("a", 200)
	if text.Key(long) == text.Key(long+"b") || len(text.Key(long)) > 120 {
		t.Errorf("long values: %s", text.Key(long))
	}
}

// Words that people think of as the same find each other, others do not.
func TestVariants(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"rechnung", "rechnungen"}, {"vertrag", "verträge", "vertrags", "verträgen"}, {"haus", "häuser", "häusern"},
		{"invoice", "invoices", "invoiced", "invoicing"}, {"company", "companies"}, {"ship", "shipped", "shipping"},
		{"kunde", "kunden"}, {"angebot", "angebote", "angeboten"}, {"müller", "mueller"}, {"größe", "groesse", "größen"},
		{"nummer", "nummern"}, {"preis", "preise"}, {"øre", "oere"},
	} {
		for _, a := range same {
			for _, b := range same {
				if !finds(a, b) {
					t.Errorf("%s does not find %s", a, b)
				}
			}
		}
	}
	for _, c := range [][2]string{{"tim", "time"}, {"statu", "status"}, {"neue", "nue"}, {"quelle", "qulle"}, {"2024", "2024s"}} {
		if finds(c[0], c[1]) {
			t.Errorf("%s finds %s", c[0], c[1])
		}
	}
}

func finds(a, b string) bool { return slices.Contains(text.Variants(a), text.Words(b, 1)[0]) }

// letters are of all the scripts that have rules of their own.
var letters = []rune("abcXYZ019 äöüßÄÖÜẞéèñøæœłđ\u0300\u0308\u00ad\u200b-_.@/' αΣς жЯ שָׁ مُحَ 中文信報 あカガ\u3099ｶﾞﾊﾟ 한국ᄒ\u1161\u11ab ไท กำ မြ ﬁ²Ⅷ１Ａ€😀\u2028")

func TestFoldProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom(letters)).Draw(t, "text")
		got := text.Words(s, 1000)
		for _, form := range []norm.Form{norm.NFC, norm.NFD} {
			if d := cmp.Diff(got, text.Words(form.String(s), 1000), cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("composition counts: %s", d)
			}
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Hello, World!", "Straße mu\u0308ller", "中文x信 한국 ｶﾞ", "a\xff\xc3b", string(letters), strings.Repeat("ß", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		last := -1
		for _, tok := range text.Tokens(s, len(s)+1) {
			if tok.Start < last || tok.Start >= tok.End || tok.End > len(s) {
				t.Fatalf("token %+v after %d in %d bytes", tok, last, len(s))
			}
			last = tok.Start + 1
			if tok.Text == "" || len(tok.Text) > text.MaxToken || !utf8.ValidString(tok.Text) || strings.ContainsAny(tok.Text, " _\"") {
				t.Fatalf("token %q", tok.Text)
			}
			// A few numbers in circles become characters that are tokens by themselves.
			if strings.ContainsFunc(tok.Text, func(r rune) bool { return text.Pair(string(r)) }) {
				continue
			}
			if again := text.Words(tok.Text, 3); again[0] != tok.Text {
				t.Fatalf("token %q becomes %q", tok.Text, again)
			}
		}
		if k := text.Key(s); k != text.Key(" "+s+" ") || len(k) > 120 {
			t.Fatalf("key %q", k)
		}
		for _, v := range text.Variants(s) {
			if len(v) > 3*text.MaxToken {
				t.Fatalf("variant %q", v)
			}
		}
	})
}
