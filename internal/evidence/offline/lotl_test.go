package offline_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

func listDay() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// party is somebody with a key and a certificate.
type party struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newParty(t *testing.T, name, country string) *party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Country: []string{country}}, NotBefore: listDay().AddDate(-9, 0, 0),
		NotAfter: listDay().AddDate(9, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	b, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return &party{key, cert}
}

func base(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// scheme is a list in canonical form, without its signature.
func scheme(kind, territory, pointers, providers string) string {
	return fmt.Sprintf(`<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"><SchemeInformation><TSLSequenceNumber>7</TSLSequenceNumber><TSLType>http://uri.etsi.org/TrstSvc/TrustedList/TSLType/%s</TSLType><SchemeTerritory>%s</SchemeTerritory>%s<ListIssueDateTime>%s</ListIssueDateTime><NextUpdate><dateTime>%s</dateTime></NextUpdate></SchemeInformation>%s</TrustServiceStatusList>`,
		kind, territory, pointers, listDay().AddDate(0, -1, 0).Format(time.RFC3339), listDay().AddDate(0, 5, 0).Format(time.RFC3339), providers)
}

// signedBy adds an XAdES signature at the end of a list in canonical form.
func signedBy(t *testing.T, list string, by *party) []byte {
	t.Helper()
	digest := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return base(h[:])
	}
	const ds, exclusive, xades = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#", ` xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"`
	const transform = `<ds:Transform Algorithm="` + exclusive + `"></ds:Transform>`
	const method = `<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>`
	const properties = ` Id="props"><xades:SigningTime>2026-03-01T12:00:00Z</xades:SigningTime></xades:SignedProperties>`
	inner := `<ds:CanonicalizationMethod Algorithm="` + exclusive + `"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod>` +
		`<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="` + ds + `enveloped-signature"></ds:Transform>` + transform + `</ds:Transforms>` + method + `<ds:DigestValue>` + digest(list) + `</ds:DigestValue></ds:Reference>` +
		`<ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#props"><ds:Transforms>` + transform + `</ds:Transforms>` + method + `<ds:DigestValue>` +
		digest(`<xades:SignedProperties`+xades+properties) + `</ds:DigestValue></ds:Reference>`
	h := sha256.Sum256([]byte(`<ds:SignedInfo xmlns:ds="` + ds + `">` + inner + `</ds:SignedInfo>`))
	r, s, err := ecdsa.Sign(rand.Reader, by.key, h[:])
	if err != nil {
		t.Fatal(err)
	}
	value := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	sig := `<ds:Signature xmlns:ds="` + ds + `" Id="sig"><ds:SignedInfo>` + inner + `</ds:SignedInfo><ds:SignatureValue>` + base(value) + `</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` +
		base(by.cert.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties` + xades + `><xades:SignedProperties` + properties + `</xades:QualifyingProperties></ds:Object></ds:Signature>`
	return []byte(strings.Replace(list, "</TrustServiceStatusList>", sig+"</TrustServiceStatusList>", 1))
}

// TestQualifierByListOfLists: only the signer of the list of the lists is pinned; it
// names who signs the national list, and that one says who is qualified.
func TestQualifierByListOfLists(t *testing.T) {
	t.Parallel()
	europe, operator, stranger := newParty(t, "Europe", "BE"), newParty(t, "Operator", "DE"), newParty(t, "Stranger", "DE")
	tsu, other := newParty(t, "TSU", "DE"), newParty(t, "Other", "DE")
	national := scheme("EUgeneric", "DE", "", `<TrustServiceProviderList><TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="de">Anbieter</Name></TSPName></TSPInformation><TSPServices><TSPService><ServiceInformation><ServiceTypeIdentifier>http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST</ServiceTypeIdentifier><ServiceName><Name xml:lang="en">Stamps</Name></ServiceName><ServiceDigitalIdentity><DigitalId><X509Certificate>`+
		base(tsu.cert.Raw)+`</X509Certificate></DigitalId></ServiceDigitalIdentity><ServiceStatus>http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted</ServiceStatus><StatusStartingTime>`+listDay().AddDate(-5, 0, 0).Format(time.RFC3339)+`</StatusStartingTime></ServiceInformation></TSPService></TSPServices></TrustServiceProvider></TrustServiceProviderList>`)
	lists := scheme("EUlistofthelists", "EU", `<PointersToOtherTSL><OtherTSLPointer><ServiceDigitalIdentities><ServiceDigitalIdentity><DigitalId><X509Certificate>`+base(operator.cert.Raw)+
		`</X509Certificate></DigitalId></ServiceDigitalIdentity></ServiceDigitalIdentities><TSLLocation>https://example.com/de.xml</TSLLocation><AdditionalInformation><OtherInformation><SchemeTerritory>DE</SchemeTerritory></OtherInformation></AdditionalInformation></OtherTSLPointer></PointersToOtherTSL>`, "")
	stamp := listDay().AddDate(0, -2, 0)
	for name, c := range map[string]struct {
		lists, national *party // who signs them
		tsu             *party
		at              time.Time
		want            tsp.Qualification
	}{
		"qualified":                        {europe, operator, tsu, stamp, tsp.Qualified},
		"not listed":                       {europe, operator, other, stamp, tsp.NotQualified},
		"before it was granted":            {europe, operator, tsu, listDay().AddDate(-6, 0, 0), tsp.NotQualified},
		"national list by a stranger":      {europe, stranger, tsu, stamp, tsp.NotDetermined},
		"list of the lists by a stranger":  {stranger, operator, tsu, stamp, tsp.NotDetermined},
		"list of the lists by the country": {operator, operator, tsu, stamp, tsp.NotDetermined},
	} {
		dir := t.TempDir()
		pinned := write(t, filepath.Join(dir, "europe.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: europe.cert.Raw}))
		files := []string{write(t, filepath.Join(dir, "lotl.xml"), signedBy(t, lists, c.lists)), write(t, filepath.Join(dir, "de.xml"), signedBy(t, national, c.national))}
		ask, err := offline.Qualifier(files, []string{pinned}, listDay)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if q, why := ask(c.tsu.cert, []*x509.Certificate{c.tsu.cert}, c.at); q != c.want {
			t.Errorf("%s: %s (%s), want %s", name, q, why, c.want)
		}
	}
}
