package tsp_test

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// foreign reads testdata/foreign.txt: the options to verify by, and the lines of tokens.
func foreign(t *testing.T) (o tsp.Options, lines [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "foreign.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case f[0] == "at":
			if o.At, err = time.Parse(time.RFC3339, f[1]); err != nil {
				t.Fatal(err)
			}
		case f[0] == "root":
			root, err := x509.ParseCertificate(unbase64(t, f[1]))
			if err != nil {
				t.Fatal(err)
			}
			o.Anchors = tsp.NewAnchors([]*x509.Certificate{root})
		case f[0] == "crl":
			o.Sidecar = &tsp.Sidecar{CRLs: [][]byte{unbase64(t, f[1])}}
		default:
			lines = append(lines, f)
		}
	}
	return o, lines
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestForeignTokens: tokens that others have made, in forms that they may use and in
// forms that they must not, get the verdict that they should, for the reason that they
// should.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	o, lines := foreign(t)
	if len(lines) < 100 {
		t.Fatalf("%d tokens", len(lines))
	}
	for _, f := range lines {
		name, want, code := f[0], f[1], f[2]
		got, why := judged(t, unbase64(t, f[3]), o)
		if got.String() != want || why != code && (code != "-" || why != "") {
			t.Errorf("%s: %v (%s), want %s (%s)", name, got, why, want, code)
		}
	}
}

// judged returns the verdict on a token, and the code of the first finding that is not a
// remark.
func judged(t *testing.T, raw []byte, o tsp.Options) (evidence.Verdict, string) {
	t.Helper()
	token, err := tsp.ParseToken(raw)
	if err != nil {
		var code evidence.Code
		if !errors.As(err, &code) {
			t.Fatal(err)
		}
		return evidence.Invalid, string(code)
	}
	r := tsp.Verify(token, o)
	for _, f := range r.Findings {
		if f.Verdict != evidence.Valid {
			return r.Findings.Verdict(), string(f.Code)
		}
	}
	return r.Findings.Verdict(), ""
}
