package indextest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/muniment/muniment/internal/index"
)

// testOrder adds out of order, over years, several in one second.
func testOrder(s *suite) {
	var docs []index.Doc
	for i := range 40 {
		d := mail(i, "word")
		d.Date = day(i / 4 * 100) // four of a second, ten days in three years
		docs = append(docs, d)
	}
	slices.Reverse(docs)
	for i := 0; i < len(docs); i += 7 {
		s.add(docs[i:min(i+7, len(docs))]...)
	}
	for _, oldest := range []bool{false, true} {
		r := s.request("word", everything)
		r.Oldest = oldest
		hits := s.search(r).Hits
		if len(hits) != len(docs) {
			s.Fatalf("%d hits, want %d", len(hits), len(docs))
		}
		for i := 1; i < len(hits); i++ {
			if d := hits[i].Date.Compare(hits[i-1].Date); oldest && d < 0 || !oldest && d > 0 {
				s.Errorf("oldest %t: %v after %v", oldest, hits[i], hits[i-1])
			}
		}
		for _, h := range hits {
			if n := numbers([]index.Hit{h})[0]; !h.Date.Equal(day(n / 4 * 100)) {
				s.Errorf("hit %d has date %v", n, h.Date)
			}
		}
	}
}

// pages reads all pages of a request.
func (s *suite) pages(r index.Request) (out [][]int) {
	s.Helper()
	for {
		res := s.search(r)
		out = append(out, numbers(res.Hits))
		if r.Cursor = res.Next; r.Cursor == "" || len(out) > 1000 {
			return out
		}
	}
}

func testPages(s *suite) {
	var want []int
	for i := range 25 {
		d := mail(i, "word")
		d.Date = day(i / 2 * 60)
		s.add(d)
		want = append([]int{i}, want...)
	}
	s.add(mail(300, "other"))
	for _, limit := range []int{1, 2, 5, 24, 25, 26, 500} {
		for _, oldest := range []bool{false, true} {
			r := s.request("word", everything)
			r.Limit, r.Oldest = limit, oldest
			pages := s.pages(r)
			got := slices.Concat(pages...)
			for i, p := range pages {
				if len(p) != limit && i < len(pages)-1 || len(p) == 0 {
					s.Errorf("limit %d: page %d of %d has %d hits", limit, i, len(pages), len(p))
				}
			}
			slices.Sort(got)
			if d := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b int) bool { return a < b })); d != "" {
				s.Errorf("limit %d, oldest %t: %s", limit, oldest, d)
			}
		}
	}
	r := s.request("word", everything)
	for _, limit := range []int{0, -1, 501} {
		r.Limit = limit
		if _, err := s.x.Search(s.Context(), s.tenant, r); err == nil {
			s.Errorf("limit %d is accepted", limit)
		}
	}
}

// testPagesWhileAdding: newer messages that come in between pages neither repeat
// nor drop anything.
func testPagesWhileAdding(s *suite) {
	for i := range 10 {
		s.add(mail(i, "word"))
	}
	r := s.request("word", everything)
	r.Limit = 4
	first := s.search(r)
	s.add(mail(50, "word"), mail(500, "word"))
	s.remove(id(7))
	r.Cursor = first.Next
	got := slices.Concat(numbers(first.Hits), slices.Concat(s.pages(r)...))
	if d := cmp.Diff([]int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, got); d != "" {
		s.Error(d)
	}
}

func testForeignCursor(s *suite) {
	for i := range 10 {
		s.add(mail(i, "word other"))
	}
	r := s.request("word", everything)
	r.Limit = 4
	next := s.search(r).Next
	other := s.request("other", everything)
	oldest, scoped := r, r
	oldest.Oldest, scoped.Scope = true, only("a@example.org")
	for name, bad := range map[string]index.Request{"query": other, "order": oldest, "scope": scoped} {
		bad.Cursor = next
		if _, err := s.x.Search(s.Context(), s.tenant, bad); !errors.Is(err, index.ErrCursor) {
			s.Errorf("cursor of another %s: got %v, want ErrCursor", name, err)
		}
	}
	for _, c := range []string{"x", "????", next + "A", next[1:], "AAAAAAAAAAAAAAAAAAAAAAAA"} {
		r.Cursor = c
		if _, err := s.x.Search(s.Context(), s.tenant, r); !errors.Is(err, index.ErrCursor) {
			s.Errorf("cursor %q: got %v, want ErrCursor", c, err)
		}
	}
}

func testCount(s *suite) {
	for i := range 20 {
		s.add(mail(i*60, "word"))
	}
	for _, c := range []struct {
		upTo, total int
		exact       bool
	}{{5, 5, false}, {19, 19, false}, {20, 20, true}, {1000, 20, true}} {
		r := s.request("word", everything)
		r.Limit, r.CountUpTo = 3, c.upTo
		if res := s.search(r); res.Total != c.total || res.Exact != c.exact {
			s.Errorf("up to %d: got %d, exact %t; want %d, %t", c.upTo, res.Total, res.Exact, c.total, c.exact)
		}
	}
	r := s.request("nothing", everything)
	if res := s.search(r); res.Total != 0 || !res.Exact {
		s.Errorf("nothing: got %d, exact %t", res.Total, res.Exact)
	}
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	if _, err := s.x.Search(ctx, s.tenant, s.request("word", everything)); err == nil {
		s.Error("a cancelled search has a result")
	}
}

func testFacets(s *suite) {
	for i := range 12 {
		d := mail(i, "word")
		d.Date = day(i / 4 * 400)
		d.From = []index.Party{{Name: "N", Address: fmt.Sprintf("p%d@example.org", min(i%4, 2))}}
		if i%4 == 0 {
			d.From[0].Name = []string{"", "Often", "Often"}[i/4]
		}
		d.Category = []string{"", "Alpha", "Beta"}[i%3]
		if i%6 == 0 {
			d.Files = []index.File{{Name: "a"}}
		}
		s.add(d)
	}
	s.add(mail(200, "other"))
	f, err := s.x.Facets(s.Context(), s.tenant, s.request("word", everything), 2)
	if err != nil {
		s.Fatal(err)
	}
	want := index.Facets{
		Years:         []index.Bucket{{Value: "2026", Count: 4}, {Value: "2025", Count: 4}, {Value: "2024", Count: 4}},
		Senders:       []index.Bucket{{Value: "p2@example.org", Label: "N", Count: 6}, {Value: "p0@example.org", Label: "Often", Count: 3}},
		Categories:    []index.Bucket{{Value: "Alpha", Count: 4}, {Value: "Beta", Count: 4}},
		HasAttachment: []index.Bucket{{Value: "no", Count: 10}, {Value: "yes", Count: 2}},
		Exact:         true,
	}
	if d := cmp.Diff(want, f); d != "" {
		s.Errorf("-want +got: %s", d)
	}
}

// testDates looks at the borders of days, and at dates no mail should have.
func testDates(s *suite) {
	for n, date := range []time.Time{
		1: time.Date(2024, 5, 16, 23, 59, 59, 0, time.UTC), 2: time.Date(2024, 5, 17, 0, 0, 0, 0, time.UTC),
		3: time.Date(2024, 5, 17, 23, 59, 59, 0, time.UTC), 4: time.Date(2024, 5, 18, 0, 0, 0, 0, time.UTC),
		5: time.Date(2023, 12, 31, 23, 59, 59, 0, time.UTC), 6: time.Date(2024, 12, 31, 23, 59, 59, 0, time.UTC),
		7: time.Unix(0, 0).UTC(), 8: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), 9: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if n > 0 {
			d := mail(n, "word")
			d.Date = date
			s.add(d)
		}
	}
	s.want("date:2024-05-17", 3, 2)
	s.want("before:2024-05-17", 1, 5, 8, 7)
	s.want("until:2024-05-17", 3, 2, 1, 5, 8, 7)
	s.want("after:2024-05-18", 9, 6, 4)
	s.want("date:2024", 6, 4, 3, 2, 1)
	s.want("-date:2024", 9, 5, 8, 7)
	s.want("before:2024 OR after:2025", 9, 5, 8, 7)
	s.want("-(after:2024-05-17 before:2024-05-18) date:2024-05", 4, 1)
	s.want("word date:2023-12-31..2024-05-16", 1, 5)
}

// testValuesApart: no phrase and no NEAR reaches from one value into the next.
func testValuesApart(s *suite) {
	d := mail(1, "one two")
	d.Body = "three four"
	d.From = []index.Party{{Name: "Anna Beck", Address: "ab@x.org"}, {Name: "Carl Dorn", Address: "cd@y.org"}}
	d.Files = []index.File{{Name: "red.txt", Text: "green blue"}, {Name: "pink.txt", Text: "gold grey"}}
	s.add(d)
	for _, q := range []string{`"one two"`, `"anna beck"`, `"ab x org"`, `"red txt"`, `"green blue"`, "gold NEAR/1 grey", "two NEAR/1 one", `from:"anna beck"`} {
		s.want(q, 1)
	}
	for _, q := range []string{
		`"two three"`, `"beck carl"`, `"beck ab"`, `"org carl"`, `"txt pink"`, `"blue gold"`, "two NEAR/50 three", "blue NEAR/50 gold", "anna NEAR beck",
		"red NEAR/50 txt", `from:"org carl"`, `filename:"txt pink"`, `attachment:"blue gold"`, "subject:(one NEAR/50 three)",
	} {
		s.want(q)
	}
}
