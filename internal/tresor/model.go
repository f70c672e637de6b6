package tresor

import (
	"bytes"
	"io"
)

// Package is an XAIP, or a DXAIP if Update is set.
type Package struct {
	ID        string    // packageID
	AOID      string    // empty: none was assigned yet
	Info      string    // packageInfo
	Canonical string    // algorithm of ds:CanonicalizationMethod; empty: none is named
	Versions  []Version // at least one
	Objects   []*Object // metadata, data, credentials, as they are in the document
	Update    *Update   // of a DXAIP
	// Dropped names elements that were read and cannot be taken over, each once.
	Dropped []string
}

// Update is what makes a package a DXAIP: the difference to a version.
type Update struct {
	Previous string   // prevVersion
	Kept     []string // placeHolder: objects of that version that stay
}

// Version is a versionManifest.
type Version struct {
	ID         string      `json:"id"`
	Info       string      `json:"info,omitempty"`
	Retention  string      `json:"retention"` // xs:date, as it was written
	Status     string      `json:"status,omitempty"`
	Submission *Submission `json:"submission,omitempty"`
	Units      []Unit      `json:"units"`
}

// Submission is submissionInfo: who has handed a version over.
type Submission struct {
	Client Name   `json:"client"`
	Unit   *Name  `json:"unit,omitempty"`
	Author *Name  `json:"author,omitempty"`
	Time   string `json:"time,omitempty"` // xs:dateTime, as it was written
}

// Name is a saml:NameIDType.
type Name struct {
	Value           string `json:"value"`
	NameQualifier   string `json:"name_qualifier,omitempty"`
	SPNameQualifier string `json:"sp_name_qualifier,omitempty"`
	Format          string `json:"format,omitempty"`
	SPProvidedID    string `json:"sp_provided_id,omitempty"`
}

// Unit is a packageInfoUnit: objects that belong together.
type Unit struct {
	ID          string   `json:"id"`
	Type        string   `json:"type,omitempty"`
	Text        string   `json:"text,omitempty"`
	Protected   []string `json:"protected"`
	Unprotected []string `json:"unprotected,omitempty"`
	Units       []Unit   `json:"units,omitempty"`
}

// Kind is what an object is.
type Kind string

// Kinds of objects.
const (
	KindMetadata  Kind = "metadata"
	KindData      Kind = "data"
	KindSignature Kind = "signature" // a credential: dss:Base64Signature
	KindEvidence  Kind = "evidence"  // a credential: asn1EvidenceRecord
)

// Object is a metaDataObject, a dataObject or a credential. It is known by its bytes:
// what base64 in the document stands for.
type Object struct {
	Attributes
	// Open returns the bytes. Read packages hold them in memory.
	Open func() (io.ReadCloser, error)
	// XML says that the content is XML or of a kind that is not taken over; there are
	// no bytes then.
	XML bool
	// Sum is the checkSum; nil: there is none.
	Sum *Sum

	data []byte
}

// Attributes are what is said of an object beside its bytes.
type Attributes struct {
	Kind           Kind     `json:"kind"`
	ID             string   `json:"id"`
	Mime           string   `json:"mime,omitempty"` // of data and metadata; of a signature: its Type
	Related        []string `json:"related,omitempty"`
	Category       string   `json:"category,omitempty"`       // of metadata
	Classification string   `json:"classification,omitempty"` // of metadata
	Type           string   `json:"type,omitempty"`           // of metadata
	AOID           string   `json:"aoid,omitempty"`           // of evidence
	VersionID      string   `json:"version_id,omitempty"`     // of evidence
}

// Sum is a checkSum.
type Sum struct {
	Algorithm string // URI
	Value     []byte
}

// Bytes returns the bytes of an object of a package that was read.
func (o *Object) Bytes() []byte { return o.data }

// SetBytes gives an object its bytes.
func (o *Object) SetBytes(b []byte) {
	o.data = b
	o.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// Object returns the object called id; nil: there is none.
func (p *Package) Object(id string) *Object {
	for _, o := range p.Objects {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// Version returns the manifest of a version; nil: there is none.
func (p *Package) Version(id string) *Version {
	for i := range p.Versions {
		if p.Versions[i].ID == id {
			return &p.Versions[i]
		}
	}
	return nil
}

// Protected lists the objects that the evidence of a version covers, each once, in
// the order of the manifest.
func (v *Version) Protected() []string {
	return collect(v.Units, func(u *Unit) []string { return u.Protected })
}

// Unprotected lists the other objects of a version, each once.
func (v *Version) Unprotected() []string {
	return collect(v.Units, func(u *Unit) []string { return u.Unprotected })
}

// UnitIDs lists the identifiers of the units.
func (v *Version) UnitIDs() []string {
	return collect(v.Units, func(u *Unit) []string { return []string{u.ID} })
}

// collect walks units; their depth is bounded by that of the document.
func collect(units []Unit, of func(*Unit) []string) []string {
	var out []string
	seen := map[string]bool{}
	var walk func([]Unit)
	walk = func(list []Unit) {
		for i := range list {
			for _, id := range of(&list[i]) {
				if !seen[id] {
					seen[id] = true
					out = append(out, id)
				}
			}
			walk(list[i].Units)
		}
	}
	walk(units)
	return out
}
