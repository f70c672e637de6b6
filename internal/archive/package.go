package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// packageType is the type of what rests in the vault of a package: its parts, one
// after the other. It is no type that leaves the archive.
const packageType = "application/vnd.muniment.parts"

// Package is one version of an object that came as an XAIP (BSI TR-03125): several
// parts, and a manifest that says which of them the version consists of. Each version
// is archived as a document of its own, whole: its original are the bytes of all its
// parts, one after the other. So no version depends on another, and none can be lost
// with another. The catalog knows version n of an object by versionIdentity.
type Package struct {
	Object uid.ID `json:"object"` // AOID: that of the document that is version 1
	Number int    `json:"number"` // from 1
	// From is the AOID that the package had where it came from, if it told one.
	From string `json:"from,omitempty"`

	ID        string         `json:"id"` // packageID
	Info      string         `json:"info,omitempty"`
	Canonical string         `json:"canonicalization,omitempty"`
	Manifest  tresor.Version `json:"manifest"`
	Parts     []Part         `json:"parts"`
}

// Part is an object of a package: data, metadata or a credential.
type Part struct {
	tresor.Attributes
	Protected bool   `json:"protected,omitempty"` // the evidence record covers it
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"` // hexadecimal
	SHA512    string `json:"sha512"`
	// Algorithm and Sum are the checkSum with which the part came.
	Algorithm string `json:"algorithm,omitempty"`
	Sum       string `json:"sum,omitempty"`
}

// versionIdentity is what the catalog knows a version of an object by, see
// catalog.Message.Document.
func versionIdentity(object uid.ID, number int) [32]byte {
	b := append([]byte("muniment package version 1\x00"), object[:]...)
	return sha256.Sum256(binary.BigEndian.AppendUint32(b, uint32(number)))
}

// versionID is how a version is called outside: V001.
func versionID(number int) string { return fmt.Sprintf("V%03d", number) }

// check refuses what cannot be kept. That what the parts say fits together was found
// out before.
func (p *Package) check() error {
	if p.Object.IsZero() || p.Number < firstVersion || len(p.Parts) == 0 {
		return invalid("package: without object, version or parts")
	}
	return nil
}

// version returns the version of a package that a record is about; nil: it is none.
func (r *record) version() *Package {
	if r == nil || r.Document == nil {
		return nil
	}
	return r.Document.Package
}

func (p *pending) version() *Package {
	if p.sub.Document == nil {
		return nil
	}
	return p.sub.Document.Package
}

// describe fills the metadata of a version.
func (p *Package) describe(m *evidence.Metadata) error {
	m.AOID, m.Version, m.Members = p.Object.String(), int64(p.Number), nil
	for _, x := range p.Parts {
		if !x.Protected {
			continue
		}
		s := evidence.MetadataSum{Name: x.ID, Size: x.Size}
		b, err := hex.DecodeString(x.SHA512)
		if err != nil || copy(s.SHA512[:], b) != sha512.Size || len(b) != sha512.Size {
			return fmt.Errorf("part %s: %.140q is no SHA-512", x.ID, x.SHA512)
		}
		m.Members = append(m.Members, s)
	}
	return nil
}

// members makes Message.Members. A hash that is none is never among those of parts:
// describe has looked at them, and what the vault gives is what was put in.
func (p *Package) members(metadata [32]byte) []byte {
	out := append([]byte{packageMembers}, metadata[:]...)
	for _, x := range p.Parts {
		if b, err := hex.DecodeString(x.SHA256); x.Protected && err == nil && len(b) == sha256.Size {
			out = append(out, b...)
		}
	}
	return out
}

// newPart describes an object of a package that was read.
func newPart(o *tresor.Object, protected bool) Part {
	short, long := sha256.Sum256(o.Bytes()), sha512.Sum512(o.Bytes())
	p := Part{Attributes: o.Attributes, Protected: protected, Size: int64(len(o.Bytes())), SHA256: hex.EncodeToString(short[:]), SHA512: hex.EncodeToString(long[:])}
	if o.Sum != nil {
		p.Algorithm, p.Sum = o.Sum.Algorithm, hex.EncodeToString(o.Sum.Value)
	}
	return p
}

// stored is a version of a package as it rests.
type storedVersion struct {
	*Package
	row *catalog.Message
}

// versions returns where the versions of an object rest, the first one first: there is
// no gap. Empty: the tenant has no such object, or it is no package.
func (a *Archive) versions(ctx context.Context, tenant, object uid.ID) ([]uid.ID, error) {
	const step = 16
	var out []uid.ID
	for {
		keys := make([][32]byte, step)
		for i := range keys {
			keys[i] = versionIdentity(object, len(out)+1+i)
		}
		known, err := a.catalog.KnownDocuments(ctx, tenant, keys)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			id, ok := known[k]
			if !ok {
				return out, nil
			}
			out = append(out, id)
		}
	}
}

// version reads what rests of a version beside its parts.
func (a *Archive) version(ctx context.Context, tenant, id uid.ID) (*storedVersion, error) {
	row, err := a.catalog.Message(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	meta, err := a.meta(ctx, row)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", id, err)
	}
	rec, err := decodeRecord(meta)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", id, err)
	}
	if rec.version() == nil {
		return nil, fmt.Errorf("message %s is no version of a package: %w", id, catalog.ErrNotFound)
	}
	return &storedVersion{rec.version(), row}, nil
}

// contents opens the parts of a version, in their order. The vault has compared all of
// them together with what was archived; each is compared with its own SHA-256 while it
// is read. done frees them.
func (a *Archive) contents(ctx context.Context, v *storedVersion) (parts []func() (io.ReadCloser, error), done func(), err error) {
	raw, done, err := a.original(ctx, v.row)
	if err != nil {
		return nil, nil, err
	}
	at := int64(0)
	for i := range v.Parts {
		part, from := &v.Parts[i], at
		at += part.Size
		parts = append(parts, func() (io.ReadCloser, error) {
			return io.NopCloser(newPartReader(io.NewSectionReader(raw, from, part.Size), part)), nil
		})
	}
	if at != raw.Size() {
		done()
		return nil, nil, fmt.Errorf("message %s: its parts have %d bytes, and there are %d", v.row.AOID, at, raw.Size())
	}
	return parts, done, nil
}

// partSums returns the hash values by h of what the evidence record of a version
// covers: of its metadata and of its protected parts, which are read. The caller has
// compared the metadata with what was sealed.
func (a *Archive) partSums(ctx context.Context, v *storedVersion, metadata []byte, h algo.Hash) ([][]byte, error) {
	open, done, err := a.contents(ctx, v)
	if err != nil {
		return nil, err
	}
	defer done()
	out := [][]byte{h.Sum(metadata)}
	for i := range v.Parts {
		if !v.Parts[i].Protected {
			continue
		}
		r, err := open[i]()
		if err != nil {
			return nil, err
		}
		w := h.New()
		_, err = io.Copy(w, r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("message %s: %w", v.row.AOID, err)
		}
		out = append(out, w.Sum(nil))
	}
	return out, nil
}

// partReader compares what is read with the SHA-256 of the part.
type partReader struct {
	io.Reader
	part *Part
	sum  interface {
		io.Writer
		Sum([]byte) []byte
	}
}

func newPartReader(r io.Reader, part *Part) *partReader {
	h := sha256.New()
	return &partReader{Reader: io.TeeReader(r, h), part: part, sum: h}
}

func (r *partReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF && hex.EncodeToString(r.sum.Sum(nil)) != r.part.SHA256 { //nolint:errorlint // as io.Reader gives it
		return n, fmt.Errorf("part %s is not what it was", r.part.ID)
	}
	return n, err
}

// object makes the object of an XAIP of a part.
func (p *Part) object(open func() (io.ReadCloser, error)) (*tresor.Object, error) {
	o := &tresor.Object{Attributes: p.Attributes, Open: open}
	if p.Algorithm != "" {
		b, err := hex.DecodeString(p.Sum)
		if err != nil {
			return nil, fmt.Errorf("part %s: %w", p.ID, err)
		}
		o.Sum = &tresor.Sum{Algorithm: p.Algorithm, Value: b}
	}
	return o, nil
}

// joined are the bytes of all parts, one after the other.
func joined(objects []*tresor.Object) *bytes.Reader {
	var size int
	for _, o := range objects {
		size += len(o.Bytes())
	}
	b := make([]byte, 0, size)
	for _, o := range objects {
		b = append(b, o.Bytes()...)
	}
	return bytes.NewReader(b)
}
