package query_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/index/text"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"  \t ", ""},
		{"...", ""},
		{"Rechnung  2024", "Rechnung 2024"},
		{"a AND b UND c", "a b c"},
		{"a OR b ODER c", "a OR b OR c"},
		{"a b OR c d", "a b OR c d"},
		{"a (b OR c)", "a (b OR c)"},
		{"a (b (c d))", "a b c d"},
		{"a OR (b OR c)", "a OR b OR c"},
		{"NOT a NICHT b -c", "-a -b -c"},
		{"--a", "a"},
		{"-(a b)", "-(a b)"},
		{"and or not near", "and or not near"},
		{"foo* =Bar", "foo* =Bar"},
		{`"foo bar" „foo bar“ «foo bar» »foo bar« “foo bar”`, `"foo bar" "foo bar" "foo bar" "foo bar" "foo bar"`},
		{`"foo ba"*`, `"foo ba"*`},
		{"a NEAR b", `"a" NEAR/10 "b"`},
		{"a NAHE/3 b NEAR/5 cd*", `"a" NEAR/5 "b" NEAR/5 "cd"*`},
		{`"a b"~4`, `"a" NEAR/4 "b"`},
		{`-"a b"~4`, `NOT "a" NEAR/4 "b"`},
		{"betreff:(a NAHE b)", `subject:("a" NEAR/10 "b")`},
		{"von:anna absender:anna FROM: anna sender:anna", "from:anna from:anna from:anna from:anna"},
		{"an:b empfänger:b empfaenger:b to:b", "to:b to:b to:b to:b"},
		{"mit:b beteiligt:b with:b kopie:b cc:b blindkopie:b bcc:b", "with:b with:b with:b cc:b cc:b bcc:b bcc:b"},
		{"betreff:x inhalt:x text:x body:x", "subject:x body:x body:x body:x"},
		{"dateiname:x datei:x file:x filename:x anhang:x", "filename:x filename:x filename:x filename:x attachment:x"},
		{"from:(a OR b) -to:(a -b)", "(from:a OR from:b) -(to:a -to:b)"},
		{"hat:anhang has:attachments hat:Anlage has:pdf", "has:attachment has:attachment has:attachment type:pdf"},
		{"typ:PDF dateityp:.docx type:bild type:image/* type:text/csv", "type:pdf type:word type:image type:image/* type:text/csv"},
		{"kategorie:Rechnung tag:\"Büro Süd\" schlagwort:a* klasse:x quelle:y", `category:Rechnung tag:"Büro Süd" tag:a* class:x source:y`},
		{`tag:"a*b" tag:"a*"* kategorie:«5" Disk»`, `tag:"a*b" tag:"a*"* category:«5" Disk»`},
		{"größer:5MB groesser:1,5 GB larger:500 k larger:1KiB kleiner:7 smaller:0", "larger:5MB larger:1500MB larger:500kB larger:1024B smaller:7B smaller:0B"},
		{"vor:2024 before:05.2024 bis:17.5.24 until:2024-05-17 am:today", "before:2024 before:2024-05 until:2024-05-17 until:2024-05-17 date:today"},
		{"nach:gestern after:7t seit:2w ab:3M since:1j", "after:yesterday after:7d after:2w after:3m after:1y"},
		{"datum:2024-01..05.2024 date:..2024 on:2023..", "date:2024-01..2024-05 date:..2024 date:2023.."},
		{"id:01HX0000000000000000000000 -aoid:01hx0000000000000000000000", "id:01hx0000000000000000000000 -id:01hx0000000000000000000000"},
		{"Re: hallo http://example.org/x C++", "Re: hallo http://example.org/x C++"},
		{"中 中* \"中\"*", `中 中 "中"`},
	} {
		q, err := query.Parse(c.text, testEnv)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := q.String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
		again := parse(t, q.String())
		if d := cmp.Diff(q.Root(), again.Root(), cmpopts.IgnoreTypes(query.Span{})); d != "" {
			t.Errorf("%s: canonical text means something else: %s", c.text, d)
		}
	}
}

func TestMatchTree(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want query.Match
	}{
		{"Straße", query.Match{Text: "Straße", Tokens: []string{"strasse"}}},
		{"=Straße", query.Match{Span: query.Span{Start: 0, End: 7}, Text: "Straße", Tokens: []string{"strasse"}, Exact: true}},
		{"RE-2024/0815", query.Match{Text: "RE-2024/0815", Tokens: []string{"re", "2024", "0815"}}},
		{"from:Max@Example.org", query.Match{Field: query.FieldFrom, Text: "Max@Example.org",
			Tokens: []string{"max", "example", "org"}, Address: "max@example.org"}},
		{"from:@example.org", query.Match{Field: query.FieldFrom, Text: "@example.org", Tokens: []string{"example", "org"}}},
		{"max@example.org", query.Match{Text: "max@example.org", Tokens: []string{"max", "example", "org"}}},
		{`to:"Max Mustermann"`, query.Match{Field: query.FieldTo, Text: "Max Mustermann", Tokens: []string{"max", "mustermann"}, Quoted: true, Exact: true}},
		{"to:max@*", query.Match{Field: query.FieldTo, Text: "max@", Tokens: []string{"max"}, Prefix: true}},
		{"中文", query.Match{Text: "中文", Tokens: []string{"中文"}}},
		{"日本語", query.Match{Text: "日本語", Tokens: []string{"日本", "本語"}}},
	} {
		got, ok := parse(t, c.text).Root().(*query.Match)
		if !ok {
			t.Errorf("%s: not a match", c.text)
			continue
		}
		if d := cmp.Diff(&c.want, got, cmpopts.IgnoreTypes(query.Span{})); d != "" {
			t.Errorf("%s: %s", c.text, d)
		}
		if want := (query.Span{End: len([]rune(c.text))}); got.End != want.End {
			t.Errorf("%s: ends at %d, want %d", c.text, got.End, want.End)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	env := query.Env{Now: time.Date(2024, 5, 17, 23, 30, 0, 0, time.UTC), Zone: berlin} // the 18th in Berlin
	for _, c := range []struct{ text, from, to string }{
		{"date:2024", "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z"},
		{"date:2024-05", "2024-04-30T22:00:00Z", "2024-05-31T22:00:00Z"},
		{"date:31.03.2024", "2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"},
		{"date:2024/3/1", "2024-02-29T23:00:00Z", "2024-03-01T23:00:00Z"},
		{"date:heute", "2024-05-17T22:00:00Z", "2024-05-18T22:00:00Z"},
		{"date:gestern", "2024-05-16T22:00:00Z", "2024-05-17T22:00:00Z"},
		{"date:7d", "2024-05-10T22:00:00Z", ""},
		{"after:1w", "2024-05-10T22:00:00Z", ""},
		{"before:1m", "", "2024-04-17T22:00:00Z"},
		{"until:1y", "", "2023-05-18T22:00:00Z"},
		{"after:2024-05-17", "2024-05-16T22:00:00Z", ""},
		{"before:2024-05-17", "", "2024-05-16T22:00:00Z"},
		{"until:2024-05-17", "", "2024-05-17T22:00:00Z"},
		{"date:2024-01..02.2024", "2023-12-31T23:00:00Z", "2024-02-29T23:00:00Z"},
		{"date:..2023", "", "2023-12-31T23:00:00Z"},
		{"date:2023..", "2022-12-31T23:00:00Z", ""},
	} {
		q, err := query.Parse(c.text, env)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		d := q.Root().(*query.Date)
		if got := [2]string{stamp(d.From), stamp(d.To)}; got != [2]string{c.from, c.to} {
			t.Errorf("%s: got %v, want %v", c.text, got, [2]string{c.from, c.to})
		}
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func TestChips(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []query.Chip
	}{
		{"foo von:anna -hat:anhang", []query.Chip{{Field: "from", Value: "anna", Start: 4, End: 12},
			{Field: "has", Value: "anhang", Not: true, Start: 13, End: 24}}},
		{`tag:"Büro Süd" NOT an:(a OR b)`, []query.Chip{{Field: "tag", Value: "Büro Süd", Start: 0, End: 14},
			{Field: "to", Value: "(a OR b)", Not: true, Start: 15, End: 30}}},
		{"from:a OR from:b", nil},
		{"(from:a) subject: b", []query.Chip{{Field: "subject", Value: "b", Start: 9, End: 19}}},
	} {
		if d := cmp.Diff(c.want, parse(t, c.text).Chips(), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", c.text, d)
		}
	}
}

// Quote makes any value one that means itself.
func TestQuote(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.SampledFrom([]rune("ab ü中*=-~:()\"„“”«»'/\t"))).Draw(t, "value")
		key := text.Key(value)
		if key == "" || strings.Contains(value, `"`) && strings.Contains(value, "»") && strings.Contains(value, "«") {
			return
		}
		q, err := query.Parse("kategorie:"+query.Quote(value), testEnv)
		if err != nil {
			t.Fatalf("%s: %v", query.Quote(value), err)
		}
		if v, ok := q.Root().(*query.Value); !ok || v.Value != key || v.Prefix {
			t.Fatalf("%s means %#v, want %s", query.Quote(value), q.Root(), key)
		}
	})
	for value, want := range map[string]string{"a@b": "a@b", "=a@b": `"=a@b"`, "a b": `"a b"`, `a"b`: `«a"b»`, `»"«`: "\"»«\""} {
		if got := query.Quote(value); got != want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range []struct {
		text     string
		code     string
		pos, len int
		proposal string
	}{
		{strings.Repeat("x", query.MaxLength+3), query.CodeTooLong, query.MaxLength, 3, ""},
		{strings.Repeat("(", query.MaxDepth+1), query.CodeTooDeep, query.MaxDepth, 1, ""},
		{strings.Repeat("-", query.MaxDepth+1) + "x", query.CodeTooDeep, query.MaxDepth, 1, ""},
		{`"` + strings.Repeat("x ", 33) + `"`, query.CodePhraseLong, 0, 68, ""},
		{`a subject:"` + strings.Repeat("x ", 33) + `"*`, query.CodePhraseLong, 10, 69, ""},
		{strings.Repeat("x-", 33), query.CodePhraseLong, 0, 66, ""},
		{`"a ` + strings.Repeat("x-", 33) + `"~5`, query.CodePhraseLong, 0, 72, ""},
		{strings.Repeat("x ", query.MaxTerms+1), query.CodeTooMany, 2 * query.MaxTerms, 1, ""},
		{`foo "bar`, query.CodeQuote, 4, 1, `foo "bar"`},
		{`„bar`, query.CodeQuote, 0, 1, `„bar“`},
		{"a (b", query.CodeOpen, 2, 1, "a (b)"},
		{"a) b", query.CodeClose, 1, 1, "a b"},
		{"a OR", query.CodeOperand, 2, 2, "a"},
		{"UND a", query.CodeOperand, 0, 3, "a"},
		{"a NOT", query.CodeOperand, 2, 3, "a"},
		{"a AND AND b", query.CodeOperand, 6, 3, "a AND b"},
		{"a NEAR", query.CodeOperand, 2, 4, "a"},
		{"NEAR a", query.CodeOperand, 0, 4, "a"},
		{"foo von:", query.CodeEmpty, 4, 4, ""},
		{"(von:)", query.CodeEmpty, 1, 4, ""},
		{"fromm:anna", query.CodeUnknownField, 0, 5, "from:anna"},
		{"von:(a an:b)", query.CodeNestedField, 7, 3, ""},
		{"foo*bar", query.CodeStar, 3, 1, "foobar"},
		{`tag:a*b`, query.CodeStar, 4, 3, ""},
		{"x a*", query.CodePrefixShort, 2, 2, ""},
		{"subject:a NEAR b", query.CodeNear, 0, 9, ""},
		{"from:(a NEAR b)", query.CodeNearField, 8, 4, ""},
		{`from:"a b"~3`, query.CodeNearField, 10, 2, ""},
		{"a NEAR/99 b", query.CodeDistance, 2, 7, "a NEAR/10 b"},
		{`"a b"~0`, query.CodeDistance, 5, 2, `"a b"~10`},
		{"date:soon", query.CodeDate, 5, 4, ""},
		{"date:2024-02-30", query.CodeDate, 5, 10, "date:2024-02-29"},
		{"am:17.5.", query.CodeDate, 3, 5, "am:17.5.2024"},
		{"date:2024..2023", query.CodeDateOrder, 5, 10, "date:2023..2024"},
		{"larger:big", query.CodeSize, 7, 3, ""},
		{"larger:1e5", query.CodeSize, 7, 3, ""},
		{"hat:foo", query.CodeHas, 4, 3, "hat:attachment"},
		{"ist:foo", query.CodeIs, 4, 3, "ist:document"},
		{"type:qqq", query.CodeType, 5, 3, ""},
		{"type:pfd", query.CodeType, 5, 3, "type:pdf"},
		{"id:123", query.CodeID, 3, 3, ""},
		{"from:---", query.CodeNoLetters, 5, 3, ""},
		{`tag:" "`, query.CodeNoLetters, 4, 3, ""},
	} {
		_, err := query.Parse(c.text, testEnv)
		var e *query.Error
		if !errors.As(err, &e) {
			t.Errorf("%.40s: got %v, want code %s", c.text, err, c.code)
			continue
		}
		seen[e.Code] = true
		if e.Code != c.code || e.Pos != c.pos || e.Len != c.len || e.Proposal != c.proposal {
			t.Errorf("%.40s: got %s at %d+%d, proposal %q; want %s at %d+%d, proposal %q",
				c.text, e.Code, e.Pos, e.Len, e.Proposal, c.code, c.pos, c.len, c.proposal)
		}
		if e.Proposal != "" {
			if _, err := query.Parse(e.Proposal, testEnv); err != nil {
				t.Errorf("%s: proposal %s: %v", c.text, e.Proposal, err)
			}
		}
	}
	for _, code := range query.Codes() {
		if !seen[code] {
			t.Errorf("code %s is not tested", code)
		}
	}
}
