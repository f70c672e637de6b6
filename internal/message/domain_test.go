package message

import (
	"strings"
	"testing"
)

func TestNormalizeDomain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Example.COM": "example.com", " example.com. ": "example.com", "@example.com": "example.com",
		"xn--mller-kva.example": "müller.example", "MÜLLER.example": "müller.example", "mu\u0308ller.example": "müller.example",
		"example": "", "": "", "anna@example.com": "", "exa mple.com": "", "[192.0.2.1]": "", "http://example.com": "", "..": "", "a..b": "",
		"127.0.0.1": "", "192.0.2": "", "1.2.3.4.": "", "::1": "", "2001:db8::1": "", "[::1]": "", "firma.123": "", "4711.example": "4711.example", "a.b1": "a.b1",
		strings.Repeat("a", 63) + ".example": strings.Repeat("a", 63) + ".example", strings.Repeat("a", 64) + ".example": "",
	} {
		if got, ok := NormalizeDomain(in); got != want || ok != (want != "") {
			t.Errorf("NormalizeDomain(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	for in, want := range map[string]string{
		"anna@example.com": "example.com", "anna@mu\u0308ller.example": "müller.example", "anna": "", "": "", "a@b@c.example": "c.example",
		"/o=firma/cn=anna": "", NormalizeAddress("Anna@XN--mller-kva.example"): "müller.example",
	} {
		if got := DomainOf(in); got != want {
			t.Errorf("DomainOf(%q) = %q, want %q", in, got, want)
		}
	}
}

// What is a domain stays one, and stays the same.
func FuzzNormalizeDomain(f *testing.F) {
	for _, s := range []string{"example.com", "xn--mller-kva.example", "MÜLLER.example.", "a..b", "xn--.example", "\u200d.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := NormalizeDomain(s)
		if !ok {
			return
		}
		if again, ok := NormalizeDomain(d); !ok || again != d {
			t.Errorf("%q becomes %q, and that %q, %v", s, d, again, ok)
		}
		if got := DomainOf("a@" + d); got != d {
			t.Errorf("the domain of an address in %q is %q", d, got)
		}
	})
}
