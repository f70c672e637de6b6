package smtp

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzCommand(f *testing.F) {
	for _, s := range []string{
		"", "MAIL FROM:<a@b> SIZE=1", "RCPT TO:<\"a > b\\\"\"@c> NOTIFY=NEVER", "MAIL FROM:<@x,@y:a@b>", "RCPT TO: a@b", "BDAT 12 LAST", "BDAT -1",
		"MAIL FROM:<a@b> =x", "BDAT 99999999999999999999", "MAIL FROM:<\"", "MAIL FROM:<@:>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		verb, arg := splitCommand(line)
		if strings.Contains(verb, " ") || arg != strings.Trim(arg, " \t") {
			t.Fatalf("verb %q, argument %q", verb, arg)
		}
		for _, prefix := range []string{"FROM:", "TO:"} {
			p, ok := parsePath(arg, prefix)
			if !ok {
				continue
			}
			if len(p.address) > maxPath || !utf8.ValidString(p.address) || strings.ContainsAny(p.address, "\x00\r\n\t") || len(p.params) > maxParameters {
				t.Fatalf("%q: %+v", arg, p)
			}
		}
		if n, _, ok := parseChunk(arg); ok && n < 0 {
			t.Fatalf("%q: chunk of %d", arg, n)
		}
	})
}
