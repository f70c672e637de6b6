package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/journal/journaltest"
)

// journalCase is an archive that has one journal report: from Anna to Bernd,
// blind to Carla, and to Dora as a member of the list team@.
type journalCase struct {
	*archivetest.Env
	tenant        *catalog.Tenant
	journal       *catalog.Source
	inner, report []byte
	anna, bernd   *archive.Handle
	carla, dora   *archive.Handle
	team, eve     *archive.Handle
}

func newJournalCase(t *testing.T, e *archivetest.Env) *journalCase {
	t.Helper()
	c := &journalCase{Env: e}
	c.tenant, c.journal = e.Tenant(t, "acme")
	user := func(login string) *archive.Handle {
		return e.As(e.User(t, c.tenant, login, access.RoleUser, login+"@example.com"))
	}
	c.anna, c.bernd, c.carla, c.dora, c.team, c.eve = user("anna"), user("bernd"), user("carla"), user("dora"), user("team"), user("eve")
	c.inner = mail("Anna <anna@example.com>", "bernd@example.com", "Angebot", "Die Kirschbaumkommode ist fertig.")
	c.report = journaltest.Build(journaltest.Options{Sender: "anna@example.com", Subject: "Angebot", Inner: [][]byte{c.inner}, Recipients: []journaltest.Recipient{
		{Key: "To", Address: "bernd@example.com"}, {Key: "Bcc", Address: "carla@example.com"},
		{Key: "To", Address: "dora@example.com", Redirection: "Expanded", RedirectionAddress: "team@example.com"},
	}})
	return c
}

func (c *journalCase) indexed(t *testing.T) {
	t.Helper()
	if err := c.AwaitIndex(t.Context(), c.tenant.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { // what later captures have added
		queued, err := c.Catalog.PendingReindex(t.Context(), c.tenant.ID, 1)
		return err == nil && len(queued) == 0
	})
}

// seen returns the parties of the only message somebody finds.
func (c *journalCase) seen(t *testing.T, h *archive.Handle) []string {
	t.Helper()
	found := find(t, h, "kirschbaumkommode")
	if len(found) != 1 {
		t.Fatalf("found %d messages, want 1", len(found))
	}
	if got, _ := download(t, h, found[0]); !bytes.Equal(got, c.inner) {
		t.Errorf("the message came back as %q", got)
	}
	v, err := h.Message(t.Context(), found[0])
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range v.Row.Parties {
		if strings.HasPrefix(p.Role, "journal-") {
			out = append(out, strings.TrimPrefix(p.Role, "journal-")+":"+p.Address+p.Via)
		}
	}
	slices.Sort(out)
	return out
}

func TestJournalReport(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		c := newJournalCase(t, e)
		ingest(t, e, c.journal, c.report)
		c.indexed(t)
		look := func(when string) {
			t.Helper()
			all := []string{"bcc:carla@example.com", "sender:anna@example.com", "to:bernd@example.com", "to:dora@example.comteam@example.com"}
			for _, w := range []struct {
				h    *archive.Handle
				want []string
			}{
				{c.anna, all},
				{c.bernd, []string{all[1], all[2]}},
				{c.carla, []string{all[0], all[1], all[2]}},
				{c.dora, []string{all[1], all[2], all[3]}},
				{c.team, []string{all[1], all[2], all[3]}},
			} {
				if got := c.seen(t, w.h); !slices.Equal(got, w.want) {
					t.Errorf("%s: %v, want %v", when, got, w.want)
				}
			}
			if got := find(t, c.eve, ""); len(got) != 0 {
				t.Errorf("%s: who has no part in it finds %v", when, got)
			}
			for h, n := range map[*archive.Handle]int{c.anna: 1, c.bernd: 0, c.carla: 0} {
				if got := find(t, h, "bcc:carla@example.com"); len(got) != n {
					t.Errorf("%s: bcc: finds %d, want %d", when, len(got), n)
				}
			}
		}
		look("at first")
		clean(t, e)
		if _, err := e.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := e.Reindex(t.Context(), c.tenant.ID); err != nil {
			t.Fatal(err)
		}
		c.indexed(t)
		look("after a rebuild")
		clean(t, e)
		st, err := e.Catalog.Statistics(t.Context(), c.tenant.ID, c.journal.CreatedAt)
		if err != nil || st.Messages != 1 {
			t.Errorf("%d messages, %v, want 1", st.Messages, err)
		}
	})
}

// The report comes back byte for byte, for who may read it.
func TestJournalReportComesBack(t *testing.T) {
	t.Parallel()
	c := newJournalCase(t, archivetest.New(t, archivetest.Options{}))
	id := ingest(t, c.Env, c.journal, c.report).AOID
	again := ingest(t, c.Env, c.journal, c.report) // Exchange has lost our answer
	if !again.Duplicate || again.AOID != id {
		t.Errorf("the same report again: %+v", again)
	}
	v, err := c.anna.Message(t.Context(), id)
	if err != nil || len(v.Captures) != 1 {
		t.Fatalf("%d captures, %v, want 1", len(v.Captures), err)
	}
	capture := v.Captures[0].ID
	r, d, err := c.anna.Report(t.Context(), id, capture)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, c.report) || d.Size != int64(len(c.report)) {
		t.Errorf("the report came back with %d of %d bytes, or others", len(got), len(c.report))
	}
	if _, _, err := c.bernd.Report(t.Context(), id, capture); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("the recipient reads the report: %v", err)
	}
	if _, _, err := c.eve.Report(t.Context(), id, capture); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("somebody else learns of the report: %v", err)
	}
	if v, err := c.bernd.Message(t.Context(), id); err != nil || v.Captures[0].Journal.SHA256 != "" || len(v.Captures[0].Journal.Recipients) != 1 {
		t.Errorf("the recipient learns from the capture: %+v, %v", v.Captures[0].Journal, err)
	}
	accounts, err := c.Catalog.Accounts(t.Context(), c.tenant.ID, "", "")
	if err != nil || len(accounts) != 2 {
		t.Fatalf("accounts %+v, %v", accounts, err)
	}
	for _, a := range accounts {
		if a.Count != 1 || a.Outcome != catalog.Stored && a.Outcome != catalog.Repeated {
			t.Errorf("account %+v", a)
		}
	}
}

// One mail comes in several reports, and as itself: it is stored once.
func TestOneMessageInSeveralReports(t *testing.T) {
	t.Parallel()
	c := newJournalCase(t, archivetest.New(t, archivetest.Options{}))
	first := ingest(t, c.Env, c.journal, c.report)
	second := ingest(t, c.Env, c.journal, journaltest.Build(journaltest.Options{Sender: "anna@example.com", Subject: "Angebot", Inner: [][]byte{c.inner},
		Recipients: []journaltest.Recipient{{Key: "Recipient", Address: "eve@example.com"}}}))
	third := ingest(t, c.Env, c.journal, c.inner)
	if first.Duplicate || !second.Duplicate || !third.Duplicate || second.AOID != first.AOID || third.AOID != first.AOID {
		t.Errorf("receipts %+v %+v %+v", first, second, third)
	}
	c.indexed(t)
	if got := c.seen(t, c.eve); !slices.Contains(got, "recipient:eve@example.com") {
		t.Errorf("the recipient of the second report: %v", got)
	}
	clean(t, c.Env)
}

// Of a message with protected rights both forms are kept.
func TestDecryptedCopy(t *testing.T) {
	t.Parallel()
	c := newJournalCase(t, archivetest.New(t, archivetest.Options{}))
	sealed := mail("anna@example.com", "bernd@example.com", "Angebot", "message.rpmsg")
	report := journaltest.Build(journaltest.Options{Sender: "anna@example.com", Subject: "Angebot", Inner: [][]byte{sealed, c.inner},
		Recipients: []journaltest.Recipient{{Key: "To", Address: "bernd@example.com"}}})
	id := ingest(t, c.Env, c.journal, report).AOID
	c.indexed(t)
	if got := find(t, c.bernd, ""); len(got) != 2 {
		t.Fatalf("%d messages, want 2", len(got))
	}
	decrypted := find(t, c.bernd, "kirschbaumkommode")
	if len(decrypted) != 1 || decrypted[0] == id {
		t.Fatalf("the decrypted copy: %v beside %v", decrypted, id)
	}
	for _, m := range append(decrypted, id) {
		v, err := c.anna.Message(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if v.Captures[0].Journal.Decrypted != (m != id) {
			t.Errorf("%v: decrypted is %t", m, v.Captures[0].Journal.Decrypted)
		}
		r, _, err := c.anna.Report(t.Context(), m, v.Captures[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, report) {
			t.Errorf("the report of %v comes back with %d of %d bytes: %v", m, len(got), len(report), err)
		}
		r.Close()
	}
	clean(t, c.Env)
}

// What is no complete report, or comes from where anybody could write one, stays
// what it is on the outside, and nobody named in it sees it.
func TestReportsThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	forged := func(change func(*journaltest.Options)) []byte {
		o := journaltest.Options{Sender: "anna@example.com", Inner: [][]byte{mail("x@example.com", "y@example.com", "forged", "kirschbaumkommode")},
			Recipients: []journaltest.Recipient{{Key: "To", Address: "eve@example.com"}}}
		change(&o)
		return journaltest.Build(o)
	}
	for name, o := range map[string]func(*journaltest.Options){
		"a foreign line":      func(o *journaltest.Options) { o.Lines = func(l []string) []string { return append(l, "Greetings") } },
		"three messages":      func(o *journaltest.Options) { o.Inner = [][]byte{o.Inner[0], o.Inner[0], o.Inner[0]} },
		"cut off":             func(o *journaltest.Options) { o.Unclosed = true },
		"too many recipients": func(o *journaltest.Options) { o.Recipients = many(19_000, strings.Repeat("long-", 45)) },
		// Few bytes in the report, many in the record of it.
		"what JSON escapes": func(o *journaltest.Options) { o.Epilogue = strings.Repeat("\x01", 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newJournalCase(t, archivetest.New(t, archivetest.Options{}))
			raw := forged(o)
			id := ingest(t, c.Env, c.journal, raw).AOID
			c.indexed(t)
			if got := find(t, c.eve, ""); len(got) != 0 {
				t.Errorf("somebody named in it sees it: %v", got)
			}
			if got, _ := download(t, c.As(c.User(t, c.tenant, "sender", access.RoleUser, "anna@a.example")), id); !bytes.Equal(got, raw) {
				t.Errorf("kept as %d of %d bytes", len(got), len(raw))
			}
			captures, err := c.Catalog.Captures(t.Context(), c.tenant.ID, id)
			if err != nil || captures[0].Journal == nil || captures[0].Journal.Problem == "" {
				t.Errorf("nothing is said of it: %+v, %v", captures[0].Journal, err)
			}
			clean(t, c.Env)
		})
	}
	t.Run("an import", func(t *testing.T) {
		t.Parallel()
		c := newJournalCase(t, archivetest.New(t, archivetest.Options{}))
		files, err := c.ImportSource(t.Context(), c.tenant.ID, "files", "")
		if err != nil {
			t.Fatal(err)
		}
		ingest(t, c.Env, files, c.report)
		c.indexed(t)
		if got := find(t, c.carla, ""); len(got) != 0 {
			t.Errorf("a report in an import is believed: %v", got)
		}
		if err := c.BelieveReports(t.Context(), files); err != nil {
			t.Fatal(err)
		}
		ingest(t, c.Env, files, append([]byte("Received: later\r\n"), c.report...))
		c.indexed(t)
		c.seen(t, c.carla)
	})
}

// A list with 20,000 members: all of them are parties, and the report comes back.
func TestReportWithManyRecipients(t *testing.T) {
	t.Parallel()
	const members = 20_000
	c := newJournalCase(t, archivetest.New(t, archivetest.Options{}))
	list := make([]journaltest.Recipient, members)
	for i := range list {
		list[i] = journaltest.Recipient{Key: "To", Address: fmt.Sprintf("recipient-number-%06d@example.com", i), Redirection: "Expanded", RedirectionAddress: "everybody-who-works-here@example.com"}
	}
	list[members-1].Address = "dora@example.com"
	raw := journaltest.Build(journaltest.Options{Sender: "anna@example.com", Subject: "Angebot", Inner: [][]byte{c.inner}, Recipients: list})
	id := ingest(t, c.Env, c.journal, raw).AOID
	c.indexed(t)
	for _, h := range []*archive.Handle{c.anna, c.dora} {
		if got := find(t, h, "kirschbaumkommode"); len(got) != 1 {
			t.Errorf("it is found %d times", len(got))
		}
	}
	v, err := c.anna.Message(t.Context(), id)
	if err != nil || len(v.Captures) != 1 || len(v.Captures[0].Journal.Recipients) != members || v.Captures[0].Journal.Problem != "" {
		t.Fatalf("the capture: %v", err)
	}
	r, _, err := c.anna.Report(t.Context(), id, v.Captures[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, raw) {
		t.Errorf("the report came back with %d of %d bytes, or others: %v", len(got), len(raw), err)
	}
	clean(t, c.Env)
}

func many(n int, prefix string) []journaltest.Recipient {
	list := make([]journaltest.Recipient, n)
	for i := range list {
		list[i] = journaltest.Recipient{Key: "To", Address: fmt.Sprintf("%s%06d@eve.example.com", prefix, i)}
	}
	return list
}
