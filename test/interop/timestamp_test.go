package interop

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/evidence/tspclient"
	"github.com/muniment/muniment/internal/testkit/need"
)

// openssl runs the program in a directory and returns what it printed.
func openssl(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need.Program(t, "openssl"), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustOpenSSL(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := openssl(t, dir, args...)
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func place(t *testing.T, dir, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

const authorityConfig = `
[tsa]
default_tsa = one
[one]
dir = .
serial = serial
crypto_device = builtin
signer_cert = tsu.pem
certs = root.pem
signer_key = tsu.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = %s
[tsu]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[crlext]
authorityKeyIdentifier = keyid
[ca]
default_ca = list
[list]
database = index
default_md = sha256
default_crl_days = 30
crl_extensions = crlext
certificate = root.pem
private_key = root.key
`

// opensslAuthority makes an authority of OpenSSL's "ts -reply", independent of
// our code, and returns its address, its directory and its root.
func opensslAuthority(t *testing.T, ess string, key ...string) (address, dir string, root *x509.Certificate) {
	t.Helper()
	dir = t.TempDir()
	place(t, dir, "conf", fmt.Appendf(nil, authorityConfig, ess))
	place(t, dir, "serial", []byte("1000\n"))
	place(t, dir, "index", nil)
	newKey := append([]string{"genpkey", "-quiet"}, key...)
	mustOpenSSL(t, dir, append(newKey, "-out", "tsu.key")...)
	mustOpenSSL(t, dir, "genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "root.key")
	place(t, dir, "req", []byte("[req]\ndistinguished_name=dn\n[dn]\n"))
	mustOpenSSL(t, dir, "req", "-config", "req", "-new", "-key", "root.key", "-subj", "/CN=Root of the test", "-out", "root.csr")
	mustOpenSSL(t, dir, "x509", "-req", "-in", "root.csr", "-signkey", "root.key", "-days", "3650", "-extfile", "conf", "-extensions", "root", "-out", "root.pem")
	mustOpenSSL(t, dir, "req", "-config", "req", "-new", "-key", "tsu.key", "-subj", "/CN=Unit of the test", "-out", "tsu.csr")
	mustOpenSSL(t, dir, "x509", "-req", "-in", "tsu.csr", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "77", "-days", "1000", "-extfile", "conf", "-extensions", "tsu", "-out", "tsu.pem")
	b, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	if root, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		if err := os.WriteFile(filepath.Join(dir, "query"), query, 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if out, err := openssl(t, dir, "ts", "-reply", "-config", "conf", "-section", "one", "-queryfile", "query", "-out", "reply"); err != nil {
			http.Error(w, out, http.StatusInternalServerError)
			return
		}
		reply, err := os.ReadFile(filepath.Join(dir, "reply"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(reply)
	}))
	t.Cleanup(s.Close)
	return s.URL, dir, root
}

// TestOpenSSLAuthority: an independent authority is understood, with each kind
// of key and both versions of the signing certificate attribute; its token is
// valid by our verification once a CRL is inside, and remains readable by
// OpenSSL's ts and cms (TSP-6).
func TestOpenSSLAuthority(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ess  string
		key  []string
		hash algo.Hash
	}{
		"RSA, V2":   {"sha256", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"}, algo.SHA256},
		"RSA, V1":   {"sha1", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"}, algo.SHA512},
		"ECDSA, V2": {"sha256", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, algo.SHA384},
		"brainpool": {"sha384", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"}, algo.SHA256},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, dir, root := opensslAuthority(t, c.ess, c.key...)
			anchors := tsp.NewAnchors([]*x509.Certificate{root})
			a := tspclient.Authority{Name: "openssl", URL: address, Terms: tsp.Terms{Skew: time.Minute, Accuracy: time.Second, Anchors: anchors}}
			data := []byte("what is stamped")
			token, err := a.Stamp(t.Context(), c.hash, c.hash.Sum(data))
			if err != nil {
				t.Fatal(err)
			}
			mustOpenSSL(t, dir, "ca", "-config", "conf", "-gencrl", "-out", "crl.pem")
			pemCRL, err := os.ReadFile(filepath.Join(dir, "crl.pem"))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(pemCRL)
			o := tsp.Options{Anchors: anchors, Sidecar: &tsp.Sidecar{CRLs: [][]byte{block.Bytes}}}
			if r := tsp.Verify(token, o); r.Findings.Verdict() != evidence.Valid || len(r.Path) != 2 {
				t.Errorf("%+v", r.Findings)
			}
			place(t, dir, "data", data)
			place(t, dir, "token", token.Raw)
			opensslVerifies(t, dir)
		})
	}
}

// TestUnsupportedKey: a unit with a key on a curve that we do not know is
// never accepted, and its token is indeterminate, not valid and not invalid.
func TestUnsupportedKey(t *testing.T) {
	t.Parallel()
	address, dir, root := opensslAuthority(t, "sha256", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")
	anchors := tsp.NewAnchors([]*x509.Certificate{root})
	a := tspclient.Authority{Name: "openssl", URL: address, Terms: tsp.Terms{Skew: time.Minute, Anchors: anchors}}
	if _, err := a.Stamp(t.Context(), algo.SHA256, algo.SHA256.Sum([]byte("data"))); !errors.Is(err, tsp.CodeUnsupported) {
		t.Errorf("got %v", err)
	}
	mustOpenSSL(t, dir, "ts", "-reply", "-in", "reply", "-token_out", "-out", "token")
	b, err := os.ReadFile(filepath.Join(dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(b)
	if err != nil {
		t.Fatal(err)
	}
	if r := tsp.Verify(token, tsp.Options{Anchors: anchors}); r.Findings.Verdict() != evidence.Indeterminate || !r.Findings.Has(tsp.CodeUnsupported) {
		t.Errorf("%+v", r.Findings)
	}
}

// opensslVerifies has the files token, data and root.pem verified.
func opensslVerifies(t *testing.T, dir string) {
	t.Helper()
	mustOpenSSL(t, dir, "cms", "-verify", "-inform", "DER", "-in", "token", "-purpose", "timestampsign", "-CAfile", "root.pem", "-out", "content")
	if usesPSS(t, dir) {
		return // OpenSSL 3.0's ts cannot verify RSASSA-PSS, its cms can
	}
	if out := mustOpenSSL(t, dir, "ts", "-verify", "-in", "token", "-token_in", "-data", "data", "-CAfile", "root.pem"); !strings.Contains(out, "Verification: OK") {
		t.Errorf("ts -verify: %s", out)
	}
	place(t, dir, "other", []byte("something else"))
	if out, err := openssl(t, dir, "ts", "-verify", "-in", "token", "-token_in", "-data", "other", "-CAfile", "root.pem"); err == nil {
		t.Errorf("ts -verify accepts other data: %s", out)
	}
}

func usesPSS(t *testing.T, dir string) bool {
	t.Helper()
	return strings.Contains(mustOpenSSL(t, dir, "asn1parse", "-inform", "DER", "-in", "token"), "rsassaPss")
}

// TestOpenSSLReadsOurs: our requests and the tokens of our test authority, after
// they were completed with revocation data.
func TestOpenSSLReadsOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := []byte("what is stamped")
	r, err := tsp.NewRequest(algo.SHA512, algo.SHA512.Sum(data), nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	query, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	place(t, dir, "query", query)
	text := mustOpenSSL(t, dir, "ts", "-query", "-in", "query", "-text")
	for _, want := range []string{"Version: 1", "Hash Algorithm: sha512", "Policy OID: unspecified", "Nonce: 0x", "Certificate required: yes"} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl does not read %q in the request:\n%s", want, text)
		}
	}
	for _, scheme := range []algo.Scheme{algo.ECDSA, algo.RSA, algo.PSS} {
		var handler http.Handler
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		t.Cleanup(s.Close)
		a, err := tsa.New(tsa.Options{URL: s.URL, Scheme: scheme})
		if err != nil {
			t.Fatal(err)
		}
		handler = a.Handler()
		anchors := tsp.NewAnchors([]*x509.Certificate{a.Root()})
		x := tspclient.Authority{Name: "ours", URL: s.URL, Terms: tsp.Terms{Skew: time.Minute, Anchors: anchors}}
		token, err := x.Stamp(t.Context(), algo.SHA512, algo.SHA512.Sum(data))
		if err != nil {
			t.Fatal(err)
		}
		place(t, dir, "data", data)
		place(t, dir, "root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root().Raw}))
		place(t, dir, "token", token.Raw)
		opensslVerifies(t, dir)
		completed(t, dir, token, anchors)
	}
}

// completed has the token read again after Enrich, in both placements.
func completed(t *testing.T, dir string, token *tsp.Token, anchors *tsp.Anchors) {
	t.Helper()
	got, err := tspclient.NewFetcher(nil, 0).Enrich(context.Background(), token, anchors, tsp.CRLsInside)
	if err != nil || len(got.Missing) > 0 {
		t.Fatalf("%v, missing %v", err, got.Missing)
	}
	place(t, dir, "token", got.Token.Raw)
	opensslVerifies(t, dir)
	if got, err = tspclient.NewFetcher(nil, 0).Enrich(context.Background(), token, anchors, tsp.AllInside); err != nil {
		t.Fatal(err)
	}
	place(t, dir, "token", got.Token.Raw)
	mustOpenSSL(t, dir, "cms", "-verify", "-inform", "DER", "-in", "token", "-purpose", "timestampsign", "-CAfile", "root.pem", "-out", "content")
}
