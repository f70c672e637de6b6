package httpd

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
)

// Search implements api.Service.
func (s *Server) Search(ctx context.Context, in api.Search) (*api.SearchPage, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	start, token := time.Now(), requestOf(ctx).token
	cursor, err := openCursor(token, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := h.Search(ctx, archive.SearchRequest{Query: in.Q, Cursor: cursor, Limit: in.Limit, Oldest: in.Order == "oldest"})
	if err != nil {
		return nil, err
	}
	next, err := sealCursor(token, found.Next)
	if err != nil {
		return nil, err
	}
	page := &api.SearchPage{Hits: make([]api.Hit, 0, len(found.Hits)), Next: next, Total: found.Total, TotalExact: found.Exact,
		Query: found.Parsed.String(), Chips: []api.Chip{}}
	for _, f := range found.Hits {
		page.Hits = append(page.Hits, hit(&f))
	}
	for _, c := range found.Parsed.Chips() {
		page.Chips = append(page.Chips, api.Chip(c))
	}
	page.Milliseconds = float64(time.Since(start).Microseconds()) / 1000
	return page, nil
}

func hit(f *archive.Hit) api.Hit {
	return api.Hit{
		ID: f.ID.String(), Date: f.Date, ReceivedAt: f.ReceivedAt, From: parties(f.Parties, "from"), To: parties(f.Parties, "to"),
		Subject: f.Subject, Snippet: api.Snippet{Text: f.Snippet.Text, Marks: marks(f.Snippet.Marks)}, Size: f.Size,
		Attachments: f.Attachments, Category: f.Category, Tags: list(f.Tags), File: (*api.File)(f.File),
	}
}

// parties returns those of a role; of all roles, if it is empty.
func parties(all []catalog.Party, role string) []api.Party {
	out := []api.Party{}
	known := map[string]bool{}
	for _, p := range all {
		known[p.Address] = true
	}
	for _, p := range all {
		if role == "" || p.Role == role {
			via := p.Via
			if !known[via] { // the list is nobody whom this reader may know of
				via = ""
			}
			out = append(out, api.Party{Role: p.Role, Name: p.Name, Address: p.Address, Via: via})
		}
	}
	return out
}

func marks(in []query.Mark) []api.Mark {
	out := make([]api.Mark, 0, len(in))
	for _, m := range in {
		out = append(out, api.Mark(m))
	}
	return out
}

// Facets implements api.Service.
func (s *Server) Facets(ctx context.Context, q string) (*api.Facets, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	f, err := h.Facets(ctx, q)
	if err != nil {
		return nil, err
	}
	return &api.Facets{
		Years:      buckets(f.Years, func(v string) string { return "date:" + v }),
		Senders:    senders(f.Senders),
		Categories: buckets(f.Categories, func(v string) string { return "category:" + query.Quote(v) }),
		HasAttachment: buckets(f.HasAttachment, func(v string) string {
			if v == "yes" {
				return "has:attachment"
			}
			return "-has:attachment"
		}),
		Exact: f.Exact,
	}, nil
}

// senders shows people by their names.
func senders(in []index.Bucket) []api.Bucket {
	out := buckets(in, func(v string) string { return "from:" + query.Quote(v) })
	for i, b := range in {
		out[i].Label = cmp.Or(b.Label, b.Value)
	}
	return out
}

func buckets(in []index.Bucket, text func(string) string) []api.Bucket {
	out := make([]api.Bucket, 0, len(in))
	for _, b := range in {
		out = append(out, api.Bucket{Value: b.Value, Count: b.Count, Query: text(b.Value)})
	}
	return out
}

// How many people are suggested, and after how many letters where no field asks
// for a person.
const (
	maxPeople     = 8
	peopleLetters = 2
)

// Suggest implements api.Service.
func (s *Server) Suggest(ctx context.Context, in api.Suggest) (*api.Suggestions, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	pos := in.Pos
	if pos < 0 {
		pos = utf8.RuneCountInString(in.Q)
	}
	out := &api.Suggestions{Suggestions: []api.Suggestion{}}
	for _, g := range query.Suggest(in.Q, pos, requestOf(ctx).language) {
		out.Suggestions = append(out.Suggestions, api.Suggestion(g))
	}
	if h.Granted() { // its people, categories and years would tell more than the grant allows
		return out, nil
	}
	t := query.TypingAt(in.Q, pos)
	switch {
	case t.Ask == "person":
		err = suggestPeople(ctx, h, t, "", out)
	case t.Field == query.FieldAny && utf8.RuneCountInString(t.Prefix) >= peopleLetters:
		err = suggestPeople(ctx, h, t, "from:", out)
	case t.Ask == "category":
		err = suggestCategories(ctx, h, t, out)
	case t.Ask == "year":
		err = suggestYears(ctx, h, t, out)
	}
	return out, err
}

func suggestPeople(ctx context.Context, h *archive.Handle, t query.Typing, before string, out *api.Suggestions) error {
	people, err := h.People(ctx, t.Prefix, maxPeople)
	for _, p := range people {
		out.Suggestions = append(out.Suggestions, api.Suggestion{Insert: before + query.Quote(p.Address), Start: t.Start, End: t.End,
			Label: p.Address, Explanation: p.Name, Kind: "person"})
	}
	return err
}

func suggestCategories(ctx context.Context, h *archive.Handle, t query.Typing, out *api.Suggestions) error {
	names, err := h.Categories(ctx)
	for _, name := range names {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(t.Prefix)) {
			out.Suggestions = append(out.Suggestions, api.Suggestion{Insert: query.Quote(name), Start: t.Start, End: t.End, Label: name, Kind: "category"})
		}
	}
	return err
}

func suggestYears(ctx context.Context, h *archive.Handle, t query.Typing, out *api.Suggestions) error {
	f, err := h.Facets(ctx, "")
	if err != nil {
		return err
	}
	for _, y := range f.Years {
		if strings.HasPrefix(y.Value, t.Prefix) {
			out.Suggestions = append(out.Suggestions, api.Suggestion{Insert: y.Value, Start: t.Start, End: t.End,
				Label: y.Value, Explanation: strconv.Itoa(y.Count), Kind: "year"})
		}
	}
	return nil
}
