package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// inLines encodes n bytes of data in lines.
func inLines(n, line int, eol string) string {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	s := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(s) > line {
		b.WriteString(s[:line] + eol)
		s = s[line:]
	}
	return b.String() + s
}

// oddBodies are bodies that mail programs do make, and what is cut out of them:
// the decoded bytes.
var oddBodies = []struct {
	name string
	raw  string
	cut  []int64
}{
	{"empty", "", nil},
	{"text", "Dear all,\r\nthere is nothing to see here, only words that go on and on.\r\n", nil},
	{"usual", "\r\n" + inLines(1000, 76, "\r\n") + "\r\n\r\n--b--\r\n", []int64{1000}},
	{"LF", "\n" + inLines(1001, 76, "\n") + "\n\n", []int64{1001}},
	{"at the very start and end", inLines(1000, 76, "\r\n"), []int64{1000}},
	{"lines of 64", inLines(999, 64, "\r\n") + "\r\n", []int64{999}},
	{"lines of 61, no multiple of four", inLines(998, 61, "\r\n") + "\r\n", []int64{998}},
	{"one line", inLines(3000, 1<<20, "\r\n") + "\r\n", []int64{3000}},
	{"a line over the limit", inLines(60<<10, 1<<20, "\r\n") + "\r\n", nil},
	{"two bodies", inLines(300, 76, "\r\n") + "\r\n--b\r\n\r\n" + inLines(400, 72, "\r\n") + "\r\n", []int64{300, 400}},
	{"trailing spaces", strings.ReplaceAll(inLines(1000, 76, "\r\n"), "\r\n", " \r\n") + " \r\n", nil},
	{"one trailing space", strings.Replace(inLines(1000, 76, "\r\n"), "\r\n", " \r\n", 1), []int64{943}},
	{"blank lines between", strings.ReplaceAll(inLines(1000, 76, "\r\n"), "\r\n", "\r\n\r\n"), nil},
	{"CRLF, then LF", inLines(228, 76, "\r\n") + "\r\n" + inLines(228, 76, "\n"), []int64{285, 171}},
	{"CR only", strings.ReplaceAll(inLines(1000, 76, "\r\n"), "\r\n", "\r"), nil},
	{"truncated within a quantum", inLines(1000, 76, "\r\n")[:690], []int64{504}},
	{"truncated, then text", inLines(1000, 76, "\r\n")[:690] + "\r\n-- \r\nlost\r\n", []int64{504}},
	{"without padding", strings.TrimRight(inLines(1000, 76, "\r\n"), "=") + "\r\n", []int64{999}},
	{"too much padding", inLines(999, 76, "\r\n") + "====\r\n", []int64{17 * 57}},
	{"bits set under the padding", inLines(998, 76, "\r\n")[:len(inLines(998, 76, "\r\n"))-2] + "B=\r\n", nil},
	{"padding in the middle", inLines(76, 76, "\r\n") + "\r\n" + inLines(1000, 76, "\r\n"), []int64{1000}},
	{"URL alphabet", strings.NewReplacer("+", "-", "/", "_").Replace(inLines(1000, 76, "\r\n")), []int64{114, 114}},
	{"hexadecimal", strings.Repeat(strings.Repeat("0123456789abcdef", 4)+"\r\n", 20), nil},
	{"quoted", "> " + strings.ReplaceAll(inLines(1000, 76, "\r\n"), "\r\n", "\r\n> "), nil},
	{"NUL within", inLines(1000, 76, "\r\n")[:500] + "\x00" + inLines(1000, 76, "\r\n")[501:], []int64{342, 601}},
	{"uuencode", "begin 644 a.bin\r\n" + strings.Repeat("M````````````````````````````````````````````````````````````\r\n", 30) + "`\r\nend\r\n", nil},
	{"quoted-printable", strings.Repeat("Sch=C3=B6ne Gr=C3=BC=C3=9Fe aus dem sonnigen M=C3=BCnchen an alle, die dies =\r\n", 30), nil},
}

func TestOddBodies(t *testing.T) {
	t.Parallel()
	v := &Vault{}
	var err error
	if v.codec, err = newCodec(); err != nil {
		t.Fatal(err)
	}
	for _, c := range oddBodies {
		t.Run(c.name, func(t *testing.T) {
			var got []int64
			for _, o := range takeApart([]byte(c.raw), packs).ops {
				got = append(got, o.size)
			}
			if diff := cmp.Diff(c.cut, got); diff != "" {
				t.Errorf("bytes cut out (-want +got):\n%s", diff)
			}
			for _, around := range []string{"", "From: a\r\n\r\n", "x", "\n", inLines(200, 76, "\n")} {
				comesBack(t, v, []byte(around+c.raw))
				comesBack(t, v, []byte(c.raw+around))
			}
		})
	}
}

// comesBack makes sure that a message comes back from both ways of taking it
// apart, without the retreat to keeping it as it is, and that both agree.
func comesBack(t interface {
	Helper()
	Fatalf(string, ...any)
}, v *Vault, raw []byte) {
	t.Helper()
	b := takeApart(raw, packs)
	plain, err := v.packMessage(sha256.Sum256(raw), []byte("meta"), b)
	if err != nil {
		t.Fatalf("pack: %v", err)
	}
	if err := v.proveSmall(plain, raw, b.parts); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	for _, o := range b.ops {
		if o.size < minCut || o.encoded() > int64(len(raw)) {
			t.Fatalf("%q: operation %+v", raw, o)
		}
	}
	sums, cuts, err := survey(context.Background(), bytes.NewReader(raw))
	if err != nil || sums.SHA256 != sha256.Sum256(raw) {
		t.Fatalf("survey: %v", err)
	}
	if small := findCuts(raw); !slices.Equal(small, cuts) {
		t.Fatalf("%q:\nin memory %+v\nstreamed  %+v", raw, small, cuts)
	}
	ops, err := planOps(context.Background(), bytes.NewReader(raw), cuts)
	if err != nil || len(ops) != len(b.ops) {
		t.Fatalf("%q: %d operations in memory, %d streamed, %v", raw, len(b.ops), len(ops), err)
	}
}

// Any mixture of bodies, line lengths, line breaks and accidents comes back.
func TestAnyMessageComesBack(t *testing.T) {
	t.Parallel()
	v := &Vault{}
	var err error
	if v.codec, err = newCodec(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(0, 6).Draw(t, "pieces") {
			eol := rapid.SampledFrom([]string{"\r\n", "\n"}).Draw(t, "eol")
			switch rapid.IntRange(0, 3).Draw(t, "piece") {
			case 0:
				b.WriteString(rapid.StringMatching(`[ -~]{0,80}`).Draw(t, "text") + eol)
			case 1:
				b.WriteString(inLines(rapid.IntRange(0, 30000).Draw(t, "size"), rapid.IntRange(1, 200).Draw(t, "line"), eol))
			case 2:
				b.WriteString(eol)
			case 3:
				b.Write(rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "bytes"))
			}
		}
		raw := []byte(b.String())
		for range rapid.IntRange(0, 3).Draw(t, "accidents") {
			if len(raw) > 0 {
				raw[rapid.IntRange(0, len(raw)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("=\n\r A+\x00\xff")).Draw(t, "byte")
			}
		}
		comesBack(t, v, raw)
	})
}

// Whatever is taken apart can be put together.
func FuzzCut(f *testing.F) {
	for _, c := range oddBodies {
		if len(c.raw) < 5000 { // longer ones are slow to mutate
			f.Add([]byte(c.raw))
		}
	}
	v := &Vault{}
	var err error
	if v.codec, err = newCodec(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > smallSize {
			return
		}
		comesBack(t, v, raw)
	})
}
