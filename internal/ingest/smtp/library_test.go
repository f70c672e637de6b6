package smtp

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"

	gosmtp "github.com/emersion/go-smtp"
)

// libraryLimit is the largest message of the library's server in these tests.
const libraryLimit = 10_000

// libraryDoor is a server of the go-smtp library that keeps what it gets. The
// tests here hold the claims of docs/decisions/0002 against it: should one of
// them fail after an update of the library, the decision can be thought over.
type libraryDoor struct {
	mu   sync.Mutex
	kept [][]byte
}

func (l *libraryDoor) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return l, nil }
func (l *libraryDoor) Reset()                                          {}
func (l *libraryDoor) Logout() error                                   { return nil }
func (l *libraryDoor) Mail(string, *gosmtp.MailOptions) error          { return nil }
func (l *libraryDoor) Rcpt(string, *gosmtp.RcptOptions) error          { return nil }

func (l *libraryDoor) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, b)
	return nil
}

func (l *libraryDoor) take() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kept
	l.kept = nil
	return k
}

func startLibrary(t *testing.T) (*libraryDoor, string) {
	t.Helper()
	l := &libraryDoor{}
	s := gosmtp.NewServer(l)
	s.Domain, s.MaxMessageBytes, s.ErrorLog = "library.test", libraryLimit, log.New(io.Discard, "", 0)
	return l, serveLibrary(t, s)
}

func serveLibrary(t *testing.T, s *gosmtp.Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-ended); err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// converse sends MAIL, RCPT and then stream, closes the sending side and
// returns everything that was answered to the stream.
func converse(t *testing.T, addr, stream string) string {
	t.Helper()
	c := hello(t, addr)
	c.envelope(alice)
	c.send(stream)
	if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c.r)
	if err != nil && !strings.Contains(err.Error(), "reset") { // it may have been closed before all was read
		t.Fatal(err)
	}
	return string(b)
}

// TestWhyNotTheLibrary sends the same to the library's server and to ours.
func TestWhyNotTheLibrary(t *testing.T) {
	t.Parallel()
	library, theirs := startLibrary(t)
	f := newFakeArchive()
	_, ours := start(t, f, func(c *Config) { c.MaxMessage = libraryLimit })
	exact := strings.Repeat("12345678\r\n", libraryLimit/10)
	long := strings.Repeat("x", 3000) + "\r\n"
	tests := []struct {
		name, stream string
		want         string // kept by our door
		reply        string // a line among its replies begins so
		library      string // kept by the library's
		libraryReply string
	}{
		{"a CR after a dot at the start of a line is dropped", "DATA\r\n.\rb\r\n.\r\n", "\rb\r\n", "250 ", "b\r\n", "250 "},
		{"the end of data after CR CR LF is missed", "DATA\r\na\r\r\n.\r\n", "a\r\r\n", "250 ", "", "554 "},
		{"a chunk that was cut off is acknowledged", "BDAT 100 LAST\r\nhalf of it", "", "421 ", "half of it", "250 "},
		{"a message of exactly the limit is refused", "DATA\r\n" + exact + ".\r\n", exact, "250 ", "", "552 "},
		{"a long line ends the session", "DATA\r\n" + long + ".\r\n", long, "250 ", "", "500 5.4.0 Too long line, closing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reply := converse(t, ours, tt.stream)
			var got string
			for _, m := range f.take() {
				got += string(m.data)
			}
			if got != tt.want || !strings.Contains("\n"+reply, "\n"+tt.reply) {
				t.Errorf("our door kept %.100q and said %q", got, reply)
			}
			reply = converse(t, theirs, tt.stream)
			kept := string(bytes.Join(library.take(), nil))
			if kept != tt.library || !strings.Contains("\n"+reply, "\n"+tt.libraryReply) {
				t.Errorf("the library's kept %.100q and said %q: think the decision over", kept, reply)
			}
		})
	}
}

// Refused for its announced size before there is a recipient, a message can be
// put into nobody's account.
func TestLibraryRefusesBeforeItKnowsForWhom(t *testing.T) {
	t.Parallel()
	_, theirs := startLibrary(t)
	hello(t, theirs).cmd("MAIL FROM:<a@b> SIZE=10001", "552 ")

	f := newFakeArchive()
	_, ours := start(t, f, func(c *Config) { c.MaxMessage = libraryLimit })
	c := hello(t, ours)
	c.cmd("MAIL FROM:<a@b> SIZE=10001", "250 ")
	c.cmd("RCPT TO:<"+alice+">", "552 ")
	if len(f.refused) != 1 || f.refused[0].source != f.sources[alice].ID || f.refused[0].bytes != 10001 {
		t.Errorf("refused %+v", f.refused)
	}
}

// The library has one limit for the lines of commands and of data. Without it,
// so that data comes through, commands have none either.
func TestLibraryWithoutLineLimitTakesAnyCommand(t *testing.T) {
	t.Parallel()
	s := gosmtp.NewServer(&libraryDoor{})
	s.MaxLineLength, s.ErrorLog = 0, log.New(io.Discard, "", 0)
	theirs := serveLibrary(t, s)
	command := "NOOP " + strings.Repeat("x", 8<<20)
	hello(t, theirs).cmd(command, "250 ")

	_, ours := start(t, newFakeArchive(), nil)
	c := hello(t, ours)
	go c.conn.Write([]byte(command + "\r\n")) //nolint:errcheck // the door hangs up in the middle
	c.expect("500 5.5.2 line too long")
	c.expectEndOrReset()
}
