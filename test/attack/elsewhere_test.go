package attack

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// elsewhereAttempts go at those who are let in by others: mail servers, and programs with
// tokens.
func elsewhereAttempts() []attempt {
	return []attempt{{"login-mail-server", mailServerLogIns}, {"token-expired", expiredTokens}}
}

// denier is a mail server that says no to everybody, and counts whom it is asked about.
type denier struct {
	listener net.Listener
	asked    atomic.Int64
}

func newDenier(t *testing.T) *denier {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // listens at once
	if err != nil {
		t.Fatal(err)
	}
	d := &denier{listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.answer(c)
		}
	}()
	return d
}

// answer speaks as much IMAP (RFC 9051) as a log-in takes.
func (d *denier) answer(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, "* OK [CAPABILITY IMAP4rev1] ready\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		tag, rest, _ := strings.Cut(lines.Text(), " ")
		switch command, _, _ := strings.Cut(strings.ToUpper(rest), " "); command {
		case "CAPABILITY":
			fmt.Fprintf(c, "* CAPABILITY IMAP4rev1\r\n%s OK\r\n", tag)
		case "LOGIN", "AUTHENTICATE":
			d.asked.Add(1)
			fmt.Fprintf(c, "%s NO [AUTHENTICATIONFAILED] no\r\n", tag)
		default:
			fmt.Fprintf(c, "%s OK\r\n", tag)
		}
	}
}

// mailServerLogIns has other customers' passwords, and those of local users, sent to a mail
// server, and learns from it who is a user.
func mailServerLogIns(t *testing.T, w *world) {
	t.Helper()
	d := newDenier(t)
	gamma, _ := w.env.Tenant(t, "gamma")
	w.env.User(t, gamma, "gamma-local", access.RoleUser, "local@gamma.example")
	if _, err := w.env.AddDomain(t.Context(), gamma.ID, "gamma.example", ""); err != nil {
		t.Fatal(err)
	}
	port := d.listener.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
	set := directory.Settings{IMAP: &directory.IMAP{Host: "127.0.0.1", Port: port, TLS: remote.NoTLS, Create: true}}
	if _, err := w.env.DirectoriesOf(gamma.ID).Create(t.Context(), archive.DirectoryDraft{Name: "mail", Settings: set}); err != nil {
		t.Fatal(err)
	}
	try := func(login, more string) answer {
		return w.ask(t, "", http.MethodPost, "/session", fmt.Sprintf(`{"login":%q,"password":"wrong"%s}`, login, more))
	}
	for _, login := range []string{"alpha-bernd", "bernd@alpha.example", "local@gamma.example", "gamma-local", "nobody@else.example", "nobody@gamma.example.else.example", "x@alpha.example", "operator"} {
		wants(t, login, try(login, ""), 401)
		wants(t, login+" at the customer", try(login, `,"tenant":"gamma"`), 401)
	}
	wants(t, "as operator", try("nobody@gamma.example", `,"operator":true`), 401)
	wants(t, "at another customer", try("nobody@gamma.example", `,"tenant":"beta"`), 401)
	wants(t, "with a line of its own", w.ask(t, "", http.MethodPost, "/session", `{"login":"nobody@gamma.example","password":"x\r\nA1 LOGIN a b"}`), 401)
	if n := d.asked.Load(); n != 0 {
		t.Errorf("the mail server was asked %d times about people whom it does not serve", n)
	}
	local, nobody := try("local@gamma.example", ""), try("nobody@gamma.example", "")
	if local.status != nobody.status || len(local.body) != len(nobody.body) || d.asked.Load() != 1 {
		t.Errorf("asked %d times; they differ:\n%s\n%s", d.asked.Load(), local, nobody)
	}
	d.listener.Close()
	wants(t, "the server is down, a local user all the same", w.ask(t, "", http.MethodPost, "/session", credentials("local@gamma.example", archivetest.Password)), 200)
	wants(t, "another customer all the same", w.ask(t, "", http.MethodPost, "/session", credentials("alpha-bernd", archivetest.Password)), 200)
}

// expiredTokens are used after their end, cut, and when their customer is suspended.
func expiredTokens(t *testing.T, w *world) {
	t.Helper()
	keep := func(name string, tenant uid.ID, expires time.Time) string {
		secret := archive.TokenPrefix + strings.Repeat("a", 30) + name
		err := w.env.Catalog.CreateToken(t.Context(), &catalog.Token{ID: uid.New(time.Now()), Hash: sha256.Sum256([]byte(secret)), Tenant: tenant, CreatedAt: time.Now().UTC().Truncate(time.Millisecond),
			ExpiresAt: expires.UTC().Truncate(time.Millisecond), TokenSettings: catalog.TokenSettings{Name: name, Scopes: []string{string(archive.ScopeReportsRead)}, Start: secret[:8]}})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	ask := func(token string) answer {
		return w.ask(t, "", http.MethodGet, "/statistics", "", set("Authorization", "Bearer "+token))
	}
	delta, _ := w.env.Tenant(t, "delta")
	good := keep("good", delta.ID, time.Time{})
	wants(t, "a token", ask(good), 200)
	wants(t, "one of the operator's for a customer's figures", ask(keep("operator", uid.ID{}, time.Time{})), 403)
	wants(t, "one whose time is over", ask(keep("over", delta.ID, time.Now().Add(-time.Minute))), 401)
	if err := w.env.As(access.Actor{Role: access.RoleOperator}).SetTenantState(t.Context(), delta.ID, catalog.TenantSuspended); err != nil {
		t.Fatal(err)
	}
	wants(t, "of a customer who is suspended", ask(good), 401)
	for name, token := range map[string]string{"cut": good[:len(good)-1], "longer": good + "a", "in capitals": strings.ToUpper(good),
		"without its beginning": strings.TrimPrefix(good, archive.TokenPrefix), "two": good + " " + good, "empty": ""} {
		wants(t, name, ask(token), 401, 429) // the network is slowed down sooner or later
	}
}
