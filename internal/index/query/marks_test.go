package query_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/index/query"
)

var testEnv = query.Env{Now: time.Date(2024, 5, 17, 12, 0, 0, 0, time.UTC), Zone: time.UTC}

func parse(t testing.TB, text string) *query.Query {
	t.Helper()
	q, err := query.Parse(text, testEnv)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return q
}

// marked puts the marked places of a text in brackets.
func marked(text string, marks []query.Mark) string {
	r := []rune(text)
	var b strings.Builder
	at := 0
	for _, m := range marks {
		b.WriteString(string(r[at:m.Start]) + "[" + string(r[m.Start:m.End]) + "]")
		at = m.End
	}
	return b.String() + string(r[at:])
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, text, want string }{
		{"rechnung", "Ihre Rechnungen, die RECHNUNG.", "Ihre [Rechnungen], die [RECHNUNG]."},
		{"=rechnung", "Ihre Rechnungen, die RECHNUNG.", "Ihre Rechnungen, die [RECHNUNG]."},
		{"müller", "Mueller, Müller, Mu\u0308ller und Muller", "[Mueller], [Müller], [Mu\u0308ller] und [Muller]"},
		{"strasse", "Die Straße", "Die [Straße]"},
		{"rech*", "Rechnungsbetrag und Rechen", "[Rechnungsbetrag] und [Rechen]"},
		{`"offene rechnung"`, "die offene\n Rechnung, offene Rechnungen", "die [offene\n Rechnung], offene Rechnungen"},
		{`"a b" "b c"`, "a b c", "[a b c]"},
		{"a NEAR/1 b", "a x x b y a", "a x x [b] y [a]"},
		{"a NEAR/1 b", "a x x b", "a x x b"},
		{"中文", "我的中文信", "我的[中文]信"},
		{"中", "我的中文信", "我的[中]文信"},
		{"-rechnung subject:mahnung", "rechnung mahnung", "rechnung mahnung"},
		{"rechnung OR (body:mahnung -x)", "x rechnung mahnung", "x [rechnung] [mahnung]"},
		{"résumé", "Re\u0301sume\u0301 x", "[Re\u0301sume\u0301] x"},
		{"a", "\xff a \xff", "\xff [a] \xff"},
	} {
		got := marked(c.text, parse(t, c.query).Marks(c.text))
		if want := string([]rune(c.want)); got != want {
			t.Errorf("%s: got %q, want %q", c.query, got, want)
		}
	}
}

func TestSnippet(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("lorem ipsum dolor ", 40)
	for _, c := range []struct {
		query, text string
		max         int
		want        string
	}{
		{"nichts", long, 50, ""},
		{"foo", "\n Some\t foo \n\n bar ", 50, "Some [foo] bar"},
		{`"foo bar"`, "x foo \n bar", 50, "x [foo bar]"},
		{"foo", long + "foo bar", 30, "…dolor [foo] bar"},
		{"foo", "foo " + long, 20, "[foo] lorem ipsum dol…"},
		{"foo bar", "foo " + long + "bar, foo", 30, "…dolor [bar], [foo]"},
	} {
		s := parse(t, c.query).Snippet(c.text, c.max)
		if got := marked(s.Text, s.Marks); got != c.want {
			t.Errorf("%s: got %q, want %q", c.query, got, c.want)
		}
		if n := len([]rune(s.Text)); n > c.max {
			t.Errorf("%s: %d runes, want at most %d", c.query, n, c.max)
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string // | is the cursor
		lang   string
		want   string // labels
		typing query.Typing
	}{
		{"be|", "de", "betreff: mit: vor:", query.Typing{Prefix: "be", End: 2}},
		{"foo sub|", "en", "subject:", query.Typing{Prefix: "sub", Start: 4, End: 7}},
		{"foo -bet|", "de", "betreff: mit:", query.Typing{Prefix: "bet", Start: 5, End: 8}},
		{"from:ma|x foo", "en", "", query.Typing{Field: query.FieldFrom, Ask: "person", Prefix: "ma", Start: 5, End: 8}},
		{`von:"Max Mu|`, "de", "", query.Typing{Field: query.FieldFrom, Ask: "person", Prefix: "Max Mu", Start: 4, End: 11}},
		{"an:(max |", "de", "", query.Typing{Field: query.FieldTo, Ask: "person", Start: 8, End: 8}},
		{"hat:|", "de", "anhang", query.Typing{Field: query.FieldHas, Start: 4, End: 4}},
		{"type:p|", "en", "pdf powerpoint program", query.Typing{Field: query.FieldType, Prefix: "p", Start: 5, End: 6}},
		{"kategorie:|", "de", "", query.Typing{Field: query.FieldCategory, Ask: "category", Start: 10, End: 10}},
		{"a O|", "de", "ODER datum:", query.Typing{Prefix: "O", Start: 2, End: 3}},
		{"(an:(a b) N|", "en", "NOT NEAR after:", query.Typing{Prefix: "N", Start: 10, End: 11}},
	} {
		before, after, _ := strings.Cut(c.text, "|")
		cursor := len([]rune(before))
		var labels []string
		for _, s := range query.Suggest(before+after, cursor, c.lang) {
			labels = append(labels, s.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
		if d := cmp.Diff(c.typing, query.TypingAt(before+after, cursor)); d != "" {
			t.Errorf("%s: %s", c.text, d)
		}
	}
}
