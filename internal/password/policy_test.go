package password

import (
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func newPolicy(t testing.TB, c PolicyConfig) *Policy {
	t.Helper()
	p, err := NewPolicy(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	p := newPolicy(t, PolicyConfig{})
	personal := []string{"kmueller", "Karla", "Müller", "k.mueller@steinberg-logistik.example", "Steinberg Logistik GmbH", "steinberg"}
	for _, c := range []struct{ password, code string }{
		{"correct horse battery", ""},
		{"Correct Horse Battery Staple", CodeCommon},
		{"correct-horse-battery-staple!", CodeCommon},
		{"Es war einmal", CodeCommon},
		{"Q W E R T Y U I O P !", CodeCommon},
		{"Kaffee Tanne Zebra 71", ""},
		{"xK9$mvQ2!pLw", ""},
		{"tbvxqkmwzrhd", ""},
		{"q8$Vz!mK2r", ""}, // ten characters, as good as random
		{"ünïcödé-ßteht-hier", ""},
		{strings.Repeat("a", MaxBytes+1), CodeLong},
		{"kurz", CodeShort},
		{"q8$Vz!mK2", CodeShort},
		{"Tannenbaum", CodeShort},
		{"\xff0123456789xyz", CodeEncoding},
		{"1234567890", CodeCommon},
		{"qwertyuiop", CodeCommon},
		{"Passwort1234", CodeGuessable},
		{"P@ssw0rt2024!", CodeGuessable},
		{"aaaaaaaaaaaaaaaa", CodeGuessable},
		{"abcabcabcabcabc", CodeGuessable},
		{"abcdefghijklmnop", CodeGuessable},
		{"qwertzuiopasdfghjkl", CodeGuessable},
		{"1qay2wsx3edc4rfv", CodeGuessable},
		{"24.12.1987!!", CodeGuessable},
		{"Sommer2024!!", CodeGuessable},
		{"troewssaptroewssap", CodeGuessable},
		{"Müller-Karla-1", CodePersonal},
		{"karla-mueller-2024", CodePersonal},
		{"Karla + drei Affen im Zoo", ""},
		{"steinbergsteinberg", CodePersonal},
		{"SteinbergLogistik", CodePersonal},
		{"k.mueller@steinberg-logistik.example", CodePersonal},
	} {
		err := p.Check(c.password, personal...)
		w, _ := AsWeak(err)
		code := ""
		if w != nil {
			code = w.Code
		}
		if code != c.code {
			t.Errorf("%.40q: %q (%v), %.3g guesses; want %q", c.password, code, err, p.Guesses(c.password, personal...), c.code)
		}
		if err != nil && len(c.password) > 4 && strings.Contains(err.Error(), c.password) {
			t.Errorf("%q: the error tells the password", c.password)
		}
	}
}

// TestEstimateGrows: what is appended never makes a password cheaper by much, and a
// piece that is known costs less than one that is not.
func TestEstimateGrows(t *testing.T) {
	t.Parallel()
	p := newPolicy(t, PolicyConfig{})
	for _, pair := range [][2]string{{"password", "pxsswqrd"}, {"Password", "PaSsWoRd"}, {"password", "p4$$w0rd"}, {"password", "password7k"}, {"1987", "8719"}} {
		if weak, strong := p.Guesses(pair[0]), p.Guesses(pair[1]); weak >= strong {
			t.Errorf("%q takes %.3g guesses, %q %.3g", pair[0], weak, pair[1], strong)
		}
	}
}

// TestEstimateIsQuick: the worst that a client may send takes no time worth naming.
func TestEstimateIsQuick(t *testing.T) {
	t.Parallel()
	p := newPolicy(t, PolicyConfig{})
	start := time.Now()
	for _, s := range []string{strings.Repeat("a", 1024), strings.Repeat("password", 128), strings.Repeat("1a", 512), strings.Repeat("2004", 256)} {
		p.Guesses(s)
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestBreached(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]func([20]byte, int) string{
		"with counts and CRLF": func(h [20]byte, n int) string { return fmt.Sprintf("%X:%d\r\n", h, n*n*n) },
		"bare, lower case":     func(h [20]byte, _ int) string { return fmt.Sprintf("%x\n", h) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for i := range 1000 {
				lines = append(lines, form(sha1.Sum(fmt.Appendf(nil, "leaked password %d", i)), i))
			}
			slices.Sort(lines)
			for _, text := range []string{strings.Join(lines, ""), strings.TrimRight(strings.Join(lines, ""), "\r\n")} {
				file := filepath.Join(t.TempDir(), "list.txt")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				b, err := OpenBreached(file)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 1200 {
					got, err := b.Has(fmt.Sprintf("leaked password %d", i))
					if err != nil || got != (i < 1000) {
						t.Fatalf("password %d: %v, %v", i, got, err)
					}
				}
				p := newPolicy(t, PolicyConfig{Breached: file})
				if w, ok := AsWeak(p.Check("leaked password 7")); !ok || w.Code != CodeBreached {
					t.Errorf("policy: %v", w)
				}
			}
		})
	}
}

func TestBreachedRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	a, b := fmt.Sprintf("%X", sha1.Sum([]byte("a"))), fmt.Sprintf("%X", sha1.Sum([]byte("b")))
	for name, text := range map[string]string{
		"empty": "", "no sums": "hallo\nwelt\n", "not ordered": strings.Repeat(max(a, b)+"\n", 50) + strings.Repeat(min(a, b)+"\n", 50),
		"one line": strings.Repeat("A", 5000), "html": "<!doctype html>\n",
	} {
		file := filepath.Join(t.TempDir(), "list.txt")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewPolicy(PolicyConfig{Breached: file}); err == nil {
			t.Errorf("%s: is taken for a list", name)
		} else if !strings.Contains(err.Error(), ErrBreachedList.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewPolicy(PolicyConfig{Breached: "/does/not/exist"}); err == nil {
		t.Error("a missing file goes unnoticed")
	}
}

func FuzzPolicy(f *testing.F) {
	for _, s := range []string{"", "password", "24.12.1987", "\xff", "ÄÖÜ", "1qay2wsx", strings.Repeat("ab", 60)} {
		f.Add(s, "anna")
	}
	p, err := NewPolicy(PolicyConfig{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, password, personal string) {
		err := p.Check(password, personal)
		if g := p.Guesses(password, personal); !(g >= 1) {
			t.Errorf("%q takes %v guesses", password, g)
		}
		if err == nil && (utf8.RuneCountInString(password) < FewLength || !utf8.ValidString(password)) {
			t.Errorf("%q is taken", password)
		}
	})
}
