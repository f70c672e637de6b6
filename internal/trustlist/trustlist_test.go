package trustlist

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// party is somebody with a key and a certificate.
type party struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func newParty(t *testing.T, name, country string, issuer *party) *party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certified(t, name, country, key, issuer)
}

func certified(t *testing.T, name, country string, key crypto.Signer, issuer *party) *party {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, Country: []string{country}},
		NotBefore: day.AddDate(-10, 0, 0), NotAfter: day.AddDate(10, 0, 0), IsCA: issuer == nil, BasicConstraintsValid: true}
	if issuer == nil {
		c.KeyUsage = x509.KeyUsageCertSign
		issuer = &party{key, c}
	}
	b, err := x509.CreateCertificate(rand.Reader, c, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return &party{key, cert}
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// entry writes what a service is from a time on.
func entryXML(typ, state string, since time.Time, cert *x509.Certificate) string {
	return fmt.Sprintf(`<ServiceTypeIdentifier>%s</ServiceTypeIdentifier><ServiceName><Name xml:lang="en">Stamps &amp; more</Name></ServiceName>
<ServiceDigitalIdentity><DigitalId><X509Certificate>%s</X509Certificate></DigitalId></ServiceDigitalIdentity><ServiceStatus>%s%s</ServiceStatus><StatusStartingTime>%s</StatusStartingTime>`,
		typ, b64(cert.Raw), status, state, since.Format(time.RFC3339))
}

// listXML writes a list without a signature; %SIG% is where it comes.
func listXML(now string, history ...string) string {
	h := ""
	for _, x := range history {
		h += "<ServiceHistoryInstance>" + x + "</ServiceHistoryInstance>"
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" xmlns:unused="urn:x" Id="list" TSLTag="http://uri.etsi.org/19612/TSLTag"><!-- a comment -->
<SchemeInformation><TSLSequenceNumber>7</TSLSequenceNumber><TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric</TSLType><SchemeTerritory>DE</SchemeTerritory>
<ListIssueDateTime>%s</ListIssueDateTime><NextUpdate><dateTime>%s</dateTime></NextUpdate></SchemeInformation>
<TrustServiceProviderList><TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="de">Anbieter "Ä" &lt;x&gt;</Name></TSPName></TSPInformation>
<TSPServices><TSPService><ServiceInformation>%s</ServiceInformation><ServiceHistory>%s</ServiceHistory></TSPService></TSPServices></TrustServiceProvider></TrustServiceProviderList>
%%SIG%%</TrustServiceStatusList>
`, day.AddDate(0, -1, 0).Format(time.RFC3339), day.AddDate(0, 5, 0).Format(time.RFC3339), now, h)
}

// signed puts an XAdES signature into a list, with plain string work: what is signed
// is written in canonical form by hand where possible.
func signed(t *testing.T, list string, by *party) string {
	t.Helper()
	digest := func(b []byte) string { return b64(sum(crypto.SHA256, b)) }
	root, err := parse([]byte(strings.Replace(list, "%SIG%", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	properties := `<xades:SignedProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Id="props"><xades:SigningTime>2026-03-01T12:00:00Z</xades:SigningTime></xades:SignedProperties>`
	transform := `<ds:Transform Algorithm="` + exclusive + `"></ds:Transform>`
	method := `<ds:DigestMethod Algorithm="` + encryption + `sha256"></ds:DigestMethod>`
	algorithm := more + "ecdsa-sha256"
	if _, ok := by.key.(*rsa.PrivateKey); ok {
		algorithm = pss + "sha256-rsa-MGF1"
	}
	inner := `<ds:CanonicalizationMethod Algorithm="` + exclusive + `"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="` + algorithm + `"></ds:SignatureMethod>` +
		`<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="` + enveloped + `"></ds:Transform>` + transform + `</ds:Transforms>` + method + `<ds:DigestValue>` + digest(canonical(root, nil, nil)) + `</ds:DigestValue></ds:Reference>` +
		`<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#props"><ds:Transforms>` + transform + `</ds:Transforms>` + method + `<ds:DigestValue>` + digest([]byte(properties)) + `</ds:DigestValue></ds:Reference>`
	h := sum(crypto.SHA256, []byte(`<ds:SignedInfo xmlns:ds="`+dsig+`">`+inner+`</ds:SignedInfo>`))
	var value []byte
	switch k := by.key.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, h)
		if err != nil {
			t.Fatal(err)
		}
		value = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		if value, err = rsa.SignPSS(rand.Reader, k, crypto.SHA256, h, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
			t.Fatal(err)
		}
	}
	sig := `<ds:Signature xmlns:ds="` + dsig + `" Id="sig"><ds:SignedInfo>` + inner + `</ds:SignedInfo><ds:SignatureValue>` + b64(value) + `</ds:SignatureValue>` +
		`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + b64(by.cert.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo>` +
		`<ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#">` + strings.Replace(properties, ` xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"`, "", 1) + `</xades:QualifyingProperties></ds:Object></ds:Signature>`
	return strings.Replace(list, "%SIG%", sig, 1)
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	ca := newParty(t, "CA", "DE", nil)
	tsu, other, foreign := newParty(t, "TSU", "DE", ca), newParty(t, "Other", "DE", ca), newParty(t, "Foreign", "FR", newParty(t, "FR CA", "FR", nil))
	operator, stranger := newParty(t, "Operator", "DE", nil), newParty(t, "Stranger", "DE", nil)
	long, lately := day.AddDate(-5, 0, 0), day.AddDate(0, 0, -10)
	stamp := day.AddDate(0, -2, 0)
	granted := listXML(entryXML(qtst, "granted", long, tsu.cert))
	for name, c := range map[string]struct {
		list string
		by   *party
		tsu  *party
		at   time.Time
		now  time.Time
		want Reason
	}{
		"granted":                      {granted, operator, tsu, stamp, day, ReasonGranted},
		"granted to the CA":            {listXML(entryXML(qtst, "granted", long, ca.cert)), operator, tsu, stamp, day, ReasonGranted},
		"accredited before eIDAS":      {listXML(entryXML(qtst, "accredited", long, tsu.cert)), operator, tsu, stamp, day, ReasonGranted},
		"withdrawn later":              {listXML(entryXML(qtst, "withdrawn", lately, tsu.cert), entryXML(qtst, "granted", long, tsu.cert)), operator, tsu, stamp, day, ReasonGranted},
		"withdrawn before":             {listXML(entryXML(qtst, "withdrawn", lately, tsu.cert), entryXML(qtst, "granted", long, tsu.cert)), operator, tsu, day.AddDate(0, 0, -1), day, ReasonNotGranted},
		"granted later":                {listXML(entryXML(qtst, "granted", lately, tsu.cert)), operator, tsu, stamp, day, ReasonNotGranted},
		"another kind of service then": {listXML(entryXML(qtst, "granted", lately, tsu.cert), entryXML(strings.Replace(qtst, "/QTST", "", 1), "granted", long, tsu.cert)), operator, tsu, stamp, day, ReasonNotGranted},
		"another kind of service":      {listXML(entryXML(strings.Replace(qtst, "QTST", "TSS-QC", 1), "granted", long, tsu.cert)), operator, tsu, stamp, day, ReasonNotListed},
		"absent":                       {granted, operator, other, stamp, day, ReasonNotListed},
		"of another country":           {granted, operator, foreign, stamp, day, ReasonOtherTerritory},
		"unsigned":                     {granted, nil, tsu, stamp, day, ReasonUnsigned},
		"signed by a stranger":         {granted, stranger, tsu, stamp, day, ReasonSigner},
		"stale":                        {granted, operator, tsu, stamp, day.AddDate(1, 0, 0), ReasonStale},
		"list of the future":           {granted, operator, tsu, day.AddDate(-1, 0, 0), day.AddDate(0, -2, 0), ReasonStale},
		"stamp of the future":          {granted, operator, tsu, day.AddDate(0, 0, 1), day, ReasonTime},
		"no list":                      {"", operator, tsu, stamp, day, ReasonNoList},
	} {
		s := Set{Now: func() time.Time { return c.now }}
		if c.list != "" {
			text := strings.Replace(c.list, "%SIG%", "", 1)
			if c.by != nil {
				text = signed(t, c.list, c.by)
			}
			l, err := Parse([]byte(text), []*x509.Certificate{operator.cert})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			s.Lists = []*List{l}
		}
		v, reason := s.Qualify(c.tsu.cert, []*x509.Certificate{ca.cert}, c.at)
		want := NotDetermined
		switch c.want {
		case ReasonGranted:
			want = Qualified
		case ReasonNotGranted, ReasonNotListed:
			want = NotQualified
		}
		if reason != c.want || v != want {
			t.Errorf("%s: %s, %s; want %s, %s", name, v, reason, want, c.want)
		}
	}
}

// TestChainIsChecked has a certificate that only names a listed authority.
func TestChainIsChecked(t *testing.T) {
	t.Parallel()
	ca, impostor, operator := newParty(t, "CA", "DE", nil), newParty(t, "CA", "DE", nil), newParty(t, "Operator", "DE", nil)
	l, err := Parse([]byte(signed(t, listXML(entryXML(qtst, "granted", day.AddDate(-5, 0, 0), ca.cert)), operator)), []*x509.Certificate{operator.cert})
	if err != nil || l.SignatureError != nil {
		t.Fatal(err, l.SignatureError)
	}
	s := Set{Lists: []*List{l}, Now: func() time.Time { return day }}
	false1 := newParty(t, "TSU", "DE", impostor)
	if v, reason := s.Qualify(false1.cert, []*x509.Certificate{ca.cert, impostor.cert}, day.AddDate(0, -1, 0)); v != NotQualified || reason != ReasonNotListed {
		t.Errorf("under another authority of the name: %s, %s", v, reason)
	}
	m := s.Match(newParty(t, "TSU", "DE", ca).cert, []*x509.Certificate{impostor.cert, ca.cert}, day.AddDate(0, -1, 0))
	if m.Verdict != Qualified || m.List.Sequence != 7 || m.List.Territory != "DE" || m.Provider != `Anbieter "Ä" <x>` || m.Service != "Stamps & more" || m.Status != status+"granted" || m.List.SHA256 == [32]byte{} {
		t.Errorf("match is %+v", m)
	}
}

// TestSignatures has lists whose signature must not hold.
func TestSignatures(t *testing.T) {
	t.Parallel()
	operator := newParty(t, "Operator", "DE", nil)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	withRSA := certified(t, "Operator RSA", "DE", key, nil)
	plain := listXML(entryXML(qtst, "granted", day.AddDate(-5, 0, 0), operator.cert))
	good := signed(t, plain, operator)
	pinned := []*x509.Certificate{operator.cert, withRSA.cert}
	cut := func(s, from, to string) string {
		i := strings.Index(s, from)
		return s[i : i+strings.Index(s[i:], to)+len(to)]
	}
	sig := cut(good, "<ds:Signature ", "</ds:Signature>")
	body := strings.Replace(strings.Replace(plain, "%SIG%", "", 1), `<?xml version="1.0" encoding="UTF-8"?>`, "", 1)
	evil := strings.Replace(body, "DE</SchemeTerritory>", "FR</SchemeTerritory>", 1)
	for name, c := range map[string]struct {
		list string
		want error
	}{
		"good": {good, nil}, "good, RSA-PSS": {signed(t, plain, withRSA), nil},
		"a comment":      {strings.Replace(good, "<SchemeInformation>", "<!-- x --><SchemeInformation>", 1), nil}, // says nothing
		"a byte":         {strings.Replace(good, ">7<", ">8<", 1), ErrSignature},
		"a status":       {strings.Replace(good, "granted<", "grantee<", 1), ErrSignature},
		"properties":     {strings.Replace(good, "2026-03-01T12:00:00Z</xades", "2026-03-01T12:00:01Z</xades", 1), ErrSignature},
		"value":          {strings.Replace(good, "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1), ErrSignature},
		"two signatures": {strings.Replace(good, sig, sig+strings.ReplaceAll(sig, `Id="`, `Id="x`), 1), ErrSignature},
		"no signature":   {strings.Replace(good, sig, "", 1), ErrUnsigned},
		"deeper":         {strings.Replace(good, sig, "<x>"+sig+"</x>", 1), ErrSignature},
		"id twice":       {strings.Replace(good, "<SchemeInformation>", `<SchemeInformation Id="props">`, 1), ErrSignature},
		"wrapped":        {strings.Replace(strings.Replace(evil, "</TrustServiceStatusList>", "<x>"+strings.Replace(body, `Id="list"`, `Id="old"`, 1)+"</x>"+sig+"</TrustServiceStatusList>", 1), `URI=""`, `URI="#old"`, 1), ErrSignature},
		"weak digest":    {strings.Replace(good, encryption+"sha256", dsig+"sha1", 1), ErrSignature},
		"weak signature": {strings.Replace(good, more+"ecdsa-sha256", dsig+"rsa-sha1", 1), ErrSignature},
		"XPath":          {strings.Replace(good, enveloped, "http://www.w3.org/TR/1999/REC-xpath-19991116", 1), ErrSignature},
		"only itself":    {strings.Replace(good, `URI=""`, `URI="#sig"`, 1), ErrSignature},
		"stranger":       {signed(t, plain, newParty(t, "Operator", "DE", nil)), ErrSigner},
	} {
		l, err := Parse([]byte(c.list), pinned)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !errors.Is(l.SignatureError, c.want) || c.want == nil && l.Signer == nil {
			t.Errorf("%s: %v, want %v", name, l.SignatureError, c.want)
		}
	}
	for name, list := range map[string]string{
		"document type": strings.Replace(good, "<TrustService", `<!DOCTYPE x [<!ENTITY a "b">]><TrustService`, 1), "another root": "<x/>", "nothing": "", "cut": good[:len(good)/2],
		"entity": strings.Replace(good, ">7<", ">&a;<", 1), "two roots": good + "<x/>", "no number": strings.Replace(good, ">7<", ">x<", 1), "deep": strings.Repeat("<a>", 100),
	} {
		if _, err := Parse([]byte(list), pinned); !errors.Is(err, ErrList) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryByteOfAList flips bytes all over a signed list: it must not hold with
// another meaning.
func TestEveryByteOfAList(t *testing.T) {
	t.Parallel()
	operator := newParty(t, "Operator", "DE", nil)
	good := []byte(signed(t, listXML(entryXML(qtst, "granted", day.AddDate(-5, 0, 0), operator.cert)), operator))
	root, err := parse(good)
	if err != nil {
		t.Fatal(err)
	}
	sig, _ := onlySignature(root)
	want := canonical(root, sig, nil)
	for i := range good {
		wrong := bytes.Clone(good)
		wrong[i] ^= 1 << (i % 7)
		l, err := Parse(wrong, []*x509.Certificate{operator.cert})
		if err != nil || l.SignatureError != nil {
			continue
		}
		again, err := parse(wrong)
		if err != nil {
			t.Fatal(err)
		}
		sig, _ := onlySignature(again)
		if !bytes.Equal(canonical(again, sig, nil), want) {
			t.Errorf("holds with byte %d changed: %q", i, wrong[max(0, i-20):min(len(wrong), i+20)])
		}
	}
}

// TestCanonicalForm compares with forms that the specification gives.
func TestCanonicalForm(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`<n1:elem2 xmlns:n0="foo:bar" xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"/></n1:elem2>`: `<n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>`,
		`<a xmlns="urn:a"><b xmlns=""><c/></b></a>`:                      `<a xmlns="urn:a"><b xmlns=""><c></c></b></a>`,
		"<a  z='1' b:y='2' a='\"&lt;' xmlns:b='urn:b'>&gt;&#13;\r\n</a>": "<a xmlns:b=\"urn:b\" a=\"&quot;&lt;\" z=\"1\" b:y=\"2\">&gt;&#xD;\n</a>",
		`<a><![CDATA[<&]]><?pi  x ?><!-- c --></a>`:                      `<a>&lt;&amp;<?pi x ?></a>`,
	} {
		n, err := parse([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(canonical(n, nil, nil)); got != want {
			t.Errorf("%s\nis   %s\nwant %s", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(listXML("")))
	f.Add([]byte(`<a xmlns:b="c"><b:d e="f"/></a>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		root, err := parse(b)
		if err != nil {
			return
		}
		again, err := parse(canonical(root, nil, nil))
		if err != nil {
			t.Fatalf("the canonical form of %q cannot be read: %v", b, err)
		}
		if x, y := canonical(root, nil, nil), canonical(again, nil, nil); !bytes.Equal(x, y) {
			t.Fatalf("%q becomes %q", x, y)
		}
		Parse(b, nil) //nolint:errcheck // must not panic
	})
}
