package fts_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/indextest"
	"github.com/muniment/muniment/internal/index/naive"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// invented returns documents of few words, of the kinds that rules are for, so
// that every query of such words meets nearly-right documents.
func invented(n int) []index.Doc {
	rnd := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // repeatable, not secret
	vocabulary := strings.Fields(`中文信 中 文信報 中文 x中y 2024年報告 가나다 나다 ไทย テスト ﾃｽﾄ Müller Mueller Muller Straße STRASSE
		Rechnung Rechnungen rechnung. invoice invoiced ﬁn fin RE-1/2 RE 1 2 a@b.example b.example é e naïve Łódź жук 中,文`)
	words := func(n int) string {
		var out []string
		for range n {
			out = append(out, vocabulary[rnd.IntN(len(vocabulary))])
		}
		return strings.Join(out, " ")
	}
	party := func() []index.Party {
		return []index.Party{{Name: words(2), Address: fmt.Sprintf("p%d@b.example", rnd.IntN(9))}}
	}
	docs := make([]index.Doc, n)
	for i := range docs {
		docs[i] = index.Doc{
			ID: uid.ID{1, 14: byte(i >> 8), 15: byte(i)}, Date: time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, rnd.IntN(900)), Size: int64(rnd.IntN(5000)),
			Subject: words(3), Body: words(3 + rnd.IntN(20)), From: party(), To: party(), Cc: party(), Bcc: party(),
			Category: words(1), Class: words(1), Source: words(2), Tags: []string{words(1), words(1)},
		}
		if i%2 == 0 {
			docs[i].Files = []index.File{{Name: words(2) + ".pdf", Type: "application/pdf", Text: words(9)}, {Name: words(1), Type: "image/png", Text: words(9)}}
		}
	}
	return docs
}

// The index finds what looking finds where words of all scripts stand close to
// each other.
func TestFindsWhatLookingFindsInAllScripts(t *testing.T) {
	t.Parallel()
	docs := invented(250)
	x, tenant := open(t), uid.ID{1}
	if err := x.Add(t.Context(), tenant, docs); err != nil {
		t.Fatal(err)
	}
	prepared := make([]*naive.Doc, len(docs))
	for i := range docs {
		prepared[i] = naive.New(&docs[i])
	}
	found := 0
	for _, text := range indextest.Queries(docs, 800, 3) {
		q, err := query.Parse(text, query.Env{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		want := map[uid.ID]bool{}
		for _, id := range naive.Find(q.Root(), prepared, index.Scope{All: true}) {
			want[id] = true
		}
		found += len(want)
		if diff := compare(all(t, x, tenant, index.Request{Query: q, Scope: index.Scope{All: true}}), want); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	if found < 20*len(docs) {
		t.Errorf("only %d matches: the queries prove nothing", found)
	}
}
