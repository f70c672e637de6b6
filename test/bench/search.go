package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/fts"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// The synthetic mail of the search measurement: words of a Zipfian vocabulary,
// texts of log-normal length (median 1.2 kB), mailboxes over ten years.
const (
	vocabulary = 200_000
	mailboxes  = 500
	firstYear  = 2016
	years      = 10
)

type generator struct {
	rnd   *rand.Rand
	zipf  *rand.Zipf
	words []string
}

func newGenerator() *generator {
	g := &generator{rnd: rand.New(rand.NewPCG(1, 2))}
	g.zipf = rand.NewZipf(g.rnd, 1.07, 10, vocabulary-1)
	syllables := []string{"ra", "tel", "mon", "ge", "si", "ku", "ver", "lo", "an", "dis", "po", "er", "ung", "sta", "fi", "bro", "ne", "wal"}
	for i := range vocabulary {
		var b strings.Builder
		for n := i + 7; n > 0; n /= len(syllables) {
			b.WriteString(syllables[n%len(syllables)])
		}
		g.words = append(g.words, b.String())
	}
	return g
}

func (g *generator) word() string { return g.words[g.zipf.Uint64()] }

func (g *generator) text(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(g.word())
		b.WriteByte(' ')
	}
	return b.String()
}

func address(i int) string { return fmt.Sprintf("user%03d@example.com", i) }

// decade is the date of message i of total, spread evenly over the years.
func decade(i, total int) time.Time {
	span := time.Duration(years*365*24) * time.Hour
	return time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(float64(span) * float64(i) / float64(total)))
}

func (g *generator) doc(i, total int) index.Doc {
	date := decade(i, total)
	from, to, cc := g.rnd.IntN(mailboxes), g.rnd.IntN(mailboxes), g.rnd.IntN(mailboxes)
	d := index.Doc{
		ID: uid.New(date), Date: date.Truncate(time.Second), Size: 5000, Subject: g.text(40), Category: []string{"", "invoices"}[i%2],
		Body: g.text(int(1200 * math.Exp(g.rnd.NormFloat64()*1.2))),
		From: []index.Party{{Name: "User " + g.words[from], Address: address(from)}},
		To:   []index.Party{{Name: "User " + g.words[to], Address: address(to)}},
		Cc:   []index.Party{{Name: "User " + g.words[cc], Address: address(cc)}},
	}
	d.Access = []string{address(from), address(to), address(cc)}
	if i%4 == 0 {
		d.Files = []index.File{{Name: g.word() + ".pdf", Type: "application/pdf"}}
	}
	return d
}

// shape is a kind of query, with as many different ones as are measured.
type shape struct {
	name   string
	query  func(i int) string
	scope  index.Scope
	count  int // Request.CountUpTo
	facet  bool
	budget int // milliseconds; 0: none, it comes after the list
}

func (g *generator) shapes() []shape {
	all := index.Scope{All: true}
	var access500 []string
	for i := range mailboxes {
		access500 = append(access500, address(i))
	}
	frequent := func(i int) string { return g.words[20+i%30] }
	mid := func(i int) string { return g.words[300+i*7%2000] }
	rare := func(i int) string { return g.words[50_000+i*997%100_000] }
	return []shape{
		{"rare word", rare, all, 0, false, 20},
		{"frequent word, newest 50", frequent, all, 0, false, 20},
		{"2 words AND, newest 50", func(i int) string { return frequent(i) + " " + mid(i) }, all, 0, false, 20},
		{"4 words AND, newest 50", func(i int) string { return frequent(i) + " " + frequent(i+7) + " " + mid(i) + " " + mid(i+3) }, all, 0, false, 20},
		{"phrase, newest 50", func(i int) string { return `"` + g.words[i%20] + " " + g.words[(i+3)%20] + `"` }, all, 0, false, 20},
		{"prefix of 3 letters", func(i int) string { return mid(i)[:3] + "*" }, all, 0, false, 20},
		{"prefix of 2 letters", func(i int) string { return mid(i)[:2] + "*" }, all, 0, false, 50},
		{"negation", func(i int) string { return frequent(i) + " -" + mid(i) }, all, 0, false, 20},
		{"sender + date range", func(i int) string { return fmt.Sprintf("from:%s date:%d", address(i%mailboxes), firstYear+i%years) }, all, 0, false, 20},
		{"word + 3 allowed addresses", mid, index.Scope{Addresses: access500[:3]}, 0, false, 20},
		{"word + 500 allowed addresses", mid, index.Scope{Addresses: access500}, 0, false, 50},
		{"count of a frequent word (to 10,000)", frequent, all, 10_000, false, 20},
		{"facets of a frequent word", frequent, all, 0, true, 0},
	}
}

// search builds an index of synthetic messages and measures every shape.
func (b *bench) search(ctx context.Context) error {
	fmt.Print("\n## Search\n")
	small, err := b.searchAmong(ctx, b.messages)
	if err != nil || !b.long {
		return err
	}
	large, err := b.searchAmong(ctx, 1_000_000)
	if err != nil {
		return err
	}
	growth := 0.0
	for name, ms := range large {
		growth = max(growth, ms/max(small[name], 1)) // below a millisecond the clock says little
	}
	b.account(fmt.Sprintf("newest-first search, worst shape, 1,000,000 ÷ %d messages", b.messages), "≤ 1.3", fmt.Sprintf("%.2f", growth), growth <= 1.3)
	return nil
}

// searchAmong returns the median of every shape that has a budget, in milliseconds.
func (b *bench) searchAmong(ctx context.Context, n int) (map[string]float64, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("index-%d", n))
	x, err := fts.Open(dir)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	g, tenant := newGenerator(), uid.New(time.Now())
	text, took := 0, time.Duration(0)
	for i := 0; i < n; i += 1000 {
		var docs []index.Doc
		for j := i; j < min(i+1000, n); j++ {
			docs = append(docs, g.doc(j, n))
			text += len(docs[len(docs)-1].Body)
		}
		start := time.Now()
		if err := x.Add(ctx, tenant, docs); err != nil {
			return nil, err
		}
		took += time.Since(start)
	}
	start := time.Now()
	if err := x.Tidy(ctx, tenant); err != nil {
		return nil, err
	}
	fmt.Printf("\n%d synthetic messages of %d years, %.0f MB of text; indexed at %.0f messages/s, tidied in %.0f s as the server and `muniment compact` do; 200 queries of each shape, first page of 50, newest first\n\n",
		n, years, float64(text)/1e6, float64(n)/took.Seconds(), time.Since(start).Seconds())
	fmt.Print("| shape | p50 ms | p95 ms | budget ms |\n|---|---|---|---|\n")
	medians := map[string]float64{}
	for _, s := range g.shapes() {
		p50, p95, err := measure(ctx, x, tenant, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("| %s | %.2f | %.2f | %s |\n", s.name, p50, p95, limit(s.budget))
		if s.budget > 0 {
			b.account(fmt.Sprintf("%s, %d messages, p95", s.name, n), fmt.Sprintf("≤ %d ms", s.budget), fmt.Sprintf("%.1f ms", p95), p95 <= float64(s.budget))
		}
		if s.budget > 0 { // what comes after the list may grow with its hits
			medians[s.name] = p50
		}
	}
	return medians, nil
}

func limit(ms int) string {
	if ms == 0 {
		return "–"
	}
	return strconv.Itoa(ms)
}

func measure(ctx context.Context, x *fts.Index, tenant uid.ID, s shape) (p50, p95 float64, err error) {
	const rounds = 200
	var ms []float64
	for i := range rounds {
		start := time.Now()
		q, err := query.Parse(s.query(i), query.Env{})
		if err != nil {
			return 0, 0, err
		}
		r := index.Request{Query: q, Scope: s.scope, Limit: 50, CountUpTo: s.count}
		if s.facet {
			_, err = x.Facets(ctx, tenant, r, 12)
		} else {
			_, err = x.Search(ctx, tenant, r)
		}
		if err != nil {
			return 0, 0, err
		}
		ms = append(ms, float64(time.Since(start).Microseconds())/1000)
	}
	slices.Sort(ms)
	return ms[rounds/2], ms[rounds*95/100], nil
}
