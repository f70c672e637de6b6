package fts_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/indextest"
	"github.com/muniment/muniment/internal/index/naive"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// The index finds exactly what looking at every document finds: for real mail,
// every operator, and everybody's rights.
func TestFindsWhatLookingFinds(t *testing.T) {
	t.Parallel()
	docs, _ := indextest.Corpus(t, 1500)
	cases, _ := indextest.Cases(t)
	docs = append(docs, cases...)
	for i := range docs { // some are files, and no mail
		if i%13 == 0 {
			docs[i].Document, docs[i].Files = true, []index.File{{Name: docs[i].Subject + ".pdf", Type: "application/pdf"}}
		}
	}
	for i := range docs { // both parts count their IDs from the same time
		docs[i].ID[15], docs[i].ID[14], docs[i].ID[13] = byte(i), byte(i>>8), 0
	}
	x, tenant := open(t), uid.ID{1}
	for part := range slices.Chunk(docs, 500) {
		if err := x.Add(t.Context(), tenant, part); err != nil {
			t.Fatal(err)
		}
	}
	prepared := make([]*naive.Doc, len(docs))
	for i := range docs {
		prepared[i] = naive.New(&docs[i])
	}
	scopes := []index.Scope{{All: true}, scopeOf(docs, 100), scopeOf(docs, 1)}
	found := 0
	for i, text := range indextest.Queries(docs, 300, 1) {
		scope := scopes[i%3*(i/60%2)] // every operator with All at least once
		q, err := query.Parse(text, query.Env{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want := map[uid.ID]bool{}
		for _, id := range naive.Find(q.Root(), prepared, scope) {
			want[id] = true
		}
		found += len(want)
		begun := time.Now()
		got := all(t, x, tenant, index.Request{Query: q, Scope: scope})
		if d := time.Since(begun); d > slowSearch {
			t.Errorf("%s (%d addresses): took %v", text, len(scope.Addresses), d)
		}
		if diff := compare(got, want); diff != "" {
			t.Errorf("%s (%d addresses): %s", text, len(scope.Addresses), diff)
		}
	}
	if found < len(docs) {
		t.Errorf("only %d matches: the queries prove nothing", found)
	}
}

// slowSearch is what all pages of a search of a few thousand messages may take
// on a busy machine.
const slowSearch = 5 * time.Second

// scopeOf is somebody with n addresses of the documents.
func scopeOf(docs []index.Doc, n int) index.Scope {
	var s index.Scope
	for i := 0; len(s.Addresses) < n; i += len(docs)/n + 1 {
		s.Addresses = append(s.Addresses, docs[i%len(docs)].Access...)
	}
	s.Addresses = s.Addresses[:n]
	return s
}

func all(t *testing.T, x index.Index, tenant uid.ID, r index.Request) map[uid.ID]bool {
	t.Helper()
	r.Limit, r.CountUpTo = 500, 1<<30
	got := map[uid.ID]bool{}
	for {
		ctx, cancel := context.WithTimeout(t.Context(), slowSearch)
		res, err := x.Search(ctx, tenant, r)
		cancel()
		if err != nil {
			t.Errorf("%s: %v", r.Query.Text(), err)
			return got
		}
		for _, h := range res.Hits {
			if got[h.ID] {
				t.Errorf("%s: %s twice", r.Query.Text(), h.ID)
			}
			got[h.ID] = true
		}
		if r.Cursor = res.Next; r.Cursor == "" {
			if res.Total != len(got) || !res.Exact {
				t.Errorf("%s: counted %d, found %d", r.Query.Text(), res.Total, len(got))
			}
			return got
		}
	}
}

func compare(got, want map[uid.ID]bool) string {
	var diff []string
	for id := range want {
		if !got[id] {
			diff = append(diff, "missing "+id.String())
		}
	}
	for id := range got {
		if !want[id] {
			diff = append(diff, "wrong "+id.String())
		}
	}
	if len(diff) == 0 {
		return ""
	}
	slices.Sort(diff)
	return fmt.Sprintf("found %d, want %d: %s", len(got), len(want), strings.Join(diff[:min(len(diff), 3)], ", "))
}
