package interop

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/trustlist"
)

// derOf reads the first part of a PEM file.
func derOf(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatalf("%s is no PEM", name)
	}
	return block.Bytes
}

// brainpoolAuthority makes an authority of OpenSSL whose unit, its issuer and the root all
// have keys on the curve, and returns a token of it on "data", and the revocation lists.
func brainpoolAuthority(t *testing.T, dir, curve string) (token []byte, crls [][]byte) {
	t.Helper()
	place(t, dir, "conf", fmt.Appendf(nil, authorityConfig, "sha512"))
	place(t, dir, "serial", []byte("1000\n"))
	place(t, dir, "index", nil)
	place(t, dir, "req", []byte("[req]\ndistinguished_name=dn\n[dn]\n"))
	place(t, dir, "data", []byte("data"))
	by := ""
	for _, x := range [][2]string{{"root", "root"}, {"inter", "root"}, {"tsu", "tsu"}} {
		name, extensions := x[0], x[1]
		mustOpenSSL(t, dir, "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+curve, "-pkeyopt", "ec_param_enc:named_curve", "-out", name+".key")
		mustOpenSSL(t, dir, "req", "-config", "req", "-new", "-key", name+".key", "-subj", "/C=DE/CN="+name, "-out", name+".csr")
		sign := []string{"x509", "-req", "-in", name + ".csr", "-sha384", "-days", "1000", "-extfile", "conf", "-extensions", extensions, "-out", name + ".pem"}
		if by == "" {
			sign = append(sign, "-signkey", name+".key")
		} else {
			sign = append(sign, "-CA", by+".pem", "-CAkey", by+".key", "-set_serial", "77")
		}
		mustOpenSSL(t, dir, sign...)
		by = name
	}
	mustOpenSSL(t, dir, "ts", "-query", "-data", "data", "-cert", "-sha512", "-out", "query")
	mustOpenSSL(t, dir, "ts", "-reply", "-config", "conf", "-section", "one", "-queryfile", "query", "-token_out", "-out", "token")
	for _, name := range []string{"root", "inter"} {
		mustOpenSSL(t, dir, "ca", "-config", "conf", "-gencrl", "-cert", name+".pem", "-keyfile", name+".key", "-md", "sha256", "-out", name+".crl")
		crls = append(crls, derOf(t, dir, name+".crl"))
	}
	token, err := os.ReadFile(filepath.Join(dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	return token, crls
}

// listed asks a trusted list of which the issuer of the unit is a service.
func listed(t *testing.T, path []*x509.Certificate, at time.Time) trustlist.Verdict {
	t.Helper()
	list := &trustlist.List{Territory: "DE", Issued: at.Add(-time.Hour), Next: at.Add(time.Hour), Services: []trustlist.Service{{
		Entries: []trustlist.Entry{{Type: "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST", Status: "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted",
			Since: at.Add(-time.Hour), Certificates: path[1:2]}},
	}}}
	set := &trustlist.Set{Lists: []*trustlist.List{list}, Now: func() time.Time { return at }}
	verdict, _ := set.Qualify(path[0], path[1:], at)
	return verdict
}

// TestBrainpool: units, issuers, roots and revocation lists with keys on brainpool curves
// (RFC 5639), as German authorities have them; nothing of it is accepted once it was
// changed.
func TestBrainpool(t *testing.T) {
	t.Parallel()
	for _, curve := range []string{"brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1", "brainpoolP256t1", "brainpoolP384t1", "brainpoolP512t1"} {
		t.Run(curve, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			raw, crls := brainpoolAuthority(t, dir, curve)
			root, err := brainpool.ParseCertificate(derOf(t, dir, "root.pem"))
			if err != nil {
				t.Fatal(err)
			}
			token, err := tsp.ParseToken(raw)
			if err != nil {
				t.Fatal(err)
			}
			inter := derOf(t, dir, "inter.pem")
			o := tsp.Options{Anchors: tsp.NewAnchors([]*x509.Certificate{root}), Sidecar: &tsp.Sidecar{Certificates: [][]byte{inter}, CRLs: crls}}
			r := tsp.Verify(token, o)
			if r.Findings.Verdict() != evidence.Valid || len(r.Path) != 3 || !bytes.Equal(token.Info.Imprint, algo.SHA512.Sum([]byte("data"))) {
				t.Fatalf("path of %d, %+v", len(r.Path), r.Findings)
			}
			if got := listed(t, r.Path, token.Info.GenTime); got != trustlist.Qualified {
				t.Errorf("a trusted list with the issuer: %v", got)
			}
			mustOpenSSL(t, dir, "ts", "-verify", "-in", "token", "-token_in", "-data", "data", "-CAfile", "root.pem", "-untrusted", "inter.pem")
			bad := bytes.Clone(raw)
			bad[len(bad)-1] ^= 1 // of the signature on the token
			if token, err = tsp.ParseToken(bad); err != nil {
				t.Fatal(err)
			}
			if r = tsp.Verify(token, o); r.Findings.Verdict() != evidence.Invalid || !r.Findings.Has(tsp.CodeSignature) {
				t.Errorf("changed: %+v", r.Findings)
			}
			bad = bytes.Clone(inter)
			bad[len(bad)-1] ^= 1 // of the signature on the issuer's certificate
			if token, err = tsp.ParseToken(raw); err != nil {
				t.Fatal(err)
			}
			o.Sidecar.Certificates = [][]byte{bad}
			if r = tsp.Verify(token, o); r.Findings.Verdict() != evidence.Indeterminate || !r.Findings.Has(tsp.CodeNoAnchor) {
				t.Errorf("issuer changed: %+v", r.Findings)
			}
		})
	}
}
