package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// An XAIP shows an archived object as BSI TR-03125 wants it. Of mail and documents:
//
//	V001           its only version
//	DO-original    the bytes as they arrived
//	DO-report      the journal report in which they came, if they came in one
//	MDO-AOID-V001  the metadata that the archive has made
//	CR-AOID-V001   the evidence record, which covers exactly the others
//
// An object that came as an XAIP has its own parts in their place.

// unending is the retention period of what has none. The form demands a date, and the
// status beside it tells what it means.
const (
	unending       = "9999-12-31"
	unendingStatus = "No end of the retention period is set."
)

// canonicalization is named in packages of which all content is bytes: it is that of
// BSI's own ones, and decides nothing.
const canonicalization = "http://www.w3.org/2001/10/xml-exc-c14n#"

// XAIP is an archived object, ready to be written.
type XAIP struct {
	*tresor.Package
	// Unstamped lists the versions that have no time stamp yet, and so no evidence
	// record.
	Unstamped []string
	Size      int64 // of all parts, bytes

	done []func()
}

// Close frees what was opened.
func (x *XAIP) Close() {
	for _, done := range x.done {
		done()
	}
	x.done = nil
}

// Name is what the file is called.
func (x *XAIP) Name() string { return x.AOID + ".xaip.xml" }

// add adds an object, unless it is there already: versions share parts.
func (x *XAIP) add(o *tresor.Object, size int64) {
	if x.Object(o.ID) == nil {
		x.Objects = append(x.Objects, o)
		x.Size += size
	}
}

// XAIP returns a message or document as an XAIP, with its evidence record if it has a
// time stamp. It is for those alone who may have the whole evidence. ErrBlind.
func (h *Handle) XAIP(ctx context.Context, id uid.ID) (*XAIP, error) {
	row, err := h.provable(ctx, id)
	if err != nil {
		return nil, err
	}
	_, hidden := h.visible(row.Parties)
	p, err := h.a.protected(ctx, row)
	if err != nil {
		return nil, err
	}
	if row.Facts.File == nil && (hidden || p.report != nil && !h.actor.MaySeeBcc(accessParties(row.Parties))) {
		return nil, fmt.Errorf("message %s: its metadata name people of whom you may not know: %w: %w", id, ErrBlind, access.ErrForbidden)
	}
	x, err := h.a.messageXAIP(ctx, row, p)
	if err != nil {
		return nil, err
	}
	if err := h.logRead(ctx, "evidence.downloaded", row); err != nil {
		x.Close()
		return nil, err
	}
	return x, nil
}

// XAIP returns an archived object with the versions that have these numbers, none: all,
// for the operator on the command line. catalog.ErrNotFound.
func (a *Archive) XAIP(ctx context.Context, tenant, object uid.ID, numbers ...int) (*XAIP, error) {
	rests, err := a.versions(ctx, tenant, object)
	if err != nil {
		return nil, err
	}
	if len(rests) > 0 {
		return a.packageXAIP(ctx, tenant, rests, wanted{numbers: numbers, evidence: true})
	}
	if len(numbers) > 0 && !slices.Equal(numbers, []int{firstVersion}) {
		return nil, fmt.Errorf("version %s of %s: %w", versionID(numbers[0]), object, catalog.ErrNotFound)
	}
	row, err := a.catalog.Message(ctx, tenant, object)
	if err != nil {
		return nil, err
	}
	p, err := a.protected(ctx, row)
	if err != nil {
		return nil, err
	}
	return a.messageXAIP(ctx, row, p)
}

// messageXAIP makes the XAIP of mail or of a document.
func (a *Archive) messageXAIP(ctx context.Context, row *catalog.Message, p *protected) (*XAIP, error) {
	aoid := row.AOID.String()
	x := &XAIP{Package: &tresor.Package{ID: "PKG-" + aoid, AOID: aoid, Canonical: canonicalization}}
	version := versionID(firstVersion)
	const original, report = "DO-original", "DO-report"
	meta := "MDO-" + aoid + "-" + version
	mime := "message/rfc822"
	if f := row.Facts.File; f != nil {
		mime = f.Type
	}
	x.add(bytesObject(tresor.Attributes{Kind: tresor.KindMetadata, ID: meta, Mime: "application/json", Related: []string{original}}, p.metadata), int64(len(p.metadata)))
	x.add(&tresor.Object{Attributes: tresor.Attributes{Kind: tresor.KindData, ID: original, Mime: mime, Related: []string{meta}},
		Open: func() (io.ReadCloser, error) { return a.open(ctx, row) }}, row.Size)
	unit := tresor.Unit{ID: "PIU-" + version, Protected: []string{original, meta}}
	if p.report != nil {
		c, err := p.record.Capture.capture(row.Tenant, row.AOID)
		if err != nil {
			return nil, err
		}
		c.Segment, c.Frame = row.Segment, row.Frame
		x.add(&tresor.Object{Attributes: tresor.Attributes{Kind: tresor.KindData, ID: report, Mime: "message/rfc822", Related: []string{original}},
			Open: func() (io.ReadCloser, error) { return a.openReport(ctx, c) }}, p.report.size)
		unit.Protected = append(unit.Protected, report)
	}
	if err := a.addEvidence(ctx, x, row, evidenceOf{aoid, version, &unit}); err != nil {
		return nil, err
	}
	x.Versions = []tresor.Version{{ID: version, Retention: unending, Status: unendingStatus, Units: []tresor.Unit{unit}}}
	return x, nil
}

func bytesObject(attributes tresor.Attributes, b []byte) *tresor.Object {
	o := &tresor.Object{Attributes: attributes}
	o.SetBytes(b)
	return o
}

// evidenceOf says for what an evidence record is added.
type evidenceOf struct {
	object, version string
	unit            *tresor.Unit // gets the pointer to it
}

// addEvidence adds the evidence record of a version, which covers what is protected in
// its manifest, or notes that there is none yet.
func (a *Archive) addEvidence(ctx context.Context, x *XAIP, row *catalog.Message, of evidenceOf) error {
	e, err := a.evidence(ctx, row)
	if errors.Is(err, ErrNotSealed) {
		x.Unstamped = append(x.Unstamped, of.version)
		return nil
	}
	if err != nil {
		return err
	}
	o := bytesObject(tresor.Attributes{Kind: tresor.KindEvidence, ID: "CR-" + of.object + "-" + of.version, Related: []string{of.version}, AOID: of.object, VersionID: of.version}, e.record)
	of.unit.Unprotected = append(of.unit.Unprotected, o.ID)
	x.add(o, int64(len(e.record)))
	return nil
}

// wanted says what of an object goes into its XAIP.
type wanted struct {
	numbers  []int // of versions; none: all
	evidence bool
}

// packageXAIP makes the XAIP of an object that came as one. rests are where its
// versions are.
func (a *Archive) packageXAIP(ctx context.Context, tenant uid.ID, rests []uid.ID, w wanted) (x *XAIP, err error) {
	if len(w.numbers) == 0 {
		for i := range rests {
			w.numbers = append(w.numbers, i+1)
		}
	}
	x = &XAIP{Package: &tresor.Package{}}
	defer func() {
		if err != nil {
			x.Close()
		}
	}()
	for _, n := range w.numbers {
		if n < firstVersion || n > len(rests) {
			return x, fmt.Errorf("version %s of %s: %w", versionID(n), rests[0], catalog.ErrNotFound)
		}
		v, err := a.version(ctx, tenant, rests[n-1])
		if err != nil {
			return x, err
		}
		if err := a.addVersion(ctx, x, v, w.evidence); err != nil {
			return x, err
		}
	}
	x.settle()
	return x, nil
}

// settle takes references to what belongs to other versions alone out of the objects:
// in a document they would lead nowhere.
func (x *XAIP) settle() {
	for _, o := range x.Objects {
		for _, id := range o.Related {
			if o.Kind == tresor.KindEvidence && o.VersionID == "" && !x.names(id) {
				o.VersionID = id // of which version it is must not be lost
			}
		}
		o.Related = slices.DeleteFunc(slices.Clone(o.Related), func(id string) bool { return id != x.ID && x.Object(id) == nil && !x.names(id) })
		if len(o.Related) == 0 && o.Kind == tresor.KindMetadata { // the form demands one
			o.Related = []string{x.Versions[0].ID}
		}
	}
}

// names reports whether an identifier is that of a version or of a unit.
func (x *XAIP) names(id string) bool {
	return slices.ContainsFunc(x.Versions, func(v tresor.Version) bool { return v.ID == id || slices.Contains(v.UnitIDs(), id) })
}

// addVersion adds a version: its manifest and parts as they came, and the metadata
// that the archive has made of them, which the evidence record covers as well.
func (a *Archive) addVersion(ctx context.Context, x *XAIP, v *storedVersion, withEvidence bool) error {
	p, err := a.protected(ctx, v.row)
	if err != nil {
		return err
	}
	open, done, err := a.contents(ctx, v)
	if err != nil {
		return err
	}
	x.done = append(x.done, done)
	aoid := v.Object.String()
	x.ID, x.AOID, x.Info, x.Canonical = v.ID, aoid, v.Info, v.Canonical
	version := v.Manifest
	version.Units = slices.Clone(version.Units)
	var protected []string
	for i := range v.Parts {
		o, err := v.Parts[i].object(open[i])
		if err != nil {
			return err
		}
		x.add(o, v.Parts[i].Size)
		if v.Parts[i].Protected {
			protected = append(protected, o.ID)
		}
	}
	meta := bytesObject(tresor.Attributes{Kind: tresor.KindMetadata, ID: "MDO-" + aoid + "-" + version.ID, Mime: "application/json", Related: protected}, p.metadata)
	x.add(meta, int64(len(p.metadata)))
	unit := tresor.Unit{ID: "PIU-" + aoid + "-" + version.ID, Type: "muniment", Text: "Added by the archive.", Protected: []string{meta.ID}}
	if withEvidence {
		if err := a.addEvidence(ctx, x, v.row, evidenceOf{aoid, version.ID, &unit}); err != nil {
			return err
		}
	}
	version.Units = append(version.Units, unit)
	x.Versions = append(x.Versions, version)
	return nil
}

// write returns the XAIP as bytes.
func (x *XAIP) write() ([]byte, error) {
	var b bytes.Buffer
	err := x.Write(&b)
	return b.Bytes(), err
}
