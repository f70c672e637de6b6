// Package fault hurts a running archive: it kills it, fills its disk, makes its
// system calls fail, and then asks for everything that was acknowledged.
package fault

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// binary returns the program under test: MUNIMENT_BIN, or one built now.
func binary(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("MUNIMENT_BIN"); bin != "" {
		if _, err := os.Stat(bin); err == nil {
			return bin
		}
	}
	bin := filepath.Join(t.TempDir(), "muniment")
	out, err := exec.Command("go", "build", "-o", bin, "github.com/muniment/muniment/cmd/muniment").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// subject is the archive that is hurt, with all that it has acknowledged.
type subject struct {
	t       *testing.T
	bin     string
	data    string
	journal string

	serial atomic.Int64
	mu     sync.Mutex
	acked  map[[32]byte]int64 // SHA-256 of messages answered with 250, and their numbers
	proved map[[32]byte]bool  // of these, what has been read back already
}

func newSubject(t *testing.T, data string) *subject {
	t.Helper()
	s := &subject{t: t, bin: binary(t), data: data, acked: map[[32]byte]int64{}, proved: map[[32]byte]bool{}}
	out, err := s.command("tenant", "create", "acme").Output()
	if err != nil {
		t.Fatalf("create tenant: %v\n%s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "journal address: ")
	s.journal = strings.TrimSpace(rest)
	return s
}

func (s *subject) command(args ...string) *exec.Cmd {
	return exec.Command(s.bin, append([]string{"--data", s.data}, args...)...)
}

// server is a running "muniment serve".
type server struct {
	cmd  *exec.Cmd
	smtp string
	log  *lockedBuffer
	dead chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (s *subject) serve() *server {
	s.t.Helper()
	cmd := s.command("--set", "http.listen=127.0.0.1:0", "--set", "smtp.listen=127.0.0.1:0", "--set", "log.level=error", "serve")
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	srv := &server{cmd: cmd, log: &lockedBuffer{}, dead: make(chan struct{})}
	cmd.Stderr = srv.log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "SMTP receiver: "); ok {
			srv.smtp = addr
			break
		}
	}
	go func() {
		io.Copy(io.Discard, out) //nolint:errcheck // until it ends
		cmd.Wait()               //nolint:errcheck // it is killed
		close(srv.dead)
	}()
	if srv.smtp == "" {
		s.t.Fatalf("the server did not start: %s", srv.log)
	}
	return srv
}

func (v *server) kill() {
	v.cmd.Process.Signal(syscall.SIGKILL) //nolint:errcheck // it may be dead already
	<-v.dead
}

// ended tells whether the process is gone.
func (v *server) ended() bool {
	select {
	case <-v.dead:
		return true
	default:
		return false
	}
}

func (v *server) stop(t *testing.T) {
	t.Helper()
	v.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may be dead already
	select {
	case <-v.dead:
	case <-time.After(30 * time.Second):
		t.Errorf("the server does not stop: %s", v.log)
		v.kill()
	}
}

// message makes a message that no other equals, of 1 to 60 kB; some carry an
// attachment that others carry too.
func (s *subject) message() (raw []byte, n int64) {
	n = s.serial.Add(1)
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Absender <sender@example.com>\r\nTo: anna@example.org\r\nSubject: Vorgang %d\r\nMessage-ID: <%d@example.com>\r\n", n, n)
	fmt.Fprintf(&b, "Date: %s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nNummer%dxyz\r\n", time.Now().Format(time.RFC1123Z), n)
	for range rand.IntN(200) {
		fmt.Fprintf(&b, "Zeile %x\r\n", rand.Uint64())
	}
	if n%3 == 0 {
		part := bytes.Repeat(fmt.Appendf(nil, "Anhang %d.", n%11), 4000)
		b.WriteString("--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		for enc := base64.StdEncoding.EncodeToString(part); enc != ""; {
			k := min(76, len(enc))
			b.WriteString(enc[:k] + "\r\n")
			enc = enc[k:]
		}
	}
	b.WriteString("--b--\r\n")
	return b.Bytes(), n
}

// send offers one message on a connection and remembers it if it is answered
// with 250. The error is the server's answer, or of the connection.
func (s *subject) send(c *smtp.Client) error {
	raw, n := s.message()
	if err := c.Mail("sender@example.com"); err != nil {
		return err
	}
	if err := c.Rcpt(s.journal); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked[sha256.Sum256(raw)] = n
	return nil
}

// later reports whether err is an answer that asks to come again.
func later(err error) bool {
	var e *textproto.Error
	return errors.As(err, &e) && e.Code >= 400 && e.Code < 500
}

func dial(addr string) (*smtp.Client, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	return smtp.NewClient(conn, "test.example")
}

// load sends on some connections until the server is gone or ctx ends.
func (s *subject) load(ctx context.Context, addr string, connections int) *sync.WaitGroup {
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			c, err := dial(addr)
			if err != nil {
				return
			}
			defer c.Close()
			for ctx.Err() == nil {
				if err := s.send(c); err != nil {
					return
				}
			}
		})
	}
	return &wg
}

// prove stops at nothing: fsck must be clean after repair, everything that was
// acknowledged must be readable, byte for byte, and found.
func (s *subject) prove() {
	t := s.t
	t.Helper()
	if out, err := s.command("fsck", "--repair").CombinedOutput(); err != nil {
		t.Fatalf("fsck --repair: %v\n%s", err, out)
	}
	if out, err := s.command("fsck").CombinedOutput(); err != nil {
		t.Fatalf("fsck after repair: %v\n%s", err, out)
	}
	e := archivetest.New(t, archivetest.Options{Dir: s.data})
	defer e.Close()
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := e.AwaitIndex(ctx, tenant.ID); err != nil {
		t.Fatalf("the index does not catch up: %v", err)
	}
	h := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"anna@example.org"}})
	for sum, n := range s.acked {
		if s.proved[sum] {
			continue
		}
		s.read(e, h, tenant.ID, sum, n)
		s.proved[sum] = true
	}
}

func (s *subject) read(e *archivetest.Env, h *archive.Handle, tenant uid.ID, sum [32]byte, n int64) {
	t := s.t
	t.Helper()
	page, err := h.Search(t.Context(), archive.SearchRequest{Query: fmt.Sprintf("Nummer%dxyz", n), Limit: 2})
	if err != nil || len(page.Hits) != 1 {
		t.Errorf("message %d was acknowledged; %v hits, %v", n, page, err)
		return
	}
	rows, err := e.Catalog.Known(t.Context(), tenant, [][32]byte{sum})
	if err != nil || rows[sum] != page.Hits[0].ID {
		t.Errorf("message %d was acknowledged and is not in the catalog: %v", n, err)
		return
	}
	row, err := e.Catalog.Message(t.Context(), tenant, rows[sum])
	if err != nil {
		t.Error(err)
		return
	}
	c, err := e.Vault.Open(t.Context(), row.Tenant, vault.Ref{Segment: row.Segment, Frame: row.Frame}, vault.Want{})
	if err != nil {
		t.Errorf("message %d was acknowledged: %v", n, err)
		return
	}
	defer c.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, c); err != nil || [32]byte(hash.Sum(nil)) != sum {
		t.Errorf("message %d was acknowledged and is not what was sent: %v", n, err)
	}
}
