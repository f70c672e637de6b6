package tresor

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// now is when the packages of these tests are handed over.
func now() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

// sample is a package with everything that is taken over.
func sample() *Package {
	p := &Package{ID: "PKG-1", Info: `Akte <"ä">`, Canonical: canonicalForm,
		Versions: []Version{{ID: "V001", Info: "erste", Retention: "2036-12-31+01:00", Status: "offen",
			Submission: &Submission{Client: Name{Value: "Fachverfahren & Co", Format: "urn:x", NameQualifier: "q", SPNameQualifier: "s", SPProvidedID: "i"}, Unit: &Name{Value: "Amt 1"},
				Author: &Name{Value: "Anna"}, Time: "2026-11-26T13:00:00+01:00"},
			Units: []Unit{{ID: "U-1", Type: "Vorgang", Text: "alles", Protected: []string{"DO-1", "M-1"}, Unprotected: []string{"ER-1"},
				Units: []Unit{{ID: "U-2", Protected: []string{"CR-1"}}}}}}},
		Objects: []*Object{
			{Attributes: Attributes{Kind: KindMetadata, ID: "M-1", Mime: "application/json", Related: []string{"DO-1"}, Category: "c", Classification: "l", Type: "t"}},
			{Attributes: Attributes{Kind: KindData, ID: "DO-1", Mime: "message/rfc822", Related: []string{"M-1"}}},
			{Attributes: Attributes{Kind: KindSignature, ID: "CR-1", Mime: "urn:ietf:rfc:5652", Related: []string{"DO-1"}}},
			{Attributes: Attributes{Kind: KindEvidence, ID: "ER-1", Related: []string{"V001"}, AOID: "x", VersionID: "V001"}},
		}}
	for i, o := range p.Objects {
		o.SetBytes(bytes.Repeat([]byte{byte(i), 0xff}, 1000*i))
	}
	return p
}

func written(t *testing.T, p *Package) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is written is read as it was, and has check sums that fit.
func TestWrittenIsRead(t *testing.T) {
	t.Parallel()
	for _, update := range []*Update{nil, {Previous: "V001", Kept: []string{"OLD-1"}}} {
		want := sample()
		if want.Update = update; update != nil {
			want.Versions[0].ID, want.Objects[3].Related, want.Objects[3].VersionID = "V002", []string{"V002"}, "V002"
			want.Versions[0].Units[0].Protected = append(want.Versions[0].Units[0].Protected, "OLD-1")
		}
		got, err := Read(bytes.NewReader(written(t, want)))
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Check(now()); err != nil {
			t.Error(err)
		}
		for _, o := range got.Objects {
			if binary := o.Kind == KindData || o.Kind == KindMetadata; binary != (o.Sum != nil) {
				t.Errorf("%s: check sum %v", o.ID, o.Sum)
			}
			o.Sum = nil
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(Object{}), cmpopts.IgnoreFields(Object{}, "Open"), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
	}
}

// Each departure from the public schema is refused, and the error says where.
func TestSchemaIsKept(t *testing.T) {
	t.Parallel()
	good := string(written(t, sample()))
	for name, c := range map[string]struct{ old, new, says string }{
		"another version of the form":   {`XAIPVersion="1.3.0"`, `XAIPVersion="1.1.0"`, "XAIPVersion"},
		"without its version":           {` XAIPVersion="1.3.0"`, ``, "XAIPVersion"},
		"another namespace":             {`"http://www.bsi.bund.de/tr-esor/xaip"`, `"http://www.bsi.bund.de/tr-esor/xaip/1.2"`, "root element"},
		"another root":                  {`xaip:XAIP`, `xaip:AIP`, "root element"},
		"no packageID":                  {` packageID="PKG-1"`, ``, "packageID"},
		"no retention":                  {`<xaip:retentionPeriod>2036-12-31+01:00</xaip:retentionPeriod>`, ``, "retentionPeriod"},
		"a retention that is no date":   {`2036-12-31+01:00`, `31.12.2036`, "no date"},
		"a day that is none":            {`2036-12-31+01:00`, `2036-02-30`, "no date"},
		"a time that is none":           {`2026-11-26T13:00:00+01:00`, `2026-11-26 13:00`, "no time"},
		"no relatedObjects of metadata": {` relatedObjects="DO-1" category`, ` category`, "relatedObjects"},
		"a pointer to nothing":          {`<xaip:protectedObjectPointer>CR-1<`, `<xaip:protectedObjectPointer>CR-9<`, "refers to nothing"},
		"related to nothing":            {`relatedObjects="M-1"`, `relatedObjects="M-9"`, "refers to nothing"},
		"an identifier twice":           {`packageUnitID="U-2"`, `packageUnitID="U-1"`, "used twice"},
		"an identifier that is none":    {`packageUnitID="U-2"`, `packageUnitID="2"`, "no identifier"},
		"elements in another order":     {`<xaip:packageInfo>Akte &lt;&#34;ä&#34;&gt;</xaip:packageInfo>`, `<xaip:packageInfo/><xaip:AOID>x</xaip:AOID>`, "AOID"},
		"an unknown element":            {`<xaip:status>`, `<xaip:mood>x</xaip:mood><xaip:status>`, "mood"},
		"an unknown attribute":          {`packageUnitID="U-2"`, `packageUnitID="U-2" x="1"`, "not known"},
		"base64 that is none":           {`MimeType="message/rfc822">`, `MimeType="message/rfc822">*`, "base64"},
		"a check sum that is none":      {`<xaip:checkSum>`, `<xaip:checkSum>x`, "checkSum"},
		"text between elements":         {`<xaip:status>`, `x<xaip:status>`, "text between"},
		"no protected object":           {`<xaip:protectedObjectPointer>CR-1</xaip:protectedObjectPointer>`, ``, "protectedObjectPointer"},
		"an update section in an XAIP":  {`</xaip:XAIP>`, `<xaip:updateSection><xaip:prevVersion>V001</xaip:prevVersion></xaip:updateSection></xaip:XAIP>`, "updateSection"},
		"a document type":               {`<xaip:XAIP`, `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xaip:XAIP`, "document type"},
		"an entity":                     {`<xaip:status>offen`, `<xaip:status>&e;`, "entity"},
		"a processing instruction":      {`<xaip:XAIP`, `<?php x?><xaip:XAIP`, "processing instruction"},
		"two roots":                     {`</xaip:XAIP>`, `</xaip:XAIP><x/>`, "root"},
		"the end is missing":            {`</xaip:XAIP>`, ``, "EOF"},
		"another encoding":              {`encoding="UTF-8"`, `encoding="ISO-8859-1"`, "UTF-8"},
		"elements in text":              {`<xaip:status>offen`, `<xaip:status><xaip:AOID/>offen`, "elements in it"},
		"an attribute twice":            {`packageUnitID="U-2"`, `packageUnitID="U-2" packageUnitID="U-3"`, "twice"},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if strings.HasPrefix(c.old, "xaip:") { // a name stands at both ends
			bad = strings.ReplaceAll(good, c.old, c.new)
		}
		if bad == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		_, err := Read(strings.NewReader(bad))
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want something of %q", name, err, c.says)
		}
	}
}

// endless is a document that never ends.
type endless struct{ begin, again string }

func (e *endless) Read(p []byte) (int, error) {
	if e.begin != "" {
		n := copy(p, e.begin)
		e.begin = e.begin[n:]
		return n, nil
	}
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.again)
	}
	return n, nil
}

// Documents beyond the limits end soon.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]io.Reader{
		"elements in elements": &endless{"", "<a>"},
		"elements":             &endless{"<a>", "<b/>"},
		"attributes":           strings.NewReader("<a " + strings.Repeat(`x="" `, 3) + "/>"),
	} {
		if _, err := Read(r); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the schema allows and cannot be archived is refused for its reason.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(string) string
		want   error
	}{
		"a period that is over":        {replaced("2036-12-31+01:00", "2026-11-25"), ErrExpired},
		"a period that ends today":     {replaced("2036-12-31+01:00", "2026-11-26"), nil},
		"handed over last week":        {replaced("2026-11-26T13:00:00+01:00", "2026-11-19T13:00:00Z"), ErrSubmissionTime},
		"handed over next week":        {replaced("2026-11-26T13:00:00+01:00", "2026-12-03T13:00:00Z"), ErrSubmissionTime},
		"a period over and XML":        {replaced("2036-12-31+01:00", "2020-01-01", "<xaip:binaryData MimeType=\"message/rfc822\">", "<xaip:xmlData><x>", "</xaip:binaryData>", "</x></xaip:xmlData>"), ErrExpired},
		"XML":                          {replaced("<xaip:binaryData MimeType=\"message/rfc822\">", "<xaip:xmlData><x>", "</xaip:binaryData>", "</x></xaip:xmlData>"), ErrUnsupported},
		"another kind of signature":    {replaced("<dss:Base64Signature Type=\"urn:ietf:rfc:5652\">", "<dss:Other><x>", "</dss:Base64Signature>", "</x></dss:Other>"), ErrUnsupported},
		"an extension":                 {replaced("</xaip:packageHeader>", "<xaip:extension><x/></xaip:extension></xaip:packageHeader>"), ErrUnsupported},
		"an extension without content": {replaced("</xaip:packageHeader>", "<xaip:extension/></xaip:packageHeader>"), nil},
		"a check sum of another kind":  {replaced("xmlenc#sha256", "xmlenc#ripemd160"), ErrUnsupported},
		"protected and not":            {replaced(">ER-1</xaip:unprotected", ">DO-1</xaip:unprotected"), ErrFormat},
		"an object of no version":      {replaced("<xaip:protectedObjectPointer>M-1</xaip:protectedObjectPointer>", ""), ErrFormat},
		"nothing":                      {replaced(), nil},
	} {
		p, err := Read(strings.NewReader(c.change(string(written(t, sample())))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := p.Check(now()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", name, err, c.want)
		}
	}
	p := sample()
	p.Objects[1].Sum = &Sum{Algorithm: checkSumURI, Value: make([]byte, 32)}
	if err := p.Check(now()); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "DO-1") {
		t.Errorf("a check sum that does not fit: %v", err)
	}
}

func replaced(pairs ...string) func(string) string {
	return strings.NewReplacer(pairs...).Replace
}

// Whatever is offered, reading does not panic, and what was read is written in a form
// that is read again as the same.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := sample().Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`<a xmlns="` + Namespace + `"/>`))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := Read(bytes.NewReader(in))
		if err != nil || p.Check(now()) != nil {
			return
		}
		var out bytes.Buffer
		if err := p.Write(&out); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&out)
		if err != nil {
			t.Fatalf("%v:\n%s", err, in)
		}
		for _, list := range [][]*Object{p.Objects, again.Objects} {
			for _, o := range list {
				o.Sum = nil
			}
		}
		if d := cmp.Diff(p, again, cmp.AllowUnexported(Object{}), cmpopts.IgnoreFields(Object{}, "Open"), cmpopts.EquateEmpty(), cmpopts.SortSlices(func(x, y *Object) bool { return x.ID < y.ID })); d != "" {
			t.Fatal(d)
		}
	})
}
