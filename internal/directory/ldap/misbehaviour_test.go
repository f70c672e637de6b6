package ldap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/directory/dial"
	"github.com/muniment/muniment/internal/remote"
)

// request is what the odd server was asked.
type request struct {
	id     string // bytes of the integer
	op     byte   // tag
	bytes  []byte
	number int // of searches, from 1
}

// odd is a server that binds everybody and answers searches as a test wants.
type odd struct {
	host string
	port int

	mu     sync.Mutex
	asked  [][]byte
	answer func(w io.Writer, r request)
}

func newOdd(t *testing.T, answer func(w io.Writer, r request)) *odd {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &odd{answer: answer}
	o.host, o.port = at(t, ln.Addr().String())
	var open sync.WaitGroup
	var conns []net.Conn
	open.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			o.mu.Lock()
			conns = append(conns, conn)
			o.mu.Unlock()
			open.Go(func() { defer conn.Close(); o.serve(conn) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		o.mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		o.mu.Unlock()
		open.Wait()
	})
	return o
}

func (o *odd) serve(conn net.Conn) {
	in, searches := bufio.NewReader(conn), 0
	for {
		b, err := readMessage(in)
		if err != nil {
			return
		}
		_, content, _, _ := element(b)
		_, id, rest, _ := element(content)
		r := request{id: string(id), op: rest[0], bytes: b}
		o.mu.Lock()
		o.asked = append(o.asked, b)
		o.mu.Unlock()
		switch r.op {
		case 0x60:
			conn.Write(result(r.id, 0x61, 0)) //nolint:errcheck // then the client notices
		case 0x63:
			searches++
			r.number = searches
			o.answer(conn, r)
		}
	}
}

func (o *odd) settings() directory.Settings {
	return directory.Settings{LDAP: &directory.LDAP{Flavour: directory.FlavourAD, Host: o.host, Port: o.port, TLS: remote.NoTLS, BindDN: "reader@firma.example", BaseDN: "dc=firma,dc=example"}}
}

// saw reports whether the server was asked for something with these bytes.
func (o *odd) saw(b string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.asked {
		if bytes.Contains(m, []byte(b)) {
			return true
		}
	}
	return false
}

// tlv is an element.
func tlv(tag byte, content ...[]byte) []byte {
	b := bytes.Join(content, nil)
	n := len(b)
	return append([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, b...)
}

func text(s string) []byte { return tlv(0x04, []byte(s)) }

// result is a message that ends an operation.
func result(id string, op, code byte, more ...[]byte) []byte {
	return tlv(0x30, append([][]byte{tlv(0x02, []byte(id)), tlv(op, tlv(0x0a, []byte{code}), text(""), text(""))}, more...)...)
}

func entry(id string, dn string, attributes map[string][]string) []byte {
	var all []byte
	for name, values := range attributes {
		var set []byte
		for _, v := range values {
			set = append(set, text(v)...)
		}
		all = append(all, tlv(0x30, text(name), tlv(0x31, set))...)
	}
	return tlv(0x30, tlv(0x02, []byte(id)), tlv(0x64, text(dn), tlv(0x30, all)))
}

// page is the control that says that more comes.
func page(cookie string) []byte {
	value := tlv(0x30, tlv(0x02, []byte{0}), text(cookie))
	return tlv(0xa0, tlv(0x30, text("1.2.840.113556.1.4.319"), tlv(0x04, value)))
}

const guid = "\x01*)(\\\x00\xff\x7f89abcdef"

func anna(id string) []byte {
	return entry(id, "CN=Anna,DC=firma,DC=example", map[string][]string{"objectGUID": {guid}, "sAMAccountName": {"anna"}, "displayName": {"Anna"},
		"proxyAddresses": {"smtp:a@firma.example", "SMTP:Anna@firma.example", "sip:anna@firma.example"}, "mail": {"anna@firma.example"}, "userAccountControl": {"66050"}})
}

// reading reads with the patience of a test, and fails it if that takes much longer.
func reading(t *testing.T, o *odd, patience time.Duration) (*directory.Snapshot, error) {
	t.Helper()
	begun := time.Now()
	snap, err := New(Config{Patience: patience}).Read(context.Background(), o.settings(), []byte("x"))
	if took := time.Since(begun); took > 10*patience+5*time.Second {
		t.Errorf("took %v", took)
	}
	return snap, err
}

// TestActiveDirectory reads from a server of Microsoft's kind: pages, GUIDs of any
// bytes, groups in chain, referrals.
func TestActiveDirectory(t *testing.T) {
	t.Parallel()
	o := newOdd(t, func(w io.Writer, r request) {
		switch {
		case bytes.Contains(r.bytes, []byte(inChain)), r.number == 2:
			w.Write(tlv(0x30, tlv(0x02, []byte(r.id)), tlv(0x73, text("ldap://ForestDnsZones.firma.example/")))) //nolint:errcheck // the test notices
			w.Write(anna(r.id))                                                                                  //nolint:errcheck // likewise
			if r.number == 2 {
				w.Write(result(r.id, 0x65, 0, page("\x00next"))) //nolint:errcheck // likewise
				return
			}
		case r.number == 3:
			w.Write(entry(r.id, "CN=Bert", map[string][]string{"objectGUID": {"0123456789abcdef"}, "samaccountname": {"bert"}, "mail": {"b@firma.example"}})) //nolint:errcheck // likewise
			w.Write(entry(r.id, "CN=Odd", map[string][]string{"sAMAccountName": {"odd"}}))                                                                    //nolint:errcheck // likewise
		case r.number == 4:
			w.Write(entry(r.id, "CN=List", map[string][]string{"objectGUID": {"list456789abcdef"}, "cn": {"list"}, "proxyAddresses": {"SMTP:list@firma.example"}})) //nolint:errcheck // likewise
		default:
			w.Write(entry(r.id, "DC=firma", nil)) //nolint:errcheck // likewise
		}
		w.Write(result(r.id, 0x65, 0)) //nolint:errcheck // likewise
	})
	set := o.settings()
	set.LDAP.Shared = true
	set.Roles = []directory.RoleRule{{Group: `CN=Chefs (a*b)\,c,DC=firma`, Role: "auditor"}}
	snap, err := New(Config{Patience: 5 * time.Second}).Read(context.Background(), set, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.People) != 2 || snap.People[0].ID != hex.EncodeToString([]byte(guid)) || snap.People[0].Role != "auditor" || !snap.People[0].Disabled ||
		strings.Join(snap.People[0].Addresses, " ") != "anna@firma.example a@firma.example" || snap.People[1].Login != "bert" {
		t.Errorf("%+v", snap.People)
	}
	if len(snap.Shared) != 1 || len(snap.Shared[0].Members) != 1 || snap.Shared[0].Members[0] != snap.People[0].ID {
		t.Errorf("%+v", snap.Shared)
	}
	codes := map[string]bool{}
	for _, n := range snap.Notes {
		codes[n.Code] = true
	}
	if !codes[directory.NoteReferral] || !codes[directory.NoteNoID] {
		t.Errorf("%+v", snap.Notes)
	}
	if !o.saw(inChain) || !o.saw("\x00next") || !o.saw(`CN=Chefs (a*b)\,c,DC=firma`) {
		t.Error("the server was not asked as it should be")
	}
}

// TestMisbehaviour reads from servers that are slow, broken or hostile. Each gets its
// own error, in time, and none takes the memory.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	always := func(b []byte) func(io.Writer, request) {
		return func(w io.Writer, _ request) { w.Write(b) } //nolint:errcheck // the client has had enough
	}
	for name, x := range map[string]struct {
		answer func(io.Writer, request)
		code   string
	}{
		"silent":     {func(io.Writer, request) {}, remote.CodeTimeout},
		"garbage":    {always([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), remote.CodeProtocol},
		"indefinite": {always([]byte("\x30\x80\x02\x01\x02\x65\x80\x00\x00\x00\x00")), remote.CodeProtocol},
		"a lie":      {always([]byte("\x30\x0c\x02\x01\x02\x65\x7f\x0a\x01\x00\x04\x00\x04\x00")), remote.CodeProtocol},
		"huge":       {always([]byte("\x30\x84\x7f\xff\xff\xff\x02\x01\x02")), directory.CodeTooLarge},
		"deep":       {func(w io.Writer, r request) { w.Write(nested(r.id)) }, remote.CodeProtocol}, //nolint:errcheck // likewise
		"many elements": {func(w io.Writer, r request) {
			w.Write(tlv(0x30, tlv(0x02, []byte(r.id)), tlv(0x64, text("x"), tlv(0x30, bytes.Repeat([]byte{4, 0}, maxElements))))) //nolint:errcheck // likewise
		}, remote.CodeProtocol},
		"huge entries": {func(w io.Writer, r request) {
			e := entry(r.id, "cn=x", map[string][]string{"cn": {strings.Repeat("x", 7<<20)}})
			for range 11 {
				if _, err := w.Write(e); err != nil {
					return
				}
			}
		}, directory.CodeTooLarge},
		"endless referrals": {func(w io.Writer, r request) {
			for {
				if _, err := w.Write(tlv(0x30, tlv(0x02, []byte(r.id)), tlv(0x73, text("ldap://other.example/")))); err != nil {
					return
				}
			}
		}, remote.CodeProtocol},
		"a referral as the answer": {func(w io.Writer, r request) { w.Write(result(r.id, 0x65, 10)) }, directory.CodeBase},                          //nolint:errcheck // likewise
		"busy":                     {func(w io.Writer, r request) { w.Write(result(r.id, 0x65, 51)) }, remote.CodeUnavailable},                      //nolint:errcheck // likewise
		"cut":                      {func(w io.Writer, r request) { w.Write(result(r.id, 0x65, 0)[:9]); w.(net.Conn).Close() }, remote.CodeConnect}, //nolint:errcheck // likewise
		"pages without end": {func(w io.Writer, r request) {
			if r.number == 1 { // the base
				w.Write(entry(r.id, "DC=firma", nil)) //nolint:errcheck // likewise
				w.Write(result(r.id, 0x65, 0))        //nolint:errcheck // likewise
				return
			}
			w.Write(anna(r.id))                           //nolint:errcheck // likewise
			w.Write(result(r.id, 0x65, 0, page("again"))) //nolint:errcheck // likewise
		}, remote.CodeProtocol},
		"an odd result": {func(w io.Writer, r request) { w.Write(tlv(0x30, tlv(0x02, []byte(r.id)), tlv(0x65))) }, remote.CodeProtocol}, //nolint:errcheck // likewise
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := 30 * time.Second // but for one case none runs out of it
			if name == "silent" {
				patience = 200 * time.Millisecond
			}
			snap, err := reading(t, newOdd(t, x.answer), patience)
			if err == nil || directory.Code(err) != x.code {
				t.Errorf("%+v, code %q, %v", snap, directory.Code(err), err)
			}
		})
	}
}

func nested(id string) []byte {
	b := text("")
	for range 100 {
		b = tlv(0x30, b)
	}
	return tlv(0x30, tlv(0x02, []byte(id)), tlv(0x65, b))
}

// TestSlowly has a server send a byte now and then, for ever.
func TestSlowly(t *testing.T) {
	t.Parallel()
	o := newOdd(t, func(w io.Writer, r request) {
		for _, c := range anna(r.id) {
			if _, err := w.Write([]byte{c}); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond) // that is the misbehaviour
		}
	})
	if _, err := reading(t, o, 300*time.Millisecond); directory.Code(err) != remote.CodeTimeout {
		t.Error(err)
	}
}

// TestCancel ends at once when the caller does.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	o := newOdd(t, func(io.Writer, request) { cancel() })
	begun := time.Now()
	if _, err := New(Config{}).Read(ctx, o.settings(), []byte("x")); err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}

// TestStartTLSInjection refuses what is sent before the handshake (CVE-2011-0411 and
// its like).
func TestStartTLSInjection(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		answer []byte
		code   string
	}{
		"injected": {append(result("\x01", 0x78, 0), result("\x02", 0x61, 0)...), remote.CodeTLS},
		"refused":  {result("\x01", 0x78, 2), remote.CodeTLS},
		"garbage":  {[]byte("no"), remote.CodeProtocol},
		"another":  {result("\x01", 0x61, 0), remote.CodeProtocol},
	} {
		a, b := net.Pipe()
		go func() {
			b.Read(make([]byte, 1000)) //nolint:errcheck // the test notices
			b.Write(x.answer)          //nolint:errcheck // likewise
		}()
		if err := startTLS(a); directory.Code(err) != x.code {
			t.Errorf("%s: %v", name, err)
		}
		a.Close()
		b.Close()
	}
}

// TestReach refuses addresses at which no directory can be.
func TestReach(t *testing.T) {
	t.Parallel()
	for host, public := range map[string]bool{"169.254.169.254": false, "127.0.0.1": true, "10.1.2.3": true, "::1": true} {
		set := directory.LDAP{Host: host, TLS: remote.NoTLS, BindDN: "x", BaseDN: "y"}
		f := New(Config{Dial: dial.New(public)}).Test(context.Background(), directory.Settings{LDAP: &set}, []byte("x"))
		if f.OK || f.Problem.Code != remote.CodeForbidden {
			t.Errorf("%s: %+v", host, f.Problem)
		}
	}
}

// TestInjection puts what filters are made of into every value that reaches one.
func TestInjection(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"*", "a*b", ")(uid=*", "a)(|(uid=*))", `\2a`, "\x00", "ä(", "*)(objectClass=*"} {
		f := equals("uid", v)
		if strings.Count(f, "(") != 1 || strings.Count(f, ")") != 1 || strings.ContainsAny(f, "*\x00") {
			t.Errorf("%q became %q", v, f)
		}
	}
	if f, err := byID(directory.LDAP{Flavour: directory.FlavourAD}, hex.EncodeToString([]byte(guid))); err != nil || strings.ContainsAny(f, "*\x00") || strings.Contains(f, "\xff") || strings.Count(f, `\`) != 16 {
		t.Errorf("%q, %v", f, err)
	}
	if _, err := byID(directory.LDAP{Flavour: directory.FlavourAD}, "*"); err == nil {
		t.Error("a star is no objectGUID")
	}
	for a, b := range map[string]string{"CN=A b,DC=x": "cn=a B, dc=X", "uid=a+cn=b,dc=x": "cn=b + UID=a,dc=x"} {
		if dnKey(a) != dnKey(b) {
			t.Errorf("%s and %s are the same", a, b)
		}
	}
	if dnKey(`cn=a\,dc\=x`) == dnKey("cn=a,dc=x") {
		t.Error("a comma in a name is no comma between names")
	}
	if !errors.Is(New(Config{}).Verify(context.Background(), directory.LDAP{}, nil, "x", ""), directory.ErrPassword) {
		t.Error("an empty password")
	}
}

// FuzzMessage reads what a server may send: what passes is whole, within its bounds,
// and can be read by the library.
func FuzzMessage(f *testing.F) {
	f.Add(result("\x01", 0x65, 0, page("x")))
	f.Add(anna("\x03"))
	f.Add([]byte("\x30\x80\x00\x00"))
	f.Add(nested("\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMessage(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		if len(m) > len(b) || !bytes.HasPrefix(b, m) {
			t.Fatal("more was read than came")
		}
		if _, err := checkMessage(m); err == nil {
			_, _ = ber.DecodePacketErr(m) // must not panic; odd values are errors of its own
		}
	})
}
