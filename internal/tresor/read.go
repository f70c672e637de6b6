package tresor

import (
	"encoding/hex"
	"io"
	"slices"
	"strings"
)

// Read reads an XAIP or a DXAIP. What it returns is as the public schema demands it;
// Check looks at what the schema cannot say. What is read and cannot be taken over is
// named in Dropped, or marked in its object: nothing is left out silently. ErrFormat.
func Read(r io.Reader) (*Package, error) {
	root, err := parse(r)
	if err != nil {
		return nil, err
	}
	if err := validate(root); err != nil {
		return nil, err
	}
	return (&reading{p: &Package{}}).document(root)
}

type reading struct{ p *Package }

// drop notes what is not taken over.
func (r *reading) drop(what string) {
	if !slices.Contains(r.p.Dropped, what) {
		r.p.Dropped = append(r.p.Dropped, what)
	}
}

func (r *reading) document(root *element) (*Package, error) {
	h := root.child(name("packageHeader"))
	r.p.ID, _ = h.attr("packageID")
	r.p.AOID, r.p.Info = strings.TrimSpace(h.value(name("AOID"))), h.value(name("packageInfo"))
	if c := h.child(name("ds:CanonicalizationMethod")); c != nil {
		r.p.Canonical, _ = c.attr("Algorithm")
	}
	r.extension(h)
	for _, c := range h.children {
		if key(c.name) == "versionManifest" {
			r.p.Versions = append(r.p.Versions, r.version(c))
		}
	}
	if len(r.p.Versions) > MaxVersions {
		return nil, h.faulty("more than %d versions", MaxVersions)
	}
	for _, section := range root.children[1:] {
		if key(section.name) == "updateSection" {
			r.update(section)
			continue
		}
		for _, c := range section.children {
			o, err := r.object(c)
			if err != nil {
				return nil, err
			}
			r.p.Objects = append(r.p.Objects, o)
		}
		if len(r.p.Objects) > MaxObjects {
			return nil, section.faulty("more than %d objects", MaxObjects)
		}
	}
	return r.p, nil
}

// extension notes an extension that says something.
func (r *reading) extension(e *element) {
	if c := e.child(name("extension")); c != nil && c.filled {
		r.drop("extension of " + e.name.Local)
	}
}

func (r *reading) update(e *element) {
	r.p.Update = &Update{Previous: strings.TrimSpace(e.value(name("prevVersion")))}
	for _, c := range e.children[1:] {
		id, _ := c.attr("objectID")
		r.p.Update.Kept = append(r.p.Update.Kept, id)
	}
}

func (r *reading) version(e *element) Version {
	v := Version{Info: e.value(name("versionInfo"))}
	v.ID, _ = e.attr("VersionID")
	keep := e.child(name("preservationInfo"))
	v.Retention, v.Status = strings.TrimSpace(keep.value(name("retentionPeriod"))), keep.value(name("status"))
	r.extension(keep)
	r.extension(e)
	if e.child(name("idAssignmentList")) != nil {
		r.drop("idAssignmentList")
	}
	if s := e.child(name("submissionInfo")); s != nil {
		v.Submission = &Submission{Client: *nameOf(s, "clientID"), Unit: nameOf(s, "submissionUnit"), Author: nameOf(s, "submissionAuthor"),
			Time: strings.TrimSpace(s.value(name("submissionTime")))}
		r.extension(s)
	}
	for _, c := range e.children {
		if key(c.name) == "packageInfoUnit" {
			v.Units = append(v.Units, r.unit(c))
		}
	}
	return v
}

// nameOf reads a saml:NameIDType; nil: there is none.
func nameOf(e *element, child string) *Name {
	c := e.child(name(child))
	if c == nil {
		return nil
	}
	n := &Name{Value: string(c.text)}
	for attr, to := range map[string]*string{"NameQualifier": &n.NameQualifier, "SPNameQualifier": &n.SPNameQualifier, "Format": &n.Format, "SPProvidedID": &n.SPProvidedID} {
		*to, _ = c.attr(attr)
	}
	return n
}

// unit reads a packageInfoUnit; maxDepth bounds how deep they are in each other.
func (r *reading) unit(e *element) Unit {
	u := Unit{Type: e.value(name("unitType")), Text: e.value(name("textInfo"))}
	u.ID, _ = e.attr("packageUnitID")
	r.extension(e)
	for _, c := range e.children {
		switch key(c.name) {
		case "protectedObjectPointer":
			u.Protected = append(u.Protected, strings.TrimSpace(string(c.text)))
		case "unprotectedObjectPointer":
			u.Unprotected = append(u.Unprotected, strings.TrimSpace(string(c.text)))
		case "packageInfoUnit":
			u.Units = append(u.Units, r.unit(c))
		}
	}
	return u
}

func (r *reading) object(e *element) (*Object, error) {
	o := &Object{}
	if related, ok := e.attr("relatedObjects"); ok {
		o.Related = strings.Fields(related)
	}
	var bytes *element
	switch key(e.name) {
	case "metaDataObject":
		o.Kind, bytes = KindMetadata, e.child(name("binaryMetaData"))
		o.ID, _ = e.attr("metaDataID")
		o.Category, _ = e.attr("category")
		o.Classification, _ = e.attr("classification")
		o.Type, _ = e.attr("type")
	case "dataObject":
		o.Kind, bytes = KindData, e.child(name("binaryData"))
		o.ID, _ = e.attr("dataObjectID")
		if e.child(name("transformInfo")) != nil {
			r.drop("transformInfo")
		}
	default:
		o.ID, _ = e.attr("credentialID")
		bytes = r.credential(o, e)
	}
	o.ID = strings.TrimSpace(o.ID)
	if s := e.child(name("checkSum")); s != nil {
		value, err := hex.DecodeString(strings.TrimSpace(s.value(name("checkSum"))))
		if err != nil {
			return nil, s.faulty("%v", err)
		}
		o.Sum = &Sum{Algorithm: strings.TrimSpace(s.value(name("checkSumAlgorithm"))), Value: value}
	}
	if bytes == nil {
		o.XML = true
		return o, nil
	}
	if m, ok := bytes.attr("MimeType"); ok {
		o.Mime = m
	}
	data, err := decodeBase64(bytes.text)
	if err != nil {
		return nil, bytes.faulty("%v", err)
	}
	bytes.text = nil // it is large, and was decoded
	o.SetBytes(data)
	return o, nil
}

// credential returns where the bytes of a credential are; nil: they are XML.
func (r *reading) credential(o *Object, e *element) *element {
	o.Kind = KindSignature
	if s := e.child(name("dss:SignatureObject")); s != nil {
		c := s.child(name("dss:Base64Signature"))
		if c != nil {
			o.Mime, _ = c.attr("Type")
		}
		return c
	}
	if s := e.child(name("evidenceRecord")); s != nil {
		o.Kind = KindEvidence
		o.AOID, _ = s.attr("AOID")
		o.VersionID, _ = s.attr("VersionID")
		return s.child(name("asn1EvidenceRecord"))
	}
	return nil
}
