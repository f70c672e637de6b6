package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// stuff writes data as a client must (RFC 5321 §4.5.2), without its end.
func stuff(data []byte) []byte {
	out := bytes.ReplaceAll(data, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(out, []byte(".")) {
		out = append([]byte("."), out...)
	}
	return out
}

// mailBytes draws data that is rich in what matters to the end of data.
func mailBytes() *rapid.Generator[[]byte] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{"\r\n", "\r", "\n", ".", "..", "\r\n.", "\x00", "a", "From ", "\r\n.\r", "\xff\xfe", "\r\r\n", "\n.\n", "\r.\r"}),
		rapid.StringN(0, 5, 20),
		rapid.Map(rapid.SampledFrom([]int{998, 2001, 65534, 65535, 65536, 65537, 140000}), func(n int) string { return strings.Repeat("x", n) }),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 30), func(s []string) []byte { return []byte(strings.Join(s, "")) })
}

func TestDataComesThroughByteForByte(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := append(mailBytes().Draw(t, "data"), "\r\n"...)
		stream := append(stuff(want), ".\r\nQUIT\r\n"...)
		var src io.Reader = bytes.NewReader(stream)
		if rapid.Bool().Draw(t, "slow") && len(stream) < 10000 {
			src = iotest.OneByteReader(src)
		}
		r := bufio.NewReaderSize(src, readBuffer)
		var got bytes.Buffer
		if err := copyData(&got, r); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("got %.200q, want %.200q", got.Bytes(), want)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "QUIT\r\n" {
			t.Fatalf("after the data: %.100q", rest)
		}
	})
}

// decodeSlowly is the rule once more, as simply as it can be said.
func decodeSlowly(stream []byte) (data []byte, rest []byte, ended bool) {
	start := true
	for i := 0; i < len(stream); {
		if start && bytes.HasPrefix(stream[i:], []byte(".\r\n")) {
			return data, stream[i+3:], true
		}
		if start && stream[i] == '.' {
			i++
			start = false
			continue
		}
		data = append(data, stream[i])
		start = stream[i] == '\n' && i > 0 && stream[i-1] == '\r'
		i++
	}
	return data, nil, false
}

func FuzzData(f *testing.F) {
	for _, s := range []string{
		"", ".\r\n", "a\r\n.\r\n", "..\r\n.\r\n", "a\n.\nb\r\n.\r\n", "a\n.\r\nb\r\n.\r\n", "a\r.\r\n\r\n.\r\n",
		"a\r\n.\nb\r\n.\r\n", "a\r\n.\rb\r\n.\r\n", "a\r\r\n.\r\n", "a\r\r\n..\r\n.\r\n", "\r\n.\r\n", ".", ".\r", "\r\n.",
		"\x00\r\n.\r\nMAIL FROM:<>\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		want, rest, ended := decodeSlowly(stream)
		for _, size := range []int{16, readBuffer} { // 16 is the smallest: lines in pieces
			r := bufio.NewReaderSize(bytes.NewReader(stream), size)
			var got bytes.Buffer
			err := copyData(&got, r)
			if ended != (err == nil) || !ended && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("buffer %d: error %v, ended %v", size, err, ended)
			}
			left, _ := io.ReadAll(r)
			if !bytes.Equal(got.Bytes(), want) || !bytes.Equal(left, rest) {
				t.Fatalf("buffer %d: got %q and %q, want %q and %q", size, got.Bytes(), left, want, rest)
			}
		}
	})
}

func TestSinkReadsOnAfterAFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	s := &sink{dst: writerFunc(func([]byte) (int, error) { return 0, broken })}
	for range 3 {
		if n, err := s.Write([]byte("abc")); n != 3 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if s.err != broken || s.n != 9 {
		t.Errorf("err %v, n %d", s.err, s.n)
	}
	s.discarded = discardLimit
	if _, err := s.Write([]byte("x")); !errors.Is(err, errTooMuchDiscarded) {
		t.Errorf("beyond the limit: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
