package milter

import (
	"errors"
	"io"
	"log"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	gomilter "github.com/emersion/go-milter"
)

// The client of a library, written by others, gets along with the door.
func TestLibraryClient(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, nil)
	for _, protocol := range []gomilter.OptProtocol{modern, gomilter.OptHeaderLeadingSpace} {
		c := gomilter.NewClientWithOptions("tcp", addr, gomilter.ClientOptions{ReadTimeout: patience, WriteTimeout: patience, ActionMask: allActions &^ gomilter.OptSetSymList, ProtocolMask: protocol})
		s, err := c.Session()
		if err != nil {
			t.Fatal(err)
		}
		say := func(what string, a *gomilter.Action, err error) {
			t.Helper()
			if err != nil || a.Code != gomilter.ActContinue {
				t.Fatalf("%s: %+v, %v", what, a, err)
			}
		}
		a, err := s.Conn("client.example", gomilter.FamilyInet6, 99, "2001:db8::7")
		say("connect", a, err)
		a, err = s.Helo("helo.example")
		say("helo", a, err)
		if err := s.Macros(gomilter.CodeMail, "i", "4Z", "j", "mx.test"); err != nil {
			t.Fatal(err)
		}
		a, err = s.Mail("a@example.org", []string{"SIZE=9"})
		say("mail", a, err)
		a, err = s.Rcpt("b@example.net", nil)
		say("rcpt", a, err)
		a, err = s.HeaderField("Subject", " x\n\ty")
		say("header", a, err)
		a, err = s.HeaderEnd()
		say("end of header", a, err)
		changes, a, err := s.BodyReadFrom(strings.NewReader(strings.Repeat("body\r\n", 50_000)))
		say("body", a, err)
		if err := errors.Join(s.Close(), c.Close()); err != nil || len(changes) != 0 {
			t.Errorf("%v, %d changes", err, len(changes))
		}
		got := only(t, f)
		if want := "Subject: x\r\n\ty\r\n\r\n" + strings.Repeat("body\r\n", 50_000); got.data != want || got.sub.EnvelopeFrom != "a@example.org" || got.sub.EnvelopeTo[0] != "b@example.net" {
			t.Errorf("%.100q from %q to %q", got.data, got.sub.EnvelopeFrom, got.sub.EnvelopeTo)
		}
		if !strings.HasPrefix(got.sub.Origin, "mx.test 4Z ") || got.sub.Peer != "2001:db8::7, HELO helo.example" {
			t.Errorf("origin %q, peer %q", got.sub.Origin, got.sub.Peer)
		}
	}
}

// libraryFilter is a filter on the library's server that notes what it is told.
// The tests here hold the claims of docs/decisions/0005 against it: should one of
// them fail after an update of the library, the decision can be thought over.
type libraryFilter struct {
	gomilter.NoOpMilter
	mu   sync.Mutex
	told []string
}

func (l *libraryFilter) note(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, s)
}

func (l *libraryFilter) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.told, "|")
}

func (l *libraryFilter) Header(name, value string, _ *gomilter.Modifier) (gomilter.Response, error) {
	l.note(name + ":" + value)
	return gomilter.RespContinue, nil
}

func (l *libraryFilter) Headers(h textproto.MIMEHeader, _ *gomilter.Modifier) (gomilter.Response, error) {
	l.note("held: " + strings.Join(h.Values("A"), ","))
	return gomilter.RespContinue, nil
}

func (l *libraryFilter) Abort(*gomilter.Modifier) error { l.note("abort"); return nil }

func (l *libraryFilter) Body(*gomilter.Modifier) (gomilter.Response, error) {
	l.note("end")
	return gomilter.RespContinue, nil
}

func startLibrary(t *testing.T) (*libraryFilter, string) {
	t.Helper()
	log.SetOutput(io.Discard) // the library writes to it and to nothing else
	l := &libraryFilter{}
	s := &gomilter.Server{NewMilter: func() gomilter.Milter { return l }, Protocol: gomilter.OptProtocol(wanted &^ (noReplyHeader | noReplyEOH | noReplyMail))}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		// Not by the server's Close, which races with Serve.
		if err := ln.Close(); err != nil || <-ended == nil {
			t.Error("ended without an error", err)
		}
	})
	return l, ln.Addr().String()
}

func TestLibraryAnswersWhatWasNotOffered(t *testing.T) {
	t.Parallel()
	_, addr := startLibrary(t)
	m := dial(t, addr)
	m.negotiate(6, 0, noData) // offers one thing
	if m.deal.version != 2 || m.deal.protocol&^noData == 0 {
		t.Errorf("the library agreed on %+v", m.deal)
	}
}

func TestLibraryLeavesOutAField(t *testing.T) {
	t.Parallel()
	l, addr := startLibrary(t)
	m := dial(t, addr)
	m.negotiate(6, 0, modern)
	for _, f := range []string{"A\x00 one\x00", "A\x00 two\x00three\x00", "A\x00 four\x00\x00\x00"} {
		m.send(cmdHeader, f)
		m.expect(replyContinue)
	}
	m.send(cmdEndOfHeader, "")
	m.expect(replyContinue)
	if got := l.all(); got != "A: one|A: four|held:  one, four" {
		t.Errorf("the library tells %q", got)
	}
}

// The back end is not told that its connection is lost: it keeps what it holds.
func TestLibraryDoesNotTellOfLoss(t *testing.T) {
	t.Parallel()
	l, addr := startLibrary(t)
	m := dial(t, addr)
	m.negotiate(6, 0, modern)
	m.send(cmdHeader, "A\x00 one\x00")
	m.expect(replyContinue)
	if err := m.conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	m.expectEnd() // the library's server has closed its side: it knows
	if got := l.all(); got != "A: one" {
		t.Errorf("the library tells %q", got)
	}
}
