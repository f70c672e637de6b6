package mbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/corpustest"
)

const sep = "From a@b.example Mon Jan  2 15:04:05 2006\n"

// readAll returns the messages of a file.
func readAll(file []byte, v Variant) ([]string, []Message, error) {
	r := NewReader(bytes.NewReader(file), int64(len(file)), v)
	var bodies []string
	var infos []Message
	for {
		m, err := r.Next()
		if errors.Is(err, io.EOF) {
			return bodies, infos, nil
		}
		if err != nil {
			return bodies, infos, err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return bodies, infos, err
		}
		bodies, infos = append(bodies, string(b)), append(infos, *m)
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	cr := func(s string) string { return strings.ReplaceAll(s, "\n", "\r") }
	a, b := "Subject: a\n\nbody a\n", "Subject: b\n\nbody b\n"
	long := "Subject: l\n\n" + strings.Repeat("x", 3*buffer) + "\n"
	tests := []struct {
		name string
		v    Variant
		file string
		want []string
	}{
		{"empty file", Auto, "", nil},
		{"only empty lines", Auto, "\n\r\n\n", nil},
		{"one", Auto, sep + a + "\n", []string{a}},
		{"two", Auto, sep + a + "\n" + sep + b + "\n", []string{a, b}},
		{"no last empty line", Auto, sep + a + "\n" + sep + b, []string{a, b}},
		{"no last line end", Auto, sep + a + "\n" + sep + "Subject: b\n\nb", []string{a, "Subject: b\n\nb"}},
		{"CR LF", Auto, crlf(sep + a + "\n" + sep + b + "\n"), []string{crlf(a), crlf(b)}},
		{"CR LF messages between LF separators", Auto, sep + crlf(a) + "\n" + sep + crlf(b) + "\n", []string{crlf(a), crlf(b)}},
		{"byte order mark", Auto, "\xef\xbb\xbf" + sep + a + "\n", []string{a}},
		{"empty lines belong to the message but one", Auto, sep + a + "\n\n\n" + sep + b + "\n\n", []string{a + "\n\n", b + "\n"}},
		{"joined without an empty line", Auto, sep + a + sep + b, []string{a, b}},
		{"empty message", Auto, sep + "\n" + sep + a, []string{"", a}},
		{"separator alone", Auto, strings.TrimSpace(sep), []string{""}},
		{"long line", Auto, sep + long + "\n" + sep + a, []string{long, a}},
		{"separator across the buffer", Auto, sep + strings.Repeat("y", buffer-len(sep)-3) + "\n\n" + sep + a, []string{strings.Repeat("y", buffer-len(sep)-3) + "\n", a}},
		{"sentence after another line", Auto, sep + a + "so\nFrom here on\n", []string{a + "so\nFrom here on\n"}},
		{"sentence after an empty line", Auto, sep + a + "\nFrom the start:\nyes\n", []string{a + "\nFrom the start:\nyes\n"}},
		{"sentence with a colon below", Auto, sep + a + "\nFrom Monday on\nNote: late\n", []string{a + "\nFrom Monday on\nNote: late\n"}},
		{"date but no field, not after an empty line", Auto, sep + a + "x\n" + sep + "text\n", []string{a + "x\n" + sep + "text\n"}},
		{"odd separators", Auto, "From - Tue Oct 11 10:07:08 2011\n" + a + "\nFrom ???@??? Tue Oct 11 10:07 2011 +0100\n" + b +
			"\nFrom joe at host.example  Tue Oct 11 10:07:08 2011\n" + a + "\nFrom 1467@xxx Thu Jun 30 10:10:10 +0000 2016\n" + b +
			"\nFrom nobody\n" + a, []string{a, b, a, b, a}},
		{"quoting rd", RD, sep + "A: b\n\n>From x\n>>From y\n>Fromage\n> From z\n", []string{"A: b\n\nFrom x\n>From y\n>Fromage\n> From z\n"}},
		{"quoting o", O, sep + "A: b\n\n>From x\n>>From y\n", []string{"A: b\n\nFrom x\n>>From y\n"}},
		{"quoting auto is rd", Auto, sep + "A: b\n\n>From x\n>>From y\n", []string{"A: b\n\nFrom x\n>From y\n"}},
		{"no quoting in cl2", CL2, sep + "A: b\n\n>From x\n", []string{"A: b\n\n>From x\n"}},
		{"length over separators", CL2, sep + "Content-Length: 53\n\nx\n\n" + sep + "To: you\n\n" + sep + a + "\n", []string{"Content-Length: 53\n\nx\n\n" + sep + "To: you\n", a}},
		{"length in auto, all agree", Auto,
			sep + "Content-Length: 2\n\nx\n\n" + sep + "Content-Length: 54\n\nx\n\n" + sep + "To: you\n\n\n" + sep + "Content-Length: 1\n\n\n\n",
			[]string{"Content-Length: 2\n\nx\n", "Content-Length: 54\n\nx\n\n" + sep + "To: you\n\n", "Content-Length: 1\n\n\n"}},
		{"length in auto keeps quoting", Auto, sep + "Content-Length: 8\n\n>From x\n\n" + sep + a, []string{"Content-Length: 8\n\n>From x\n", a}},
		{"forged length in auto", Auto, sep + a + "\n" + sep + "Content-Length: 64\n\nx\n\n" + sep + b + "\n" + sep + a, []string{a, "Content-Length: 64\n\nx\n", b, a}},
		{"wrong length", Auto, sep + "Content-Length: 3\n\n>From x\n\n" + sep + a, []string{"Content-Length: 3\n\nFrom x\n", a}},
		{"huge length", CL2, sep + "Content-Length: 99999999999999999999\n\nx\n\n" + sep + a, []string{"Content-Length: 99999999999999999999\n\nx\n", a}},
		{"length beyond the file", CL2, sep + "Content-Length: 999\n\nx\n\n" + sep + a, []string{"Content-Length: 999\n\nx\n", a}},
		{"length without line end", CL2, sep + "Content-Length: 1\n\nx\n\n" + sep + a, []string{"Content-Length: 1\n\nx", a}},
		{"CR alone", Auto, cr(sep + a + "\n" + sep + b + "\n"), []string{cr(a), cr(b)}},
		{"CR alone, no last line end", Auto, cr(sep + a + "\n" + sep + "Subject: b\n\nb"), []string{cr(a), "Subject: b\r\rb"}},
		{"CR alone, undated and quoted", Auto, cr("\nFrom \n" + a + ">From x\n\nFrom here on\n\nFrom -\n" + b), []string{cr(a + "From x\n\nFrom here on\n"), cr(b)}},
		{"CR alone, one empty message", Auto, cr(sep), []string{""}},
		{"CR alone, long line", Auto, cr(sep + long + "\n" + sep + a), []string{cr(long), cr(a)}},
		{"CR alone, then CR LF at the end of the buffer", Auto, cr(sep) + strings.Repeat("y", buffer-len(sep)-1) + "\r\n\r\n" + cr(sep+a),
			[]string{strings.Repeat("y", buffer-len(sep)-1) + "\r\n", cr(a)}},
		{"CR, LF and CR LF joined", Auto, sep + a + "\n" + cr(sep+b+"\n") + crlf(sep+a+"\n") + cr(sep+b), []string{a, cr(b), crlf(a), cr(b)}},
		{"CR within an LF file", Auto, sep + "Subject: x\rFrom y\n\n\rFrom a\rb\n\nFrom q\rSubject: no\n", []string{"Subject: x\rFrom y\n\n\rFrom a\rb\n\nFrom q\rSubject: no\n"}},
		{"length with unix-from in header", CL, sep + ">From q\nContent-Length: 8\n\n>From x\n\n" + sep + a, []string{"From q\nContent-Length: 8\n\nFrom x\n", a}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, infos, err := readAll([]byte(tt.file), tt.v)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			for i, m := range infos {
				if m.No != i+1 || !strings.HasPrefix(tt.file[m.Offset:], m.Separator) || !strings.HasPrefix(m.Separator, "From ") {
					t.Errorf("message %d is said to be %+v", i+1, m)
				}
			}
		})
	}
}

func TestNotMbox(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"Subject: x\n\n", "From: a@b\n", "0\r", "\r0\rFrom x\r", " From a\n", ">From a\n", "\x00", "From" + strings.Repeat(" x", 2000)} {
		if got, _, err := readAll([]byte(file), Auto); !errors.Is(err, ErrNotMbox) || len(got) != 0 {
			t.Errorf("%.20q: %q, %v", file, got, err)
		}
	}
}

// write is a writer of all variants, independent of the reader.
func write(messages []string, v Variant, eol string) string {
	quoteRD, quoteO := regexp.MustCompile(`(?m)^(>*From )`), regexp.MustCompile(`(?m)^(From )`)
	var b strings.Builder
	for _, m := range messages {
		head, body, _ := strings.Cut(m, eol+eol)
		switch v {
		case RD, Auto:
			m = quoteRD.ReplaceAllString(m, ">$1")
		case O:
			m = quoteO.ReplaceAllString(m, ">$1")
		case CL:
			body = quoteO.ReplaceAllString(body, ">$1")
			m = head + eol + fmt.Sprintf("Content-Length: %d", len(body)) + eol + eol + body
		case CL2:
			m = head + eol + fmt.Sprintf("Content-Length: %d", len(body)) + eol + eol + body
		}
		b.WriteString(strings.ReplaceAll(sep, "\n", eol) + m + eol)
	}
	return b.String()
}

func TestEveryVariantComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom([]Variant{Auto, RD, O, CL, CL2}).Draw(t, "variant")
		eol := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "eol")
		if eol == "\r" && (v == CL || v == CL2) {
			eol = "\n" // no program has written such
		}
		line := rapid.SampledFrom([]string{
			"", "text", "From x", "From here on", "From a@b.example Mon Jan  2 15:04:05 2006", "Subject: inner", ">From q", ">>From q",
			"Content-Length: 5", ">", "> From", "\x00\xff", "bare\rCR", "\r", strings.Repeat("z", buffer+3), "FROM x", "From:",
		})
		body := rapid.SliceOfN(line, 0, 12)
		messages := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			lines := body.Draw(t, "body")
			if v == O { // mboxo cannot keep what looks quoted already
				for i := range lines {
					lines[i] = strings.TrimLeft(lines[i], ">")
				}
			}
			if eol == "\r" { // every CR ends a line, and "(?m)^" of the writer knows LF only
				for i := range lines {
					lines[i] = strings.ReplaceAll(lines[i], "From ", "from ")
				}
			}
			return "Subject: m" + eol + eol + strings.Join(append(lines, ""), eol)
		}), 1, 6).Draw(t, "messages")
		file := write(messages, v, eol)
		want := messages
		if v == CL || v == CL2 { // the writer has added a field
			want = nil
			for _, m := range messages {
				_, body, _ := strings.Cut(m, eol+eol)
				stored := body
				if v == CL {
					stored = regexp.MustCompile(`(?m)^From `).ReplaceAllString(body, ">From ")
					body = regexp.MustCompile(`(?m)^>From `).ReplaceAllString(stored, "From ")
				}
				want = append(want, "Subject: m"+eol+fmt.Sprintf("Content-Length: %d", len(stored))+eol+eol+body)
			}
		}
		got, _, err := readAll([]byte(file), v)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%v:\n%s\nfile: %.2000q", v, d, file)
		}
		// Joined files are the messages of both.
		twice, _, err := readAll([]byte(file+file), v)
		if err != nil || !cmp.Equal(append(want[:len(want):len(want)], want...), twice) {
			t.Fatalf("%v: joined file: %d messages, %v; want %d", v, len(twice), err, 2*len(want))
		}
	})
}

func TestSkippingIsLikeReading(t *testing.T) {
	t.Parallel()
	file := write([]string{"A: 1\n\n" + strings.Repeat("x\n", buffer), "B: 2\n\n", "C: 3\n\nFrom x\n"}, RD, "\n")
	r := NewReader(strings.NewReader(file), int64(len(file)), RD)
	for i := range 3 {
		m, err := r.Next()
		if err != nil || m.No != i+1 {
			t.Fatalf("message %d: %+v, %v", i+1, m, err)
		}
		if _, err := r.Read(make([]byte, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
	if r.Pos() != int64(len(file)) {
		t.Errorf("at %d of %d", r.Pos(), len(file))
	}
}

// brokenFile fails to be read beyond a point.
type brokenFile struct {
	io.ReaderAt
	from int64
}

func (b brokenFile) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.from {
		return 0, errors.New("bad sector")
	}
	return b.ReaderAt.ReadAt(p, off)
}

func TestReadErrorIsNotTheEnd(t *testing.T) {
	t.Parallel()
	file := sep + "A: b\n\n" + strings.Repeat("x\n", 3*buffer)
	r := NewReader(brokenFile{strings.NewReader(file), 2 * buffer}, int64(len(file)), Auto)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err == nil || !strings.Contains(err.Error(), "bad sector") {
		t.Errorf("read: %v", err)
	}
	if _, err := r.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("next: %v", err)
	}
}

// TestPipermail counts the messages of real list archives by another rule:
// pipermail writes `From user at host  date` (once user@host) and then a From: field, and
// quotes nothing else that way.
func TestPipermail(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpustest.Dir(t), "cases", "mbox-pipermail", "*", "*", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	start := regexp.MustCompile(`(?m)^From .+(?: at |@).+  [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\nFrom: `)
	var total int
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := start.FindAllIndex(file, -1)
		got, infos, err := readAll(file, Auto)
		if err != nil || len(got) != len(at) {
			t.Errorf("%s: %d messages, want %d, %v", filepath.Base(name), len(got), len(at), err)
			continue
		}
		total += len(at)
		for i, m := range infos {
			end := len(file)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			text := string(file[at[i][0]+len(m.Separator)+1 : end])
			if strings.HasSuffix(text, "\n\n") { // some of the files have no empty line there
				text = text[:len(text)-1]
			}
			want := regexp.MustCompile(`(?m)^>(>*From )`).ReplaceAllString(text, "$1")
			if m.Offset != int64(at[i][0]) || got[i] != want {
				t.Errorf("%s: message %d at %d differs: %s", filepath.Base(name), i+1, m.Offset, cmp.Diff(want, got[i]))
			}
		}
	}
	t.Logf("%d messages in %d files", total, len(files))
}

func BenchmarkReader(b *testing.B) {
	file := write([]string{strings.Repeat("A: some ordinary line of a message that is 64 bytes in length.\n", 1000)}, RD, "\n")
	file = strings.Repeat(file, 100)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		r := NewReader(strings.NewReader(file), int64(len(file)), Auto)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func FuzzMbox(f *testing.F) {
	for _, s := range []string{
		"", "\n", sep, sep + "A: b\n\nc\n\n" + sep + "A: b\n", "From x\n>From y\n", sep + "Content-Length: 3\n\nab\n\n" + sep + "Content-Length: 0\n\n\n",
		strings.ReplaceAll(sep+"A: b\n\nc\n\n"+sep+"A: b\n", "\n", "\r"), "From a\rX-A: b\n\r\n" + sep + "\r\r" + "From b Mon Jan 2 1:02 2006\rx:\r\r",
		"\xef\xbb\xbf" + sep, sep + "\r\n\r\n" + sep, "From a\r\n\r\nFrom b Mon Jan 2 1:02 2006\nx:\n",
		sep + "Content-Length: 1\n\n\n" + sep + "Content-Length: 1\n\n\n\n",
	} {
		for v := range names {
			f.Add([]byte(s), uint8(v))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, v uint8) {
		variant := Variant(v % uint8(len(names)))
		got, infos, err := readAll(file, variant)
		if err != nil && (!errors.Is(err, ErrNotMbox) || len(got) > 0) {
			t.Fatalf("error %v after %d messages", err, len(got))
		}
		// Every byte is in one message, or is a separator, an undone quote or an
		// empty line.
		var n, lines int
		last := int64(-1)
		for i, m := range infos {
			if m.Offset <= last || m.No != i+1 || !hasFrom(file[m.Offset:]) {
				t.Fatalf("message %d: %+v", i+1, m)
			}
			last = m.Offset
			n += len(got[i]) + len(m.Separator)
		}
		lines = bytes.Count(file, []byte("\n"))
		if err == nil && (n > len(file) || n+bytes.Count(file, []byte(">"))+2*lines+2*len(infos)+3+bytes.Count(file, []byte("\r")) < len(file)) {
			t.Fatalf("%d bytes in messages and separators, file has %d", n, len(file))
		}
		// What was read can be written as mboxrd and read again.
		var again []string
		for _, m := range got {
			again = append(again, "S: x\n\n"+m+"\n")
		}
		back, _, err := readAll([]byte(write(again, RD, "\n")), RD)
		if err != nil || !cmp.Equal(again, back) {
			t.Fatalf("written and read again: %v\n%s", err, cmp.Diff(again, back))
		}
	})
}
