package mailbox

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/dovecot"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// closedPort is one where nobody answers.
func closedPort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return portOf(t, l.Addr().String())
}

func portOf(t *testing.T, addr string) int {
	t.Helper()
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Auto finds the right way to a real server that offers only one.
func TestAuto(t *testing.T) {
	t.Parallel()
	all := dovecot.New(t, dovecot.Options{NoPlain: true})
	ca, err := os.ReadFile(all.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	all.Put(t, letter(1), letter(2))
	none := closedPort(t)
	for _, c := range []struct {
		want remote.Found
		addr string
	}{
		{remote.Found{Protocol: remote.IMAP, TLS: remote.Implicit}, all.IMAPS},
		{remote.Found{Protocol: remote.IMAP, TLS: remote.StartTLS}, all.IMAP},
		{remote.Found{Protocol: remote.POP3, TLS: remote.Implicit}, all.POP3S},
		{remote.Found{Protocol: remote.POP3, TLS: remote.StartTLS}, all.POP3},
	} {
		t.Run(c.want.Protocol+" "+c.want.TLS, func(t *testing.T) {
			r := newRig(t)
			host, _, err := net.SplitHostPort(c.addr)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Port, c.want.Host = portOf(t, c.addr), host
			set := remote.Settings{Protocol: remote.Auto, TLS: remote.Auto, Host: host, User: dovecot.User, CA: string(ca), Keep: true}
			r.f.timings = usualTimings()
			// Only one of the usual ports is open; then no usual port, but the
			// one that is told.
			r.f.ports = func(w way) int {
				if w.protocol == c.want.Protocol && w.tls == c.want.TLS {
					return c.want.Port
				}
				return none
			}
			for _, port := range []int{0, c.want.Port} {
				set.Port = port
				got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(dovecot.Password)))
				if !got.OK || got.Found == nil || *got.Found != c.want || got.Messages != 2 || len(got.Certificate) != 64 {
					t.Errorf("port %d: %+v, found %+v, problem %+v", port, got, got.Found, got.Problem)
				}
				id := r.add(fmt.Sprint("box", port), set, dovecot.Password)
				st := r.fetch(id)
				if well(t, st); st.Found == nil || *st.Found != c.want || st.Stored+st.Known != 2 {
					t.Errorf("port %d: %+v", port, st)
				}
			}
		})
	}
}

// Auto never goes without TLS, and says what it found instead.
func TestAutoNeverGoesWithoutTLS(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{Without: []string{"STARTTLS"}, Misbehave: []imapd.Misbehaviour{imapd.StartTLSRefused}})
	p := pop3d.New(t, pop3d.Options{NoSTLS: true})
	r.f.ports = func(w way) int {
		if w.protocol == remote.IMAP {
			return s.Port
		}
		return portOf(t, p.Addr)
	}
	set := remote.Settings{Protocol: remote.Auto, TLS: remote.Auto, Host: s.Host, User: s.User}
	got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(s.Password)))
	if got.OK || got.Problem.Code != remote.CodeTLS || len(got.Steps) != 4 {
		t.Errorf("%+v %+v", got, got.Problem)
	}
	for _, c := range s.Commands() {
		if strings.Contains(c, "LOGIN") || strings.Contains(c, "AUTHENTICATE") {
			t.Errorf("a log-in without TLS: %s", c)
		}
	}
}

// A found protocol stays: a server that is partly down must not have everything
// fetched anew by the other one.
func TestAutoStaysWithItsProtocol(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := dovecot.New(t, dovecot.Options{})
	ca, err := os.ReadFile(s.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	s.Put(t, letter(1))
	imapPort := portOf(t, s.IMAPS)
	down := closedPort(t)
	r.f.ports = func(w way) int {
		if w.protocol == remote.IMAP {
			return imapPort
		}
		return portOf(t, s.POP3S)
	}
	set := remote.Settings{Protocol: remote.Auto, TLS: remote.Auto, Host: "127.0.0.1", User: dovecot.User, CA: string(ca), Keep: true}
	id := r.add("box", set, dovecot.Password)
	if st := r.fetch(id); st.Stored != 1 {
		t.Fatalf("%+v", st)
	}
	b := r.f.ports
	r.f.ports = func(w way) int {
		if w.protocol == remote.IMAP {
			return down
		}
		return b(w)
	}
	// The usual port is another one now, so the way must be searched for: POP3
	// would answer.
	set.Port = 0
	if st := r.fetch(id); st.Problem == nil || st.Stored+st.Known != 0 || r.accounts(id)[catalog.Duplicate] != 0 {
		t.Errorf("%+v", st)
	}
}

func TestProblemsInPlainWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{ImplicitTLS: true})
	p := pop3d.New(t, pop3d.Options{Misbehave: []pop3d.Misbehaviour{pop3d.EchoesSecrets}})
	silent := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.SilentGreeting}})
	smtp := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.NotIMAP}})
	later := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.LoginUnavailable}})
	trusted := imapSettings(s)
	trusted.TLS = remote.Implicit
	with := func(base remote.Settings, change func(*remote.Settings)) remote.Settings {
		change(&base)
		return base
	}
	untrusted := with(trusted, func(s *remote.Settings) { s.Pin = "" })
	fingerprint := r.f.Test(t.Context(), untrusted, oauth.NewMemory([]byte("x"))).Certificate
	trusted.Pin = strings.ToUpper(fingerprint)
	for _, c := range []struct {
		name   string
		set    remote.Settings
		secret string
		want   string // empty: it works
	}{
		{"works with the pinned certificate", trusted, s.Password, ""},
		{"wrong password", trusted, "wrong password", remote.CodeAuth},
		{"no password", trusted, "", remote.CodeAuth},
		{"no token", with(trusted, func(s *remote.Settings) { s.OAuth = "google" }), "", remote.CodeToken},
		{"token", with(trusted, func(s *remote.Settings) { s.OAuth = "google" }), s.Token, ""},
		{"unknown authority", untrusted, s.Password, remote.CodeCertificate},
		{"another pin", with(trusted, func(s *remote.Settings) { s.Pin = strings.Repeat("0", 64) }), s.Password, remote.CodeCertificate},
		{"no such host", with(trusted, func(s *remote.Settings) { s.Host = "no-such-host.invalid" }), s.Password, remote.CodeDNS},
		{"nobody there", with(trusted, func(s *remote.Settings) { s.Port = closedPort(t) }), s.Password, remote.CodeConnect},
		{"silent", imapSettings(silent), s.Password, remote.CodeTimeout},
		{"another server", imapSettings(smtp), s.Password, remote.CodeProtocol},
		{"later", imapSettings(later), s.Password, remote.CodeUnavailable},
		{"no TLS there", with(imapSettings(later), func(s *remote.Settings) { s.TLS = remote.Implicit }), s.Password, remote.CodeTLS},
		{"no such folder", with(trusted, func(s *remote.Settings) { s.Folders, s.Named = remote.List, []string{"Nowhere"} }), s.Password, remote.CodeFolder},
		{"no such folder to leave out", with(trusted, func(s *remote.Settings) { s.Folders, s.Without = remote.All, []string{"Nowhere"} }), s.Password, remote.CodeFolder},
		{"password in the answer", popSettings(p), pop3d.Password, remote.CodeAuth},
	} {
		got := r.f.Test(t.Context(), c.set, oauth.NewMemory([]byte(c.secret)))
		switch {
		case c.want == "" && !got.OK, c.want != "" && (got.OK || got.Problem == nil || got.Problem.Code != c.want):
			t.Errorf("%s: want %q: %+v, problem %+v", c.name, c.want, got, got.Problem)
		case c.want != "":
			plain(t, got.Problem)
		}
		if text := fmt.Sprintf("%+v %+v", got, got.Problem); c.secret != "" && strings.Contains(text, c.secret) {
			t.Errorf("%s: the result holds the password: %s", c.name, text)
		}
	}
}

// An authority of one's own is trusted, and only that.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, other := dovecot.New(t, dovecot.Options{}), dovecot.New(t, dovecot.Options{})
	set := remote.Settings{Protocol: remote.IMAP, TLS: remote.Implicit, Host: "127.0.0.1", Port: portOf(t, s.IMAPS), User: dovecot.User}
	for file, want := range map[string]bool{s.CertFile: true, other.CertFile: false} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set.CA = string(b)
		got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(dovecot.Password)))
		if got.OK != want || !want && got.Problem.Code != remote.CodeCertificate {
			t.Errorf("%+v %+v", got, got.Problem)
		}
		block, _ := pem.Decode(b)
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		other := remote.Settings{Host: "other.example", CA: string(b)}
		if err := trust(other, func(string) {}).VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}); code(err) != remote.CodeCertificate {
			t.Errorf("a certificate for another host: %v", err)
		}
		if sum := sha256.Sum256(block.Bytes); want != (got.Certificate == hex.EncodeToString(sum[:])) {
			t.Errorf("certificate %s", got.Certificate)
		}
	}
}

func TestWaysAreInOrder(t *testing.T) {
	t.Parallel()
	f := &Fetcher{ports: usualPort}
	for _, c := range []struct {
		set  remote.Settings
		want string
	}{
		{remote.Settings{Protocol: remote.Auto, TLS: remote.Auto}, "[imap 993 implicit imap 143 starttls pop3 995 implicit pop3 110 starttls]"},
		{remote.Settings{Protocol: remote.Auto, TLS: remote.Auto, Port: 995}, "[pop3 995 implicit imap 995 implicit imap 995 starttls pop3 995 starttls]"},
		{remote.Settings{Protocol: remote.IMAP, TLS: remote.Auto}, "[imap 993 implicit imap 143 starttls]"},
		{remote.Settings{Protocol: remote.POP3, TLS: remote.NoTLS}, "[pop3 110 none]"},
		{remote.Settings{Protocol: remote.Auto, TLS: remote.StartTLS, Port: 1}, "[imap 1 starttls pop3 1 starttls]"},
	} {
		if got := fmt.Sprint(f.ways(c.set)); got != c.want {
			t.Errorf("%+v: %s", c.set, got)
		}
	}
}

// A test ends in time with servers that never answer.
func TestTestEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.Drip}})
	start := time.Now()
	set := imapSettings(s)
	if got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(s.Password))); got.OK || got.Problem == nil || time.Since(start) > 20*time.Second {
		t.Errorf("%v: %+v", time.Since(start), got)
	}
}

// Where a server shows a certificate at once, nobody speaks to it in the clear and
// waits.
func TestNoWaitingAfterACertificate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{ImplicitTLS: true})
	set := imapSettings(s)
	set.Protocol, set.TLS, set.Pin = remote.Auto, remote.Auto, ""
	got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(s.Password)))
	if got.Problem == nil || got.Problem.Code != remote.CodeCertificate || got.Certificate == "" {
		t.Fatalf("%+v", got)
	}
	for _, step := range got.Steps {
		if !strings.HasSuffix(step.What, remote.Implicit) {
			t.Errorf("%s was tried", step.What)
		}
	}
}
