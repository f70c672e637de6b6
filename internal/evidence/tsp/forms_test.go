package tsp_test

import (
	"bytes"
	"testing"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// The signature is over the DER of the signed attributes, also if they are sent in another
// order (RFC 5652 §5.4).
func TestUnorderedAttributes(t *testing.T) {
	t.Parallel()
	for _, scheme := range []algo.Scheme{algo.ECDSA, algo.PSS} {
		a := authority(t, tsa.Options{Scheme: scheme})
		a.Alter = func(p *tsa.Parts) { p.Unordered = true }
		token := issue(t, a)
		o := tsp.Options{Anchors: anchors(a), Revocation: tsp.RevocationIfPresent}
		if r := tsp.Verify(token, o); r.Findings.Verdict() != evidence.Valid {
			t.Errorf("%s: %+v", scheme, r.Findings)
		}
		sum := algo.SHA256.Sum(a.Unit().Raw) // in the attribute that names the certificate
		at := bytes.Index(token.Raw, sum)
		if at < 0 {
			t.Fatal("no certificate is named")
		}
		b := bytes.Clone(token.Raw)
		b[at] ^= 1
		token, err := tsp.ParseToken(b)
		if err != nil {
			t.Fatal(err)
		}
		if r := tsp.Verify(token, o); r.Findings.Verdict() != evidence.Invalid {
			t.Errorf("%s, changed: %+v", scheme, r.Findings)
		}
	}
}
