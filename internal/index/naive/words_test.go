package naive

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/index/text"
)

// tokens writes words as an index stores them: characters in pairs.
func tokens(ws []word) []string {
	var out []string
	for i, w := range ws {
		if w.glued {
			out = append(out, w.text+ws[i+1].text)
		} else {
			out = append(out, w.text)
		}
	}
	return out
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"Straße, mu\u0308ller RE-2024/0815", "strasse muller re 2024 0815"},
		{"ﬁn ＡＢＣ ² soft\u00adhyphen Ærø", "fin abc 2 softhyphen aero"},
		{"2024年報告x 中 ﾃｽﾄ", "2024 年報 報告 告 x 中 テス スト ト"},
	} {
		if got := strings.Join(tokens(words(c.text)), " "); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

// What is written twice, for the index and for the oracle, must agree.
func TestWordsAgree(t *testing.T) {
	t.Parallel()
	// Accents stand behind their letter, as they are written.
	clusters := append(strings.Split("e\u0301 u\u0308 カ\u3099 ﾊﾟ ｶﾞ ᄒ\u1161\u11ab שָׁ مُحَ กำ မြ কো \u00ad \u200b", " "), strings.Split("abcXYZ019 äöüßÄÖÜẞéèñøæœłđ-_.@/' αΣς жЯ 中文信報 あカガ 한국 ไท ﬁ²Ⅷ１Ａ€😀\u2028", "")...)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.Map(rapid.SliceOf(rapid.SampledFrom(clusters)), func(s []string) string { return strings.Join(s, "") }), rapid.StringOf(
			rapid.RuneFrom(nil, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Hiragana, unicode.Katakana, unicode.Han,
				unicode.Thai, unicode.P, unicode.S, unicode.N, unicode.Z).Filter(func(r rune) bool { return !unicode.IsMark(r) }))).Draw(t, "text")
		if d := cmp.Diff(tokens(words(s)), text.Words(s, 1000), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("-oracle +index: %s", d)
		}
	})
}
