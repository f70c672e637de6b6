package milter

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/archive"
)

const letter = "Received: from a\r\n\tby b;\r\n Mon\r\nSubject:  two blanks\r\nTo:none\r\nX-Tab:\ttab\r\nX-Empty:\r\nX-Folded:\r\n at once\r\n\r\nbody\r\n.\r\n..\r\nbare\rCR \x00\r\n"

func TestNegotiation(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                       string
		version, actions, protocol uint32
		want                       offer
		macros                     string
		lost                       bool // white space after the colon is
	}{
		{"Postfix 3, Sendmail 8.14", 6, allActions, modern, offer{6, actMacros, wanted}, "\x00\x00\x00\x00j\x00\x00\x00\x00\x02i j {auth_authen}\x00\x00\x00\x00\x05i\x00", false},
		{"a later version", 99, ^uint32(0), ^uint32(0), offer{6, actMacros, wanted}, "\x00\x00\x00\x00j\x00\x00\x00\x00\x02i j {auth_authen}\x00\x00\x00\x00\x05i\x00", false},
		{"no macro lists", 6, 0x3f, modern, offer{6, 0, wanted}, "", false},
		{"no leading space", 6, allActions, modern &^ leadingSpace, offer{6, actMacros, wanted &^ leadingSpace}, "\x00\x00\x00\x00j\x00\x00\x00\x00\x02i j {auth_authen}\x00\x00\x00\x00\x05i\x00", true},
		{"every packet answered", 6, allActions, leadingSpace, offer{6, actMacros, leadingSpace}, "\x00\x00\x00\x00j\x00\x00\x00\x00\x02i j {auth_authen}\x00\x00\x00\x00\x05i\x00", false},
		{"version 4", 4, 0x3f, 0x3ff, offer{4, 0, noReplyHeader | noUnknown | noData}, "", true},
		{"version 3", 3, 0x3f, 0x1ff, offer{3, 0, noReplyHeader | noUnknown}, "", true},
		{"version 2", 2, 0x3f, 0x7f, offer{2, 0, 0}, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeArchive{}
			_, addr := start(t, f, nil)
			m := dial(t, addr)
			if got := string(m.negotiate(tt.version, tt.actions, tt.protocol)); got != tt.macros || m.deal != tt.want {
				t.Errorf("agreed on %+v and macros %q, want %+v and %q", m.deal, got, tt.want, tt.macros)
			}
			m.say(cmdConnect, "client.example\x004\x04\xd2192.0.2.7\x00")
			m.say(cmdHelo, "helo.example\x00")
			m.deliver("4Z", letter, "b@example.net")
			want := letter
			if tt.lost {
				want = strings.NewReplacer("To:none", "To: none", "X-Empty:", "X-Empty: ").Replace(letter)
			}
			if d := cmp.Diff(want, only(t, f).data); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSubmission(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	s, addr := start(t, f, nil)
	m := hello(t, addr)
	m.say(cmdMacro, "Cj\x00mx.test\x00{daemon_name}\x00smtpd\x00")
	m.say(cmdConnect, "client.example\x006\x04\xd2IPv6:2001:db8::7\x00")
	m.say(cmdHelo, "first.example\x00")
	m.say(cmdHelo, "helo.example\x00")
	m.say(cmdUnknown, "XYZZY\x00")
	m.say(cmdMacro, "Mi\x00NOQUEUE\x00{auth_authen}\x00anna bell\x00")
	m.say(cmdMail, "<sender@example.org>\x00SIZE=10\x00BODY=8BITMIME\x00")
	m.say(cmdRcpt, "<to@example.net>\x00")
	m.say(cmdRcpt, "<cc@example.net>\x00NOTIFY=NEVER\x00")
	m.say(cmdRcpt, "<bcc@example.net>\x00")
	m.say(cmdRcpt, "<\"a > b\"@example.net>\x00")
	m.say(cmdRcpt, "<j\xfcrgen@example.net>\x00")
	m.content(letter, 65535)
	m.say(cmdMacro, "Ei\x004ZxQueue\x00")
	m.finish()
	got := only(t, f)
	src := s.cfg.Source
	if got.sub.Tenant != src.Tenant || got.sub.Source != src.ID || got.sub.Category != src.Category || got.sub.ReceivedAt.IsZero() {
		t.Errorf("submission %+v is not for source %+v", got.sub, src)
	}
	if got.sub.EnvelopeFrom != "sender@example.org" {
		t.Errorf("from %q", got.sub.EnvelopeFrom)
	}
	want := []string{"to@example.net", "cc@example.net", "bcc@example.net", `"a > b"@example.net`, `j\xfcrgen@example.net`}
	if d := cmp.Diff(want, got.sub.EnvelopeTo); d != "" {
		t.Error(d)
	}
	if got.sub.Peer != "2001:db8::7, HELO helo.example, user anna?bell" || !strings.HasPrefix(got.sub.Origin, "mx.test 4ZxQueue ") {
		t.Errorf("peer %q, origin %q", got.sub.Peer, got.sub.Origin)
	}
	if st := s.Stats(); st.Accepted != 1 || st.AcceptedBytes != int64(len(letter)) || st.Open != 1 || st.Aborted != 0 {
		t.Errorf("stats %+v", st)
	}
}

// The same message under the same queue id has the same origin, another one not.
func TestOrigin(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, nil)
	m := hello(t, addr)
	m.deliver("A", letter, "b@example.net", "c@example.net")
	m.deliver("A", letter, "b@example.net", "c@example.net")
	m.deliver("A", letter, "b@example.net")
	m.deliver("B", letter, "b@example.net", "c@example.net")
	m.deliver("", letter, "b@example.net", "c@example.net")
	m.deliver("NOQUEUE", letter, "b@example.net", "c@example.net")
	var o []string
	for _, s := range f.take() {
		o = append(o, s.sub.Origin)
	}
	if len(o) != 6 || o[0] == "" || o[0] != o[1] || o[0] == o[2] || o[0] == o[3] || o[4] != "" || o[5] != "" {
		t.Errorf("origins %q", o)
	}
}

func TestPeer(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]session{
		"192.0.2.7":                    {client: client{address: "192.0.2.7"}},
		"2001:db8::1, HELO x":          {client: client{"IPv6:2001:DB8::1", "x"}},
		"::ffff:?":                     {client: client{address: "::ffff:\n"}},
		"local":                        {},
		"local, HELO ???, user a\\xff": {client: client{helo: "\r\n\x00"}, macros: macros{auth: "a\xff"}},
	} {
		if got := c.peer(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		"a\x004\x00\x19192.0.2.1\x00": "192.0.2.1", "a\x006\x00\x19::1\x00": "::1", "\x00U": "", "a\x00L\x00\x00/run/x\x00": "", "localhost\x00X": "",
	} {
		if _, got, err := parseConnect([]byte(data)); err != nil || got != want {
			t.Errorf("%q: %q, %v", data, got, err)
		}
	}
}

// Several messages on one connection, in between those that the MTA gave up and
// a client that took another's place.
func TestManyOnOneConnection(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	s, addr := start(t, f, nil)
	m := hello(t, addr)
	m.say(cmdConnect, "client.example\x004\x04\xd2192.0.2.7\x00")
	m.deliver("1", "N: 1\r\n\r\n1\r\n", "b@example.net")
	m.envelope("2", "a@example.org", "b@example.net")
	m.say(cmdAbort, "") // before the content
	m.envelope("3", "a@example.org", "b@example.net")
	m.content("N: 3\r\n\r\n3\r\n", 1)
	m.say(cmdAbort, "") // after it
	m.say(cmdAbort, "") // and once too often
	m.envelope("4", "a@example.org", "b@example.net")
	m.deliver("5", "N: 5\r\n\r\n5\r\n", "c@example.net") // MAIL without an end of the former
	m.say(cmdQuitNew, "")
	m.deliver("6", "N: 6\r\n\r\n6\r\n", "d@example.net")
	m.say(cmdQuit, "")
	m.expectEnd()
	var got []string
	for _, s := range f.take() {
		got = append(got, s.sub.Peer+" "+s.data+" "+strings.Join(s.sub.EnvelopeTo, " ")+" "+strings.Fields(s.sub.Origin)[1])
	}
	want := []string{"192.0.2.7 N: 1\r\n\r\n1\r\n b@example.net 1", "192.0.2.7 N: 5\r\n\r\n5\r\n c@example.net 5", "local N: 6\r\n\r\n6\r\n d@example.net 6"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if st := s.Stats(); st.Aborted != 3 || st.Accepted != 3 || st.Malformed != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestLostConnectionKeepsNothing(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	s, addr := start(t, f, nil)
	m := hello(t, addr)
	m.envelope("1", "a@example.org", "b@example.net")
	m.content(letter+strings.Repeat("x", 3<<20), 65535)
	m.conn.Close()
	until(t, func() bool { return s.Stats().Aborted == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if n := len(f.take()); n != 0 || s.Stats().Aborted != 1 {
		t.Errorf("%d stored, stats %+v", n, s.Stats())
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, nil)
	type step struct {
		cmd  byte
		data string
	}
	tests := []struct {
		name  string
		steps []step
		want  string
	}{
		{"nothing at all", []step{{cmdEndOfBody, ""}}, ""},
		{"end of the header alone", []step{{cmdEndOfHeader, ""}, {cmdEndOfBody, ""}}, "\r\n"},
		{"no end of the header", []step{{cmdHeader, "A\x00 b\x00"}, {cmdEndOfBody, ""}}, "A: b\r\n"},
		{"last piece with the end", []step{{cmdHeader, "A\x00 b\x00"}, {cmdEndOfHeader, ""}, {cmdBody, "one\r"}, {cmdEndOfBody, "\ntwo"}}, "A: b\r\n\r\none\r\ntwo"},
		{"empty body piece", []step{{cmdEndOfHeader, ""}, {cmdBody, ""}, {cmdEndOfBody, ""}}, "\r\n"},
		{"NUL within a value", []step{{cmdHeader, "A\x00 b\x00c\x00\x00"}, {cmdEndOfHeader, ""}, {cmdEndOfBody, ""}}, "A: b\x00c\x00\r\n\r\n"},
		{"empty lines and CR within a value", []step{{cmdHeader, "A\x00\n\n b\rc\r\n\x00"}, {cmdEndOfHeader, ""}, {cmdEndOfBody, ""}}, "A:\r\n\r\n b\rc\r\r\n\r\n\r\n"},
		{"body lines are not touched", []step{{cmdEndOfHeader, ""}, {cmdBody, "a\nb\rc\r\n\x00"}, {cmdEndOfBody, ""}}, "\r\na\nb\rc\r\n\x00"},
	}
	for _, tt := range tests {
		m := hello(t, addr)
		m.envelope("1", "", "b@example.net")
		for _, s := range tt.steps {
			m.say(s.cmd, s.data)
		}
		m.expect(replyContinue)
		if got := only(t, f); got.data != tt.want || got.sub.EnvelopeFrom != "" {
			t.Errorf("%s: %q, want %q", tt.name, got.data, tt.want)
		}
	}
}

// Whatever the size of the pieces, the message is whole.
func TestBytesOverTheSocket(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, nil)
	m := hello(t, addr)
	huge := "Subject: " + strings.Repeat("x", 900<<10) + "\r\nTo: " + strings.Repeat("a@example.net,\r\n ", 20_000) + "b\r\n\r\n" + strings.Repeat("y", 300_000)
	for _, chunk := range []int{65535, 1 << 20} {
		m.envelope("h", "a@example.org", "b@example.net")
		m.content(huge, chunk)
		m.finish()
		if got := only(t, f); got.data != huge {
			t.Errorf("huge header in pieces of %d: %d bytes, want %d", chunk, len(got.data), len(huge))
		}
	}
	m.envelope("1", "a@example.org", "b@example.net")
	m.content(letter+strings.Repeat("z", 5000), 1)
	m.finish()
	if got := only(t, f); got.data != letter+strings.Repeat("z", 5000) {
		t.Errorf("pieces of a byte: %.300q", got.data)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 5).Draw(rt, "fields") {
			fmt.Fprintf(&b, "%s:%s\r\n", rapid.StringMatching(`[A-Za-z-]{1,20}`).Draw(rt, "name"), rapid.StringMatching(`[ \tA-Za-z\x80-\xff]{0,30}(\r\n[ \t][a-z]{1,20}){0,3}`).Draw(rt, "value"))
		}
		want := b.String() + "\r\n" + string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(rt, "body"))
		m.envelope("r", "a@example.org", "b@example.net")
		m.content(want, rapid.IntRange(1, 64).Draw(rt, "chunk"))
		m.finish()
		if got := only(t, f); got.data != want {
			rt.Fatalf("got %q, want %q", got.data, want)
		}
	})
}

// What an MTA never sends ends the connection and keeps nothing.
func TestGarbage(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	s, addr := start(t, f, nil)
	negotiation := string(wirePacket(cmdNegotiate, numbers(6, allActions, modern)))
	mail := negotiation + string(wirePacket(cmdMail, "<a@b>\x00"))
	content := mail + string(wirePacket(cmdHeader, "A\x00b\x00"))
	end := string(wirePacket(cmdEndOfHeader, ""))
	tests := map[string]string{
		"HTTP":                   "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"no command":             "\x00\x00\x00\x00",
		"no command later":       content + "\x00\x00\x00\x00",
		"no negotiation":         string(wirePacket(cmdMail, "<a@b>\x00")),
		"negotiation twice":      negotiation + negotiation,
		"short negotiation":      string(wirePacket(cmdNegotiate, "short")),
		"version 1":              string(wirePacket(cmdNegotiate, numbers(1, 7, 7))),
		"unknown command":        negotiation + string(wirePacket('z', "")),
		"recipient first":        negotiation + string(wirePacket(cmdRcpt, "<a@b>\x00")),
		"header first":           negotiation + string(wirePacket(cmdHeader, "A\x00b\x00")),
		"end of header first":    negotiation + end,
		"body first":             negotiation + string(wirePacket(cmdBody, "x")),
		"end first":              negotiation + string(wirePacket(cmdEndOfBody, "")),
		"open address":           negotiation + string(wirePacket(cmdMail, "<a@b>")),
		"open recipient":         mail + string(wirePacket(cmdRcpt, "<a@b>")),
		"late recipient":         content + string(wirePacket(cmdRcpt, "<a@b>\x00")),
		"header without value":   mail + string(wirePacket(cmdHeader, "A\x00")),
		"header without name":    mail + string(wirePacket(cmdHeader, "\x00b\x00")),
		"open header":            mail + string(wirePacket(cmdHeader, "A\x00b")),
		"header after its end":   content + end + string(wirePacket(cmdHeader, "A\x00b\x00")),
		"end of header twice":    content + end + end,
		"body within the header": content + string(wirePacket(cmdBody, "x")),
		"end with a body":        content + string(wirePacket(cmdEndOfBody, "x")),
		"half a macro":           negotiation + string(wirePacket(cmdMacro, "Mi\x00x")),
		"macro of nothing":       negotiation + string(wirePacket(cmdMacro, "")),
		"macro without value":    negotiation + string(wirePacket(cmdMacro, "Mi\x00")),
		"connection":             negotiation + string(wirePacket(cmdConnect, "x")),
		"connection, address":    negotiation + string(wirePacket(cmdConnect, "x\x004\x001")),
		"hello":                  negotiation + string(wirePacket(cmdHelo, "x")),
		"long HELO":              negotiation + string(wirePacket(cmdHelo, strings.Repeat("x", maxPacket+1))),
		"cut":                    content + end + "\x00\x00\x00\x10Bcut",
	}
	for name, text := range tests {
		m := dial(t, addr)
		_, _ = m.conn.Write([]byte(text)) // the door may hang up before the end
		if err := m.conn.(*net.TCPConn).CloseWrite(); err != nil {
			continue // hung up already
		}
		for {
			cmd, _, err := m.receive()
			if err != nil {
				break
			}
			if cmd != cmdNegotiate {
				t.Errorf("%s: answered %c", name, cmd)
			}
		}
	}
	until(t, func() bool { return s.Stats().Open == 0 })
	// "HTTP" is a length of 1.2 GB, of which four bytes came: a lost connection.
	if st := s.Stats(); len(f.take()) != 0 || st.Malformed != int64(len(tests)-2) {
		t.Errorf("stats %+v of %d", st, len(tests))
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"busy", archive.ErrBusy, "451 4.3.0"},
		{"other", errors.New("100% broken"), "451 4.3.0"},
		{"large", archive.ErrTooLarge, "451 4.3.4"},
	} {
		f := &fakeArchive{ingest: func(context.Context, archive.Submission) error { return tt.err }}
		s, addr := start(t, f, nil)
		m := hello(t, addr)
		for range 2 { // the connection goes on
			m.envelope("1", "a@example.org", "b@example.net")
			m.content(letter, 65535)
			m.putOff(tt.want)
		}
		if st := s.Stats(); st.Deferred != 2 || st.Missed != 0 || st.Accepted != 0 || len(f.refused) != 0 {
			t.Errorf("%s: stats %+v", tt.name, st)
		}

		s, addr = start(t, f, func(c *Config) { c.OnTrouble = Accept })
		m = hello(t, addr)
		for range 2 {
			m.envelope("1", "a@example.org", "b@example.net")
			m.content(letter, 65535)
			m.send(cmdEndOfBody, "")
			m.expect(replyAccept)
		}
		if st := s.Stats(); st.Missed != 2 || st.Deferred != 0 || st.Accepted != 0 || len(f.refused) != 2 || f.refused[0] != int64(len(letter)) {
			t.Errorf("%s: stats %+v, refused %v", tt.name, st, f.refused)
		}
	}
}

func TestPanicIsTrouble(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{ingest: func(context.Context, archive.Submission) error { panic("oh") }}
	_, addr := start(t, f, nil)
	m := hello(t, addr)
	m.envelope("1", "a@example.org", "b@example.net")
	m.content(letter, 65535)
	m.putOff("451 4.3.0")
}
