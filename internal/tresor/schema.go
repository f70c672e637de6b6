package tresor

import (
	"encoding/xml"
	"slices"
	"strings"
)

// particle is one place in a sequence of elements: one of names, min to max times.
type particle struct {
	names    []xml.Name
	min, max int
}

// many is "unbounded"; the number of elements of a document is bounded.
const many = maxElements

// content is the type of an element.
type content struct {
	sequence []particle        // nil: simple content
	text     simple            // of simple content
	required map[string]simple // attributes
	optional map[string]simple
	fixed    map[string]string // attributes with one value
}

// named makes names of the namespace of packages; a prefix tells another one.
func named(names ...string) []xml.Name {
	out := make([]xml.Name, 0, len(names))
	for _, n := range names {
		space := Namespace
		switch prefix, local, found := strings.Cut(n, ":"); {
		case !found:
		case prefix == "ds":
			space, n = dsNamespace, local
		case prefix == "dss":
			space, n = dssNamespace, local
		case prefix == "vr":
			space, n = vrNamespace, local
		}
		out = append(out, xml.Name{Space: space, Local: n})
	}
	return out
}

func name(n string) xml.Name { return named(n)[0] }

func one(names ...string) particle   { return particle{named(names...), 1, 1} }
func maybe(names ...string) particle { return particle{named(names...), 0, 1} }
func some(names ...string) particle  { return particle{named(names...), 1, many} }
func any0(names ...string) particle  { return particle{named(names...), 0, many} }

func sequence(p ...particle) content { return content{sequence: p} }

func (c content) needs(attr string, s simple) content {
	c.required = with(c.required, attr, s)
	return c
}

func (c content) has(s simple, attrs ...string) content {
	for _, a := range attrs {
		c.optional = with(c.optional, a, s)
	}
	return c
}

func with(m map[string]simple, attr string, s simple) map[string]simple {
	if m == nil {
		m = map[string]simple{}
	}
	m[attr] = s
	return m
}

// nameID is saml:NameIDType.
func nameID() content {
	return content{}.has(typeString, "NameQualifier", "SPNameQualifier", "SPProvidedID").has(typeURI, "Format")
}

// schema tells what may be in an element. In packages an element means the same
// wherever it is, but for checkSum, which has one of its own name in it (checkSumOf).
// What is not here may hold anything: it is passed over, and marked.
func schema() map[string]content {
	base64 := content{text: typeBase64}
	m := map[string]content{
		"XAIP":  xaip(),
		"DXAIP": delta(),
		"packageHeader": sequence(maybe("AOID"), maybe("packageInfo"), some("versionManifest"), maybe("ds:CanonicalizationMethod"), maybe("extension")).
			needs("packageID", typeID),
		"versionManifest": sequence(maybe("versionInfo"), one("preservationInfo"), maybe("submissionInfo"), some("packageInfoUnit"), maybe("idAssignmentList"), maybe("extension")).
			needs("VersionID", typeID),
		"preservationInfo": sequence(one("retentionPeriod"), maybe("status"), maybe("extension")),
		"submissionInfo":   sequence(one("clientID"), maybe("submissionUnit"), maybe("submissionAuthor"), maybe("submissionTime"), maybe("extension")),
		"packageInfoUnit": sequence(maybe("unitType"), maybe("textInfo"), some("protectedObjectPointer"), any0("unprotectedObjectPointer"), any0("packageInfoUnit"), maybe("extension")).
			needs("packageUnitID", typeID),
		"metaDataSection":    sequence(some("metaDataObject")),
		"dataObjectsSection": sequence(some("dataObject")),
		"credentialsSection": sequence(some("credential")),
		"metaDataObject": sequence(one("binaryMetaData", "xmlMetaData"), maybe("checkSum")).
			needs("metaDataID", typeID).needs("relatedObjects", typeRefs).has(typeString, "category", "classification", "type"),
		"dataObject": sequence(one("binaryData", "xmlData"), maybe("checkSum"), maybe("transformInfo")).
			needs("dataObjectID", typeID).has(typeRefs, "relatedObjects"),
		"credential": sequence(one("dss:SignatureObject", "certificateValues", "revocationValues", "evidenceRecord", "vr:VerificationReport", "other")).
			needs("credentialID", typeID).has(typeRefs, "relatedObjects"),
		"evidenceRecord":      sequence(one("xmlEvidenceRecord", "asn1EvidenceRecord")).has(typeString, "AOID", "VersionID"),
		"dss:SignatureObject": sequence(one("ds:Signature", "dss:Timestamp", "dss:Base64Signature", "dss:SignaturePtr", "dss:Other")).has(typeRefs, "SchemaRefs"),
		"dss:Base64Signature": base64.has(typeURI, "Type"),
		"idAssignmentList":    sequence(some("idAssignmentPointer")).needs("idAssignmentListID", typeID),
		"idAssignmentPointer": sequence(one("checkSum")).needs("objectRef", typeRef),
		"checkSum":            sequence(one("checkSumAlgorithm"), one("checkSum")),
		"updateSection":       sequence(one("prevVersion"), any0("placeHolder")),
		"placeHolder":         sequence().needs("objectID", typeID),
		"asn1EvidenceRecord":  base64,

		"ds:CanonicalizationMethod": sequence().needs("Algorithm", typeURI),
	}
	for _, n := range []string{"AOID", "packageInfo", "versionInfo", "status", "unitType", "textInfo", "prevVersion"} {
		m[n] = content{}
	}
	for _, n := range []string{"clientID", "submissionUnit", "submissionAuthor"} {
		m[n] = nameID()
	}
	for _, n := range []string{"binaryData", "binaryMetaData"} {
		m[n] = base64.has(typeString, "MimeType")
	}
	for n, s := range map[string]simple{"retentionPeriod": typeDate, "submissionTime": typeTime, "protectedObjectPointer": typeRef, "unprotectedObjectPointer": typeRef, "checkSumAlgorithm": typeURI} {
		m[n] = content{text: s}
	}
	return m
}

func xaip() content {
	c := sequence(one("packageHeader"), maybe("metaDataSection"), maybe("dataObjectsSection"), maybe("credentialsSection")).needs("XAIPVersion", typeString)
	c.fixed = map[string]string{"XAIPVersion": XAIPVersion}
	return c
}

func delta() content {
	c := xaip()
	c.sequence = append(c.sequence, one("updateSection"))
	return c
}

// key is how schema calls an element.
func key(n xml.Name) string {
	switch n.Space {
	case Namespace:
		return n.Local
	case dsNamespace:
		return "ds:" + n.Local
	case dssNamespace:
		return "dss:" + n.Local
	case vrNamespace:
		return "vr:" + n.Local
	}
	return n.Space + " " + n.Local
}

// opaque reports whether what is in an element is passed over: it is XML of any kind.
func opaque(n xml.Name) bool {
	switch key(n) {
	case "extension", "xmlMetaData", "xmlData", "certificateValues", "revocationValues", "vr:VerificationReport", "other", "xmlEvidenceRecord", "transformInfo",
		"ds:Signature", "dss:Timestamp", "dss:SignaturePtr", "dss:Other":
		return true
	}
	return false
}

// checking compares a tree with the schema.
type checking struct {
	schema map[string]content
	ids    map[string]bool // of xs:ID, which are unique in a document
	refs   map[string]*element
}

// validate reports the first place at which a tree is not as the schema says.
// References have to lead to something in the document, as xs:IDREF demands.
func validate(root *element) error {
	c := &checking{schema: schema(), ids: map[string]bool{}, refs: map[string]*element{}}
	if k := key(root.name); k != "XAIP" && k != "DXAIP" {
		return root.faulty("the root element is {%s}%s; want XAIP or DXAIP of %s", root.name.Space, root.name.Local, Namespace)
	}
	if err := c.element(root, false); err != nil {
		return err
	}
	missing := make([]string, 0, len(c.refs))
	for id := range c.refs {
		if !c.ids[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		id := slices.Min(missing)
		return c.refs[id].faulty("%.60q refers to nothing in the document", id)
	}
	return nil
}

// element checks one element; inner says that it is the checkSum in a checkSum.
func (c *checking) element(e *element, inner bool) error {
	if e.opaque {
		return nil
	}
	t, known := c.schema[key(e.name)]
	if inner {
		t, known = content{text: typeHex}, true
	}
	if !known {
		return e.faulty("is not known")
	}
	if err := c.attributes(e, t); err != nil {
		return err
	}
	if t.sequence == nil {
		if len(e.children) > 0 {
			return e.faulty("has elements in it; want text")
		}
		if err := t.text.check(string(e.text)); err != nil {
			return e.faulty("%v", err)
		}
		if t.text == typeRef {
			c.refer(strings.TrimSpace(string(e.text)), e)
		}
		return nil
	}
	if !e.blank() {
		return e.faulty("has text between its elements")
	}
	if err := follow(e, t.sequence); err != nil {
		return err
	}
	for _, child := range e.children {
		if err := c.element(child, key(e.name) == "checkSum" && child.name == e.name); err != nil {
			return err
		}
	}
	return nil
}

func (c *checking) refer(id string, e *element) {
	if c.refs[id] == nil {
		c.refs[id] = e
	}
}

// attributes checks those of an element; attributes of xsi are about the document.
func (c *checking) attributes(e *element, t content) error {
	for n := range t.required {
		if _, ok := e.attr(n); !ok {
			return e.faulty("lacks the attribute %s", n)
		}
	}
	for _, a := range e.attrs {
		if a.Name.Space == xsiNamespace || a.Name.Space == xmlNamespace {
			continue
		}
		s, ok := t.required[a.Name.Local]
		if !ok {
			s, ok = t.optional[a.Name.Local]
		}
		if !ok || a.Name.Space != "" {
			return e.faulty("has an attribute %.60q that is not known", a.Name.Local)
		}
		if err := s.check(a.Value); err != nil {
			return e.faulty("attribute %s: %v", a.Name.Local, err)
		}
		if want := t.fixed[a.Name.Local]; want != "" && a.Value != want {
			return e.faulty("attribute %s is %.40q; want %s", a.Name.Local, a.Value, want)
		}
		switch s {
		case typeID:
			id := strings.TrimSpace(a.Value)
			if c.ids[id] {
				return e.faulty("the identifier %.60q is used twice", id)
			}
			c.ids[id] = true
		case typeRef, typeRefs:
			for _, id := range strings.Fields(a.Value) {
				c.refer(id, e)
			}
		case typeString, typeDate, typeTime, typeBase64, typeHex, typeURI:
		}
	}
	return nil
}

// follow checks the order of the children. In no sequence of packages may one name be
// at two places, so that the first fit is the only one.
func follow(e *element, sequence []particle) error {
	i := 0
	for _, p := range sequence {
		n := 0
		for i < len(e.children) && n < p.max && slices.Contains(p.names, e.children[i].name) {
			i, n = i+1, n+1
		}
		if n < p.min {
			if i < len(e.children) {
				return e.faulty("has <%.60s> where <%s> must be", e.children[i].name.Local, p.names[0].Local)
			}
			return e.faulty("lacks <%s>", p.names[0].Local)
		}
	}
	if i < len(e.children) {
		return e.faulty("has <%.60s> where it may not be", e.children[i].name.Local)
	}
	return nil
}
