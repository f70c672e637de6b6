package pop3

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// pieces is a reader that gives a few bytes at a time.
type pieces struct {
	data  []byte
	sizes []int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := len(p.data)
	if len(p.sizes) > 0 {
		n, p.sizes = min(n, p.sizes[0]), p.sizes[1:]
	}
	n = copy(b, p.data[:n])
	p.data = p.data[n:]
	return n, nil
}

// stuffed is what a server sends for a message, written independently of the
// fake server: line by line.
func stuffed(raw []byte) []byte {
	raw = pop3d.Sent(raw)
	var b bytes.Buffer
	for len(raw) > 0 {
		line := raw
		if i := bytes.Index(raw, []byte("\r\n")); i >= 0 {
			line = raw[:i+2]
		}
		if line[0] == '.' {
			b.WriteByte('.')
		}
		b.Write(line)
		raw = raw[len(line):]
	}
	b.WriteString(".\r\n")
	return b.Bytes()
}

// text draws messages in which dots, line ends and buffers meet.
func text() *rapid.Generator[[]byte] {
	piece := rapid.SampledFrom([]string{
		".", "..", "\r\n", "\n", "\r", "x", "\r\n.\r\n", "\n.\r\n", "\r\n.\n", "\n.\n", "\r\r\n", "\x00\xff", "+OK", "-ERR", "\r\n..",
		strings.Repeat("long ", buffer/5), strings.Repeat("z", buffer-1), strings.Repeat("z", buffer-2) + "\r\n.",
	})
	return rapid.Custom(func(t *rapid.T) []byte {
		return []byte(strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "pieces"), ""))
	})
}

func TestDecoderGivesBackEveryMessage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := text().Draw(t, "message")
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(1, 4), rapid.IntRange(1, 2*buffer)), 0, 50).Draw(t, "splits")
		const rest = "+OK next\r\n"
		in := bufio.NewReaderSize(&pieces{append(stuffed(raw), rest...), sizes}, buffer)
		var out bytes.Buffer
		d := &decoder{in: in, out: &out, limit: DefaultLimit}
		if err := d.run(); err != nil {
			t.Fatal(err)
		}
		if want := pop3d.Sent(raw); !bytes.Equal(out.Bytes(), want) || d.got != (Retrieved{Size: int64(len(want))}) {
			t.Fatalf("%d bytes %.300q, want %d bytes %.300q; %+v", out.Len(), out.Bytes(), len(want), want, d.got)
		}
		if next, err := io.ReadAll(in); err != nil || string(next) != rest {
			t.Fatalf("after the message comes %.100q, %v", next, err)
		}
	})
}

// TestBytesAreExact takes the whole way, through the fake server's split packets.
func TestBytesAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		raw := rapid.SliceOfN(text(), 1, 3).Draw(rt, "messages")
		for i := range raw {
			raw[i] = append([]byte("A: b"), raw[i]...) // a message that begins with "+OK" is refused
		}
		s := pop3d.New(t, pop3d.Options{Seed: rapid.Uint64().Draw(rt, "seed")})
		s.Add(raw...)
		p, err := pull(t.Context(), s, to(s, Unprotected))
		if err != nil || len(p.whole) != len(raw) {
			rt.Fatalf("%d of %d: %v", len(p.whole), len(raw), err)
		}
		for i, m := range raw {
			if got := p.whole[fmt.Sprintf("uid-%06d", i+1)]; !bytes.Equal(got, pop3d.Sent(m)) {
				rt.Fatalf("message %d: %.300q, want %.300q", i+1, got, m)
			}
		}
	})
}

func TestLoneDotsAreKept(t *testing.T) {
	t.Parallel()
	s := pop3d.New(t, pop3d.Options{Misbehave: []pop3d.Misbehaviour{pop3d.NeverStuffs}})
	raw := "Subject: css\r\n\r\n.a { }\r\ntext\r\n.b { }\r\n"
	s.Add([]byte(raw))
	var b bytes.Buffer
	r, err := enter(t, s).Retrieve(t.Context(), 1, &b, 0)
	if err != nil || b.String() != raw || r.LoneDots != 2 {
		t.Errorf("%q, %+v, %v", b.String(), r, err)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	raw := []byte("Subject: x\r\n\r\n" + strings.Repeat("0123456789\r\n", 10_000))
	size := int64(len(raw))
	for _, tt := range []struct {
		limit int64
		want  error
	}{{size, nil}, {size - 1, ErrTooLarge}, {1, ErrTooLarge}, {size + 1, nil}} {
		s := pop3d.New(t, pop3d.Options{})
		s.Add(raw)
		c := enter(t, s)
		var b bytes.Buffer
		r, err := c.Retrieve(t.Context(), 1, &b, tt.limit)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("limit %d: %v, want %v", tt.limit, err, tt.want)
		}
		if int64(b.Len()) > tt.limit || r.Size != int64(b.Len()) || !bytes.HasPrefix(raw, b.Bytes()) {
			t.Errorf("limit %d: %d bytes are written, %d are said to be", tt.limit, b.Len(), r.Size)
		}
		if err := c.Noop(t.Context()); errors.Is(err, ErrClosed) != (tt.want != nil) {
			t.Errorf("limit %d: after that %v", tt.limit, err)
		}
	}
}

// fullDisk fails after n bytes.
type fullDisk struct{ n int }

var errFull = errors.New("no space left")

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, buffer} {
		s := pop3d.New(t, pop3d.Options{})
		s.Add(bytes.Repeat([]byte("0123456789\r\n"), 10_000))
		c := enter(t, s)
		_, err := c.Retrieve(t.Context(), 1, &fullDisk{n}, 0)
		if !errors.Is(err, errFull) {
			t.Errorf("%v", err)
		}
		for _, class := range []error{ErrTemporary, ErrPermanent, ErrProtocol, ErrTooLarge} {
			if errors.Is(err, class) {
				t.Errorf("%v is %v, which it is not the server's", err, class)
			}
		}
		if err := c.Delete(t.Context(), 1); !errors.Is(err, ErrClosed) {
			t.Errorf("after that: %v", err)
		}
	}
}

// endless gives size bytes of lines.
type endless struct{ size, at int64 }

func (e *endless) Read(p []byte) (int, error) {
	const line = "..all work and no play makes a long letter, and a dot at its beginning\r\n"
	n := 0
	for n < len(p) && e.at < e.size {
		m := copy(p[n:], line[e.at%int64(len(line)):])
		m = int(min(int64(m), e.size-e.at))
		n, e.at = n+m, e.at+int64(m)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// watch counts bytes and looks at the memory now and then.
type watch struct {
	n, next int64
	most    uint64
}

func (w *watch) Write(p []byte) (int, error) {
	if w.n += int64(len(p)); w.n >= w.next {
		w.next += 8 << 20
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapAlloc)
	}
	return len(p), nil
}

// TestMemory fetches 150 MB. Not parallel: the memory of others would count.
func TestMemory(t *testing.T) {
	const size, most = 150 << 20, 8 << 20
	s := pop3d.New(t, pop3d.Options{Calm: true})
	s.AddFunc(size, func() io.Reader { return &endless{size: size} })
	c := enter(t, s)
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := &watch{}
	started := time.Now()
	r, err := c.Retrieve(t.Context(), 1, w, 0)
	if err != nil || r.Size < size || r.Size > size+2 || r.Size != w.n {
		t.Fatalf("%+v, %v", r, err)
	}
	if w.most > before.HeapAlloc+most {
		t.Errorf("%d bytes of memory are held", w.most-before.HeapAlloc)
	}
	t.Logf("%v for %d MB, at most %d KB more memory", time.Since(started), size>>20, (int64(w.most)-int64(before.HeapAlloc))>>10)
}
