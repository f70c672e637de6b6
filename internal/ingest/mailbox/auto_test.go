package mailbox

import (
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/dovecot"
)

// nobody is a port at which no server listens.
const nobody = 1

// at makes the usual ports those of a server; where it has no listener, nobody is.
func (r *rig) at(s *dovecot.Server) (host string) {
	r.t.Helper()
	ports := map[string]int{}
	for name, addr := range map[string]string{"imap": s.IMAP, "imaps": s.IMAPS, "pop3": s.POP3, "pop3s": s.POP3S} {
		ports[name] = nobody
		if addr == "" {
			continue
		}
		h, port, err := net.SplitHostPort(addr)
		if err != nil {
			r.t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			r.t.Fatal(err)
		}
		host, ports[name] = h, n
	}
	r.f.ports = func(w way) int {
		if w.tls == remote.Implicit {
			return ports[w.protocol+"s"]
		}
		return ports[w.protocol]
	}
	return host
}

// ca is the certificate of a server, which has signed it itself.
func ca(t testing.TB, s *dovecot.Server) string {
	t.Helper()
	b, err := os.ReadFile(s.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whatever single way a server offers is found, without any setting but its name,
// and shown; without TLS none is found.
func TestAutoWithDovecot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts     dovecot.Options
		protocol string
		tls      string
		problem  string
	}{
		"only IMAPS":             {opts: dovecot.Options{Only: "imaps"}, protocol: remote.IMAP, tls: remote.Implicit},
		"only IMAP and STARTTLS": {opts: dovecot.Options{Only: "imap"}, protocol: remote.IMAP, tls: remote.StartTLS},
		"STARTTLS is a must":     {opts: dovecot.Options{Only: "imap", NoPlain: true}, protocol: remote.IMAP, tls: remote.StartTLS},
		"only POP3S":             {opts: dovecot.Options{Only: "pop3s"}, protocol: remote.POP3, tls: remote.Implicit},
		"only POP3 and STLS":     {opts: dovecot.Options{Only: "pop3"}, protocol: remote.POP3, tls: remote.StartTLS},
		"STLS is a must":         {opts: dovecot.Options{Only: "pop3", NoPlain: true}, protocol: remote.POP3, tls: remote.StartTLS},
		"everything":             {protocol: remote.IMAP, tls: remote.Implicit},
		"no implicit TLS":        {opts: dovecot.Options{NoImplicitTLS: true}, protocol: remote.IMAP, tls: remote.StartTLS},
		"IMAP without TLS":       {opts: dovecot.Options{Only: "imap", NoStartTLS: true}, problem: remote.CodeTLS},
		"POP3 without TLS":       {opts: dovecot.Options{Only: "pop3", NoStartTLS: true}, problem: remote.CodeTLS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dovecot.New(t, c.opts)
			s.Put(t, letter(1), letter(2))
			r := newRig(t)
			r.f.timings = usualTimings()
			set := remote.Settings{Protocol: remote.Auto, TLS: remote.Auto, Host: r.at(s), CA: ca(t, s), User: dovecot.User}
			got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(dovecot.Password)))
			id := r.add("box", set, dovecot.Password)
			st := r.fetch(id)
			if c.problem != "" {
				if got.OK || got.Problem == nil || got.Problem.Code != c.problem || st.Problem == nil || st.Problem.Code != c.problem || s.Count(t, "") != 2 {
					t.Errorf("test %+v, fetch %+v", got, st.Problem)
				}
				return
			}
			want := way{protocol: c.protocol, tls: c.tls}
			want.port = r.f.ports(want)
			for what, f := range map[string]*remote.Found{"test": got.Found, "fetch": st.Found} {
				if f == nil || (way{f.Protocol, f.TLS, f.Port}) != want || f.Host != set.Host {
					t.Errorf("%s found %+v, want %v", what, f, want)
				}
			}
			if !got.OK || got.Messages != 2 {
				t.Errorf("test: %+v", got)
			}
			well(t, st)
			if st.Stored != 2 || s.Count(t, "") != 0 || !r.has(letter(1)) || !r.has(letter(2)) {
				t.Errorf("fetch: %+v, %d on the server", st, s.Count(t, ""))
			}
		})
	}
}
