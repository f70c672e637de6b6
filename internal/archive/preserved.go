package archive

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// The functions of BSI TR-03125 Annex E that change nothing, and that of deletion.

// allVersions asks for every version of an object.
const allVersions = "ALL"

// maxRetrieved bounds the parts of what one answer holds in memory, in bytes. The
// command line gives objects of any size.
const maxRetrieved = 48 << 20

// maxTrace bounds the events of one answer.
const maxTrace = 1000

// readAll reads what was opened, and closes it.
func readAll(open func() (io.ReadCloser, error)) ([]byte, error) {
	r, err := open()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

// chosen finds the versions of an object that a program asks for; none: the newest.
// What of it is not there is told in the result.
func (h *Handle) chosen(ctx context.Context, aoid string, versions []string) (r tresor.Result, rests []uid.ID, numbers []int, err error) {
	_, rests, err = h.a.preserved(ctx, h.actor.Tenant, aoid)
	if err != nil {
		return r, nil, nil, err
	}
	if len(rests) == 0 {
		return tresor.Failed(tresor.UnknownAOID, fmt.Sprintf("There is no object %.60q.", aoid)), nil, nil, nil
	}
	if len(versions) == 0 {
		return tresor.Succeeded(), rests, []int{len(rests)}, nil
	}
	var missing []string
	for _, v := range versions {
		found := false
		for n := firstVersion; n <= len(rests); n++ {
			if v == versionID(n) || v == allVersions {
				found = true
				if !slices.Contains(numbers, n) {
					numbers = append(numbers, n)
				}
			}
		}
		if !found {
			missing = append(missing, fmt.Sprintf("%.40q", v))
		}
	}
	slices.Sort(numbers)
	switch what := "The object has no version " + strings.Join(missing, ", ") + "."; {
	case len(numbers) == 0:
		return tresor.Failed(tresor.UnknownVersionID, what), nil, nil, nil
	case len(missing) > 0:
		return tresor.Partly(what), rests, numbers, nil
	}
	return tresor.Succeeded(), rests, numbers, nil
}

// Retrieve returns versions of an object as an XAIP (ArchiveRetrieval, RetrievePO);
// none named: the newest. With IncludeERS the evidence records are in it.
func (h *Handle) Retrieve(ctx context.Context, aoid string, versions []string, given []Option) (tresor.Result, []byte, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, nil, err
	}
	with, bad := options(given, optionIncludeERS)
	if bad != nil {
		return *bad, nil, nil
	}
	r, rests, numbers, err := h.chosen(ctx, aoid, versions)
	if err != nil || r.Major == tresor.Failure {
		return r, nil, err
	}
	x, err := h.a.packageXAIP(ctx, h.actor.Tenant, rests, wanted{numbers: numbers, evidence: with[optionIncludeERS] != ""})
	if err != nil {
		return tresor.Result{}, nil, err
	}
	defer x.Close()
	if x.Size > maxRetrieved {
		return tresor.Failed(tresor.ParameterError, fmt.Sprintf("These versions have %d bytes; at most %d are given at once. Ask for fewer versions, or have the operator export them: muniment xaip export.", x.Size, maxRetrieved)), nil, nil
	}
	if len(x.Unstamped) > 0 {
		r = tresor.Partly(strings.TrimSpace(r.Message + " " + unstamped(x.Unstamped)))
	}
	b, err := x.write()
	if err != nil {
		return tresor.Result{}, nil, err
	}
	return r, b, h.log(ctx, "preservation.retrieved", rests[0])
}

func unstamped(versions []string) string {
	return "There is no time stamp yet on version " + strings.Join(versions, ", ") + "."
}

// VersionEvidence is the evidence record of a version.
type VersionEvidence struct {
	VersionID string
	Record    []byte // RFC 4998, DER
}

// RetrieveEvidence returns the evidence records of versions of an object
// (ArchiveEvidence); none named: that of the newest.
func (h *Handle) RetrieveEvidence(ctx context.Context, aoid string, versions []string, given []Option) (tresor.Result, []VersionEvidence, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, nil, err
	}
	if _, bad := options(given, optionERSFormat); bad != nil {
		return *bad, nil, nil
	}
	r, rests, numbers, err := h.chosen(ctx, aoid, versions)
	if err != nil || r.Major == tresor.Failure {
		return r, nil, err
	}
	var out []VersionEvidence
	var without []string
	for _, n := range numbers {
		row, err := h.a.catalog.Message(ctx, h.actor.Tenant, rests[n-1])
		if err != nil {
			return tresor.Result{}, nil, err
		}
		e, err := h.a.evidence(ctx, row)
		if errors.Is(err, ErrNotSealed) {
			without = append(without, versionID(n))
			continue
		}
		if err != nil {
			return tresor.Result{}, nil, err
		}
		out = append(out, VersionEvidence{versionID(n), e.record})
	}
	if len(without) > 0 {
		r = tresor.Partly(strings.TrimSpace(r.Message + " " + unstamped(without)))
	}
	return r, out, h.log(ctx, "evidence.downloaded", rests[0])
}

// Reason is a ReasonOfDeletion.
type Reason struct{ Requestor, Info string }

// Delete is ArchiveDeletion: all versions of an object are deleted for good. Before the
// end of the retention period that the newest version names it needs a reason; a hold
// keeps the object in any case. What is left is a tombstone for each version.
func (h *Handle) Delete(ctx context.Context, aoid string, reason *Reason, given []Option) (tresor.Result, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, err
	}
	if _, bad := options(given); bad != nil {
		return *bad, nil
	}
	object, rests, err := h.a.preserved(ctx, h.actor.Tenant, aoid)
	if err != nil {
		return tresor.Result{}, err
	}
	if len(rests) == 0 {
		return tresor.Failed(tresor.UnknownAOID, fmt.Sprintf("There is no object %.60q.", aoid)), nil
	}
	v, err := h.a.version(ctx, h.actor.Tenant, rests[len(rests)-1])
	if err != nil {
		return tresor.Result{}, err
	}
	end, err := tresor.ParseDate(v.Manifest.Retention)
	if err != nil {
		return tresor.Result{}, err
	}
	why := ""
	if reason != nil {
		who, what := strings.TrimSpace(reason.Requestor), strings.TrimSpace(reason.Info)
		if who != "" && what != "" {
			why = who + ": " + what
		}
		if len(why) > maxReason || !utf8.ValidString(why) {
			return tresor.Failed(tresor.ParameterError, fmt.Sprintf("The reason has more than %d bytes.", maxReason)), nil
		}
	}
	if h.a.now().Before(end) && why == "" {
		return tresor.Failed(tresor.MissingReason, "The retention period ends "+v.Manifest.Retention+"; before, deletion needs a reason: who asks for it, and why."), nil
	}
	_, err = h.a.erase(ctx, h.actor.Tenant, eraseOrder{list: rests, peer: h.actor.Peer, judge: func(uid.ID, Retained) *KeptMessage { return nil }, due: end,
		tombstone: catalog.Tombstone{AskedBy: h.actor.User, AskedRole: string(h.actor.Role), CarriedBy: h.who(), Reason: why},
		events:    []*catalog.Event{h.event("preservation.deleted", object.String(), map[string]string{"versions": strconv.Itoa(len(rests))})}})
	var kept *KeptError
	if errors.As(err, &kept) {
		if kept.List[0].Missing {
			return tresor.Failed(tresor.UnknownAOID, fmt.Sprintf("There is no object %.60q (any more).", aoid)), nil
		}
		return tresor.Failed(tresor.NotSupported, "The object must not be deleted: "+kept.List[0].String()+". Nothing was deleted."), h.log(ctx, "preservation.deletion-refused", object)
	}
	if err != nil {
		return tresor.Result{}, err
	}
	return tresor.Succeeded(), nil
}

// Trace lists what has happened to an object, the newest first (ArchiveTrace,
// RetrieveTrace).
func (h *Handle) Trace(ctx context.Context, aoid string, given []Option) (tresor.Result, []*catalog.Event, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, nil, err
	}
	if _, bad := options(given); bad != nil {
		return *bad, nil, nil
	}
	_, rests, err := h.a.preserved(ctx, h.actor.Tenant, aoid)
	if err != nil {
		return tresor.Result{}, nil, err
	}
	if len(rests) == 0 {
		return tresor.Failed(tresor.UnknownAOID, fmt.Sprintf("There is no object %.60q.", aoid)), nil, nil
	}
	r := tresor.Succeeded()
	var out []*catalog.Event
	for _, id := range rests { // versions have their own entries of their arrival
		list, err := h.a.catalog.FindEvents(ctx, h.actor.Tenant, catalog.EventFilter{Object: id.String()}, maxTrace+1)
		if err != nil {
			return tresor.Result{}, nil, err
		}
		if out = append(out, list...); len(out) > maxTrace {
			r = tresor.Partly(fmt.Sprintf("There are more than %d events; these are the youngest of the first versions.", maxTrace))
			out = out[:maxTrace]
			break
		}
	}
	slices.SortFunc(out, func(a, b *catalog.Event) int { return int(b.Seq - a.Seq) })
	return r, out, nil
}

// Located is what ArchiveData has found at one location.
type Located struct {
	Result tresor.Result
	Value  []byte
}

// LocationObject is the only type of locations: the identifier of an object in the
// newest version.
const LocationObject = "urn:muniment:object-id"

// Location is a place in an XAIP.
type Location struct{ Type, Value string }

// Data returns parts of the newest version of an object (ArchiveData).
func (h *Handle) Data(ctx context.Context, aoid string, places []Location, given []Option) (tresor.Result, []Located, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, nil, err
	}
	if _, bad := options(given); bad != nil {
		return *bad, nil, nil
	}
	r, rests, numbers, err := h.chosen(ctx, aoid, nil)
	if err != nil || r.Major == tresor.Failure {
		return r, nil, err
	}
	v, err := h.a.version(ctx, h.actor.Tenant, rests[numbers[0]-1])
	if err != nil {
		return tresor.Result{}, nil, err
	}
	var ids []string
	size := int64(0)
	for _, p := range places {
		i := slices.IndexFunc(v.Parts, func(x Part) bool { return x.ID == p.Value })
		if p.Type == LocationObject && i >= 0 && !slices.Contains(ids, p.Value) {
			ids, size = append(ids, p.Value), size+v.Parts[i].Size
		}
	}
	if size > maxRetrieved {
		return tresor.Failed(tresor.ParameterError, fmt.Sprintf("These objects have %d bytes; at most %d are given at once.", size, maxRetrieved)), nil, nil
	}
	objects, err := h.a.keep(ctx, v, ids)
	if err != nil {
		return tresor.Result{}, nil, err
	}
	out := make([]Located, len(places))
	for i, p := range places {
		switch o := objects[p.Value]; {
		case p.Type != LocationObject:
			out[i].Result = tresor.Failed(tresor.NotSupported, fmt.Sprintf("Locations of the type %.80q are not supported; only %s is.", p.Type, LocationObject))
		case o == nil:
			out[i].Result = tresor.Failed(tresor.ParameterError, fmt.Sprintf("The newest version has no object %.60q.", p.Value))
		default:
			out[i] = Located{tresor.Succeeded(), o.Bytes()}
			continue
		}
		r = tresor.Partly("Not every location was found.")
	}
	return r, out, h.log(ctx, "preservation.retrieved", rests[0])
}

// Verified is what Verify has found out about one object.
type Verified struct {
	ObjectID  string
	VersionID string // of an evidence record
	Verdict   evidence.Verdict
	Detail    string    // English, for people
	Proven    time.Time // of an evidence record: unchanged since; zero: not known
	Test      bool      // a stamp is one of the test authority
}

// Verify judges a package: its form, its check sums and its evidence records (Verify,
// ValidateEvidence). It has to be in no archive. Whether signatures are valid is not
// determined. Trusted are the certificates of the authorities that are set.
func (h *Handle) Verify(ctx context.Context, xaip, record []byte, given []Option) (tresor.Result, []Verified, error) {
	if err := h.actor.Check(access.Preserve); err != nil {
		return tresor.Result{}, nil, err
	}
	if _, bad := options(given); bad != nil {
		return *bad, nil, nil
	}
	set, err := h.a.SealSetting(ctx)
	if err != nil {
		return tresor.Result{}, nil, err
	}
	var roots []*x509.Certificate
	for _, x := range set.Authorities {
		roots = append(roots, certificatesOf([]byte(x.CA))...)
	}
	r, list := VerifyXAIP(ctx, xaip, record, ers.Options{At: h.a.now(), Anchors: tsp.NewAnchors(roots)})
	return r, list, nil
}

// certificatesOf reads certificates; what is none was refused when it was set.
func certificatesOf(text []byte) []*x509.Certificate {
	var out []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return out
		}
		if c, err := brainpool.ParseCertificate(block.Bytes); err == nil {
			out = append(out, c)
		}
	}
}
