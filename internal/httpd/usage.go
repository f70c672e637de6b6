package httpd

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

// Usage implements api.Service.
func (s *Server) Usage(ctx context.Context, month string) (*api.Usage, error) {
	h, err := s.entitled(ctx, access.ManageTenants)
	if err != nil {
		return nil, err
	}
	rows, err := h.Usage(ctx, month)
	var field *archive.FieldError
	if errors.As(err, &field) {
		return nil, mistake("query."+field.Field, field.Text)
	}
	if err != nil {
		return nil, err
	}
	out := &api.Usage{Month: month, Rows: make([]api.UsageRow, 0, len(rows))}
	for i := range rows {
		r := &rows[i]
		out.Rows = append(out.Rows, api.UsageRow{Tenant: r.Tenant.ID.String(), Slug: r.Tenant.Slug, Name: r.Tenant.Name, State: string(r.Tenant.State), Reseller: r.Reseller,
			Limits: api.Limits{Mailboxes: r.Limits.Mailboxes, Storage: r.Limits.Storage}, TenantMonth: describeMonth(&r.Usage)})
	}
	return out, nil
}

// usageCSV streams Usage for spreadsheets and billing.
func (s *Server) usageCSV(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	comma, ok := map[string]rune{"": ';', "semicolon": ';', "comma": ','}[q.Get("separator")]
	u, err := s.Usage(r.Context(), q.Get("month"))
	if err == nil && !ok {
		err = mistake("query.separator", "want semicolon or comma")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", sandboxed)
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", disposition("usage "+u.Month+".csv"))
	if err := writeUsage(w, comma, u); err != nil && r.Context().Err() == nil {
		s.cfg.Log.Error("download cut", "request", requestOf(r.Context()).id, "error", err)
		panic(http.ErrAbortHandler)
	}
}

func writeUsage(w io.Writer, comma rune, u *api.Usage) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = comma, true
	lines := [][]string{{"month", "tenant", "slug", "name", "state", "reseller", "mailboxes", "mailbox limit", "shared", "messages", "bytes", "stored bytes", "storage limit"}}
	for i := range u.Rows {
		r := &u.Rows[i]
		lines = append(lines, []string{u.Month, r.Tenant, cell(r.Slug), cell(r.Name), r.State, cell(r.Reseller), strconv.Itoa(r.Mailboxes), strconv.Itoa(r.Limits.Mailboxes),
			strconv.Itoa(r.Shared), strconv.FormatInt(r.Messages, 10), strconv.FormatInt(r.Bytes, 10), strconv.FormatInt(r.Stored, 10), strconv.FormatInt(r.Limits.Storage, 10)})
	}
	return out.WriteAll(lines)
}

// logo serves the picture of a reseller. Its id is a hash: it never changes.
func (s *Server) logo(w http.ResponseWriter, r *http.Request) {
	b, err := s.cfg.Archive.Logo(r.Context(), r.PathValue("picture"))
	if err == nil && len(b) == 0 {
		err = catalog.ErrNotFound
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", sandboxed)
	h.Set("Content-Type", "image/png")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if _, err := w.Write(b); err != nil {
		return // the client is gone
	}
}

// branding is how the archive looks; nil: like itself.
func branding(b catalog.Branding) *api.Branding {
	if b == (catalog.Branding{}) {
		return nil
	}
	out := api.Branding(b)
	return &out
}
