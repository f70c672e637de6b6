package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/dovecot"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/uid"
)

// journalReport is a report in the folder Journal; larger is a letter of 1.5 MiB in
// the inbox.
func journalReport() []byte {
	return []byte("From: exchange@example.net\r\nTo: journal@example.net\r\nSubject: x\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" +
		"Sender: a@example.net\r\nSubject: inner\r\nMessage-Id: <i@example.net>\r\nRecipient: b@example.org\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" +
		"From: a@example.net\r\nTo: b@example.org\r\nSubject: inner\r\nMessage-ID: <i@example.net>\r\n\r\ntext\r\n\r\n--b--\r\n")
}

func larger() []byte { return append(letter(9), strings.Repeat("large\r\n", 3<<18/7*2)...) }

// full is a server with two letters and a large one in its inbox, and one letter
// in each of some folders.
func full(t *testing.T, opts dovecot.Options) *dovecot.Server {
	t.Helper()
	s := dovecot.New(t, opts)
	s.Put(t, letter(0), letter(1), larger())
	for i, folder := range []string{"Sent", "Drafts", "Junk", "Trash", "Trash.old"} {
		s.PutIn(t, folder, letter(10+i))
	}
	s.PutIn(t, "Journal", journalReport())
	return s
}

// origins remembers where offered messages came from.
type origins struct {
	Archive
	mu  sync.Mutex
	all []string
}

func (o *origins) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	o.mu.Lock()
	o.all = append(o.all, sub.Origin)
	o.mu.Unlock()
	return o.Archive.Ingest(ctx, sub)
}

// one is a source with a setting of its own, after a fetch.
type one struct {
	*testing.T
	*rig
	state   remote.State
	id      uid.ID
	origins []string
}

// setting is a value of a setting and the effect that it must have.
type setting struct {
	name, value string
	set         func(*remote.Settings)
	draft       func(*archive.SourceDraft)
	stored      int64  // messages
	code        string // of the problem
	left        int64  // messages that stay on the server against our will
	check       func(one)
}

// Every setting of a remote mailbox has its effect on a real server. Protocol,
// folders, limits and trust are shown on one that nothing is deleted from.
func TestEverySettingHasItsEffect(t *testing.T) {
	t.Parallel()
	s := full(t, dovecot.Options{})
	strict := full(t, dovecot.Options{NoPlain: true})
	bare := full(t, dovecot.Options{NoStartTLS: true, NoImplicitTLS: true})
	for _, x := range settings(t, s, strict, bare) {
		t.Run(x.name+" "+x.value, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.f.timings = usualTimings()
			set := remote.Settings{Protocol: remote.IMAP, Host: hostOf(t, s.IMAPS), Port: portOf(t, s.IMAPS), TLS: remote.Implicit, CA: ca(t, s), User: dovecot.User, Keep: true}
			if x.set != nil {
				x.set(&set)
			}
			b, err := json.Marshal(set)
			if err != nil {
				t.Fatal(err)
			}
			d := archive.SourceDraft{Kind: archive.KindMailbox, Name: "box", Settings: b, Secret: []byte(dovecot.Password)}
			if x.draft != nil {
				x.draft(&d)
			}
			src, err := r.env.As(r.actor).CreateSource(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			o := &origins{Archive: r.f.Archive}
			r.f.Archive = o
			st := r.fetch(src.ID)
			code := ""
			if st.Problem != nil {
				code = st.Problem.Code
				plain(t, st.Problem)
			}
			if st.Stored != x.stored || r.messages() != x.stored || code != x.code || st.Left != x.left || int64(len(r.left(src.ID))) < x.left {
				t.Errorf("%d stored, want %d; problem %q (%+v), want %q; %d left, want %d", st.Stored, x.stored, code, st.Problem, x.code, st.Left, x.left)
			}
			if x.check != nil {
				x.check(one{t, r, st, src.ID, o.all})
			}
		})
	}
}

func hostOf(t *testing.T, addr string) string {
	t.Helper()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// at makes settings those of another listener.
func at(t *testing.T, protocol, addr, mode string) func(*remote.Settings) {
	return func(s *remote.Settings) {
		s.Protocol, s.Host, s.Port, s.TLS = protocol, hostOf(t, addr), portOf(t, addr), mode
	}
}

// all puts changes of settings together.
func all(changes ...func(*remote.Settings)) func(*remote.Settings) {
	return func(s *remote.Settings) {
		for _, c := range changes {
			c(s)
		}
	}
}

// way requires the way that was found, and origins that name it.
func wayIs(protocol, mode string) func(one) {
	return func(o one) {
		if f := o.state.Found; f == nil || f.Protocol != protocol || f.TLS != mode {
			o.Errorf("found %+v, want %s by %s", f, protocol, mode)
		}
		for _, origin := range o.origins {
			if !strings.HasPrefix(origin, protocol+"://") {
				o.Errorf("origin %s", origin)
			}
		}
	}
}

// holds requires exactly these messages.
func holds(want ...[]byte) func(one) {
	return func(o one) {
		for _, m := range want {
			if !o.has(m) {
				o.Errorf("%.30q is not archived", m)
			}
		}
	}
}

// found requires that a search finds so many messages.
func found(query string, n int) func(one) {
	return func(o one) {
		reader := access.Actor{Tenant: o.tenant.ID, User: uid.New(time.Now()), Role: access.RoleUser, Addresses: []string{"reader@example.net"}}
		until(o, query, func() bool {
			page, err := o.env.As(reader).Search(o.Context(), archive.SearchRequest{Query: query, Limit: 10})
			return err == nil && page.Total == n
		})
	}
}

func settings(t *testing.T, s, strict, bare *dovecot.Server) []setting {
	t.Helper()
	pin := func() string {
		r := newRig(t)
		got := r.f.Test(t.Context(), remote.Settings{Protocol: remote.IMAP, Host: hostOf(t, s.IMAPS), Port: portOf(t, s.IMAPS), TLS: remote.Implicit, User: dovecot.User}, oauth.NewMemory([]byte("x")))
		return got.Certificate
	}()
	folders := func(which string, named ...string) func(*remote.Settings) {
		return func(s *remote.Settings) { s.Folders, s.Named = which, named }
	}
	limit := func(n int64) func(*remote.Settings) { return func(s *remote.Settings) { s.MaxBytes = n } }
	trust := func(ca, pin string) func(*remote.Settings) {
		return func(s *remote.Settings) { s.CA, s.Pin = ca, pin }
	}
	list := append(connections(t, s, strict, bare), []setting{
		{name: "own CA", value: "none", set: trust("", ""), code: remote.CodeCertificate},
		{name: "own CA", value: "the server's", set: trust(ca(t, s), ""), stored: 3},
		{name: "own CA", value: "another", set: trust(ca(t, strict), ""), code: remote.CodeCertificate},
		{name: "pinned certificate", value: "the server's", set: trust("", pin), stored: 3},
		{name: "pinned certificate", value: "another", set: trust(ca(t, s), strings.Repeat("ab", 32)), code: remote.CodeCertificate},
		{name: "maximum size", value: "off", stored: 3, check: holds(larger())},
		{name: "maximum size", value: "1 MiB", set: limit(1 << 20), stored: 2, left: 1, check: tooLarge},
		{name: "maximum size", value: "2 MiB", set: limit(2 << 20), stored: 3},
		{name: "maximum size", value: "150 MiB", set: limit(remote.MaxLimit), stored: 3},
		{name: "maximum size by POP3", value: "1 MiB", set: all(at(t, remote.POP3, s.POP3S, remote.Implicit), limit(1<<20)), stored: 2, left: 1, check: tooLarge},
		{name: "folders", value: "inbox", set: folders(remote.Inbox), stored: 3},
		{name: "folders", value: "all", set: folders(remote.All), stored: 5, check: holds(letter(10))},
		{name: "folders", value: "list", set: folders(remote.List, "Sent", "Trash"), stored: 2, check: holds(letter(10), letter(13))},
		{name: "folders", value: "a missing one", set: folders(remote.List, "Sent", "Nowhere"), stored: 1, code: remote.CodeFolder},
		{name: "folders", value: "all without some", set: all(folders(remote.All), func(s *remote.Settings) { s.Without, s.Trash = []string{"Sent", "Trash"}, true }), stored: 4,
			check: func(o one) {
				if o.has(letter(10)) || o.has(letter(13)) {
					o.Error("what is left out is archived")
				}
			}},
		{name: "drafts", value: "on", set: all(folders(remote.All), func(s *remote.Settings) { s.Drafts = true }), stored: 6, check: holds(letter(11))},
		{name: "spam", value: "on", set: all(folders(remote.All), func(s *remote.Settings) { s.Spam = true }), stored: 6, check: holds(letter(12))},
		{name: "trash", value: "on", set: all(folders(remote.All), func(s *remote.Settings) { s.Trash = true }), stored: 7, check: holds(letter(13), letter(14))},
		{name: "journal envelopes", value: "detected", set: folders(remote.List, "Journal"), stored: 1, check: func(o one) {
			if o.has(journalReport()) {
				o.Error("the report is archived as it is")
			}
		}},
		{name: "journal envelopes", value: "not detected", set: all(folders(remote.List, "Journal"), func(s *remote.Settings) { s.JournalReports = new(false) }), stored: 1, check: holds(journalReport())},
		{name: "name", value: "Sales", draft: func(d *archive.SourceDraft) { d.Name = "Sales" }, stored: 3, check: found("source:Sales", 3)},
		{name: "category", value: "contracts", draft: func(d *archive.SourceDraft) { d.Category = "contracts" }, stored: 3, check: found("category:contracts", 3)},
	}...)
	return list
}

// connections are the settings of the way to the server and of the log-in.
func connections(t *testing.T, s, strict, bare *dovecot.Server) []setting {
	t.Helper()
	return []setting{
		{name: "server", value: "where nobody is", set: func(s *remote.Settings) { s.Host = "127.0.0.3" }, code: remote.CodeConnect},
		{name: "server", value: "another", set: all(at(t, remote.IMAP, strict.IMAPS, remote.Implicit), func(s *remote.Settings) { s.CA = ca(t, strict) }), stored: 3},
		{name: "port", value: "where nobody is", set: func(s *remote.Settings) { s.Port = closedPort(t) }, code: remote.CodeConnect},
		{name: "port", value: "of another protocol", set: func(r *remote.Settings) { r.Port = portOf(t, s.POP3S) }, code: remote.CodeProtocol},
		{name: "protocol", value: "auto at IMAP", set: at(t, remote.Auto, s.IMAPS, remote.Auto), stored: 3, check: wayIs(remote.IMAP, remote.Implicit)},
		{name: "protocol", value: "auto at POP3", set: at(t, remote.Auto, s.POP3S, remote.Auto), stored: 3, check: wayIs(remote.POP3, remote.Implicit)},
		{name: "protocol", value: "IMAP", stored: 3, check: wayIs(remote.IMAP, remote.Implicit)},
		{name: "protocol", value: "POP3", set: at(t, remote.POP3, s.POP3S, remote.Implicit), stored: 3, check: wayIs(remote.POP3, remote.Implicit)},
		{name: "user", value: "another", set: func(s *remote.Settings) { s.User = "nobody@mailbox.example" }, code: remote.CodeAuth},
		{name: "password", value: "wrong", draft: func(d *archive.SourceDraft) { d.Secret = []byte("wrong") }, code: remote.CodeAuth},
		{name: "password", value: "none", draft: func(d *archive.SourceDraft) { d.Secret = nil }, code: remote.CodeAuth},
		{name: "TLS", value: "implicit where there is only STARTTLS", set: at(t, remote.IMAP, s.IMAP, remote.Implicit), code: remote.CodeTLS},
		{name: "TLS", value: "STARTTLS", set: at(t, remote.IMAP, s.IMAP, remote.StartTLS), stored: 3, check: wayIs(remote.IMAP, remote.StartTLS)},
		{name: "TLS", value: "STARTTLS by POP3", set: at(t, remote.POP3, s.POP3, remote.StartTLS), stored: 3, check: wayIs(remote.POP3, remote.StartTLS)},
		{name: "TLS", value: "STARTTLS where there is none", set: at(t, remote.IMAP, bare.IMAP, remote.StartTLS), code: remote.CodeTLS},
		{name: "TLS", value: "auto where there is none", set: at(t, remote.IMAP, bare.IMAP, remote.Auto), code: remote.CodeTLS},
		{name: "TLS", value: "none", set: at(t, remote.IMAP, s.IMAP, remote.NoTLS), stored: 3, check: wayIs(remote.IMAP, remote.NoTLS)},
		{name: "TLS", value: "none by POP3", set: at(t, remote.POP3, s.POP3, remote.NoTLS), stored: 3, check: wayIs(remote.POP3, remote.NoTLS)},
		{name: "TLS", value: "none where it is a must", set: at(t, remote.IMAP, strict.IMAP, remote.NoTLS), code: remote.CodeTLS},
	}
}

// tooLarge requires that the large letter stays, is listed with its reason, and
// is counted.
func tooLarge(o one) {
	items := o.left(o.id)
	var large []*catalog.SourceItem
	for _, i := range items {
		if i.Outcome == catalog.Left {
			large = append(large, i)
		}
	}
	if len(large) != 1 || large[0].Bytes != int64(len(larger())) || !strings.Contains(large[0].Detail, "too large") {
		o.Errorf("listed: %+v", large)
	}
	if o.has(larger()) || o.accounts(o.id)[catalog.Left] != 1 {
		o.Errorf("accounts %v", o.accounts(o.id))
	}
}

// Kept messages stay and are not archived again; the others are deleted.
func TestEverySettingKeep(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{remote.IMAP, remote.POP3} {
		for _, keep := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, keep %v", protocol, keep), func(t *testing.T) {
				t.Parallel()
				s := dovecot.New(t, dovecot.Options{})
				s.Put(t, letter(0), letter(1))
				r := newRig(t)
				r.f.timings = usualTimings()
				set := remote.Settings{Protocol: protocol, CA: ca(t, s), User: dovecot.User, Keep: keep}
				addr := map[string]string{remote.IMAP: s.IMAPS, remote.POP3: s.POP3S}
				at(t, protocol, addr[protocol], remote.Implicit)(&set)
				id := r.add("box", set, dovecot.Password)
				first := r.fetch(id)
				s.Put(t, letter(2))
				second := r.fetch(id)
				left := 0
				if keep {
					left = 3
				}
				if first.Stored != 2 || second.Stored != 1 || second.Known != 0 || s.Count(t, "") != left || r.messages() != 3 {
					t.Errorf("first %+v, second %+v; %d on the server", first, second, s.Count(t, ""))
				}
			})
		}
	}
}

// The interval is that between two fetches; a server with IDLE tells of new mail
// before that is over.
func TestEverySettingInterval(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		every   int // seconds
		without []string
		comes   bool
	}{
		"10 s":           {10, []string{"IDLE"}, true},
		"1 h":            {3600, []string{"IDLE"}, false},
		"1 h, with IDLE": {3600, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			defer r.run()()
			s := imapd.New(t, imapd.Options{Without: c.without})
			fill(s, "INBOX", 0, 1)
			set := imapSettings(s)
			set.Interval = c.every
			id := r.add("box", set, s.Password)
			until(t, "the first fetch", func() bool { st := r.state(id); return st.LastAt != nil && st.NextAt != nil && !st.Fetching })
			st := r.state(id)
			if pause := st.NextAt.Sub(*st.LastAt); pause < time.Duration(c.every)*time.Second || pause > time.Duration(c.every+5)*time.Second {
				t.Errorf("the next fetch is due after %v", pause)
			}
			fill(s, "INBOX", 1, 1)
			start, most := time.Now(), 12*time.Second
			if c.comes {
				most = time.Minute // far below the hour of those with IDLE
			}
			for r.messages() < 2 && time.Since(start) < most {
				time.Sleep(20 * time.Millisecond)
			}
			if came := r.messages() == 2; came != c.comes {
				t.Errorf("after %v it has come: %v", time.Since(start), came)
			}
		})
	}
}

// A source that is switched off is not fetched. That its tenant is suspended, so
// that nobody can log in, changes nothing: archiving goes on.
func TestEverySettingSwitch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	off, on := imapd.New(t, imapd.Options{}), imapd.New(t, imapd.Options{})
	fill(off, "INBOX", 0, 2)
	fill(on, "INBOX", 10, 2)
	idOff := r.add("off", imapSettings(off), off.Password)
	r.change(idOff, imapSettings(off), nil, true)
	if _, err := r.f.Fetch(t.Context(), r.tenant.ID, idOff); !errors.Is(err, ErrNoSource) {
		t.Errorf("fetch: %v", err)
	}
	if err := r.f.FetchNow(r.tenant.ID, idOff); !errors.Is(err, ErrNoSource) {
		t.Errorf("fetch now: %v", err)
	}
	r.add("on", imapSettings(on), on.Password)
	suspended := *r.tenant
	suspended.State = catalog.TenantSuspended
	if err := r.env.Catalog.UpdateTenant(t.Context(), &suspended); err != nil {
		t.Fatal(err)
	}
	defer r.run()()
	until(t, "the mailbox of a suspended tenant", func() bool { return r.messages() == 2 && len(on.UIDs("INBOX")) == 0 })
	fill(on, "INBOX", 12, 1)
	until(t, "new mail of a suspended tenant", func() bool { return r.messages() == 3 && len(on.UIDs("INBOX")) == 0 })
	if n := off.Connections(); n != 0 || len(off.UIDs("INBOX")) != 2 {
		t.Errorf("%d connections to what is switched off", n)
	}
}
