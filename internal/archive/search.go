package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// Bounds of a search.
const (
	maxPage      = 200
	countUpTo    = 10_000  // matches that are counted exactly
	snippetRunes = 220     // length of an extract
	snippetRaw   = 1 << 20 // larger messages show their preview instead of an extract
	facetSenders = 12
)

// Search returns one page of the messages that the actor may see. Only the first
// page, without a cursor, says how many there are. Errors match
// access.ErrForbidden, *query.Error, index.ErrCursor, index.ErrDamaged.
func (h *Handle) Search(ctx context.Context, r SearchRequest) (*SearchPage, error) {
	req, typed, err := h.request(ctx, r)
	if err != nil {
		return nil, err
	}
	found, err := h.a.index.Search(ctx, h.actor.Tenant, *req)
	if err != nil {
		return nil, h.damagedIndex(err)
	}
	page := &SearchPage{Next: found.Next, Total: found.Total, Exact: found.Exact && req.CountUpTo > 0, Parsed: typed}
	ids := make([]uid.ID, len(found.Hits))
	for i, hit := range found.Hits {
		ids[i] = hit.ID
	}
	rows, err := h.a.catalog.Messages(ctx, h.actor.Tenant, ids)
	if bad := rowErrors(err); len(bad) > 0 {
		h.a.log.Error("rows are damaged", "tenant", h.actor.Tenant, "error", err)
	} else if err != nil {
		return nil, err
	}
	for _, id := range ids {
		// The index may know what the catalog has lost or, being derived, may be
		// wrong: what counts is the row.
		if row := rows[id]; row != nil && h.mayKnow(row) {
			page.Hits = append(page.Hits, h.hit(row))
		}
	}
	h.extracts(ctx, typed, page.Hits, rows)
	return page, h.record(ctx, actSearched, nil, r.Query)
}

// request makes the request of the index for what the actor may find, and the query
// as it was typed.
func (h *Handle) request(ctx context.Context, r SearchRequest) (req *index.Request, typed *query.Query, err error) {
	if err := h.actor.Check(access.SearchOwn); err != nil {
		return nil, nil, err
	}
	if typed, err = h.parse(ctx, r.Query); err != nil {
		return nil, nil, err
	}
	q, err := h.narrow(ctx, typed)
	if err != nil {
		return nil, nil, err
	}
	count := countUpTo
	if len(r.Cursor) > 0 {
		count = 0
	}
	return &index.Request{
		Query: q, Scope: h.scope(), Limit: min(max(r.Limit, 1), maxPage),
		Cursor: r.Cursor, Oldest: r.Oldest, CountUpTo: count,
	}, typed, nil
}

// scope is for whom the index is asked.
func (h *Handle) scope() index.Scope {
	return index.Scope{All: h.actor.SeesAll(), Addresses: h.actor.Addresses}
}

// mayKnow reports whether the actor may know of a message, as far as addresses and the
// period of a grant go.
func (h *Handle) mayKnow(row *catalog.Message) bool {
	return (h.actor.SeesAll() || len(h.actor.Why(accessParties(row.Parties))) > 0) && (h.actor.Grant == nil || h.actor.Grant.Covers(row.Date))
}

func (h *Handle) parse(ctx context.Context, text string) (*query.Query, error) {
	zone, err := h.zone(ctx)
	if err != nil {
		return nil, err
	}
	return query.Parse(text, query.Env{Now: h.a.now(), Zone: zone})
}

// zone is the time zone of the tenant, in which days are meant.
func (h *Handle) zone(ctx context.Context) (*time.Location, error) {
	t, err := h.a.catalog.Tenant(ctx, h.actor.Tenant)
	if err != nil {
		return nil, err
	}
	if z, err := time.LoadLocation(t.Zone); err == nil {
		return z, nil
	}
	return time.UTC, nil
}

// hit describes a row as the actor may see it.
func (h *Handle) hit(row *catalog.Message) Hit {
	visible, _ := h.visible(row.Parties)
	size := row.Size
	if row.Facts.File == nil && h.hidesBcc(row.Parties) {
		size = 0 // the length of a field that this reader may not see
	}
	return Hit{
		ID: row.AOID, Date: row.Date, ReceivedAt: row.ReceivedAt, Parties: visible, Subject: row.Facts.Subject,
		Snippet: query.Snippet{Text: row.Facts.Preview}, Size: size, Attachments: row.Facts.Attachments,
		Category: row.Category, Tags: row.Tags, File: row.Facts.File,
	}
}

// extracts replaces previews by the places of the text that match.
func (h *Handle) extracts(ctx context.Context, q *query.Query, hits []Hit, rows map[uid.ID]*catalog.Message) {
	if !hasWords(q.Root()) {
		return
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				h.extract(ctx, q, &hits[i], rows[hits[i].ID])
			}
		}()
	}
	for i := range hits {
		next <- i
	}
	close(next)
	wg.Wait()
}

// hasWords reports whether a query looks for words of a text.
func hasWords(n query.Node) bool {
	switch n := n.(type) {
	case *query.And:
		return slices.ContainsFunc(n.Nodes, hasWords)
	case *query.Or:
		return slices.ContainsFunc(n.Nodes, hasWords)
	case *query.Match:
		return n.Field == query.FieldAny || n.Field == query.FieldBody
	case *query.Near:
		return n.Field != query.FieldSubject
	}
	return false
}

// extract leaves the preview where the message cannot be read: the list must
// not fail because of one message, opening it tells what is wrong.
func (h *Handle) extract(ctx context.Context, q *query.Query, hit *Hit, row *catalog.Message) {
	if row.Size > snippetRaw || row.Facts.File != nil {
		return
	}
	raw, done, err := h.a.original(ctx, row)
	if err != nil {
		h.a.log.Error("message cannot be read", "tenant", row.Tenant, "aoid", row.AOID, "error", err)
		return
	}
	defer done()
	if s := q.Snippet(factsOf(ctx, row, raw).Text, snippetRunes); s.Text != "" {
		hit.Snippet = s
	}
}

// Facets counts all matches of a query that the actor may see.
func (h *Handle) Facets(ctx context.Context, text string) (*Facets, error) {
	req, _, err := h.request(ctx, SearchRequest{Query: text})
	if err != nil {
		return nil, err
	}
	f, err := h.a.index.Facets(ctx, h.actor.Tenant, *req, facetSenders)
	if err != nil {
		return nil, h.damagedIndex(err)
	}
	return &f, h.record(ctx, actCounted, nil, text)
}

// damagedIndex logs that a search has met damage: whoever runs the archive must
// learn of it, and not only who searches.
func (h *Handle) damagedIndex(err error) error {
	if errors.Is(err, index.ErrDamaged) {
		h.a.log.Error("the search index is damaged; run muniment fsck, or muniment reindex to build it anew", "tenant", h.actor.Tenant, "error", err)
	}
	return err
}

// People suggests people on the actor's messages whose name or address starts
// with prefix, the most frequent ones if it is empty; n at most. Under a grant nobody
// is suggested: it may be narrower than its addresses.
func (h *Handle) People(ctx context.Context, prefix string, n int) ([]index.Party, error) {
	if err := h.actor.Check(access.SearchOwn); err != nil {
		return nil, err
	}
	if h.actor.Grant != nil {
		return nil, nil
	}
	return h.a.index.People(ctx, h.actor.Tenant, h.scope(), prefix, n)
}

// Categories lists the categories of the actor's messages, most frequent first.
func (h *Handle) Categories(ctx context.Context) ([]string, error) {
	f, err := h.Facets(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, b := range f.Categories {
		if strings.TrimSpace(b.Value) != "" {
			out = append(out, b.Value)
		}
	}
	return out, nil
}

// visible returns the parties the actor may know of, and whether some are left
// out: blind copies are for senders, and for each blind recipient himself.
func (h *Handle) visible(parties []catalog.Party) (visible []catalog.Party, hidden bool) {
	if h.actor.MaySeeBcc(accessParties(parties)) {
		return parties, false
	}
	own := map[string]bool{}
	for _, a := range h.actor.Addresses {
		own[a] = true
	}
	open := map[string]bool{}
	for _, p := range parties {
		if p.Role == "to" || p.Role == "cc" {
			open[p.Address] = true
		}
	}
	for _, p := range parties {
		switch {
		case p.Role == "bcc" && !own[p.Address]:
			hidden = true
		case (p.Role == roleEnvelopeTo || recipientOfJournal(p.Role)) && !own[p.Address] && !own[p.Via] && !open[p.Address]:
			hidden = true
		default:
			visible = append(visible, p)
		}
	}
	return visible, hidden
}

// hidesBcc reports whether a header names blind recipients, by what the row knows
// of it, whom the actor may not know of.
func (h *Handle) hidesBcc(parties []catalog.Party) bool {
	if h.actor.MaySeeBcc(accessParties(parties)) {
		return false
	}
	return len(parties) >= message.MaxParties || slices.ContainsFunc(parties, func(p catalog.Party) bool {
		return p.Role == "bcc" && !slices.Contains(h.actor.Addresses, p.Address)
	})
}

func accessParties(parties []catalog.Party) []access.Party {
	out := make([]access.Party, 0, len(parties))
	for _, p := range parties {
		out = append(out, access.Party{Role: p.Role, Address: p.Address})
		if p.Via != "" { // the list got it as well
			out = append(out, access.Party{Role: p.Role, Address: p.Via})
		}
	}
	return out
}

// row returns a message that the actor may see; of all others not even their
// existence can be told.
func (h *Handle) row(ctx context.Context, id uid.ID) (*catalog.Message, error) {
	if err := h.actor.Check(access.SearchOwn); err != nil {
		return nil, err
	}
	row, err := h.a.catalog.Message(ctx, h.actor.Tenant, id)
	if err != nil {
		return nil, h.gone(ctx, id, err)
	}
	if !h.mayKnow(row) {
		return nil, fmt.Errorf("message %s: %w", id, catalog.ErrNotFound)
	}
	return row, h.inGrant(ctx, id)
}

// inGrant returns catalog.ErrNotFound unless the query of the grant finds the message.
func (h *Handle) inGrant(ctx context.Context, id uid.ID) error {
	if h.actor.Grant == nil || h.actor.Grant.Query == "" {
		return nil
	}
	q, err := h.parse(ctx, "id:"+id.String())
	if err != nil {
		return err
	}
	if q, err = h.narrow(ctx, q); err != nil {
		return err
	}
	found, err := h.a.index.Search(ctx, h.actor.Tenant, index.Request{Query: q, Scope: h.scope(), Limit: 1})
	if err != nil {
		return h.damagedIndex(err)
	}
	if len(found.Hits) == 0 {
		return fmt.Errorf("message %s: %w", id, catalog.ErrNotFound)
	}
	return nil
}

// Marks returns the places of text that a query means.
func (h *Handle) Marks(ctx context.Context, queryText, text string) ([]query.Mark, error) {
	if strings.TrimSpace(queryText) == "" {
		return nil, nil
	}
	q, err := h.parse(ctx, queryText)
	if err != nil {
		return nil, err
	}
	return q.Marks(text), nil
}
