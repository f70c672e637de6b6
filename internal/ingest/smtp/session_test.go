package smtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/archive"
)

func TestDialogues(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), nil)
	tests := []struct {
		name string
		// Lines sent (C) and beginnings of the replies (S), by turns.
		script []string
	}{
		{"hello first", []string{"MAIL FROM:<a@b>", "503 5.5.1"}},
		{"hello needs a name", []string{"EHLO", "501 5.5.4", "HELO  ", "501"}},
		{"helo is short", []string{"HELO x", "250 mx.test"}},
		{"lmtp word", []string{"LHLO x", "500 5.5.1"}},
		{"order", []string{"EHLO x", "250 ", "RCPT TO:<" + alice + ">", "503 5.5.1", "DATA", "503 5.5.1", "MAIL FROM:<a@b>", "250 2.1.0", "MAIL FROM:<a@b>", "503 5.5.1", "DATA", "503 5.5.1"}},
		{"null sender", []string{"EHLO x", "250 ", "MAIL FROM:<>", "250 2.1.0", "RCPT TO:<" + alice + ">", "250 2.1.5"}},
		{"lower and upper case", []string{"ehlo x", "250 ", "mail from:<a@b>", "250", "rcpt to:<" + strings.ToUpper(alice) + ">", "250 2.1.5"}},
		{"blanks and no brackets", []string{"EHLO x", "250 ", "MAIL FROM: a@b", "250", "RCPT TO: " + alice, "250"}},
		{"source route", []string{"EHLO x", "250 ", "MAIL FROM:<@x,@y:a@b>", "250", "RCPT TO:<@r:" + alice + ">", "250"}},
		{"quoted local part", []string{"EHLO x", "250 ", `MAIL FROM:<"a > b\""@c> SIZE=5`, "250"}},
		{"utf-8", []string{"EHLO x", "250 ", "MAIL FROM:<jürgen@müller.example> SMTPUTF8 BODY=8BITMIME", "250"}},
		{"not utf-8", []string{"EHLO x", "250 ", "MAIL FROM:<j\xfcrgen@x>", "501 5.5.4"}},
		{"syntax", []string{"EHLO x", "250 ", "MAIL a@b", "501 5.5.4", "MAIL FROM:", "501", "MAIL FROM:<a", "501", "MAIL FROM:<a>b", "501", "MAIL FROM:<@a>", "501"}},
		{"parameters", []string{"EHLO x", "250 ", "MAIL FROM:<a@b> FOO=1", "555 5.5.4", "MAIL FROM:<a@b> SIZE=x", "501", "MAIL FROM:<a@b> BODY=9BIT", "501", "MAIL FROM:<a@b> SIZE=1 SIZE=2", "501",
			"MAIL FROM:<a@b> RET=FULL ENVID=x+3Dy AUTH=<>", "250", "RCPT TO:<" + alice + "> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@y", "250", "RCPT TO:<" + alice + "> FOO", "555"}},
		{"unknown recipients look alike", []string{"EHLO x", "250 ", "MAIL FROM:<a@b>", "250", "RCPT TO:<x@y>", "550 5.1.1 no such recipient here", "RCPT TO:<" + shut + ">", "550 5.1.1 no such recipient here", "RCPT TO:<postmaster>", "550 5.1.1 no such recipient here", "RCPT TO:<>", "501"}},
		{"reset", []string{"EHLO x", "250 ", "MAIL FROM:<a@b>", "250", "RSET", "250 2.0.0", "MAIL FROM:<a@b>", "250", "EHLO x", "250 ", "MAIL FROM:<a@b>", "250"}},
		{"not offered", []string{"VRFY root", "502 5.5.1", "EXPN list", "502 5.5.1", "STARTTLS", "502", "AUTH PLAIN", "502", "HELP", "214", "NOOP x", "250", "TURN", "500 5.5.1", "", "500"}},
		{"quit", []string{"QUIT", "221 2.0.0"}},
		{"data argument", []string{"EHLO x", "250 ", "DATA now", "501"}},
		{"binary needs chunks", []string{"EHLO x", "250 ", "MAIL FROM:<a@b> BODY=BINARYMIME", "250", "RCPT TO:<" + alice + ">", "250", "DATA", "503 5.5.1"}},
		{"chunk without recipients", []string{"EHLO x", "250 ", "BDAT 4\r\nabcd", "503 5.5.1", "NOOP", "250"}},
		{"data after chunks", []string{"EHLO x", "250 ", "MAIL FROM:<a@b>", "250", "RCPT TO:<" + alice + ">", "250", "BDAT 2\r\nab", "250 2.0.0", "DATA", "503", "RCPT TO:<" + alice + ">", "503", "BDAT 0 LAST", "250 2.0.0 archived as"}},
		{"long line", []string{"NOOP " + strings.Repeat("x", maxCommand), "500 5.5.2", "NOOP " + strings.Repeat("x", 300_000), "500 5.5.2", "NOOP", "250"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, addr)
			c.expect("220 mx.test ESMTP ready")
			for i := 0; i < len(tt.script); i += 2 {
				line := tt.script[i]
				if !strings.HasPrefix(line, "BDAT") || !strings.Contains(line, "\r\n") {
					line += "\r\n"
				}
				c.send(line)
				c.expect(tt.script[i+1])
			}
		})
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), nil)
	c := dial(t, addr)
	c.expect("220 ")
	got := strings.Split(c.cmd("EHLO x", "250 "), "\n")
	want := []string{
		"250-mx.test", "250-PIPELINING", "250-SIZE 167772160", "250-8BITMIME", "250-BINARYMIME", "250-CHUNKING",
		"250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-LIMITS RCPTMAX=100", "250 HELP",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSubmissionIsWhatWasSent(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	s, addr := start(t, f, nil)
	c := hello(t, addr)
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	c.send("Subject: x\r\n\r\n..\r\n...\r\nbare\nLF bare\rCR nul\x00\r\n")
	reply := c.cmd(".", "250 2.0.0 archived as ")
	m := only(t, f)
	if want := "Subject: x\r\n\r\n.\r\n..\r\nbare\nLF bare\rCR nul\x00\r\n"; string(m.data) != want {
		t.Errorf("got %q, want %q", m.data, want)
	}
	if !strings.HasSuffix(reply, m.aoid.String()) {
		t.Errorf("reply %q does not name %s", reply, m.aoid)
	}
	src := f.sources[alice]
	if m.sub.Tenant != src.Tenant || m.sub.Source != src.ID || m.sub.Category != src.Category {
		t.Errorf("submission %+v is not for source %+v", m.sub, src)
	}
	if m.sub.EnvelopeFrom != "sender@example.org" || len(m.sub.EnvelopeTo) != 0 || m.sub.Peer != "127.0.0.1" ||
		m.sub.Origin != "" || m.sub.ReceivedAt.IsZero() {
		t.Errorf("submission %+v", m.sub)
	}
	if st := s.Stats(); st.Accepted != 1 || st.AcceptedBytes != int64(len(m.data)) || st.Open != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestBytesOverTheSocket(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	_, addr := start(t, f, nil)
	c := hello(t, addr)
	rapid.Check(t, func(rt *rapid.T) {
		want := mailBytes().Draw(rt, "data")
		c.envelope(alice)
		if rapid.Bool().Draw(rt, "chunks") {
			// BDAT is exact, also without a line end.
			rest := want
			for len(rest) > 0 && rapid.IntRange(0, 3).Draw(rt, "more") > 0 {
				n := rapid.IntRange(0, len(rest)).Draw(rt, "chunk")
				c.send(fmt.Sprintf("BDAT %d\r\n%s", n, rest[:n]))
				c.expect("250 2.0.0 chunk")
				rest = rest[n:]
			}
			c.send(fmt.Sprintf("BDAT %d LAST\r\n%s", len(rest), rest))
		} else {
			c.cmd("DATA", "354 ")
			want = append(want, "\r\n"...)
			c.send(string(stuff(want)) + ".\r\n")
		}
		c.expect("250 2.0.0 archived")
		if m := only(t, f); !bytes.Equal(m.data, want) {
			rt.Fatalf("got %.200q, want %.200q", m.data, want)
		}
	})
}

func TestNoSecondEndOfData(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	_, addr := start(t, f, nil)
	smuggled := "MAIL FROM:<evil@x>\r\nRCPT TO:<" + bob + ">\r\nDATA\r\nsmuggled\r\n"
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n\r.\r\n", "\r\n\x00.\r\n"} {
		c := hello(t, addr)
		c.envelope(alice)
		c.cmd("DATA", "354 ")
		c.send("a" + end + smuggled + ".\r\n")
		c.expect("250 2.0.0 archived")
		m := only(t, f)
		want := "a" + end + smuggled
		if strings.HasPrefix(end, "\r\n.") {
			want = "a\r\n" + end[3:] + smuggled // a dot that begins a line is undone
		}
		if string(m.data) != want {
			t.Errorf("end %q: got %q, want %q", end, m.data, want)
		}
		c.cmd("NOOP", "250 ")
	}
	// And the true end is found wherever it comes.
	for _, data := range []string{"", "\r\n", "a\r\r\n", "\r\r\r\n"} {
		c := hello(t, addr)
		c.envelope(alice)
		c.cmd("DATA", "354 ")
		c.send(data + ".\r\n")
		c.expect("250 2.0.0 archived")
		if m := only(t, f); string(m.data) != data {
			t.Errorf("got %q, want %q", m.data, data)
		}
	}
}

func TestPipelining(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	_, addr := start(t, f, nil)
	c := dial(t, addr)
	one := "MAIL FROM:<a@b>\r\nRCPT TO:<nobody@x>\r\nRCPT TO:<" + alice + ">\r\nDATA\r\nhello\r\n.\r\n"
	two := "MAIL FROM:<c@d>\r\nRCPT TO:<" + bob + ">\r\nBDAT 3\r\nabcBDAT 2 LAST\r\nde"
	c.send("EHLO x\r\n" + one + two + one + "QUIT\r\n")
	for _, want := range []string{
		"220", "250", "250 2.1.0", "550 5.1.1", "250 2.1.5", "354", "250 2.0.0 archived",
		"250 2.1.0", "250 2.1.5", "250 2.0.0 chunk", "250 2.0.0 archived",
		"250 2.1.0", "550 5.1.1", "250 2.1.5", "354", "250 2.0.0 archived", "221",
	} {
		c.expect(want)
	}
	c.expectEnd()
	var got []string
	for _, m := range f.take() {
		got = append(got, m.sub.EnvelopeFrom+" "+string(m.data))
	}
	if d := cmp.Diff([]string{"a@b hello\r\n", "c@d abcde", "a@b hello\r\n"}, got); d != "" {
		t.Error(d)
	}
}

func TestSeveralTenantsInOneTransaction(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	_, addr := start(t, f, nil)
	c := hello(t, addr)
	c.envelope(alice, bob, alice2, alice)
	c.cmd("DATA", "354 ")
	reply := c.cmd("x\r\n.", "250 2.0.0 archived as ")
	got := f.take()
	if len(got) != 3 {
		t.Fatalf("%d submissions, want 3: one per source", len(got))
	}
	for _, m := range got {
		if !strings.Contains(reply, m.aoid.String()) {
			t.Errorf("reply %q lacks %s", reply, m.aoid)
		}
	}
	// One of them fails: no 250.
	f.ingest = func(_ context.Context, s archive.Submission) error {
		if s.Source == f.sources[bob].ID {
			return errors.New("disk on fire")
		}
		return nil
	}
	c.envelope(alice, bob)
	c.cmd("DATA", "354 ")
	c.cmd("x\r\n.", "451 4.3.0")
}

func TestTroubleIsTemporary(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		panics bool
		want   string
	}{
		{"busy", fmt.Errorf("commit: %w", archive.ErrBusy), false, "452 4.3.1"},
		{"anything", errors.New("boom"), false, "451 4.3.0"},
		{"panic", nil, true, "451 4.3.0"},
		{"too large for the archive", fmt.Errorf("x: %w", archive.ErrTooLarge), false, "552 5.3.4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFakeArchive()
			f.ingest = func(context.Context, archive.Submission) error {
				if tt.panics {
					panic("broken")
				}
				return tt.err
			}
			s, addr := start(t, f, nil)
			c := hello(t, addr)
			c.envelope(alice)
			c.cmd("DATA", "354 ")
			r := c.cmd("x\r\n.", tt.want)
			if strings.Contains(r, "boom") {
				t.Errorf("reply %q tells inner matters", r)
			}
			c.envelope(alice)
			c.send("BDAT 1 LAST\r\nx")
			c.expect(tt.want)
			if st := s.Stats(); st.Accepted != 0 || st.Deferred+st.TooLarge != 2 {
				t.Errorf("stats %+v", st)
			}
			if wantRefused := strings.HasPrefix(tt.want, "552"); wantRefused != (len(f.refused) == 2) {
				t.Errorf("refused %+v", f.refused)
			}
		})
	}
}

// An address that a rebuild may have lost is put off: what is refused for good is
// lost for good.
func TestLostAddressIsPutOff(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	f.lookup = func(string) error { return fmt.Errorf("look up: %w", archive.ErrAddressLost) }
	_, addr := start(t, f, nil)
	c := hello(t, addr)
	c.cmd("MAIL FROM:<a@b>", "250 ")
	c.cmd("RCPT TO:<j-abcdefghijklmnop2345@archive.example>", "450 4.1.1 ")
}

func TestLookUpTroubleIsTemporary(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	f.lookup = func(string) error { return errors.New("database away") }
	_, addr := start(t, f, nil)
	c := hello(t, addr)
	c.cmd("MAIL FROM:<>", "250")
	c.cmd("RCPT TO:<"+alice+">", "451 4.3.0")
	c.cmd("RCPT TO:<nobody@x>", "451 4.3.0")
}

func TestSize(t *testing.T) {
	t.Parallel()
	const limit = 1000
	f := newFakeArchive()
	s, addr := start(t, f, func(c *Config) { c.MaxMessage = limit })
	c := hello(t, addr)

	exact := strings.Repeat("x", limit-2) + "\r\n"
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	c.cmd(exact+".", "250 ")
	if m := only(t, f); string(m.data) != exact {
		t.Errorf("message of exactly the limit was altered")
	}
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	c.cmd("y"+exact+".", "552 5.3.4")

	c.envelope(alice)
	c.send("BDAT 900\r\n" + exact[:900])
	c.expect("250 ")
	c.send("BDAT 200\r\n" + exact[:200])
	c.expect("552 5.3.4")
	c.send("BDAT 5 LAST\r\nabcde")
	c.expect("503 ")

	c.cmd("MAIL FROM:<> SIZE=1001", "250") // answered per recipient, see mailParameters
	c.cmd("RCPT TO:<nobody@x>", "550 ")
	c.cmd("RCPT TO:<"+bob+">", "552 5.3.4")
	c.cmd("RSET", "250")
	c.cmd("MAIL FROM:<> SIZE=1000", "250")
	c.cmd("RCPT TO:<"+bob+">", "250")

	a, b := f.sources[alice].ID, f.sources[bob].ID
	want := []refusal{{a, limit + 1}, {a, 1100}, {b, limit + 1}}
	if d := cmp.Diff(want, f.refused, cmp.AllowUnexported(refusal{})); d != "" {
		t.Error(d)
	}
	if st := s.Stats(); st.TooLarge != 3 || st.UnknownAddress != 1 {
		t.Errorf("stats %+v", st)
	}
}

func TestBrokenOffDataIsNotKept(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	s, addr := start(t, f, nil)
	for _, data := range []string{"DATA\r\nhalf a message\r\n", "BDAT 100 LAST\r\nhalf", "BDAT 4\r\nhalf", "DATA\r\nx\r\n.", "DATA\r\nx\r\n.\r"} {
		c := hello(t, addr)
		c.envelope(alice)
		c.send(data)
		if cw, ok := c.conn.(interface{ CloseWrite() error }); ok {
			if err := cw.CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		for { // until the server has ended the session
			if _, err := c.r.ReadString('\n'); err != nil {
				break
			}
		}
	}
	if got := f.take(); len(got) != 0 {
		t.Errorf("stored %d broken messages", len(got))
	}
	if st := s.Stats(); st.BrokenOff != 4 { // an ended BDAT without LAST is an abandoned message
		t.Errorf("stats %+v", st)
	}
}

func TestMalformedChunkEndsTheSession(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), nil)
	for _, arg := range []string{"", " x", " -1", " 5 FIRST", " 1 2 3", " 99999999999999999999"} {
		c := hello(t, addr)
		c.envelope(alice)
		c.cmd("BDAT"+arg, "501 5.5.4")
		c.expectEnd()
	}
}
