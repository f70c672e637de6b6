package archive_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

// nameServer is a DNS server on UDP that knows TXT records.
type nameServer struct {
	mu    sync.Mutex
	txt   map[string][]string // by lower-case name with a dot at the end
	asked []string
}

func (n *nameServer) set(name string, txt ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.txt[name] = txt
}

func newNameServer(t *testing.T) (*nameServer, func(context.Context, string) ([]string, error)) {
	t.Helper()
	n := &nameServer{txt: map[string][]string{}}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-ended })
	go func() {
		defer close(ended)
		buf := make([]byte, 1500)
		for {
			size, peer, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := n.answer(buf[:size]); answer != nil {
				conn.WriteTo(answer, peer) //nolint:errcheck // whoever asked asks again
			}
		}
	}()
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	return n, r.LookupTXT
}

func (n *nameServer) answer(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.ToLower(q.Name.String())
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, name)
	out := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
	list, there := n.txt[name]
	if !there {
		out.RCode = dnsmessage.RCodeNameError
	}
	for _, s := range list {
		if s == "broken" {
			out.RCode = dnsmessage.RCodeServerFailure
			continue
		}
		out.Answers = append(out.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET},
			Body: &dnsmessage.TXTResource{TXT: []string{s}}})
	}
	b, err := out.Pack()
	if err != nil {
		return nil
	}
	return b
}

// A domain is proven by its record, and nothing else; what is not is archived all the
// same, and not seen while the operator asks for the proof.
func TestProveDomain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dns, lookup := newNameServer(t)
	e := archivetest.New(t, archivetest.Options{LookupTXT: lookup})
	tenant, source := e.Tenant(t, "firma")
	other, _ := e.Tenant(t, "andere")
	anna := e.User(t, tenant, "anna", access.RoleUser, "anna@müller.example")
	if _, err := e.AddDomain(ctx, tenant.ID, "müller.example", ""); err != nil {
		t.Fatal(err)
	}
	admin := e.As(access.Actor{Tenant: tenant.ID, User: anna.User, Role: access.RoleTenantAdmin})
	prove := func(problem string, proven bool) *archive.ProofView {
		t.Helper()
		v, err := admin.ProveDomain(ctx, "xn--mller-kva.example")
		if err != nil {
			t.Fatal(err)
		}
		if v.Problem != problem || v.ProvenAt.IsZero() == proven || v.CheckedAt.IsZero() {
			t.Errorf("problem %q, proven %s; want %q, %v", v.Problem, v.ProvenAt, problem, proven)
		}
		return v
	}
	v := prove(archive.ProofMissing, false)
	const record = "_muniment-challenge.xn--mller-kva.example"
	if v.Record != record || !slices.Contains(dns.asked, record+".") || !strings.HasPrefix(v.Value, "muniment-domain-verification=") {
		t.Errorf("record %s, value %s, asked %v", v.Record, v.Value, dns.asked)
	}
	dns.set(record+".", "v=spf1 -all")
	prove(archive.ProofMissing, false)
	dns.set(record+".", "muniment-domain-verification=anothertenant")
	prove(archive.ProofDifferent, false)
	dns.set(record+".", "broken")
	prove(archive.ProofUnreachable, false)

	archived := func(n int) []string {
		t.Helper()
		u, err := e.Catalog.User(ctx, tenant.ID, anna.User)
		if err != nil {
			t.Fatal(err)
		}
		_, acc, err := e.LogIn(ctx, archive.LogIn{Login: u.Login, Tenant: tenant.Slug, Password: archivetest.Password})
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Catalog.Statistics(ctx, tenant.ID, tenant.CreatedAt)
		if err != nil || int(s.Messages) != n {
			t.Errorf("%d messages, want %d; %v", s.Messages, n, err)
		}
		return acc.Actor.Addresses
	}
	needed := true
	if err := e.SetMailRules(ctx, nil, &needed); err != nil {
		t.Fatal(err)
	}
	ingest(t, e, source, []byte("To: anna@müller.example\r\n\r\nx"))
	if a := archived(1); len(a) != 0 {
		t.Errorf("before the proof, %v is seen", a)
	}
	dns.set(record+".", "other", "muniment-domain-verification=x", v.Value)
	prove("", true)
	if a := archived(1); !slices.Equal(a, []string{"anna@müller.example"}) {
		t.Errorf("after the proof, %v is seen", a)
	}
	dns.set(record + ".")
	prove(archive.ProofMissing, true) // it stays
	if _, err := e.ProveDomain(ctx, other.ID, "müller.example"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("another tenant's domain: %v", err)
	}
	if err := admin.RemoveDomain(ctx, "müller.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.AddDomain(ctx, tenant.ID, "müller.example", ""); err != nil {
		t.Fatal(err)
	}
	if m, err := e.DomainProofs(ctx, tenant.ID); err != nil || !m["müller.example"].ProvenAt.IsZero() || !m["müller.example"].Needed {
		t.Errorf("after the domain was given away: %+v, %v", m["müller.example"], err)
	}
}

// The operator's domain is that of new journal addresses; those that are there stay.
func TestJournalDomain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := archivetest.New(t, archivetest.Options{})
	tenant, _ := e.Tenant(t, "firma")
	before, err := e.CreateJournal(ctx, tenant.ID, "Alt", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AddDomain(ctx, tenant.ID, "firma.example", ""); err != nil {
		t.Fatal(err)
	}
	h := e.AsOperator()
	for _, bad := range []string{"keine domain", "firma.example", "x"} {
		var field *archive.FieldError
		if err := h.SetMailRules(ctx, &bad, nil); !errors.As(err, &field) || field.Field != "journal_domain" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	domain := "Journal.Archiv.Example"
	if err := h.SetMailRules(ctx, &domain, nil); err != nil {
		t.Fatal(err)
	}
	after, err := e.CreateJournal(ctx, tenant.ID, "Neu", "")
	if err != nil || !strings.HasSuffix(after.JournalAddress, "@journal.archiv.example") {
		t.Errorf("%s, %v", after.JournalAddress, err)
	}
	for _, s := range []*catalog.Source{before, after} {
		if x, err := e.JournalSource(ctx, s.JournalAddress); err != nil || x.ID != s.ID {
			t.Errorf("%s: %v", s.JournalAddress, err)
		}
	}
	if _, err := e.AddDomain(ctx, tenant.ID, "journal.archiv.example", ""); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("a tenant gets the domain of journal addresses: %v", err)
	}
	empty := ""
	if err := h.SetMailRules(ctx, &empty, nil); err != nil {
		t.Fatal(err)
	}
	if m, err := h.MailRules(ctx); err != nil || m.JournalDomain != m.Configured {
		t.Errorf("%+v, %v", m, err)
	}
	list, err := e.InstanceEvents(ctx, 0, 99)
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(x *catalog.Event) bool { return x.Action != "mail-rules.changed" })
	if len(list) != 2 || list[0].Details["after.journal_domain"] != "journal.archiv.example" || list[0].Details["before.journal_domain"] == "" {
		t.Errorf("events: %+v", list)
	}
}

// Those above a tenant change its domains; others do not know it.
func TestTenantDomains(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e := archivetest.New(t, archivetest.Options{})
	tenant, _ := e.Tenant(t, "firma")
	h := e.AsOperator()
	if err := h.AddTenantDomain(ctx, tenant.ID, "firma.example", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.AddTenantDomain(ctx, tenant.ID, "firma.test", "firma.example"); err != nil {
		t.Fatal(err)
	}
	d, err := h.Tenant(ctx, tenant.ID)
	if err != nil || len(d.Domains) != 2 || d.Domains[1].Main != "firma.example" {
		t.Errorf("%+v, %v", d, err)
	}
	stranger := e.As(access.Actor{User: tenant.ID, Role: access.RoleReseller, Reseller: tenant.ID})
	for _, err := range []error{stranger.AddTenantDomain(ctx, tenant.ID, "x.example", ""), stranger.RemoveTenantDomain(ctx, tenant.ID, "firma.test")} {
		if !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("a strange reseller: %v", err)
		}
	}
	for _, name := range []string{"firma.test", "firma.example"} {
		if err := h.RemoveTenantDomain(ctx, tenant.ID, name); err != nil {
			t.Error(err)
		}
	}
}
