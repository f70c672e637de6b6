package wall

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

// others is what exists besides the messages that the reader may see.
type others struct {
	tenant   bool // another customer with the same users and the same messages, and more of its own
	messages bool // messages of the reader's own tenant that he may not see
}

// shelf is mail of the reader, with a date each so that pages have an order.
func shelf() []string {
	var out []string
	for i := range 7 {
		out = append(out, fmt.Sprintf("From: Anna <anna@firma.example>\r\nTo: Bernd <bernd@firma.example>\r\nSubject: Regal %d\r\nMessage-ID: <shelf%d@firma.example>\r\n"+
			"Date: Mon, 2 Mar 2026 10:00:%02d +0100\r\n\r\nBretter und Winkel.\r\n", i, i, i/2))
	}
	return append(out, common)
}

// foreign is mail that the reader may not see, at the very seconds of his own.
func foreign() []string {
	var out []string
	for i := range 90 {
		out = append(out, fmt.Sprintf("From: Dora <dora@firma.example>\r\nTo: Emil <emil@firma.example>\r\nSubject: Regal Walnuss %d\r\nMessage-ID: <foreign%d@firma.example>\r\n"+
			"Date: Mon, 2 Mar 2026 10:00:%02d +0100\r\n\r\nBretter, Winkel, Bernd, Anna.\r\n", i, i, i%4))
	}
	return append(out, secret)
}

// stock fills a tenant. All receipts have one time, so that worlds can be compared.
func stock(t *testing.T, e *archivetest.Env, s *catalog.Source, raws []string) {
	t.Helper()
	for i, raw := range raws {
		_, err := e.Ingest(t.Context(), archive.Submission{Tenant: s.Tenant, Source: s.ID, Raw: bytes.NewReader([]byte(raw)), Peer: "192.0.2.1",
			ReceivedAt: time.Date(2026, 3, 3, 12, 0, i, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.AwaitIndex(t.Context(), s.Tenant); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, o others) *world {
	t.Helper()
	e := archivetest.New(t, archivetest.Options{})
	w := &world{t: t}
	people := func(tenant *catalog.Tenant, prefix string) {
		e.User(t, tenant, prefix+"anna", access.RoleTenantAdmin, "anna@firma.example")
		e.User(t, tenant, prefix+"bernd", access.RoleUser, "bernd@firma.example")
	}
	if o.tenant { // first, so that whatever is counted has been counted
		tenant, _ := e.Tenant(t, "zweite")
		people(tenant, "zweite-")
		source, err := e.CreateJournal(t.Context(), tenant.ID, "Walnussquelle", "Walnuss")
		if err != nil {
			t.Fatal(err)
		}
		stock(t, e, source, append(shelf(), foreign()...))
	}
	tenant, source := e.Tenant(t, "erste")
	people(tenant, "")
	raws := shelf()
	if o.messages {
		raws = append(foreign()[:90], raws...)
	}
	stock(t, e, source, raws)
	w.serve(e)
	return w
}

var (
	moment   = regexp.MustCompile(`"(received_at|first_at|last_at)":"[^"]*"`)
	cursorIn = regexp.MustCompile(`cursor=[^&]*`)
	// stored sizes differ from run to run: ids and salts are random and compress so
	stored = regexp.MustCompile(`"stored_bytes":[0-9]+`)
)

// said returns everything that a reader gets who asks everything, ids by the
// order in which they appear.
func (w *world) said(c *http.Client, withTimes bool) []string {
	w.t.Helper()
	names := map[string]string{}
	var out []string
	ask := func(method, path string) answer {
		a := w.ask(c, method, path, "")
		text := regexp.MustCompile(`0[0-9a-z]{25}`).ReplaceAllStringFunc(a.body, func(id string) string {
			if names[id] == "" {
				names[id] = fmt.Sprintf("ID%d", len(names))
			}
			return names[id]
		})
		text = stored.ReplaceAllString(text, `"stored_bytes":_`)
		if !withTimes {
			text = moment.ReplaceAllString(text, `"$1":_`)
		}
		shown := regexp.MustCompile(`0[0-9a-z]{25}`).ReplaceAllString(cursorIn.ReplaceAllString(path, "cursor=C"), "ID")
		out = append(out, fmt.Sprintf("%s %s: %d %v %s", method, shown, a.status, w.headers(a), text))
		return a
	}
	for _, q := range append([]string{"regal", "bretter winkel", "from:anna", "to:bernd", "with:dora", "bernd", "-regal", "source:Journal", "category:Walnuss", "date:2026-03-02"}, queries...) {
		q = url.QueryEscape(strings.ReplaceAll(q, "%s", "01kaq2n3c4d5e6f7g8h9jkmnpq"))
		ask(http.MethodGet, "/search/facets?q="+q)
		for _, order := range []string{"newest", "oldest"} {
			path, cursor := "/search?limit=3&order="+order+"&q="+q, ""
			for range 10 {
				next := ask(http.MethodGet, path+cursor).next
				if next == "" {
					break
				}
				cursor = "&cursor=" + next
			}
		}
	}
	for _, q := range []string{"", "from:", "from:a", "from:d", "d", "do", "an", "be", "em", "category:", "category:w", "date:", "date:2", "before:2", "source:", "tag:"} {
		ask(http.MethodGet, "/search/suggest?q="+url.QueryEscape(q))
	}
	ids := regexp.MustCompile(`"id":"(0[0-9a-z]{25})"`).FindAllStringSubmatch(w.ask(c, http.MethodGet, "/search", "").body, -1)
	for _, id := range ids {
		for _, rest := range []string{"", "?q=bretter", "/html", "/raw", "/raw?inline=1", "/attachments/1"} {
			ask(http.MethodGet, "/messages/"+id[1]+rest)
		}
		ask(http.MethodPost, "/messages/"+id[1]+"/check")
	}
	ask(http.MethodGet, "/session")
	ask(http.MethodGet, "/status")
	ask(http.MethodGet, "/statistics")
	return out
}

// TestOthersChangeNothing compares worlds that differ only in what the reader must
// not know of: every answer has to be the same in both.
func TestOthersChangeNothing(t *testing.T) {
	t.Parallel()
	alone, beside, among := build(t, others{}), build(t, others{tenant: true}), build(t, others{messages: true})
	for _, login := range []string{"bernd", "anna"} {
		want := alone.said(alone.as(login), true)
		if len(want) < 150 {
			t.Fatalf("%s was told only %d answers", login, len(want))
		}
		if d := cmp.Diff(want, beside.said(beside.as(login), true)); d != "" {
			t.Errorf("another customer shows in the answers to %s:\n%s", login, d)
		}
	}
	// Among messages of others his own came later: times of receipt differ. Figures
	// of the whole tenant are for the administrator.
	want, got := alone.said(alone.as("bernd"), false), among.said(among.as("bernd"), false)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("messages of others show in the answers to bernd:\n%s", d)
	}
}
