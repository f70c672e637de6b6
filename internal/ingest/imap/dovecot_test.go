package imap

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/testkit/dovecot"
)

// at returns how to reach an address of a Dovecot.
func at(t *testing.T, s *dovecot.Server, addr string, mode TLSMode) Config {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Config{Host: host, Port: n, TLS: mode, TLSConfig: s.TLS()}
}

func openDovecot(t *testing.T, cfg Config) (*Conn, *Mailbox) {
	t.Helper()
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), dovecot.User, dovecot.Password); err != nil {
		t.Fatal(err)
	}
	m, err := c.Select(t.Context(), "INBOX", false, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c, m
}

// crlf is how Dovecot gives a message that it stores with LF.
func crlf(b []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

// letter is a message that Dovecot keeps as it is: its lines end with CR LF,
// and there is no NUL.
func letter(i int) []byte {
	b := bytes.ReplaceAll(mail(i), []byte("\n"), []byte("|"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("|"))
	return append([]byte("From: a@b.example\r\nSubject: "+strconv.Itoa(i)+"\r\n\r\n"), append(b, "\r\n"...)...)
}

func TestDovecot(t *testing.T) {
	t.Parallel()
	s := dovecot.New(t, dovecot.Options{})
	const n = 40
	want := map[[32]byte]int{}
	var letters [][]byte
	for i := range n {
		letters = append(letters, letter(i))
		want[sha256.Sum256(crlf(letters[i]))]++
	}
	s.Put(t, letters...)
	s.PutIn(t, "Alt", letter(1000))
	for name, c := range map[string]Config{
		"plain": at(t, s, s.IMAP, TLSNone), "STARTTLS": at(t, s, s.IMAP, TLSStart), "IMAPS": at(t, s, s.IMAPS, TLSImplicit),
	} {
		t.Run(name, func(t *testing.T) {
			c, m := openDovecot(t, c)
			if m.Messages != n || m.UIDValidity == 0 {
				t.Errorf("%+v", m)
			}
			folders, err := c.Folders(t.Context())
			if err != nil || len(folders) < 2 || folders[0].Name != "INBOX" {
				t.Errorf("%+v, %v", folders, err)
			}
			all, err := listAll(t.Context(), c, 7)
			if err != nil || len(all) != n {
				t.Fatalf("%d entries, %v", len(all), err)
			}
			got, bad, err := fetchAll(t.Context(), c, uidsOf(all))
			if err != nil || len(bad) > 0 {
				t.Fatal(err, bad)
			}
			sums := map[[32]byte]int{}
			for _, e := range all {
				if e.Size != int64(len(got[e.UID])) || e.Date.IsZero() || slices.Contains(e.Flags, `\Seen`) {
					t.Errorf("entry %+v of %d bytes", e, len(got[e.UID]))
				}
				sums[sha256.Sum256(got[e.UID])]++
			}
			if diff := cmp.Diff(want, sums); diff != "" {
				t.Error(diff)
			}
			if st, err := c.Status(t.Context(), "Alt"); err != nil || st.Messages != 1 {
				t.Errorf("%+v, %v", st, err)
			}
			if err := c.Logout(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDovecotTellsNews(t *testing.T) {
	t.Parallel()
	s := dovecot.New(t, dovecot.Options{Settings: "mailbox_idle_check_interval = 1 secs"})
	c, _ := openDovecot(t, at(t, s, s.IMAPS, TLSImplicit))
	if news, err := c.Idle(t.Context(), 100*time.Millisecond); news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	go s.Put(t, letter(1))
	if news, err := c.Idle(t.Context(), time.Minute); !news || err != nil {
		t.Fatalf("%v, %v", news, err)
	}
	all, err := listAll(t.Context(), c, 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	var b bytes.Buffer
	if _, err := c.Fetch(t.Context(), all[0].UID, &b, limit); err != nil || !bytes.Equal(b.Bytes(), crlf(letter(1))) {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}

// TestDovecotIsEmptied reads thousands of messages and deletes every second one
// by pages, as a fetcher does, while another client has marked one of the rest.
func TestDovecotIsEmptied(t *testing.T) {
	t.Parallel()
	n := 5000
	if testing.Short() {
		n = 300
	}
	s := dovecot.New(t, dovecot.Options{})
	want := map[[32]byte]bool{}
	var letters [][]byte
	for i := range n {
		letters = append(letters, letter(i))
		want[sha256.Sum256(crlf(letters[i]))] = true
	}
	s.Put(t, letters...)
	c, _ := openDovecot(t, at(t, s, s.IMAPS, TLSImplicit))
	other, _ := openDovecot(t, at(t, s, s.IMAP, TLSNone))
	if err := other.mark(t.Context(), setOf([]UID{2})); err != nil {
		t.Fatal(err)
	}
	started, read, deleted := time.Now(), 0, 0
	for next := UID(1); next != 0; {
		page, to, err := c.List(t.Context(), next, 500)
		if err != nil {
			t.Fatal(err)
		}
		next = to
		var even []UID
		err = c.Batch(t.Context(), uidsOf(page), limit, func(m Message) error {
			if m.Err != nil {
				return m.Err
			}
			h := sha256.New()
			if _, err := io.Copy(h, m.Body); err != nil {
				return err
			}
			if !want[[32]byte(h.Sum(nil))] {
				t.Errorf("message %d is none of those that were put there", m.UID)
			}
			delete(want, [32]byte(h.Sum(nil)))
			if read++; m.UID%2 == 1 {
				even = append(even, m.UID)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		left, err := c.Delete(t.Context(), even)
		if err != nil || len(left) > 0 {
			t.Fatalf("left %v, %v", left, err)
		}
		deleted += len(even)
	}
	t.Logf("%d read, %d deleted in %v", read, deleted, time.Since(started).Round(time.Millisecond))
	if read != n || len(want) > 0 || s.Count(t, "") != n-deleted || deleted != n/2 {
		t.Errorf("%d read, %d not seen, %d are there after %d were deleted", read, len(want), s.Count(t, ""), deleted)
	}
	// The other has not been told of that yet.
	if _, err := other.Fetch(t.Context(), 1, io.Discard, limit); !errors.Is(err, ErrGone) && !errors.Is(err, ErrNoBody) {
		t.Errorf("a message that is gone: %v", err)
	} else {
		t.Logf("a message that is gone: %v", err)
	}
	if err := other.Noop(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := listAll(t.Context(), other, 1000)
	if err != nil || len(all) != n-deleted || all[0].UID != 2 || !slices.Contains(all[0].Flags, `\Deleted`) {
		t.Errorf("%d entries, %v; the first is %+v", len(all), err, all[0])
	}
}
