package httpd

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
)

// accounts returns the accounts of a period, and what servers counted.
func (s *Server) accounts(ctx context.Context, p api.Period) ([]archive.AccountLine, []archive.CountLine, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, nil, err
	}
	lines, err := h.Completeness(ctx, p.From, p.To) // checks the right; days are compared as text
	if err != nil {
		return nil, nil, err
	}
	counts, err := h.ServerCounts(ctx, p.From, p.To)
	if err != nil {
		return nil, nil, err
	}
	var errs []api.ProblemError
	for name, day := range map[string]string{"query.from": p.From, "query.to": p.To} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			errs = append(errs, api.ProblemError{Location: name, Message: "want a day such as 2026-01-31"})
		}
	}
	if len(errs) > 0 {
		return nil, nil, mistakes(errs...)
	}
	return lines, counts, nil
}

// Completeness implements api.Service.
func (s *Server) Completeness(ctx context.Context, p api.Period) (*api.Completeness, error) {
	lines, counts, err := s.accounts(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &api.Completeness{Lines: make([]api.AccountLine, len(lines)), Counts: make([]api.ServerCount, len(counts))}
	for i, c := range counts {
		out.Counts[i] = api.ServerCount{Day: c.Day, Source: c.Source.String(), Name: c.SourceName, Kind: c.SourceKind, Folder: c.Name, Came: c.Came, Held: c.Held}
	}
	for i, l := range lines {
		out.Lines[i] = api.AccountLine{Day: l.Day, Source: l.Source.String(), Name: l.SourceName, Kind: l.SourceKind,
			Outcome: string(l.Outcome), Count: l.Count, Bytes: l.Bytes, FromHeaders: l.FromHeaders}
	}
	return out, nil
}

// completenessCSV sends the accounts for a spreadsheet.
func (s *Server) completenessCSV(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p := api.Period{From: q.Get("from"), To: q.Get("to")}
	comma, ok := map[string]rune{"": ';', "semicolon": ';', "comma": ','}[q.Get("separator")]
	lines, counts, err := s.accounts(r.Context(), p)
	if err == nil && !ok {
		err = mistake("query.separator", "want semicolon or comma")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	name := []string{"completeness"}
	for _, day := range []string{p.From, p.To} {
		if day != "" {
			name = append(name, day)
		}
	}
	h := w.Header()
	h.Set("Content-Security-Policy", sandboxed)
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", disposition(strings.Join(name, " ")+".csv"))
	if err := writeAccounts(&patient{w: w, control: http.NewResponseController(w)}, comma, lines, counts); err != nil {
		if r.Context().Err() == nil {
			s.cfg.Log.Error("download cut", "request", requestOf(r.Context()).id, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// byteOrderMark makes spreadsheets take the file for UTF-8.
const byteOrderMark = "\uFEFF"

// counted stands for an outcome in the lines of what servers counted. It is none:
// the sums of the outcomes are to be compared with it.
const counted = "counted-by-server"

// writeAccounts writes accounts as CSV (RFC 4180).
func writeAccounts(w io.Writer, comma rune, lines []archive.AccountLine, counts []archive.CountLine) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = comma, true
	errs := []error{out.Write([]string{"day", "source", "kind", "source_id", "outcome", "count", "bytes"})}
	for i := range lines {
		l := &lines[i]
		errs = append(errs, out.Write([]string{l.Day, cell(l.SourceName), cell(l.SourceKind), l.Source.String(), cell(string(l.Outcome)),
			strconv.FormatInt(l.Count, 10), strconv.FormatInt(l.Bytes, 10)}))
	}
	for i := range counts {
		c := &counts[i]
		errs = append(errs, out.Write([]string{c.Day, cell(c.SourceName), cell(c.SourceKind), c.Source.String(), counted, strconv.FormatInt(c.Came, 10), ""}))
	}
	out.Flush()
	return errors.Join(append(errs, out.Error())...)
}

// cell makes sure that a spreadsheet takes text for text: with these characters a
// formula would begin, also behind white space.
func cell(text string) string {
	t := strings.TrimLeft(text, " \t\r\n\u00a0\ufeff")
	if t != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(t)[0]) || text != "" && strings.ContainsRune("\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}
