package tresor

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Write writes an XAIP, or a DXAIP if Update is set. Objects are read once, while they
// are written. An object without a Sum, but for credentials, gets a check sum of
// SHA-256. After an error what was written is worthless.
func (p *Package) Write(w io.Writer) error {
	x := &writing{w: bufio.NewWriter(w)}
	root := "XAIP"
	if p.Update != nil {
		root = "DXAIP"
	}
	x.raw(xml.Header)
	x.raw(`<xaip:` + root + ` XAIPVersion="` + XAIPVersion + `" xmlns:xaip="` + Namespace + `" xmlns:ds="` + dsNamespace + `" xmlns:dss="` + dssNamespace + `">`)
	x.header(p)
	for _, s := range []struct {
		name  string
		kinds []Kind
	}{{"metaDataSection", []Kind{KindMetadata}}, {"dataObjectsSection", []Kind{KindData}}, {"credentialsSection", []Kind{KindSignature, KindEvidence}}} {
		x.section(p, s.name, s.kinds)
	}
	if u := p.Update; u != nil {
		x.open("updateSection")
		x.text("prevVersion", u.Previous)
		for _, id := range u.Kept {
			x.raw("<xaip:placeHolder" + attributes("objectID", id) + "/>")
		}
		x.close("updateSection")
	}
	x.close(root)
	x.raw("\n")
	if x.err == nil {
		x.err = x.w.Flush()
	}
	if x.err != nil {
		return fmt.Errorf("write XAIP: %w", x.err)
	}
	return nil
}

// writing writes a document; the first error stays.
type writing struct {
	w   *bufio.Writer
	err error
}

func (x *writing) raw(s string) {
	if x.err == nil {
		_, x.err = x.w.WriteString(s)
	}
}

// attributes writes pairs of name and value; those without a value are left out.
func attributes(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			b.WriteString(" " + pairs[i] + `="` + escaped(pairs[i+1]) + `"`)
		}
	}
	return b.String()
}

// escaped makes text fit for an element or an attribute. What XML cannot hold becomes
// U+FFFD; packages that were read have none of it.
func escaped(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) //nolint:errcheck // a builder takes everything
	return b.String()
}

func (x *writing) open(name string, attrs ...string) {
	x.raw("<xaip:" + name + attributes(attrs...) + ">")
}
func (x *writing) close(name string) { x.raw("</xaip:" + name + ">") }

func (x *writing) text(name, s string, attrs ...string) {
	x.open(name, attrs...)
	x.raw(escaped(s))
	x.close(name)
}

// given writes an element that may be absent.
func (x *writing) given(name, s string) {
	if s != "" {
		x.text(name, s)
	}
}

func (x *writing) header(p *Package) {
	x.open("packageHeader", "packageID", p.ID)
	x.given("AOID", p.AOID)
	x.given("packageInfo", p.Info)
	for i := range p.Versions {
		x.version(&p.Versions[i])
	}
	if p.Canonical != "" {
		x.raw("<ds:CanonicalizationMethod" + attributes("Algorithm", p.Canonical) + "/>")
	}
	x.close("packageHeader")
}

func (x *writing) version(v *Version) {
	x.open("versionManifest", "VersionID", v.ID)
	x.given("versionInfo", v.Info)
	x.open("preservationInfo")
	x.text("retentionPeriod", v.Retention)
	x.given("status", v.Status)
	x.close("preservationInfo")
	if s := v.Submission; s != nil {
		x.open("submissionInfo")
		x.name("clientID", &s.Client)
		x.name("submissionUnit", s.Unit)
		x.name("submissionAuthor", s.Author)
		x.given("submissionTime", s.Time)
		x.close("submissionInfo")
	}
	for i := range v.Units {
		x.unit(&v.Units[i])
	}
	x.close("versionManifest")
}

func (x *writing) name(element string, n *Name) {
	if n != nil {
		x.text(element, n.Value, "NameQualifier", n.NameQualifier, "SPNameQualifier", n.SPNameQualifier, "Format", n.Format, "SPProvidedID", n.SPProvidedID)
	}
}

func (x *writing) unit(u *Unit) {
	x.open("packageInfoUnit", "packageUnitID", u.ID)
	x.given("unitType", u.Type)
	x.given("textInfo", u.Text)
	for _, id := range u.Protected {
		x.text("protectedObjectPointer", id)
	}
	for _, id := range u.Unprotected {
		x.text("unprotectedObjectPointer", id)
	}
	for i := range u.Units {
		x.unit(&u.Units[i])
	}
	x.close("packageInfoUnit")
}

// section writes the objects of some kinds, if there are any.
func (x *writing) section(p *Package, name string, kinds []Kind) {
	begun := false
	for _, o := range p.Objects {
		if o.Kind != kinds[0] && o.Kind != kinds[len(kinds)-1] {
			continue
		}
		if !begun {
			x.open(name)
			begun = true
		}
		x.object(o)
	}
	if begun {
		x.close(name)
	}
}

func (x *writing) object(o *Object) {
	related := strings.Join(o.Related, " ")
	switch o.Kind {
	case KindMetadata:
		x.open("metaDataObject", "metaDataID", o.ID, "relatedObjects", related, "category", o.Category, "classification", o.Classification, "type", o.Type)
		x.binary("binaryMetaData", o)
		x.close("metaDataObject")
	case KindData:
		x.open("dataObject", "dataObjectID", o.ID, "relatedObjects", related)
		x.binary("binaryData", o)
		x.close("dataObject")
	case KindSignature:
		x.open("credential", "relatedObjects", related, "credentialID", o.ID)
		x.raw("<dss:SignatureObject><dss:Base64Signature" + attributes("Type", o.Mime) + ">")
		x.bytes(o)
		x.raw("</dss:Base64Signature></dss:SignatureObject>")
		x.close("credential")
	case KindEvidence:
		x.open("credential", "relatedObjects", related, "credentialID", o.ID)
		x.open("evidenceRecord", "AOID", o.AOID, "VersionID", o.VersionID)
		x.open("asn1EvidenceRecord")
		x.bytes(o)
		x.close("asn1EvidenceRecord")
		x.close("evidenceRecord")
		x.close("credential")
	default:
		x.fail(fmt.Errorf("object %s is of no kind", o.ID))
	}
}

func (x *writing) fail(err error) {
	if x.err == nil {
		x.err = err
	}
}

// binary writes the bytes of an object and its check sum.
func (x *writing) binary(name string, o *Object) {
	x.open(name, "MimeType", o.Mime)
	sum := x.bytes(o)
	x.close(name)
	algorithm := checkSumURI
	if o.Sum != nil {
		algorithm, sum = o.Sum.Algorithm, o.Sum.Value
	}
	x.open("checkSum")
	x.text("checkSumAlgorithm", algorithm)
	x.text("checkSum", fmt.Sprintf("%x", sum))
	x.close("checkSum")
}

// bytes writes the bytes of an object in base64 and returns their SHA-256.
func (x *writing) bytes(o *Object) []byte {
	if x.err != nil {
		return nil
	}
	if o.Open == nil {
		x.fail(fmt.Errorf("object %s has no bytes", o.ID))
		return nil
	}
	r, err := o.Open()
	if err != nil {
		x.fail(fmt.Errorf("object %s: %w", o.ID, err))
		return nil
	}
	h := sha256.New()
	e := base64.NewEncoder(base64.StdEncoding, x.w)
	_, err = io.Copy(io.MultiWriter(e, h), r)
	if err = errors.Join(err, e.Close(), r.Close()); err != nil {
		x.fail(fmt.Errorf("object %s: %w", o.ID, err))
	}
	return h.Sum(nil)
}
