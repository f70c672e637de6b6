package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// The functions of BSI TR-03125 Annex E that change something. What a program did
// wrong is a tresor.Result; an error is trouble of the archive's own, after which the
// program has to come again.

// preservationSource is the source to which objects belong that programs archive.
const preservationSource = "TR-ESOR"

// signaturesNotJudged tells with results what is not looked at (TRE-7).
const signaturesNotJudged = "Signatures among the objects are kept as they are; whether they are valid was not determined."

// accepted is the result of what was archived.
func accepted(objects []*tresor.Object) tresor.Result {
	r := tresor.Succeeded()
	if slices.ContainsFunc(objects, func(o *tresor.Object) bool { return o.Kind == tresor.KindSignature }) {
		r.Message = signaturesNotJudged
	}
	return r
}

// Submit archives a package as a new object and returns its AOID (ArchiveSubmission,
// PreservePO). If it brings several versions, each is archived as what it is.
func (h *Handle) Submit(ctx context.Context, xaip []byte, given []Option) (tresor.Result, uid.ID, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, uid.ID{}, err
	}
	if _, bad := options(given); bad != nil {
		return *bad, uid.ID{}, nil
	}
	p, err := tresor.Read(bytes.NewReader(xaip))
	if err != nil {
		return tresor.Refused(err, false), uid.ID{}, nil
	}
	if p.Update != nil {
		return tresor.Failed(tresor.XAIPWrong, "This is a DXAIP; a new object is submitted as an XAIP."), uid.ID{}, nil
	}
	r, object, err := h.a.submit(ctx, h.actor.Tenant, p)
	if err != nil || r.Major == tresor.Failure {
		return r, uid.ID{}, err
	}
	return r, object, h.a.catalog.AppendEvents(ctx, h.actor.Tenant, []*catalog.Event{h.event("preservation.submitted", object.String(), map[string]string{"versions": strconv.Itoa(len(p.Versions))})})
}

// Submit is Handle.Submit, for the operator on the command line.
func (a *Archive) Submit(ctx context.Context, tenant uid.ID, p *tresor.Package) (tresor.Result, uid.ID, error) {
	r, object, err := a.submit(ctx, tenant, p)
	if err != nil || r.Major == tresor.Failure {
		return r, uid.ID{}, err
	}
	return r, object, a.catalog.AppendEvents(ctx, tenant, []*catalog.Event{a.cliEvent("preservation.submitted", object.String(), map[string]string{"versions": strconv.Itoa(len(p.Versions))})})
}

func (a *Archive) submit(ctx context.Context, tenant uid.ID, p *tresor.Package) (tresor.Result, uid.ID, error) {
	now := a.now().UTC().Truncate(time.Millisecond)
	if err := p.Check(now); err != nil {
		return tresor.Refused(err, false), uid.ID{}, nil
	}
	for i := range p.Versions {
		if want := versionID(i + 1); p.Versions[i].ID != want {
			return tresor.Failed(tresor.XAIPWrong, fmt.Sprintf("Version %d is called %s; want %s: the first is V001, and there is no gap.", i+1, p.Versions[i].ID, want)), uid.ID{}, nil
		}
	}
	for _, o := range p.Objects {
		if why := checkEvidence(ctx, p, o); why != "" {
			return tresor.Failed(tresor.XAIPEvidence, why), uid.ID{}, nil
		}
	}
	object := uid.New(now)
	var list []*submitted
	for i := range p.Versions {
		list = append(list, &submitted{pkg: p, object: object, number: i + 1, at: now})
	}
	done, err := a.ingestVersions(ctx, tenant, list)
	if err != nil {
		return tresor.Result{}, uid.ID{}, err
	}
	for i, r := range done {
		if r.Outcome != catalog.Stored {
			return tresor.Result{}, uid.ID{}, fmt.Errorf("version %d of a new object is %s", i+1, r.Outcome)
		}
	}
	return accepted(p.Objects), object, nil
}

// Update archives the difference to the newest version of an object as its next version
// and returns its name (ArchiveUpdate, UpdatePOC).
func (h *Handle) Update(ctx context.Context, dxaip []byte, given []Option) (tresor.Result, string, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, "", err
	}
	if _, bad := options(given); bad != nil {
		return *bad, "", nil
	}
	p, err := tresor.Read(bytes.NewReader(dxaip))
	if err != nil {
		return tresor.Refused(err, true), "", nil
	}
	if p.Update == nil {
		return tresor.Failed(tresor.DXAIPWrong, "This is an XAIP; a new version is given as a DXAIP."), "", nil
	}
	r, object, err := h.a.update(ctx, h.actor.Tenant, p)
	if err != nil || r.Major == tresor.Failure {
		return r, "", err
	}
	version := p.Versions[0].ID
	return r, version, h.a.catalog.AppendEvents(ctx, h.actor.Tenant, []*catalog.Event{h.event("preservation.updated", object.String(), map[string]string{"version": version})})
}

func (a *Archive) update(ctx context.Context, tenant uid.ID, p *tresor.Package) (tresor.Result, uid.ID, error) {
	object, rests, err := a.preserved(ctx, tenant, p.AOID)
	if err != nil {
		return tresor.Result{}, uid.ID{}, err
	}
	if len(rests) == 0 {
		return tresor.Failed(tresor.DXAIPAOID, fmt.Sprintf("There is no object %.60q.", p.AOID)), uid.ID{}, nil
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	if err := p.Check(now); err != nil {
		return tresor.Refused(err, true), uid.ID{}, nil
	}
	newest, next := versionID(len(rests)), versionID(len(rests)+1)
	if p.Update.Previous != newest || p.Versions[0].ID != next {
		return tresor.Failed(tresor.DXAIPVersion, fmt.Sprintf("The newest version is %s, so that the next is %s with prevVersion %s; this is %s with prevVersion %s.",
			newest, next, newest, p.Versions[0].ID, p.Update.Previous)), uid.ID{}, nil
	}
	if len(rests) >= tresor.MaxVersions {
		return tresor.Failed(tresor.DXAIPVersion, fmt.Sprintf("The object has %d versions; no more are possible.", len(rests))), uid.ID{}, nil
	}
	brought := p.Objects // evidence that is kept was looked at when it came
	why, err := a.complete(ctx, tenant, p, rests)
	if err != nil {
		return tresor.Result{}, uid.ID{}, err
	}
	if why != "" {
		return tresor.Failed(tresor.DXAIPWrong, why), uid.ID{}, nil
	}
	for _, o := range brought {
		if why := checkEvidence(ctx, p, o); why != "" {
			return tresor.Failed(tresor.DXAIPEvidence, why), uid.ID{}, nil
		}
	}
	done, err := a.ingestVersions(ctx, tenant, []*submitted{{pkg: p, object: object, number: len(rests) + 1, at: now}})
	if err != nil {
		return tresor.Result{}, uid.ID{}, err
	}
	if done[0].Outcome != catalog.Stored {
		return tresor.Failed(tresor.DXAIPVersion, "Another program has given this version in the meantime."), uid.ID{}, nil
	}
	return accepted(p.Objects), object, nil
}

// complete gives an update what it keeps of the newest version, and says why it does
// not fit to the object: in an object an identifier means one thing, for ever.
func (a *Archive) complete(ctx context.Context, tenant uid.ID, p *tresor.Package, rests []uid.ID) (why string, err error) {
	taken := map[string]bool{}
	var last *storedVersion
	for _, id := range rests {
		if last, err = a.version(ctx, tenant, id); err != nil {
			return "", err
		}
		for i := range last.Parts {
			taken[last.Parts[i].ID] = true
		}
		for _, unit := range last.Manifest.UnitIDs() {
			taken[unit] = true
		}
	}
	for _, o := range p.Objects {
		if taken[o.ID] {
			return fmt.Sprintf("The object has %s already; what is new needs another identifier.", o.ID), nil
		}
	}
	for _, unit := range p.Versions[0].UnitIDs() {
		if taken[unit] {
			return fmt.Sprintf("The object has the unit %s already; the new version needs another identifier.", unit), nil
		}
	}
	was, err := tresor.ParseDate(last.Manifest.Retention)
	if err != nil {
		return "", err
	}
	if is, err := tresor.ParseDate(p.Versions[0].Retention); err != nil || is.Before(was) {
		return fmt.Sprintf("The retention period ends %s; it can be made longer, not shorter.", last.Manifest.Retention), nil //nolint:nilerr // Check has read the date
	}
	kept, err := a.keep(ctx, last, p.Update.Kept)
	if err != nil {
		return "", err
	}
	belongs := append(p.Versions[0].Protected(), p.Versions[0].Unprotected()...)
	for _, id := range p.Update.Kept {
		switch {
		case kept[id] == nil:
			return fmt.Sprintf("placeHolder %.60s: version %s has no such object.", id, p.Update.Previous), nil
		case !slices.Contains(belongs, id):
			return fmt.Sprintf("placeHolder %.60s: the new version does not point to it.", id), nil
		}
		p.Objects = append(p.Objects, kept[id])
	}
	return "", nil
}

// keep reads objects of a version into memory.
func (a *Archive) keep(ctx context.Context, v *storedVersion, ids []string) (map[string]*tresor.Object, error) {
	open, done, err := a.contents(ctx, v)
	if err != nil {
		return nil, err
	}
	defer done()
	out := map[string]*tresor.Object{}
	for i := range v.Parts {
		if !slices.Contains(ids, v.Parts[i].ID) {
			continue
		}
		b, err := readAll(open[i])
		if err != nil {
			return nil, err
		}
		o, err := v.Parts[i].object(nil)
		if err != nil {
			return nil, err
		}
		o.SetBytes(b)
		out[o.ID] = o
	}
	return out, nil
}

// checkEvidence tells what is wrong with an object that is an evidence record: whether
// it covers exactly what its version protects (TRE-6), and fits together in itself. Who
// has made its time stamps is not asked here: Verify tells that. Empty: nothing.
func checkEvidence(ctx context.Context, p *tresor.Package, o *tresor.Object) string {
	v := p.Covers(o)
	if o.Kind != tresor.KindEvidence {
		return ""
	}
	if v == nil {
		return fmt.Sprintf("The evidence record %s is about no version of this package.", o.ID)
	}
	r := ers.Verify(ctx, o.Bytes(), evidenceMembers(p, v, o), ers.Options{Whole: true})
	if r.Integrity == evidence.Valid {
		return ""
	}
	return fmt.Sprintf("The evidence record %s does not prove what version %s protects: %s.", o.ID, v.ID, findings(r))
}

// evidenceMembers are the objects that a version protects; a record does not cover
// itself.
func evidenceMembers(p *tresor.Package, v *tresor.Version, of *tresor.Object) []ers.Member {
	var out []ers.Member
	for _, id := range v.Protected() {
		if o := p.Object(id); o != nil && o != of {
			out = append(out, ers.Member{Name: id, Data: ers.Bytes(o.Bytes())})
		}
	}
	return out
}

// findings names what speaks against a record.
func findings(r *ers.Report) string {
	var out []string
	for _, f := range r.Findings {
		if f.Verdict != evidence.Valid && !slices.Contains(out, string(f.Code)) {
			out = append(out, string(f.Code))
		}
	}
	return strings.Join(out, ", ")
}

// submitted is a version that is to be archived.
type submitted struct {
	pkg    *tresor.Package
	object uid.ID
	number int
	at     time.Time
}

// ingestVersions archives versions of an object in one transaction: all of them or none.
func (a *Archive) ingestVersions(ctx context.Context, tenant uid.ID, versions []*submitted) ([]Receipt, error) {
	source, err := a.namedSource(ctx, &catalog.Source{Tenant: tenant, Kind: KindUpload, Name: preservationSource})
	if err != nil {
		return nil, err
	}
	var list []Submission
	for _, s := range versions {
		sub := s.submission(tenant, source.ID)
		if err := a.admitSubmission(ctx, &sub); err != nil {
			return nil, err
		}
		list = append(list, sub)
	}
	return a.ingestAll(ctx, list)
}

// submission is a version: its manifest, and all objects that it points to.
func (s *submitted) submission(tenant, source uid.ID) Submission {
	v := &s.pkg.Versions[0]
	if s.pkg.Update == nil {
		v = &s.pkg.Versions[s.number-1]
	}
	d := &Document{Name: s.object.String() + "-" + v.ID, Package: &Package{Object: s.object, Number: s.number, From: fromElsewhere(s),
		ID: s.pkg.ID, Info: s.pkg.Info, Canonical: s.pkg.Canonical, Manifest: *v}}
	protected, unprotected := v.Protected(), v.Unprotected()
	var objects []*tresor.Object
	for _, o := range s.pkg.Objects {
		covered := slices.Contains(protected, o.ID)
		if covered || slices.Contains(unprotected, o.ID) || s.pkg.Covers(o) == v {
			objects = append(objects, o)
			d.Package.Parts = append(d.Package.Parts, newPart(o, covered))
		}
	}
	return Submission{Tenant: tenant, Source: source, Raw: joined(objects), Document: d, ReceivedAt: s.at}
}

// fromElsewhere is the AOID that a new object had where it comes from.
func fromElsewhere(s *submitted) string {
	if s.pkg.Update != nil {
		return ""
	}
	return s.pkg.AOID
}

// preserved finds an object by its AOID as a program gives it, and where its versions
// rest; none: there is no such object. Mail, and documents of people, are none.
func (a *Archive) preserved(ctx context.Context, tenant uid.ID, aoid string) (uid.ID, []uid.ID, error) {
	object, err := uid.Parse(strings.TrimSpace(aoid))
	if err != nil {
		return uid.ID{}, nil, nil //nolint:nilerr // what is no id is unknown
	}
	rests, err := a.versions(ctx, tenant, object)
	if errors.Is(err, catalog.ErrNotFound) {
		err = nil
	}
	return object, rests, err
}
