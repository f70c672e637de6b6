package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/muniment/muniment/internal/testkit/imapd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const limit = 1 << 20

// brief are timeouts for servers that do not answer.
func brief() Timeouts {
	return Timeouts{Connect: time.Second, Silence: 300 * time.Millisecond, Command: 2 * time.Second, Message: 2 * time.Second}
}

func config(s *imapd.Server, mode TLSMode) Config {
	return Config{Host: s.Host, Port: s.Port, TLS: mode, TLSConfig: s.TLS()}
}

// loggedIn returns a connection to s on which the log-in was done.
func loggedIn(t testing.TB, s *imapd.Server, cfg Config) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), s.User, s.Password); err != nil {
		t.Fatal(err)
	}
	return c
}

// selected returns a connection to s with INBOX open.
func selected(t testing.TB, s *imapd.Server, cfg Config) *Conn {
	t.Helper()
	c := loggedIn(t, s, cfg)
	if _, err := c.Select(t.Context(), "INBOX", false, 0); err != nil {
		t.Fatal(err)
	}
	return c
}

// mail returns a message that differs from others.
func mail(i int) []byte {
	r := rand.New(rand.NewPCG(3, uint64(i)))
	b := []byte(fmt.Sprintf("Subject: %d\r\nX: \")(\\{12}\r\n\r\n", i))
	for range r.IntN(3000) {
		b = append(b, byte(1+r.IntN(255)))
	}
	return b
}

// fill puts n messages into INBOX.
func fill(s *imapd.Server, n int) map[UID][]byte {
	out := map[UID][]byte{}
	for i := range n {
		m := mail(i)
		out[UID(s.Add("INBOX", m))] = m
	}
	return out
}

// listAll pages through the folder.
func listAll(ctx context.Context, c *Conn, count int) (all []Entry, err error) {
	for next := UID(1); next != 0; {
		var page []Entry
		if page, next, err = c.List(ctx, next, count); err != nil {
			return all, err
		}
		if len(page) > count {
			return all, fmt.Errorf("a page of %d", len(page))
		}
		all = append(all, page...)
	}
	return all, nil
}

// fetchAll fetches messages in one batch. It fails if one is called for twice.
func fetchAll(ctx context.Context, c *Conn, uids []UID) (map[UID][]byte, map[UID]error, error) {
	got, bad := map[UID][]byte{}, map[UID]error{}
	err := c.Batch(ctx, uids, limit, func(m Message) error {
		if got[m.UID] != nil || bad[m.UID] != nil {
			return fmt.Errorf("message %d twice", m.UID)
		}
		if m.Body == nil {
			bad[m.UID] = m.Err
			return nil
		}
		b, err := io.ReadAll(m.Body)
		if err != nil {
			return err
		}
		if int64(len(b)) != m.Size {
			return fmt.Errorf("message %d has %d bytes, not %d", m.UID, len(b), m.Size)
		}
		got[m.UID] = b
		return nil
	})
	return got, bad, err
}

func uidsOf(entries []Entry) []UID {
	var out []UID
	for _, e := range entries {
		out = append(out, e.UID)
	}
	return out
}

func TestMailboxIsReadAndEmptied(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]TLSMode{"none": TLSNone, "starttls": TLSStart, "implicit": TLSImplicit} {
		for _, polite := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, polite %v", name, polite), func(t *testing.T) {
				t.Parallel()
				s := imapd.New(t, imapd.Options{ImplicitTLS: mode == TLSImplicit, Polite: polite})
				want := fill(s, 100)
				c := selected(t, s, config(s, mode))
				all, err := listAll(t.Context(), c, 30)
				if err != nil || len(all) != 100 {
					t.Fatalf("%d entries, %v", len(all), err)
				}
				for _, e := range all {
					if e.Size != int64(len(want[e.UID])) || e.Date.Unix() != time.Date(2026, 1, 2, 0, 0, int(e.UID), 0, time.UTC).Unix() {
						t.Errorf("entry %+v", e)
					}
				}
				got, bad, err := fetchAll(t.Context(), c, uidsOf(all))
				if err != nil || len(bad) > 0 {
					t.Fatal(err, bad)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
				left, err := c.Delete(t.Context(), uidsOf(all[:60]))
				if err != nil || len(left) > 0 {
					t.Fatal(left, err)
				}
				var gone []uint32
				for _, e := range all[:60] {
					gone = append(gone, uint32(e.UID))
				}
				if diff := cmp.Diff(gone, s.Deleted("INBOX")); diff != "" {
					t.Error(diff)
				}
				for _, m := range s.Mailbox("INBOX").Messages {
					if len(m.Flags) > 0 {
						t.Errorf("message %d has got flags %q", m.UID, m.Flags)
					}
				}
				if err := c.Logout(t.Context()); err != nil {
					t.Error(err)
				}
				if c.Usable() {
					_, err := c.Select(t.Context(), "INBOX", true, 0)
					if err == nil {
						t.Error("a connection works after the log-out")
					}
				}
			})
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	fill(s, 2)
	c := loggedIn(t, s, config(s, TLSNone))
	m, err := c.Select(t.Context(), "inbox", true, 0)
	if err != nil || !m.ReadOnly || m.Messages != 2 || m.UIDNext != 3 || m.UIDValidity == 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	left, err := c.Delete(t.Context(), []UID{1, 2})
	if !errors.Is(err, ErrRefused) || len(left) != 2 || !c.Usable() {
		t.Errorf("left %v, %v", left, err)
	}
	st, err := c.Status(t.Context(), "INBOX")
	if err != nil || st.Messages != 2 || st.UIDNext != 3 || st.UIDValidity != m.UIDValidity {
		t.Errorf("%+v, %v", st, err)
	}
	if _, err := c.Select(t.Context(), "Nowhere", true, 0); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	if _, err := c.Select(t.Context(), "INBOX", true, m.UIDValidity+1); !errors.Is(err, ErrUIDValidity) || !c.Usable() {
		t.Error(err)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	names := []string{
		"INBOX", "Entwürfe", "Gelöschte Elemente", "A & B", "収信箱/東京", "😀 Smile", "[Gmail]/All \"Mail\"", `back\slash`, "Archiv (alt)", "nil", "100% *",
	}
	s := imapd.New(t, imapd.Options{})
	for i, n := range names {
		s.AddFolder(n, `\HasNoChildren`)
		for range i {
			s.Add(n, []byte("Subject: x\r\n\r\n"))
		}
	}
	s.AddFolder("Gesendet", `\Sent \hasnochildren`)
	s.AddFolder("Nur Ordner", `\NoSelect`)
	c := loggedIn(t, s, config(s, TLSNone))
	folders, err := c.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range folders {
		switch f.Name {
		case "Gesendet":
			if f.Use != `\Sent` || f.Delimiter != "/" || f.NoSelect {
				t.Errorf("%+v", f)
			}
			continue
		case "Nur Ordner":
			if !f.NoSelect {
				t.Errorf("%+v", f)
			}
			continue
		}
		got = append(got, f.Name)
		m, err := c.Select(t.Context(), f.Name, true, 0)
		if err != nil || m.Messages != slices.Index(names, f.Name) {
			t.Errorf("%q: %+v, %v", f.Name, m, err)
		}
		if st, err := c.Status(t.Context(), f.Name); err != nil || st.Messages != slices.Index(names, f.Name) {
			t.Errorf("%q: %+v, %v", f.Name, st, err)
		}
	}
	want := slices.Clone(names)
	slices.Sort(want[1:])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableFoldersAreTold(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.BrokenFolder}})
	c := loggedIn(t, s, config(s, TLSNone))
	folders, err := c.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range folders {
		got = append(got, fmt.Sprint(f.Name, " ", f.Unreadable))
	}
	if want := []string{"INBOX false", "Entw&APx-rfe &-& kaputt true", "Gel\uFFFDscht true"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCancelledInTheMiddle(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	fill(s, 50)
	const large = 256 << 20 // more than buffers hold
	uid := UID(s.AddLarge("INBOX", large, func() io.Reader { return zeros{} }))
	t.Run("context", func(t *testing.T) {
		c := selected(t, s, config(s, TLSNone))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := c.Batch(ctx, []UID{1, uid}, large, func(m Message) error {
			cancel()
			_, err := io.Copy(io.Discard, m.Body)
			return err
		})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, ErrTemporary) {
			t.Errorf("%v", err)
		}
		if err := c.Noop(t.Context()); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	t.Run("taker", func(t *testing.T) {
		c := selected(t, s, config(s, TLSNone))
		full := errors.New("disk full")
		n := 0
		err := c.Batch(t.Context(), []UID{1, 2, 3, 4, 5}, limit, func(Message) error {
			if n++; n == 2 {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) || n != 2 || c.Usable() {
			t.Errorf("%v after %d, usable %v", err, n, c.Usable())
		}
	})
	t.Run("taker that has read", func(t *testing.T) {
		for stop := 1; stop <= 5; stop++ {
			c := selected(t, s, config(s, TLSNone))
			full := errors.New("disk full")
			n := 0
			err := c.Batch(t.Context(), []UID{1, 2, 3, 4, 5}, limit, func(m Message) error {
				if _, err := io.Copy(io.Discard, m.Body); err != nil {
					return err
				}
				if n++; n == stop {
					return full
				}
				return nil
			})
			// After the last, nothing is left that would have to be kept away.
			if !errors.Is(err, full) || n != stop || c.Usable() != (stop == 5) {
				t.Errorf("%v after %d of %d, usable %v", err, n, stop, c.Usable())
			}
		}
	})
	t.Run("closed by taker", func(t *testing.T) {
		c := selected(t, s, config(s, TLSNone))
		// All may have come already: then there is no error.
		err := c.Batch(t.Context(), []UID{1, 2, 3, 4, 5}, limit, func(m Message) error {
			c.Close()
			_, err := io.Copy(io.Discard, m.Body)
			return err
		})
		if err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if err := c.Noop(t.Context()); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	t.Run("writer", func(t *testing.T) {
		c := selected(t, s, config(s, TLSNone))
		full := errors.New("disk full")
		_, err := c.Fetch(t.Context(), 3, failingWriter{full}, limit)
		if !errors.Is(err, full) {
			t.Error(err)
		}
	})
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	small := s.Add("INBOX", []byte("Subject: small\r\n\r\n"))
	large := s.AddLarge("INBOX", 3<<20, func() io.Reader { return zeros{} })
	vast := s.AddLarge("INBOX", 3<<30, func() io.Reader { return zeros{} })
	c := selected(t, s, config(s, TLSNone))
	var b bytes.Buffer
	if _, err := c.Fetch(t.Context(), UID(large), &b, limit); !errors.Is(err, ErrTooLarge) || b.Len() > 0 || !c.Usable() {
		t.Errorf("%v, %d bytes, usable %v", err, b.Len(), c.Usable())
	}
	if n, err := c.Fetch(t.Context(), UID(small), &b, 18); err != nil || n != 18 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := c.Fetch(t.Context(), UID(vast), &b, limit); !errors.Is(err, ErrTooLarge) || c.Usable() {
		t.Errorf("%v, usable %v", err, c.Usable())
	}
	if _, err := c.Fetch(t.Context(), UID(small), &b, limit); !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
}

// zeros is an endless message.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
