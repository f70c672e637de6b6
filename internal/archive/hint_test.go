package archive_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

// TestHints is CAP-3 and CAP-1.
func TestHints(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o)
		ctx := t.Context()
		err := r.As(r.admin).ChangeSource(ctx, r.source.ID, archive.SourceDraft{Name: "Journal", Settings: []byte(`{"hint_peers":["192.0.2.0/24","2001:db8::1"]}`)})
		if err != nil {
			t.Fatal(err)
		}
		hidden := func(field, subject string) []byte {
			return append([]byte(field), mailOf("x@far.example", "y@far.example", subject)...)
		}
		from := func(peer string) func(*archive.Submission) { return func(s *archive.Submission) { s.Peer = peer } }
		for i, field := range []string{"X-Envelope-To", "X-Original-To", "Delivered-To", "X-RCPT-TO"} {
			raw := hidden(field+": <Anna@firma.example>, carla@firma.example\r\nX-Envelope-From: <bounce@far.example>\r\n", fmt.Sprint("trusted", i))
			rec := r.offer(raw, from("192.0.2.7"))
			again := r.offer(raw, from("2001:db8::1")) // duplicates are looked at too
			if again.Outcome != catalog.Duplicate {
				t.Errorf("%+v", again)
			}
			v := must(r.As(r.anna).Message(ctx, rec.AOID))(t)
			c := v.Captures[0]
			if c.FromHeaders || c.Hints == nil || !slices.Equal(c.Hints.To, []string{"anna@firma.example"}) || !slices.Equal(c.Hints.From, []string{"bounce@far.example"}) {
				t.Errorf("%s: %+v", field, c)
			}
			// The field names somebody else: it is left out.
			d, redacted, err := r.As(r.anna).Raw(ctx, rec.AOID)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(d)
			if err != nil || !redacted.Redacted || strings.Contains(string(b), "carla") || fmt.Sprint(v.Headers) == "" || strings.Contains(fmt.Sprint(v.Headers), "carla") || v.Row.SHA256 != [32]byte{} {
				t.Errorf("%s: %v %q, %v", field, err, b, v.Headers)
			}
			d.Close()
			row := must(r.Catalog.Message(ctx, r.tenant.ID, rec.AOID))(t)
			if !slices.Contains(row.Parties, catalog.Party{Role: "envelope-to", Address: "carla@firma.example"}) {
				t.Errorf("%s: %+v", field, row.Parties)
			}
		}
		for _, peer := range []string{"198.51.100.1", "", "local", "192.0.2.7x"} {
			r.offer(hidden("X-Envelope-To: anna@firma.example\r\n", "forged"+peer), from(peer))
		}
		// In the body it is text.
		r.offer(append(mailOf("x@far.example", "y@far.example", "body"), "X-Envelope-To: anna@firma.example\r\n"...), from("192.0.2.7"))
		r.finds(r.anna, "trusted0", "trusted1", "trusted2", "trusted3")
		// A message that has only its header says so.
		plain := r.offer(mailOf("x@far.example", "anna@firma.example", "plain"), from("198.51.100.1"))
		if v := must(r.As(r.anna).Message(ctx, plain.AOID))(t); !v.Captures[0].FromHeaders {
			t.Errorf("%+v", v.Captures[0])
		}
		report := r.offer(reportOf("x@far.example", "anna@firma.example", mailOf("x@far.example", "z@far.example", "report")), from("192.0.2.7"))
		if v := must(r.As(r.anna).Message(ctx, report.AOID))(t); v.Captures[0].FromHeaders {
			t.Errorf("%+v", v.Captures[0])
		}
		if _, err := r.Rebuild(ctx, nil); err != nil {
			t.Fatal(err)
		}
		if err := r.Reindex(ctx, r.tenant.ID); err != nil {
			t.Fatal(err)
		}
		r.finds(r.anna, "plain", "report", "trusted0", "trusted1", "trusted2", "trusted3")
		r.intact()
	})
}
