package milter

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/ingest/wire"
)

// memory is a connection whose peer has sent everything and listens to nothing.
type memory struct {
	net.Conn
	in io.Reader
}

func (m memory) Read(p []byte) (int, error)     { return m.in.Read(p) }
func (memory) Write(p []byte) (int, error)      { return len(p), nil }
func (memory) SetReadDeadline(time.Time) error  { return nil }
func (memory) SetWriteDeadline(time.Time) error { return nil }

// model is a second reader of the protocol, written as simply as the rules can
// be said: envelope and bytes of every message that came whole.
func model(in []byte) (all []string) {
	var from string
	var to []string
	var text []byte
	var open, content, ended, agreed, spaced bool
	for len(in) >= 5 {
		n := int(binary.BigEndian.Uint32(in))
		if n < 1 || n > maxPacket || len(in) < 4+n {
			return all
		}
		cmd, data := in[4], string(in[5:4+n])
		in = in[4+n:]
		if cmd == 'Q' || agreed == (cmd == 'O') {
			return all
		}
		first, _, terminated := strings.Cut(data, "\x00")
		switch cmd {
		case 'O':
			if len(data) < 12 || binary.BigEndian.Uint32([]byte(data)) < 2 {
				return all
			}
			agreed, spaced = true, binary.BigEndian.Uint32([]byte(data[8:]))>>20&1 == 1
		case 'D':
			if len(data) == 0 || len(data) > 1 && (data[len(data)-1] != 0 || strings.Count(data[1:], "\x00")%2 != 0) {
				return all
			}
		case 'C':
			_, err := parseConnectSimply(data)
			if err {
				return all
			}
		case 'H':
			if !terminated {
				return all
			}
		case 'M':
			if !terminated {
				return all
			}
			from, to, text, open, content, ended = address([]byte(first)), nil, nil, true, false, false
		case 'R':
			if !terminated || !open || content {
				return all
			}
			to = append(to, address([]byte(first)))
		case 'L':
			if len(data) < 3 || first == "" || !terminated || len(data) < len(first)+2 || data[len(data)-1] != 0 || !open || ended {
				return all
			}
			value := data[len(first)+1 : len(data)-1]
			if !spaced && (value == "" || !strings.Contains("\t\n", value[:1])) {
				value = " " + value
			}
			text, content = append(text, first+":"+strings.ReplaceAll(value, "\n", "\r\n")+"\r\n"...), true
		case 'N':
			if !open || ended {
				return all
			}
			text, content, ended = append(text, "\r\n"...), true, true
		case 'B':
			if !open || !ended {
				return all
			}
			text = append(text, data...)
		case 'E':
			if !open || data != "" && !ended {
				return all
			}
			all, open = append(all, from+"|"+strings.Join(to, ",")+"|"+string(text)+data), false
		case 'A', 'K':
			open = false
		case 'T', 'U':
		default:
			return all
		}
	}
	return all
}

func parseConnectSimply(data string) (address string, bad bool) {
	_, rest, ok := strings.Cut(data, "\x00")
	if !ok || rest == "" {
		return "", true
	}
	if rest[0] != '4' && rest[0] != '6' {
		return "", false
	}
	if len(rest) < 3 || !strings.Contains(rest[3:], "\x00") {
		return "", true
	}
	return "", false
}

// FuzzSession sends any bytes at all to a session: it neither fails nor keeps
// anything but what the model keeps.
func FuzzSession(f *testing.F) {
	join := func(packets ...[]byte) []byte { return bytes.Join(packets, nil) }
	hello := wirePacket('O', numbers(6, allActions, modern))
	old := wirePacket('O', numbers(2, 0x3f, 0x7f))
	for _, h := range [][]byte{hello, old} {
		f.Add(join(h, wirePacket('D', "Cj\x00mx\x00"), wirePacket('C', "a\x004\x00\x19192.0.2.1\x00"), wirePacket('H', "x\x00"), wirePacket('D', "Mi\x004Z\x00{auth_authen}\x00u\x00"),
			wirePacket('M', "<a@b>\x00SIZE=1\x00"), wirePacket('R', "<c@d>\x00"), wirePacket('R', "<e@f>\x00"), wirePacket('T', ""), wirePacket('L', "Subject\x00 a\n b\x00"),
			wirePacket('L', "To\x00x\x00"), wirePacket('N', ""), wirePacket('B', "body\r\n"), wirePacket('E', "end"), wirePacket('A', ""), wirePacket('K', ""), wirePacket('Q', "")))
		f.Add(join(h, wirePacket('M', "<>\x00"), wirePacket('L', "A\x00\x00"), wirePacket('E', ""), wirePacket('U', "x\x00"), wirePacket('M', "\xff\x00"), wirePacket('E', "")))
	}
	f.Add([]byte("\x00\x00\x00\x00"))
	f.Add([]byte("\xff\xff\xff\xffO"))
	cfg := testConfig(f, nil)
	f.Fuzz(func(t *testing.T, in []byte) {
		a := &fakeArchive{}
		cfg := cfg
		cfg.Archive = a
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		newSession(s, wire.NewConn(memory{in: bytes.NewReader(in)}, time.Second), slog.New(slog.DiscardHandler)).run()
		var got []string
		for _, m := range a.stored {
			got = append(got, m.sub.EnvelopeFrom+"|"+strings.Join(m.sub.EnvelopeTo, ",")+"|"+m.data)
		}
		if d := cmp.Diff(model(in), got); d != "" {
			t.Error(d)
		}
		if n := s.cfg.Spool.InMemory(); n != 0 {
			t.Errorf("%d bytes of spool memory were not given back", n)
		}
	})
}

// FuzzPacket reads packets from any bytes, in pieces of any size, and parses
// them as every command.
func FuzzPacket(f *testing.F) {
	f.Add(wirePacket('L', "Subject\x00 x\x00"), 1)
	f.Add(wirePacket('C', "a\x004\x00\x19192.0.2.1\x00"), 7)
	f.Add(wirePacket('D', "Mi\x004Z\x00{x}\x00\x00"), 3)
	f.Add([]byte("\x00\x20\x00\x00Bx"), 2)
	f.Fuzz(func(t *testing.T, in []byte, keep int) {
		r := bufio.NewReader(bytes.NewReader(in))
		buf := make([]byte, 0, max(0, min(keep, 1000)))
		rest := len(in)
		for {
			p, err := readPacket(r, buf)
			if errors.Is(err, io.EOF) && rest != 0 {
				t.Fatalf("%d bytes are not read", rest)
			}
			if err != nil {
				return
			}
			rest -= 5 + len(p.data)
			if name, value, err := parseHeader(p.data); err == nil && string(name)+"\x00"+string(value)+"\x00" != string(p.data) {
				t.Fatalf("%q is %q and %q", p.data, name, value)
			}
			if o, err := parseOffer(p.data); err == nil {
				if c := o.choose(); c.protocol&^o.protocol != 0 || c.actions&^o.actions != 0 || c.version > o.version {
					t.Fatalf("%+v is chosen from %+v", c, o)
				}
			}
			_, _, _ = parseConnect(p.data)
			_ = eachMacro(p.data, func(string, string) {})
			if w := word(string(p.data)); len(w) > 4*maxWord || strings.ContainsAny(w, "\x00\r\n ") {
				t.Fatalf("word %q", w)
			}
		}
	})
}
