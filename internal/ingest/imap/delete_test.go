package imap

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/testkit/imapd"
)

func TestDeleteOnlyWhatWasTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		without  []string
		sole     bool
		marked   uint32 // by somebody else
		kind     error
		deleted  []uint32
		says     string
		expunges string // how it begins, "" if there must be none
	}{
		{name: "UIDPLUS", marked: 5, deleted: []uint32{2, 3}, expunges: "UID EXPUNGE 2:3"},
		{name: "without UIDPLUS", without: []string{"UIDPLUS"}, kind: ErrNotDeleted, says: "2 of 2; they are only marked"},
		{name: "without UIDPLUS, sole user", without: []string{"UIDPLUS"}, sole: true, deleted: []uint32{2, 3}, expunges: "EXPUNGE"},
		{name: "without UIDPLUS, others marked", without: []string{"UIDPLUS"}, sole: true, marked: 5, kind: ErrNotDeleted, says: "somebody has marked others"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := imapd.New(t, imapd.Options{Without: c.without})
			fill(s, 6)
			if c.marked != 0 {
				s.Mark("INBOX", c.marked, `\Deleted`)
			}
			cfg := config(s, TLSNone)
			cfg.SoleUser = c.sole
			conn := selected(t, s, cfg)
			left, err := conn.Delete(t.Context(), []UID{3, 2, 3, 0})
			if !errors.Is(err, c.kind) || err == nil != (c.kind == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v", err, c.kind)
			}
			if c.kind != nil && !slices.Equal(left, []UID{2, 3}) || c.kind == nil && len(left) > 0 {
				t.Errorf("left %v", left)
			}
			if got := s.Deleted("INBOX"); !slices.Equal(got, c.deleted) {
				t.Errorf("deleted %v, want %v", got, c.deleted)
			}
			if n := 6 - len(c.deleted); len(s.UIDs("INBOX")) != n {
				t.Errorf("%v are there", s.UIDs("INBOX"))
			}
			said := slices.DeleteFunc(s.Commands(), func(w string) bool { return !strings.Contains(w, "EXPUNGE") })
			if c.expunges == "" && len(said) > 0 || c.expunges != "" && !slices.Equal(said, []string{c.expunges}) {
				t.Errorf("it said %q", said)
			}
		})
	}
}

func TestDeleteWhatIsGone(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{})
	fill(s, 5)
	c := selected(t, s, config(s, TLSNone))
	s.Remove("INBOX", 2)
	if left, err := c.Delete(t.Context(), []UID{1, 2, 77}); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if left, err := c.Delete(t.Context(), nil); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if got := s.UIDs("INBOX"); !slices.Equal(got, []uint32{3, 4, 5}) {
		t.Errorf("%v are there", got)
	}
}

func TestDeleteMany(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{Polite: true})
	var odd []UID
	for range 5000 {
		s.Skip("INBOX", 1234)
		uid := s.Add("INBOX", []byte("Subject: x\r\n\r\n"))
		if len(odd) < 2500 {
			odd = append(odd, UID(uid))
		}
	}
	c := selected(t, s, config(s, TLSNone))
	if left, err := c.Delete(t.Context(), odd); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if n := len(s.UIDs("INBOX")); n != 2500 {
		t.Errorf("%d are there", n)
	}
	for _, w := range s.Commands() {
		if len(w) > maxCommand+100 {
			t.Errorf("a command of %d bytes", len(w))
		}
	}
}
