package mailbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/ingest/pop3"
	"github.com/muniment/muniment/internal/remote"
)

// way is one way to talk to a server.
type way struct {
	protocol string
	tls      string // Implicit, StartTLS or NoTLS
	port     int
}

func (w way) String() string { return fmt.Sprintf("%s %d %s", w.protocol, w.port, w.tls) }

// usualPort is the registered port of a way (RFC 8314 §3, RFC 9051 §2.1, RFC 1939 §3).
func usualPort(w way) int {
	switch {
	case w.protocol == remote.IMAP && w.tls == remote.Implicit:
		return 993
	case w.protocol == remote.IMAP:
		return 143
	case w.tls == remote.Implicit:
		return 995
	default:
		return 110
	}
}

// ways are those that the settings allow, the best first: IMAP before POP3, TLS
// from the first byte before STARTTLS. Without TLS only if the settings say so. A
// port that is the usual one of a way makes that the first; on any other, TLS from
// the first byte is tried with both protocols first, as servers without it show that
// at once and those with it keep silent when spoken to in the clear.
func (f *Fetcher) ways(s remote.Settings) []way {
	protocols, modes := []string{s.Protocol}, []string{s.TLS}
	if s.Protocol == remote.Auto {
		protocols = []string{remote.IMAP, remote.POP3}
	}
	if s.TLS == remote.Auto {
		modes = []string{remote.Implicit, remote.StartTLS}
	}
	var out []way
	for _, p := range protocols {
		for _, m := range modes {
			w := way{protocol: p, tls: m, port: s.Port}
			if w.port == 0 {
				w.port = f.ports(w)
			}
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b way) int {
		clear := 0
		if s.Port != 0 {
			clear = cmp.Compare(clearness(a), clearness(b))
		}
		return cmp.Or(cmp.Compare(strangeness(a), strangeness(b)), clear)
	})
	return out
}

// strangeness is 1 for a port that is the usual one of something else.
func strangeness(w way) int {
	if own := usualPort(w); w.port != own && slices.Contains([]int{993, 143, 995, 110}, w.port) {
		return 1
	}
	return 0
}

// clearness is 1 for a way that begins in the clear.
func clearness(w way) int {
	if w.tls == remote.Implicit {
		return 0
	}
	return 1
}

// trust returns how to check the server's certificate; seen is called with the
// SHA-256 of the one that came, whether it is trusted or not.
func trust(s remote.Settings, seen func(string)) *tls.Config {
	return remote.Trust{Host: s.Host, CA: s.CA, Pin: s.Pin}.Config(seen)
}

// client is a connection by one of the protocols.
type client struct {
	way  way
	imap *imap.Conn
	pop3 *pop3.Client
}

func (c *client) close() {
	if c.imap != nil {
		_ = c.imap.Close() // nothing depends on how it ends
	}
	if c.pop3 != nil {
		_ = c.pop3.Close() // likewise
	}
}

// dial connects by one way. Most, if not zero, bounds the connecting.
func (f *Fetcher) dial(ctx context.Context, s remote.Settings, w way, conf *tls.Config, most time.Duration) (*client, error) {
	if w.protocol == remote.IMAP {
		modes := map[string]imap.TLSMode{remote.Implicit: imap.TLSImplicit, remote.StartTLS: imap.TLSStart, remote.NoTLS: imap.TLSNone}
		t := f.timings.imap
		if most > 0 {
			t.Connect, t.Silence = most, most
		}
		c, err := imap.Dial(ctx, imap.Config{Host: s.Host, Port: w.port, TLS: modes[w.tls], TLSConfig: conf, Timeouts: t, SoleUser: !s.Keep,
			DialContext: f.dialer()})
		if err != nil {
			return nil, refusal(err)
		}
		return &client{way: w, imap: c}, nil
	}
	modes := map[string]pop3.Security{remote.Implicit: pop3.ImplicitTLS, remote.StartTLS: pop3.StartTLS, remote.NoTLS: pop3.Unprotected}
	c := pop3.Config{Addr: net.JoinHostPort(s.Host, strconv.Itoa(w.port)), Security: modes[w.tls], TLS: conf,
		DialContext: f.dialer(), Idle: f.timings.idle, Command: f.timings.command, Transfer: f.timings.transfer}
	if most > 0 {
		c.Idle, c.Command = most, 2*most
	}
	p, err := pop3.Dial(ctx, c)
	if err != nil {
		return nil, refusal(err)
	}
	return &client{way: w, pop3: p}, nil
}

// errNoToken and errNoPassword are found before anybody is asked.
var (
	errNoToken    = errors.New("there is no access token")
	errNoPassword = errors.New("there is no password")
)

func checkSecret(s remote.Settings, secret []byte) error {
	switch {
	case len(secret) > 0:
		return nil
	case s.OAuth != "":
		return errNoToken // entered by hand, or of a log-in
	default:
		return errNoPassword
	}
}

// login logs in with the password or the access token.
func (c *client) login(ctx context.Context, s remote.Settings, secret []byte) error {
	switch {
	case c.imap != nil && s.OAuth != "":
		return c.imap.LoginXOAUTH2(ctx, s.User, string(secret))
	case c.imap != nil:
		return c.imap.Login(ctx, s.User, string(secret))
	case s.OAuth != "":
		return c.pop3.LoginXOAUTH2(ctx, s.User, string(secret))
	default:
		return c.pop3.Login(ctx, s.User, string(secret))
	}
}

// searching reports whether another way is worth a try after err.
func searching(err error) bool {
	switch code(err) {
	case remote.CodeConnect, remote.CodeTimeout, remote.CodeTLS, remote.CodeCertificate, remote.CodeProtocol:
		return true
	}
	return false
}

// attempts remembers what failed ways have shown.
type attempts struct{ tls []int } // ports where TLS begins at once

// pointless reports whether a way need not be tried: where a server has shown a
// certificate at once, it keeps silent when spoken to in the clear.
func (a *attempts) pointless(w way) bool {
	return w.tls != remote.Implicit && slices.Contains(a.tls, w.port)
}

func (a *attempts) failed(w way, err error) {
	if w.tls == remote.Implicit && code(err) == remote.CodeCertificate {
		a.tls = append(a.tls, w.port)
	}
}

// telling orders errors of several ways: the one of the greatest says most.
func telling(err error) int {
	order := []string{remote.CodeConnect, remote.CodeTimeout, remote.CodeProtocol, remote.CodeTLS, remote.CodeCertificate}
	if i := slices.Index(order, code(err)); i >= 0 {
		return i
	}
	return len(order)
}

// connect takes the first way that works and logs in there. Where a protocol has
// been found before, the other one is not tried: a server that is partly down
// would have everything fetched anew.
func (t *task) connect(ctx context.Context) (*client, error) {
	fresh, err := t.credential(ctx)
	if err != nil {
		return nil, err
	}
	list := t.f.ways(t.set)
	if old := t.src.state.Found; old != nil && old.Host == t.set.Host {
		w := way{protocol: old.Protocol, port: old.Port, tls: old.TLS}
		known := slices.Contains(list, w)
		if slices.ContainsFunc(list, func(x way) bool { return x.protocol == w.protocol }) {
			list = slices.DeleteFunc(list, func(x way) bool { return x == w || x.protocol != w.protocol })
		}
		if known {
			list = append([]way{w}, list...)
		}
	}
	var most time.Duration
	if len(list) > 1 {
		most = t.f.timings.probe
	}
	var worst error
	var tried attempts
	for _, w := range list {
		if tried.pointless(w) {
			continue
		}
		c, err := t.f.dial(ctx, t.set, w, trust(t.set, func(string) {}), most)
		if err == nil {
			if c, err = t.enter(ctx, c, fresh, most); err == nil {
				t.src.state.Found = &remote.Found{Protocol: w.protocol, Port: w.port, TLS: w.tls, Host: t.set.Host}
			}
			return c, err
		}
		if !searching(err) {
			return nil, err
		}
		tried.failed(w, err)
		if worst == nil || telling(err) > telling(worst) {
			worst = err
		}
	}
	return nil, worst
}
