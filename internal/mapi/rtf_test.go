package mapi

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// published are the examples of [MS-OXRTFCP] §4.
func published(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for want, s := range map[string]string{
		"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n": "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0",
		"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}":                     "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		out[want] = b
	}
	return out
}

func TestDecompressRTF(t *testing.T) {
	t.Parallel()
	for want, b := range published(t) {
		if got, err := decompressRTF(b); err != nil || string(got) != want {
			t.Errorf("%q, want %q: %v", got, want, err)
		}
		wrong := append([]byte{}, b...)
		wrong[12]++
		if got, err := decompressRTF(wrong); !errors.Is(err, ErrDamaged) || string(got) != want {
			t.Errorf("wrong checksum: %q, %v", got, err)
		}
		for n := range b {
			if _, err := decompressRTF(b[:n]); !errors.Is(err, ErrDamaged) {
				t.Errorf("%d bytes: %v, want ErrDamaged", n, err)
			}
		}
	}
	plain := "\x10\x00\x00\x00\x04\x00\x00\x00MELA\x00\x00\x00\x00{a}x"
	if got, err := decompressRTF([]byte(plain)); err != nil || string(got) != "{a}x" {
		t.Errorf("uncompressed: %q, %v", got, err)
	}
}

func TestReadRTF(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, want string
		html           bool
	}{
		{"text", `{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}Hello\par World\tab!}`, "Hello\r\nWorld\t!", false},
		{"escaped", `{\rtf1 a\\b\{c\}\~d\'e4\u8364?}`, "a\\b{c}\u00a0d\u00e4\u20ac", false},
		{"surrogates", `{\rtf1\uc1 \u-10179?\u-8704?}`, "\U0001F600", false},
		{"half", `{\rtf1\u-10179?x}`, "\uFFFDx", false},
		{"uc 2", `{\rtf1\uc2\u228 xxa}`, "äa", false},
		{"code page", `{\rtf1\ansi\ansicpg1251 \'cf\'f0}`, "Пр", false},
		{"font", `{\rtf1\ansi{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}{\f2\fcharset128 C;}}\f1 \'cf\f0 \'e4\f2 \'83\'65}`, "Пäテ", false},
		{"trail as it is", `{\rtf1\ansi{\fonttbl{\f2\fcharset128 C;}}\f2 \'83e}`, "テ", false},
		{"picture", `{\rtf1 a{\pict\wmetafile8 0100}{\*\unknown x}b}`, "ab", false},
		{"binary", "{\\rtf1 a{\\pict\\bin5 }}}}}}b}", "ab", false},
		{"link", `{\rtf1{\field{\*\fldinst HYPERLINK "x"}{\fldrslt text}}}`, "text", false},
		{"html", `{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0 A;}}{\*\htmltag19 <html>}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 caf\'e9 \lquote x\rquote{\*\htmltag84 &nbsp;}\htmlrtf \'a0\htmlrtf0 \htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>\par}{\*\mhtmltag1 <no>}{\*\htmltag27 </html>}}`,
			"<html><p>café &lsquo;x&rsquo;&nbsp;</p>\r\n</html>", true},
		{"no end", `{\rtf1 a{\b b`, "ab", false},
		{"too many ends", `{\rtf1 a}}}}b`, "ab", false},
	} {
		if got := readRTF([]byte(c.in), c.html); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestKindOfRTF(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{`{\rtf1\ansi\fromhtml1 }`: rtfHTML, `{\rtf1\ansi\fromtext }`: rtfText, `{\rtf1\ansi }`: rtfPlain} {
		if got := rtfKind([]byte(in)); got != want {
			t.Errorf("%s: %d, want %d", in, got, want)
		}
	}
}

// TestDeepRTF takes groups without end.
func TestDeepRTF(t *testing.T) {
	t.Parallel()
	if got := readRTF([]byte(strings.Repeat("{", 1<<20)+"a"+strings.Repeat("}", 1<<20)+"b"), false); got != "ab" {
		t.Errorf("%.20q", got)
	}
}

func FuzzDecompressRTF(f *testing.F) {
	for _, b := range published(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := decompressRTF(b)
		if err != nil && !errors.Is(err, ErrDamaged) || len(out) > 9*len(b) {
			t.Errorf("%d bytes out of %d: %v", len(out), len(b), err)
		}
	})
}

func FuzzReadRTF(f *testing.F) {
	f.Add([]byte(`{\rtf1\ansi\fromhtml1{\fonttbl{\f1\fcharset128 A;}}\f1 \'83\'65\u-10179?\u-8704?{\*\htmltag1 <p>}\htmlrtf x\htmlrtf0\bin3 abc}`), true)
	f.Add([]byte(`{\rtf1\ansicpg936\uc2 a\par{\pict 00}\u228 xx}`), false)
	f.Fuzz(func(t *testing.T, b []byte, html bool) {
		start := time.Now()
		if s := readRTF(b, html); !utf8.ValidString(s) {
			t.Errorf("%q is not valid UTF-8", s)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("took %v", d)
		}
	})
}
