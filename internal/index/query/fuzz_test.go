package query_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/muniment/muniment/internal/index/query"
)

// slow is what no query and no extract of a short text may take, with room for
// a busy machine.
const slow = 2 * time.Second

var seeds = []string{
	"", " ", "rechnung", "von:max@example.org betreff:(offene OR fällige) -mahnung", `"offene rechnung"~5 a NEAR/3 b`,
	"NOT (a OR b) AND -c", "hat:anhang typ:pdf größer:1,5MB", "date:2024-01..05.2024 vor:7t", `kategorie:"Büro Süd"* tag:x*`,
	"„so“ «so» »so« “so”", "中文 日本語 한국어 ไทย", "id:01hx0000000000000000000000", "((((((((((((((((((a))))))))))))))))))",
	"a* ab* *a a*b", "NEAR NAHE/0 a", "sbject:x http://x Re: y", "=exakt ==x -=y --z", "\xff\xfe", `subject:"a b"~3 -("x" NEAR "y")`,
	"type:image/* type:text/csv", "before:31.02.2024", "date:..", `"`, "(", ")", "from:", "from:(to:x)", "𝔸𝔹 ﬁ ½ ² Ⅷ", "NOT( \x00d\x7f)", `tag:"a*"* tag:=x`, "larger:1  M", `""tAg茼:`,
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		begun := time.Now()
		q, err := query.Parse(text, testEnv)
		if d := time.Since(begun); d > slow {
			t.Fatalf("parse took %v", d)
		}
		n := utf8.RuneCountInString(text)
		if err != nil {
			checkError(t, err, n)
			return
		}
		for _, c := range q.Chips() {
			if c.Start < 0 || c.Start >= c.End || c.End > n {
				t.Fatalf("chip %+v outside of %d runes", c, n)
			}
		}
		checkSpans(t, q.Root(), n)
		canonical := q.String()
		if utf8.RuneCountInString(canonical) > query.MaxLength { // full names are longer
			return
		}
		again, err := query.Parse(canonical, testEnv)
		if err != nil {
			t.Fatalf("canonical text %q: %v", canonical, err)
		}
		if d := cmp.Diff(q.Root(), again.Root(), cmpopts.IgnoreTypes(query.Span{})); d != "" {
			t.Fatalf("canonical text %q means something else: %s", canonical, d)
		}
		if s := again.String(); s != canonical {
			t.Fatalf("canonical text %q becomes %q", canonical, s)
		}
	})
}

func checkError(t *testing.T, err error, n int) {
	t.Helper()
	var e *query.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T, want *query.Error", err)
	}
	if e.Pos < 0 || e.Len < 0 || e.Pos+e.Len > n || e.Len == 0 && e.Pos < n {
		t.Fatalf("error %+v outside of %d runes", e, n)
	}
	for _, lang := range []string{"de", "en"} {
		if m := e.Message(lang); m == "" || utf8.RuneCountInString(m) > 400 {
			t.Fatalf("message %q", m)
		}
	}
}

func checkSpans(t *testing.T, n query.Node, runes int) {
	t.Helper()
	check := func(s query.Span) {
		if s.Start < 0 || s.Start >= s.End || s.End > runes {
			t.Fatalf("span %+v of %T outside of %d runes", s, n, runes)
		}
	}
	switch n := n.(type) {
	case *query.And:
		for _, c := range n.Nodes {
			checkSpans(t, c, runes)
		}
	case *query.Or:
		for _, c := range n.Nodes {
			checkSpans(t, c, runes)
		}
	case *query.Not:
		checkSpans(t, n.Node, runes)
	case *query.Near:
		check(n.Span)
		for _, m := range n.Parts {
			checkSpans(t, m, runes)
		}
	case *query.Match:
		check(n.Span)
	case *query.Date:
		check(n.Span)
	case *query.Size:
		check(n.Span)
	case *query.Value:
		check(n.Span)
	}
}

func FuzzSnippet(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, strings.Join(seeds[i:], "\r\n"), 40+i)
	}
	f.Add("a", "a\xff\x00a\u0301 a", 3)
	f.Fuzz(func(t *testing.T, text, body string, most int) {
		q, err := query.Parse(text, testEnv)
		if err != nil {
			return
		}
		begun := time.Now()
		marks := q.Marks(body)
		s := q.Snippet(body, most)
		if d := time.Since(begun); d > slow+time.Duration(len(body))*10*time.Microsecond {
			t.Fatalf("took %v for %d bytes", d, len(body))
		}
		checkMarks(t, marks, utf8.RuneCountInString(body))
		checkMarks(t, s.Marks, utf8.RuneCountInString(s.Text))
		if len(s.Text) > 0 && utf8.RuneCountInString(s.Text) > most {
			t.Fatalf("%d runes, want at most %d", utf8.RuneCountInString(s.Text), most)
		}
		if (s.Text == "") != (len(marks) == 0 || most < 1) {
			t.Fatalf("snippet %q, but %d marks", s.Text, len(marks))
		}
		if strings.ContainsAny(s.Text, "\r\n\t\x00") {
			t.Fatalf("control characters in %q", s.Text)
		}
	})
}

func checkMarks(t *testing.T, marks []query.Mark, n int) {
	t.Helper()
	last := 0
	for _, m := range marks {
		if m.Start < last || m.End <= m.Start || m.End > n {
			t.Fatalf("marks %v overlap or lie outside of %d runes", marks, n)
		}
		last = m.End
	}
}

func FuzzSuggest(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, len(s)/2)
	}
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		n := utf8.RuneCountInString(text)
		at := query.TypingAt(text, cursor)
		if at.Start < 0 || at.Start > at.End || at.End > n {
			t.Fatalf("%+v outside of %d runes", at, n)
		}
		for _, s := range query.Suggest(text, cursor, "de") {
			if s.Start != at.Start || s.End != at.End || s.Insert == "" || s.Label == "" {
				t.Fatalf("%+v, but typed is %+v", s, at)
			}
		}
	})
}
