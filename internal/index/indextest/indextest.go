// Package indextest is the conformance suite of package index, and the corpus
// and queries with which tests compare an index with package naive.
//
//	indextest.go  Run, small helpers    corpus.go   documents out of real mail
//	store.go      adding and removing   queries.go  queries out of documents
//	search.go     order, pages, counts
//	rights.go     who finds what
package indextest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// Run checks that an index keeps the contract of index.Index. open returns an
// empty index, which it closes itself when its test ends.
func Run(t *testing.T, open func(t *testing.T) index.Index) {
	t.Helper()
	for name, fn := range map[string]func(*suite){
		"Empty":             testEmpty,
		"Operators":         testOperators,
		"Documents":         testDocuments,
		"Replace":           testReplace,
		"ReplaceOtherYear":  testReplaceOtherYear,
		"Remove":            testRemove,
		"Erase":             testErase,
		"Idempotence":       testIdempotence,
		"TenantsApart":      testTenantsApart,
		"Drop":              testDrop,
		"IDs":               testIDs,
		"Concurrency":       testConcurrency,
		"Tidy":              testTidy,
		"Check":             testCheck,
		"Order":             testOrder,
		"Pages":             testPages,
		"PagesWhileAdding":  testPagesWhileAdding,
		"ForeignCursor":     testForeignCursor,
		"Count":             testCount,
		"Facets":            testFacets,
		"Dates":             testDates,
		"ValuesApart":       testValuesApart,
		"Scope":             testScope,
		"ScopeOfFacets":     testScopeOfFacets,
		"BlindCopies":       testBlindCopies,
		"People":            testPeople,
		"PeopleWithinScope": testPeopleWithinScope,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fn(&suite{T: t, x: open(t), tenant: uid.ID{1}})
		})
	}
}

// suite is one test with its index.
type suite struct {
	*testing.T
	x      index.Index
	tenant uid.ID
}

// everything is the scope that sees all messages.
var everything = index.Scope{All: true}

// only is the scope of one address.
func only(address string) index.Scope { return index.Scope{Addresses: []string{address}} }

// env is a fixed now.
var env = query.Env{Now: time.Date(2025, 3, 15, 12, 0, 0, 0, time.UTC)}

// day returns noon of a day of 2024, or of a year before if n is negative.
func day(n int) time.Time { return time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

// id returns the n-th identifier.
func id(n int) uid.ID { return uid.ID{0: 2, 14: byte(n >> 8), 15: byte(n)} }

func (s *suite) add(docs ...index.Doc) {
	s.Helper()
	if err := s.x.Add(s.Context(), s.tenant, docs); err != nil {
		s.Fatal(err)
	}
}

func (s *suite) remove(ids ...uid.ID) {
	s.Helper()
	if err := s.x.Remove(s.Context(), s.tenant, ids); err != nil {
		s.Fatal(err)
	}
}

func (s *suite) request(text string, scope index.Scope) index.Request {
	s.Helper()
	q, err := query.Parse(text, env)
	if err != nil {
		s.Fatalf("%s: %v", text, err)
	}
	return index.Request{Query: q, Scope: scope, Limit: 100, CountUpTo: 1000}
}

func (s *suite) search(r index.Request) index.Result {
	s.Helper()
	res, err := s.x.Search(s.Context(), s.tenant, r)
	if err != nil {
		s.Fatalf("%s: %v", r.Query.Text(), err)
	}
	return res
}

// find returns the numbers of what a search finds.
func (s *suite) find(text string, scope index.Scope) []int {
	s.Helper()
	return numbers(s.search(s.request(text, scope)).Hits)
}

func numbers(hits []index.Hit) []int {
	var out []int
	for _, h := range hits {
		out = append(out, int(h.ID[14])<<8+int(h.ID[15]))
	}
	return out
}

// want checks what a search of everything finds, newest first.
func (s *suite) want(text string, numbers ...int) {
	s.Helper()
	s.wantFor(everything, text, numbers...)
}

func (s *suite) wantFor(scope index.Scope, text string, numbers ...int) {
	s.Helper()
	if d := cmp.Diff(numbers, s.find(text, scope), cmpopts.EquateEmpty()); d != "" {
		s.Errorf("%q for %v: -want +got: %s", text, scope, d)
	}
}

// mail is the n-th document, of the n-th day of 2024, with a subject.
func mail(n int, subject string) index.Doc {
	return index.Doc{ID: id(n), Date: day(n), Size: int64(n), Subject: subject, Body: fmt.Sprintf("body%d", n)}
}
