package archive

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/tresor"
)

// VerifyXAIP judges an XAIP or DXAIP: form, check sums, and each evidence record in it,
// which has to cover exactly what its version protects. record, if not nil, is a
// further one, about the newest version. It needs no archive. The result is an error
// if something is invalid, and a warning if nothing is and something is not certain.
//
// That a period is over, or a submission long ago, is no mistake of a package that
// was archived. Of a DXAIP only a part of what its version protects is there, so that
// its evidence records stay undecided.
func VerifyXAIP(ctx context.Context, xaip, record []byte, o ers.Options) (tresor.Result, []Verified) {
	p, err := tresor.Read(bytes.NewReader(xaip))
	if err == nil {
		err = p.Check(submissionOf(p, o.At))
	}
	if err != nil && !errors.Is(err, tresor.ErrUnsupported) && !errors.Is(err, tresor.ErrExpired) && !errors.Is(err, tresor.ErrSubmissionTime) {
		return tresor.Refused(err, p != nil && p.Update != nil), nil
	}
	if record != nil {
		extra := bytesObject(tresor.Attributes{Kind: tresor.KindEvidence, ID: "record", Related: []string{p.Versions[len(p.Versions)-1].ID}}, record)
		p.Objects = append(p.Objects, extra)
	}
	j := &judging{p: p, o: o, result: tresor.Succeeded()}
	j.o.Whole = p.Update == nil
	for _, x := range p.Objects {
		j.object(ctx, x)
	}
	return j.result, j.list
}

// submissionOf is the time at which a package was handed over, as it says; else now.
func submissionOf(p *tresor.Package, now time.Time) time.Time {
	if s := p.Versions[len(p.Versions)-1].Submission; s != nil && s.Time != "" {
		if t, err := tresor.ParseTime(s.Time); err == nil {
			return t
		}
	}
	return now
}

type judging struct {
	p      *tresor.Package
	o      ers.Options
	result tresor.Result
	list   []Verified
}

// worse keeps the gravest result: the first error, else the first warning.
func (j *judging) worse(r tresor.Result) {
	if j.result.Major == tresor.OK || j.result.Major == tresor.Warning && r.Major == tresor.Failure {
		j.result = r
	}
}

func (j *judging) object(ctx context.Context, x *tresor.Object) {
	v := Verified{ObjectID: x.ID}
	switch {
	case x.XML:
		v.Verdict, v.Detail = evidence.Indeterminate, "This is XML or another kind of credential, which is not looked at."
		j.worse(tresor.Partly(v.Detail))
	case x.Kind == tresor.KindSignature:
		v.Verdict, v.Detail = evidence.Indeterminate, signaturesNotJudged
		j.worse(tresor.Partly(v.Detail))
	case x.Kind == tresor.KindEvidence:
		j.evidence(ctx, x, &v)
	default:
		v.Verdict, v.Detail = evidence.Valid, "There is no check sum to compare with."
		if err := x.CheckSum(); err != nil {
			v.Verdict, v.Detail = evidence.Indeterminate, err.Error()
			if r := tresor.Refused(err, j.p.Update != nil); r.Minor != tresor.NotSupported {
				v.Verdict = evidence.Invalid
				j.worse(r)
			} else {
				j.worse(tresor.Partly(v.Detail))
			}
		} else if x.Sum != nil {
			v.Detail = "It has the check sum that the package tells."
		}
	}
	j.list = append(j.list, v)
}

func (j *judging) evidence(ctx context.Context, x *tresor.Object, v *Verified) {
	of := j.p.Covers(x)
	if of == nil {
		v.VersionID, v.Verdict, v.Detail = x.VersionID, evidence.Indeterminate, "It is about no version of this package."
		j.worse(tresor.Partly("Evidence record " + x.ID + ": " + v.Detail))
		return
	}
	v.VersionID = of.ID
	members := evidenceMembers(j.p, of, x)
	for _, id := range of.Protected() {
		if o := j.p.Object(id); o == nil || o.XML {
			v.Verdict, v.Detail = evidence.Indeterminate, "Not all that it covers is here as bytes."
			j.worse(tresor.Partly(v.Detail))
			return
		}
	}
	r := ers.Verify(ctx, x.Bytes(), members, j.o)
	v.Verdict, v.Proven, v.Test, v.Detail = r.Verdict, r.Proven, r.Test, findings(r)
	unsuitable := slices.ContainsFunc(r.Findings, func(f evidence.Finding) bool { return f.Code == ers.CodeHashEnded || f.Code == ers.CodeUnsupported })
	switch {
	case r.Integrity == evidence.Invalid:
		j.worse(tresor.Failed(j.wrong(), "Evidence record "+x.ID+": "+v.Detail))
	case unsuitable:
		j.worse(tresor.Failed(tresor.HashNotSuitable, "Evidence record "+x.ID+": "+v.Detail))
	case r.Verdict == evidence.Invalid:
		j.worse(tresor.Failed(tresor.InvalidSignatureMinor, "Evidence record "+x.ID+": "+v.Detail))
	case r.Verdict != evidence.Valid:
		j.worse(tresor.Partly("Evidence record " + x.ID + ": " + v.Detail))
	}
}

// wrong is the reason for an evidence record that does not prove what it should.
func (j *judging) wrong() tresor.Minor {
	if j.p.Update != nil {
		return tresor.DXAIPEvidence
	}
	return tresor.XAIPEvidence
}
