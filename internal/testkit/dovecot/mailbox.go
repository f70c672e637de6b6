package dovecot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Put puts messages into the inbox, in this order, as new ones. The files hold
// exactly these bytes; what the server sends differs from them only in that it
// makes LF to CR LF, as both protocols need it.
func (s *Server) Put(t testing.TB, messages ...[]byte) {
	t.Helper()
	s.PutIn(t, "", messages...)
}

// PutIn puts messages into a folder and makes that if needed. Levels of its
// name are parted by dots; characters outside ASCII are written in the modified
// UTF-7 of IMAP (RFC 3501 §5.1.3). The name "" is the inbox.
func (s *Server) PutIn(t testing.TB, folder string, messages ...[]byte) {
	t.Helper()
	if err := s.Add(folder, messages...); err != nil {
		t.Fatal(err)
	}
}

// Add is PutIn for other purposes than a test.
func (s *Server) Add(folder string, messages ...[]byte) error {
	dir := s.Maildir()
	if folder != "" {
		dir = filepath.Join(dir, "."+folder)
	}
	if err := s.makeMaildir(dir); err != nil {
		return fmt.Errorf("make folder %q: %w", folder, err)
	}
	for _, m := range messages {
		// Dovecot numbers new messages by the names of their files.
		name := fmt.Sprintf("%d.M%09dP1.test", time.Now().Unix(), s.puts.Add(1))
		tmp := filepath.Join(dir, "tmp", name)
		if err := errors.Join(os.WriteFile(tmp, m, 0o644), s.own(tmp), os.Rename(tmp, filepath.Join(dir, "new", name))); err != nil {
			return fmt.Errorf("put a message into folder %q: %w", folder, err)
		}
	}
	return nil
}

// Count returns how many messages are in a folder ("" is the inbox), as the
// files say.
func (s *Server) Count(t testing.TB, folder string) int {
	t.Helper()
	dir := s.Maildir()
	if folder != "" {
		dir = filepath.Join(dir, "."+folder)
	}
	n := 0
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		n += len(entries)
	}
	return n
}

// Maildir returns the directory of the inbox. Who removes its file
// dovecot-uidlist gets a new UIDVALIDITY.
func (s *Server) Maildir() string { return filepath.Join(s.dir, "Maildir") }

func (s *Server) makeMaildir(dir string) error {
	for _, sub := range []string{"", "tmp", "new", "cur"} {
		if err := s.makeDir(filepath.Join(dir, sub)); err != nil {
			return err
		}
	}
	if !strings.HasPrefix(filepath.Base(dir), ".") {
		return nil
	}
	mark := filepath.Join(dir, "maildirfolder")
	return errors.Join(os.WriteFile(mark, nil, 0o600), s.own(mark))
}

func (s *Server) makeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	return s.own(dir)
}

// own gives a file to the user the server runs as.
func (s *Server) own(path string) error {
	if s.who.uid < 0 {
		return nil
	}
	return os.Chown(path, s.who.uid, s.who.gid)
}
