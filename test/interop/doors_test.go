package interop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/smtp"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/vault"
)

// receiver is a whole archive with an SMTP and an LMTP door in this process, so
// that tests can look at every byte that was stored.
type receiver struct {
	*archivetest.Env
	tenant     *catalog.Tenant
	smtp, lmtp string // addresses of the doors
	// Journal addresses of two sources.
	first, second string
}

// receive opens one with the change to the doors' settings.
func receive(t *testing.T, o archivetest.Options, change func(*smtp.Config)) *receiver {
	t.Helper()
	r := &receiver{Env: archivetest.New(t, o)}
	var source *catalog.Source
	r.tenant, source = r.Tenant(t, "acme")
	other, err := r.CreateJournal(t.Context(), r.tenant.ID, "Second", "")
	if err != nil {
		t.Fatal(err)
	}
	r.first, r.second = source.JournalAddress, other.JournalAddress
	dir, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	conf, _, err := smtp.ServerTLS(smtp.CertificateConfig{Dir: t.TempDir(), Hostname: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := smtp.Config{Archive: r.Archive, Spool: dir, Hostname: "localhost", TLS: conf, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	r.smtp = door(t, cfg)
	cfg.LMTP = true
	r.lmtp = door(t, cfg)
	return r
}

// door serves on the loopback interface until the test ends.
func door(t *testing.T, cfg smtp.Config) string {
	t.Helper()
	s, err := smtp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, smtp.ErrClosed) {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// messages reads everything that is stored.
func (r *receiver) messages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := r.Catalog.WalkMessages(t.Context(), r.tenant.ID, func(m *catalog.Message, err error) error {
		if err != nil {
			return err
		}
		c, err := r.Vault.Open(t.Context(), m.Tenant, vault.Ref{Segment: m.Segment, Frame: m.Frame}, vault.Want{})
		if err != nil {
			return err
		}
		b, err := io.ReadAll(c)
		all = append(all, string(b))
		return errors.Join(err, c.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// containing returns the one message with the mark in it.
func (r *receiver) containing(t *testing.T, mark string) string {
	t.Helper()
	var found []string
	for _, m := range r.messages(t) {
		if strings.Contains(m, mark) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d messages contain %q, want 1", len(found), mark)
	}
	return found[0]
}

// brokenStore fails to put while it is told to.
type brokenStore struct {
	blob.Store
	mu  sync.Mutex
	err error
}

func (b *brokenStore) set(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *brokenStore) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	b.mu.Lock()
	err := b.err
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.Store.Put(ctx, key, r, size)
}

func openFiles(t *testing.T) *file.Store {
	t.Helper()
	s, err := file.Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An archive that cannot store answers 4xx, and 250 as soon as it can again; a
// message offered again in between is stored once.
func TestBrokenArchiveIsTemporary(t *testing.T) {
	t.Parallel()
	store := &brokenStore{Store: openFiles(t)}
	r := receive(t, archivetest.Options{Blobs: store}, nil)
	send := func() string {
		t.Helper()
		return session(t, r.smtp, "EHLO x", "MAIL FROM:<a@example.org>", "RCPT TO:<"+r.first+">", "DATA", "Subject: broken\r\n\r\nx\r\n.")
	}
	store.set(errors.New("no space left on device"))
	for range 3 {
		if got := send(); !strings.HasPrefix(got, "4") {
			t.Fatalf("a broken archive answers %q", got)
		}
	}
	if n := len(r.messages(t)); n != 0 {
		t.Errorf("%d messages after nothing was acknowledged", n)
	}
	store.set(nil)
	for range 2 {
		if got := send(); !strings.HasPrefix(got, "250 ") {
			t.Fatalf("a repaired archive answers %q", got)
		}
	}
	if got := r.containing(t, "Subject: broken"); got != "Subject: broken\r\n\r\nx\r\n" {
		t.Errorf("stored %q", got)
	}
	// Closed, as in the moment of going down.
	r.Archive.Close()
	if got := send(); !strings.HasPrefix(got, "4") {
		t.Errorf("a closed archive answers %q", got)
	}
	rep, err := r.Fsck(t.Context(), archive.FsckOptions{})
	if err != nil || rep.Damage != 0 {
		t.Errorf("fsck: %+v, %v", rep, err)
	}
}

// session says the lines, one after another, and returns the last reply.
func session(t *testing.T, addr string, lines ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var last string
	reply := func() {
		t.Helper()
		buf := make([]byte, 4096)
		var got []byte
		for {
			n, err := conn.Read(buf)
			if got = append(got, buf[:n]...); err != nil {
				t.Fatalf("%v after %q", err, got)
			}
			lines := bytes.Split(bytes.TrimSuffix(got, []byte("\r\n")), []byte("\r\n"))
			last = string(lines[len(lines)-1])
			if bytes.HasSuffix(got, []byte("\r\n")) && len(last) > 3 && last[3] == ' ' {
				return
			}
		}
	}
	reply()
	for _, l := range lines {
		if _, err := io.WriteString(conn, l+"\r\n"); err != nil {
			t.Fatal(err)
		}
		reply()
	}
	return last
}
