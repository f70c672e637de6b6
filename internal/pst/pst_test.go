package pst

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/mapi"
)

// forms are all forms of the file, with all encryptions.
func forms() map[string]func(attachment int) []byte {
	out := map[string]func(int) []byte{}
	for _, l := range []layout{ansi(), unicode(), unicode4K()} {
		for crypt, name := range []string{"plain", "permute", "cyclic"} {
			out[l.name+", "+name] = func(n int) []byte { return sample(l, byte(crypt), n) }
		}
	}
	return out
}

func open(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// found is what a walk handed over: "folder: subject" for messages, and errors.
func found(t testing.TB, f *File) (items []string, errs []error) {
	t.Helper()
	err := f.Walk(t.Context(), func(it Item) error {
		m, err := it.Message()
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		items = append(items, strings.Join(it.Folder, "|")+": "+m.Subject())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return items, errs
}

func TestWalk(t *testing.T) {
	t.Parallel()
	want := []string{"Deleted Items: Re: attachments"}
	for i := range 120 {
		want = append(want, fmt.Sprintf("Inbox: message %d", i))
	}
	want = append(want, "(root)|Views: view", "(lost)|Orphan: lost 0", "(lost)|Inbox|a/b: lost 1", "(lost): lost 2")
	for name, make := range forms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, make(100_000))
			for range 2 { // a second walk sees the same
				items, errs := found(t, f)
				if d := cmp.Diff(want, items); d != "" {
					t.Error(d)
				}
				for _, err := range errs {
					t.Error(err)
				}
			}
			if !strings.HasPrefix(name, f.Format()+", ") {
				t.Errorf("format %q", f.Format())
			}
		})
	}
}

// with returns the message of that subject; it is good as long as f is not walked.
func with(t testing.TB, f *File, subject string) *mapi.Message {
	t.Helper()
	var out *mapi.Message
	err := f.Walk(t.Context(), func(it Item) error {
		m, err := it.Message()
		if err == nil && m.Subject() == subject {
			out = m
		}
		return nil
	})
	if err != nil || out == nil {
		t.Fatalf("no message %q (%v)", subject, err)
	}
	return out
}

func contents(a *mapi.Attachment) (string, error) {
	r, err := a.Open()
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for name, make := range forms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const size = 3_000_000
			m := with(t, open(t, make(size)), "Re: attachments")
			if got := m.Text(mapi.IDBody); got != longBody {
				t.Errorf("body of %d bytes: %.40q", len(got), got)
			}
			if got := m.Time(mapi.IDClientSubmitTime); !got.Equal(time.Unix(0, 0)) {
				t.Errorf("time %v", got)
			}
			set := mapi.GUID(bytes.Repeat([]byte{7}, 16))
			if got := m.NamedText(set, "keyword"); got != "named" {
				t.Errorf("named by text: %v", got)
			}
			if d := cmp.Diff([]string{"ab", "cd"}, m.Named(set, 0x8530)); d != "" {
				t.Error(d)
			}
			var to []string
			for _, r := range m.Recipients {
				to = append(to, fmt.Sprint(r.Text(mapi.IDDisplayName), r.Text(mapi.IDEmailAddress), r.Int(mapi.IDRecipientType)))
			}
			if d := cmp.Diff([]string{"Adaada@a.example1", "Bobbob@b.example2"}, to); d != "" {
				t.Error(d)
			}
			if len(m.Attachments) != 4 || len(m.Warnings) > 0 {
				t.Fatalf("%d attachments, warnings %q", len(m.Attachments), m.Warnings)
			}
			for i, want := range []string{"small", string(large(size)), "", "ole"} {
				a := m.Attachments[i]
				if i == 2 {
					inner, err := a.OpenMessage()
					if err != nil || inner.Subject() != "inner" || inner.Text(mapi.IDBody) != "inner body" {
						t.Errorf("embedded message: %v %v", inner, err)
					}
					continue
				}
				if got, err := contents(a); got != want || err != nil || a.Size != int64(len(want)) {
					t.Errorf("attachment %d: %d bytes, want %d, said %d, %v", i, len(got), len(want), a.Size, err)
				}
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	good := sample(unicode(), cryptNone, 10)
	with := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	for name, tt := range map[string]struct {
		file []byte
		want error
	}{
		"empty":             {nil, ErrNotPST},
		"other":             {[]byte(strings.Repeat("From me\n", 200)), ErrNotPST},
		"cut in the header": {good[:300], ErrDamaged},
		"cut before trees":  {good[:2000], ErrDamaged},
		"old version":       {with(10, 8), ErrUnsupported},
		"key of Windows":    {with(513, cryptWindows), ErrUnsupported},
		"other encryption":  {with(513, 77), ErrUnsupported},
		"root elsewhere":    {with(224, 0xff, 0xff, 0xff, 0xff), ErrDamaged},
	} {
		if _, err := Open(bytes.NewReader(tt.file), int64(len(tt.file))); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestWalkStops(t *testing.T) {
	t.Parallel()
	f := open(t, sample(unicode(), cryptPermute, 10))
	enough := errors.New("enough")
	for _, at := range []int{1, 5, 123} {
		n := 0
		err := f.Walk(t.Context(), func(Item) error {
			if n++; n == at {
				return enough
			}
			return nil
		})
		if err != enough || n != at {
			t.Errorf("stopped at %d of %d: %v", n, at, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		n = 0
		err = f.Walk(ctx, func(Item) error {
			if n++; n == at {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || n > at {
			t.Errorf("called off at %d of %d: %v", n, at, err)
		}
	}
}
