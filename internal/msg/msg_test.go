package msg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/mapi"
)

func read(t *testing.T, b []byte) *mapi.Message {
	t.Helper()
	m, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func content(t *testing.T, a *mapi.Attachment) []byte {
	t.Helper()
	r, err := a.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bytesOf returns n bytes that are not all the same.
func bytesOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func TestMessageFile(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 63, 64, 4095, 4096, 5000, 70_000, 9 << 20} { // the last needs more sectors of the FAT than the header names
		big := bytesOf(size)
		m := read(t, pack(t, letter(big)))
		if len(m.Warnings) > 0 {
			t.Errorf("warnings %q", m.Warnings)
		}
		if m.Subject() != "Привет" || m.Text(mapi.IDBody) != "Hallo Welt" {
			t.Errorf("subject %q, body %q", m.Subject(), m.Text(mapi.IDBody))
		}
		if diff := cmp.Diff([]string{"rot", "blau"}, m.NamedText(mapi.SetPublicStrings(), "Keywords")); diff != "" {
			t.Error(diff)
		}
		if len(m.Recipients) != 1 || m.Recipients[0].Text(mapi.IDSMTPAddress) != "erika@firma.example" || m.Recipients[0].Int(mapi.IDRecipientType) != 1 {
			t.Errorf("recipients %+v", m.Recipients)
		}
		if len(m.Attachments) != 3 {
			t.Fatalf("%d attachments", len(m.Attachments))
		}
		file, message, object := m.Attachments[0], m.Attachments[1], m.Attachments[2]
		if file.Name() != "groß.bin" || file.Size != int64(size) || !bytes.Equal(content(t, file), big) {
			t.Errorf("file %q of %d bytes is not as it was", file.Name(), file.Size)
		}
		inner, err := message.OpenMessage()
		if err != nil || inner.Subject() != "innen" {
			t.Errorf("attached message %v: %v", inner, err)
		}
		checkObject(t, content(t, object), big)
	}
}

// checkObject reads an OLE object again.
func checkObject(t *testing.T, b, big []byte) {
	t.Helper()
	root, warnings, err := open(&source{r: bytes.NewReader(b), size: int64(len(b))})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	small, err := root.children["\x01Ole"].bytes()
	if err != nil || string(small) != "klein" {
		t.Errorf("small stream %q: %v", small, err)
	}
	large, err := root.children["Teil"].children["CONTENTS"].bytes()
	if err != nil || !bytes.Equal(large, big) {
		t.Errorf("large stream has %d bytes, want %d: %v", len(large), len(big), err)
	}
}

func TestNoMessageFile(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{"empty": nil, "text": []byte("Subject: a"), "another": pack(t, folder("", stream("WordDocument", []byte("a"))))} {
		if _, err := Read(bytes.NewReader(b), int64(len(b))); !errors.Is(err, ErrNotMSG) {
			t.Errorf("%s: %v, want ErrNotMSG", name, err)
		}
	}
}

// TestDeepStorages refuses a file whose directory would take all memory.
func TestDeepStorages(t *testing.T) {
	t.Parallel()
	s := folder("a")
	for range maxNesting + 1 {
		s = folder("a", s)
	}
	b := pack(t, folder("", fixed(topHeader, nil), s))
	if _, err := Read(bytes.NewReader(b), int64(len(b))); !errors.Is(err, mapi.ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
}

// TestDeepMessages ends messages within messages.
func TestDeepMessages(t *testing.T) {
	t.Parallel()
	inner := folder(objectName, fixed(innerHeader, nil))
	for range mapi.MaxDepth + 2 {
		inner = folder(objectName, fixed(innerHeader, nil), folder(attachmentName+"#00000000", fixed(partHeader, nil), inner))
	}
	m := read(t, pack(t, folder("", fixed(topHeader, nil), folder(attachmentName+"#00000000", fixed(partHeader, nil), inner))))
	if err := mapi.WriteEML(io.Discard, m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(m.Warnings, "\n"), "nested") {
		t.Errorf("warnings %q", m.Warnings)
	}
}

// broken fails like a disk.
type broken struct {
	io.ReaderAt
	from int64
}

var errDisk = errors.New("disk")

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.from {
		return 0, errDisk
	}
	return b.ReaderAt.ReadAt(p, off)
}

// TestDiskError tells an error of reading from damage.
func TestDiskError(t *testing.T) {
	t.Parallel()
	b := pack(t, letter(bytesOf(70_000)))
	for from := int64(0); from < int64(len(b)); from += 1024 {
		m, err := Read(broken{bytes.NewReader(b), from}, int64(len(b)))
		if err == nil {
			err = mapi.WriteEML(io.Discard, m)
		}
		if !errors.Is(err, errDisk) || errors.Is(err, mapi.ErrDamaged) {
			t.Errorf("fails from %d on: %v", from, err)
		}
	}
}

// use reads a file and writes it as a message; no input may panic or take long.
func use(t *testing.T, b []byte) {
	t.Helper()
	start := time.Now()
	m, err := Read(bytes.NewReader(b), int64(len(b)))
	if err == nil {
		if err := mapi.WriteEML(io.Discard, m); err != nil {
			t.Errorf("write: %v", err)
		}
	} else if !errors.Is(err, ErrNotMSG) && !errors.Is(err, mapi.ErrDamaged) {
		t.Errorf("%v is neither damage nor no message file", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestMutations reads a damaged file in many ways.
func TestMutations(t *testing.T) {
	t.Parallel()
	b := pack(t, letter(bytesOf(6000)))
	mutate(t, b, 600)
	for n := 0; n < len(b); n += 200 {
		use(t, b[:n])
	}
}

// mutate flips bytes of b and uses what comes of it; b is as before afterwards.
func mutate(t *testing.T, b []byte, times int) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, uint64(len(b))))
	for range times {
		c := bytes.Clone(b)
		for range 1 + rnd.IntN(8) {
			at := rnd.IntN(len(c))
			if rnd.IntN(2) == 0 {
				at = rnd.IntN(min(len(c), 2048))
			}
			c[at] = byte(rnd.IntN(256))
		}
		if rnd.IntN(4) == 0 && len(c) > 8 {
			binary.LittleEndian.PutUint32(c[rnd.IntN(len(c)-4):], rnd.Uint32()>>rnd.IntN(32))
		}
		use(t, c)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pack(f, letter(bytesOf(100))))
	f.Add(pack(f, letter(bytesOf(5000))))
	f.Fuzz(func(t *testing.T, b []byte) { use(t, b) })
}
