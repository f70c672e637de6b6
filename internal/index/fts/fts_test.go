package fts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/fts"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

func open(t *testing.T) *fts.Index {
	t.Helper()
	x, err := fts.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func search(t *testing.T, x *fts.Index, tenant uid.ID, scope index.Scope, q string) index.Result {
	t.Helper()
	parsed, err := query.Parse(q, query.Env{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	var all index.Result
	r := index.Request{Query: parsed, Scope: scope, Limit: 7, CountUpTo: 1000}
	for {
		res, err := x.Search(t.Context(), tenant, r)
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		all.Hits, all.Total, all.Exact = append(all.Hits, res.Hits...), res.Total, res.Exact
		if res.Next == "" {
			return all
		}
		r.Cursor = res.Next
	}
}

// Many messages of one second need more numbers than a second has.
func TestManyMessagesOfOneSecond(t *testing.T) {
	t.Parallel()
	x, tenant := open(t), uid.New(time.Now())
	at := time.Date(2024, 12, 31, 23, 59, 59, 0, time.UTC)
	var docs []index.Doc
	var want []uid.ID
	for i := range 500 {
		var id uid.ID
		id[14], id[15] = byte(i>>8), byte(i)
		docs = append(docs, index.Doc{ID: id, Date: at, Subject: fmt.Sprintf("number %d", i), Access: []string{"a@example.org"}})
		want = append([]uid.ID{id}, want...)
	}
	later := index.Doc{ID: uid.New(time.Now()), Date: at.Add(-time.Second), Subject: "number before"}
	for _, part := range [][]index.Doc{docs[:100], docs[100:], {later}} {
		if err := x.Add(t.Context(), tenant, part); err != nil {
			t.Fatal(err)
		}
	}
	res := search(t, x, tenant, index.Scope{Addresses: []string{"a@example.org"}}, "number date:2024-12-31")
	var got []uid.ID
	for _, h := range res.Hits {
		got = append(got, h.ID)
	}
	if d := cmp.Diff(want, got); d != "" || res.Total != 500 {
		t.Errorf("total %d, order: %s", res.Total, d)
	}
	if n := len(search(t, x, tenant, index.Scope{All: true}, "before:2024-12-31").Hits); n != 0 {
		t.Errorf("%d messages before the day, want none", n)
	}
}

func TestCloseAndDrop(t *testing.T) {
	t.Parallel()
	x, tenant := open(t), uid.New(time.Now())
	if err := x.Add(t.Context(), tenant, []index.Doc{{ID: uid.New(time.Now()), Date: time.Now(), Subject: "hello"}}); err != nil {
		t.Fatal(err)
	}
	if err := x.Drop(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	if n := len(search(t, x, tenant, index.Scope{All: true}, "").Hits); n != 0 {
		t.Errorf("%d hits after Drop", n)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Remove(context.Background(), tenant, nil); err == nil {
		t.Error("a closed index still works")
	}
}
