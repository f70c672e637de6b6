package ers_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/der"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// vector is a public record with what is expected of it.
type vector struct {
	data      []ers.Data       // nil: the structure alone
	integrity evidence.Verdict // of data, trees and signatures
	code      evidence.Code    // a finding that must be there
	// verdict with the certificates inside the tokens as anchors and the shipped
	// catalogue, at the time of the last stamp.
	verdict evidence.Verdict
}

func text(s ...string) []ers.Data {
	var all []ers.Data
	for _, x := range s {
		all = append(all, ers.Bytes(x))
	}
	return all
}

// sha256s are data of which only the hash is public.
func sha256s(t *testing.T, values ...string) []ers.Data {
	t.Helper()
	var all []ers.Data
	for _, v := range values {
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ers.Digests{algo.SHA256: b})
	}
	return all
}

// windows is a file whose line ends were CR LF when it was stamped; its public
// copy has lost the CR.
func windows(t *testing.T, path string) ers.Bytes {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ers.Bytes(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))
}

const (
	bcDir  = "bcgit+bc-java/pkix/src/test/resources/org/bouncycastle/tsp/test/"
	bsiDir = bcDir + "20170316_Testdaten/"
	dssDir = "esig+dss/dss-evidence-record-asn1/src/test/resources/"
)

// vectors lists every record of the corpus (reference standards.md §5.2). What
// is invalid there although its certificates are test ones is so by its hashes.
func vectors(t *testing.T, dir string) map[string]vector {
	t.Helper()
	file := func(name string) []ers.Data { return []ers.Data{ers.File(filepath.Join(dir, name))} }
	bin := file(bcDir + "BIN.bin")
	two := sha256s(t, "nOLX01D5QYQHQ58MoR3MEquffNsV+ezF7Kk1SCYCuHI=", "7sxNM1LA6WX9iHle39GmDFrAmzwRAMBS67auC9NDKyY=")
	const ok, unsure, bad = evidence.Valid, evidence.Indeterminate, evidence.Invalid
	tool := bsiDir + "Testdaten_ERS-Testool/rfc4998/"
	c2 := bsiDir + "BSI TR-ESOR C.2 TestData/"
	return map[string]vector{
		bcDir + "BIN_ER.ers":                {bin, ok, "", ok},
		tool + "1Chain1ATS/BIN_ER.ers":      {bin, ok, "", ok},
		tool + "1Chain2ATS/BIN_ER.ers":      {bin, ok, "", ok},
		tool + "1Chain2ATS/testRenewal.ers": {bin, ok, tsp.CodeAlgorithm, unsure}, // the last token is of 2018 and signs SHA-1
		tool + "2Chains3ATS/BIN_ER.ers":     {bin, ok, "", ok},
		c2 + "ER_OK_INIT.ers":               {two, ok, "", ok},
		c2 + "ER_OK_CHAIN.ers":              {two, ok, "", ok},
		c2 + "ER_OK_SEQ.ers":                {two, unsure, ers.CodeNoHash, unsure}, // SHA-384 of the data is not public
		c2 + "ER_NOK_INIT.ers":              {nil, bad, ers.CodeRoot, bad},
		c2 + "ER_NOK_CHAIN.ers":             {two, bad, ers.CodeRenewal, bad},
		c2 + "ER_NOK_SEQ.ers":               {nil, bad, ers.CodeRoot, bad},

		dssDir + "BIN-1_ER.ers":                                       {file(dssDir + "BIN-1.bin"), ok, "", ok},
		dssDir + "BIN-2_ER.ers":                                       {file(dssDir + "BIN-2.bin"), ok, "", ok},
		dssDir + "BIN-3_ER.ers":                                       {file(dssDir + "BIN-3.bin"), ok, "", ok},
		dssDir + "BIN-4_ER.ers":                                       {file(dssDir + "BIN-4.bin"), ok, "", ok},
		dssDir + "BIN-1_ER_malformed.ers":                             {bin, bad, ers.CodeMalformed, bad},
		dssDir + "ER-2Chains3ATS.ers":                                 {append(file(dssDir+"ER-2Chains3ATS1.bin"), file(dssDir+"ER-2Chains3ATS2.bin")...), ok, "", ok},
		dssDir + "1_0_Initial.er":                                     {text("123456"), ok, "", ok},
		dssDir + "1_1_Renew_Unsorted.er":                              {text("123456"), ok, "", ok},
		dssDir + "1_2_Renew_Unsorted.er":                              {text("123456"), ok, ers.CodeSameTime, ok},
		dssDir + "1_3_Renew_Unsorted.er":                              {text("123456"), ok, ers.CodeSameTime, ok},
		dssDir + "er-asn1-full-renewal.ers":                           {text("\x03", "\x01"), ok, "", ok},
		dssDir + "er-asn1-full-renewal-tst-renewal.ers":               {text("\x03"), ok, tsp.CodeExpired, unsure}, // renewed a year after the test unit ended
		dssDir + "er-asn1-full-renewal-two-ats-chain.ers":             {text("\x03"), ok, tsp.CodeExpired, unsure},
		dssDir + "er-asn1-full-renewal-three-ats-chain.ers":           {text("\x03"), ok, tsp.CodeExpired, unsure},
		dssDir + "er-asn1-full-renewal-five-ats-chain.ers":            {text("\x03"), ok, tsp.CodeExpired, unsure},
		dssDir + "er-asn1-full-renewal-tst-renewal-chain-renewal.ers": {text("\x03"), ok, tsp.CodeExpired, unsure},
		dssDir + "er-asn1-one-level-hashtree.ers":                     {text("\x02"), ok, "", ok},
		dssDir + "er-asn1-full-renewal-duplicated-data.ers":           {text("\x09"), ok, "", ok},
		dssDir + "er-asn1-chain-renewal-invalid.ers":                  {text("\x09"), bad, ers.CodeMember, bad},
		dssDir + "er-asn1-chain-renewal-duplicated-data-invalid.ers":  {text("\x09"), bad, ers.CodeMember, bad},
		dssDir + "er-asn1-simple.ers":                                 {text("1"), ok, ers.CodePartial, ok},
		dssDir + "er-asn1-simple-invalid.ers":                         {sha256s(t, "nOPX01D5QYQHQ58MoR3MEquffNsV+ezF7Kk1SCYCuHI=", "7s1NM1LA6WX9iHle39GmDFrAmzwRAMBS67auC9NDKyY="), bad, ers.CodeRoot, bad},
		dssDir + "er-asn1-tst-renewal.ers":                            {two, ok, "", ok},
		dssDir + "er-asn1-tst-renewal-invalid.ers":                    {two, bad, ers.CodeRenewal, bad},
		dssDir + "evidencerecord.ers": {sha256s(t, "EPRF0uQcTYjnF+PyR1a52z9fXpKZEAUx3d+jQAFfPos=", "Oida+g+rN0DmsVgqZOgAex7lYghgYcgQth4CXl5idH0=",
			"ZAiUg2B6CyVNPSiMgeaR4utRLwD3PPvMMBwXt0r3L7E=", "go+iO1ByVKxsnCPfTfTkZ9WYK45d52Dc7mrV1lUl6Ho=",
			"kG60U/JtBW9QHmxPX2+FH+I3q6FvtwS0G0kE1j6BT4Q=", "zFMwgPw86LH0Py/DPEAqMA3uqMgatCJe0UwKJxifjD8="), ok, "", ok},
		dssDir + "er-asn1-on-tst.ers":       {file(dssDir + "d-trust.tsr"), ok, "", ok},
		dssDir + "LKSG_4.ers":               {nil, unsure, ers.CodeNoData, unsure}, // the data are not public
		dssDir + "bsi_gov_vte-lza_002.ers":  {[]ers.Data{windows(t, filepath.Join(dir, dssDir, "bsi_gov_vte-lza_002.bin"))}, ok, "", ok},
		dssDir + "er-simple.xml":            {nil, bad, ers.CodeMalformed, bad}, // RFC 6283
		dssDir + "Signature-C-LT.p7m":       {nil, bad, ers.CodeMalformed, bad}, // a CMS signature
		bcDir + "FileDaFirmare.txt.tsd.der": {nil, bad, ers.CodeMalformed, bad}, // RFC 5544
	}
}

// inside returns all certificates in the tokens of a record.
func inside(t *testing.T, b []byte) (certs []*x509.Certificate, last time.Time) {
	t.Helper()
	r, err := ers.ParseRecord(b)
	if err != nil {
		return nil, time.Now()
	}
	for _, c := range r.Chains {
		for _, s := range c {
			token, err := tsp.ParseToken(s.Token)
			if err != nil {
				t.Fatal(err)
			}
			last = token.Info.GenTime
			for _, raw := range token.Certificates {
				c, err := x509.ParseCertificate(raw)
				if err != nil {
					t.Fatal(err)
				}
				certs = append(certs, c)
			}
		}
	}
	return certs, last
}

func members(data []ers.Data) []ers.Member {
	var all []ers.Member
	for i, d := range data {
		all = append(all, ers.Member{Name: string(rune('a' + i)), Data: d})
	}
	return all
}

func TestVectors(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpustest.Dir(t), "cases", "evidence")
	for name, v := range vectors(t, dir) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			certs, last := inside(t, b)
			o := ers.Options{At: last.Add(time.Second), Anchors: tsp.NewAnchors(certs), Revocation: tsp.RevocationIfPresent}
			r := ers.Verify(context.Background(), b, members(v.data), o)
			if r.Integrity != v.integrity || r.Verdict != v.verdict || v.code != "" && !r.Findings.Has(v.code) {
				t.Errorf("verdict %v, integrity %v, want %v, %v, %q", r.Verdict, r.Integrity, v.verdict, v.integrity, v.code)
				for _, f := range r.Findings {
					t.Logf("%+v", f)
				}
			}
			// Nobody is trusted: never valid.
			if r := ers.Verify(context.Background(), b, members(v.data), ers.Options{At: last.Add(time.Second)}); r.Verdict == evidence.Valid || r.Integrity != v.integrity {
				t.Errorf("without anchors: %v, integrity %v", r.Verdict, r.Integrity)
			}
			// Other data: never valid.
			if v.integrity == evidence.Valid {
				if r := ers.Verify(context.Background(), b, members(text("something else")), o); r.Verdict != evidence.Invalid || !r.Findings.Has(ers.CodeMember) {
					t.Errorf("with other data: %v", r.Verdict)
				}
			}
		})
	}
}

// TestVectorsComplete finds files of the corpus that no test knows.
func TestVectorsComplete(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpustest.Dir(t), "cases", "evidence")
	known := vectors(t, dir)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch filepath.Ext(name) {
		case ".txt", ".bin", ".data", ".tsr": // sources, data; TestTokens reads the last
			return nil
		}
		if _, ok := known[filepath.ToSlash(name)]; !ok {
			t.Errorf("%s is in the corpus and not in the table", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTokens reads the single tokens of the corpus.
func TestTokens(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpustest.Dir(t), "cases", "evidence")
	n := 0
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".tsr" {
			return err
		}
		n++
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		token, err := tsp.ParseToken(b)
		if strings.HasSuffix(path, "d-trust.tsr") {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			} else if _, err := token.Signer(nil); err != nil || !token.Info.QualifiedStatement() {
				t.Errorf("%s: %v, states to be qualified: %v", path, err, token.Info.QualifiedStatement())
			}
			return nil
		}
		if !errors.Is(err, der.ErrBER) { // written again by a tool, with indefinite lengths
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d tokens, %v", n, err)
	}
}
