package mailbox

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// fakeNames answers every question for an address with the one that is current.
// After each answer, next, if there is one, becomes current, as when a name is
// rebound.
type fakeNames struct {
	address atomic.Pointer[netip.Addr]
	next    atomic.Pointer[netip.Addr]
	asked   atomic.Int64
}

func (f *fakeNames) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				return
			}
			if answer, ok := f.answer(b[:n]); ok {
				_, _ = server.WriteTo(answer, from) // who asks will ask again
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func (f *fakeNames) answer(query []byte) ([]byte, bool) {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil, false
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	a := *f.address.Load()
	switch {
	case q.Type == dnsmessage.TypeA && a.Is4():
		m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: a.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && a.Is6():
		m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
	}
	if next := f.next.Load(); next != nil && len(m.Answers) > 0 {
		f.address.Store(next)
	}
	f.asked.Add(1)
	b, err := m.Pack()
	return b, err == nil
}

// A name that leads to where an address would be refused is refused, by both
// protocols, in a test of settings too, and nobody learns the address.
func TestNamesThatLeadInside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.f.PublicOnly = true
	names := &fakeNames{}
	r.f.names = names.resolver(t)
	for _, a := range []string{"127.0.0.1", "::1", "10.1.2.3", "192.168.7.8", "172.31.0.9", "fd12::3", "169.254.169.254", "fe80::1", "100.64.1.1", "::ffff:10.1.2.3", "fd00:ec2::254", "0.0.0.0"} {
		names.address.Store(new(netip.MustParseAddr(a)))
		for _, protocol := range []string{remote.IMAP, remote.POP3, remote.Auto} {
			set := remote.Settings{Protocol: protocol, Host: "inside.example", Port: 14301, TLS: remote.Auto, User: "u"}
			before := names.asked.Load()
			got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte("secret")))
			if names.asked.Load() == before {
				t.Fatal("the name was not looked up")
			}
			if got.OK || got.Problem == nil || got.Problem.Code != remote.CodeForbidden || len(got.Steps) != 1 {
				t.Errorf("%s by %s: %+v", a, protocol, got)
				continue
			}
			if strings.Contains(got.Problem.Detail+got.Steps[0].Text, a) {
				t.Errorf("%s by %s: the address is told: %s", a, protocol, got.Problem.Detail)
			}
		}
		id := r.add("to "+a, remote.Settings{Protocol: remote.IMAP, Host: "inside.example", TLS: remote.NoTLS, User: "u"}, "secret")
		if st := r.fetch(id); st.Problem == nil || st.Problem.Code != remote.CodeForbidden {
			t.Errorf("%s: %+v", a, st)
		}
	}
}

// A name that is harmless when it is looked at and leads inside a moment later is
// judged when it is connected to, at each connection.
func TestNamesThatChange(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	p := pop3d.New(t, pop3d.Options{})
	fill(s, "INBOX", 0, 3)
	p.Add(letter(9))
	names := &fakeNames{}
	r.f.names = names.resolver(t)
	loop, public := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")
	names.address.Store(&loop)
	for _, set := range []remote.Settings{imapSettings(s), popSettings(p)} {
		set.Host, set.Keep = "box.example", true
		id := r.add("box by "+set.Protocol, set, imapd.Password)
		if set.Protocol == remote.POP3 {
			id = r.add("pop3", set, pop3d.Password)
		}
		r.f.PublicOnly = false
		well(t, r.fetch(id)) // the name leads to the server
		r.f.PublicOnly = true
		before := r.gate.offers.Load()
		fill(s, "INBOX", 100, 1)
		// Whoever looks twice sees a public address first.
		names.address.Store(&public)
		names.next.Store(&loop)
		if _, err := r.f.names.LookupHost(t.Context(), set.Host); err != nil {
			t.Fatal(err)
		}
		if st := r.fetch(id); st.Problem == nil || st.Problem.Code != remote.CodeForbidden || r.gate.offers.Load() != before {
			t.Errorf("%s: %+v, %d offered", set.Protocol, st, r.gate.offers.Load()-before)
		}
		names.next.Store(nil)
		names.address.Store(&loop)
	}
}
