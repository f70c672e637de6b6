package offline

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/inspect"
)

// Parts are the proof of one object, wherever it comes from: a bundle that somebody
// holds, or the archive that is writing one. What is verified is the same.
type Parts struct {
	Manifest *Manifest
	Record   []byte
	Members  []Part // as in the manifest
	Metadata []byte // the member "metadata"; nil if it was withheld
	Head     []byte // the beginning of the original, for the report; nil if it is no message
	Log      []byte // the proof that its arrival is in the event log; nil: none
}

// Part is a member as it was found.
type Part struct {
	Size           int64
	SHA256, SHA512 []byte
	// More computes other hash values; nil: they are unknown.
	More ers.Data
}

// Sum implements ers.Data.
func (p *Part) Sum(h algo.Hash) ([]byte, error) {
	switch {
	case h == algo.SHA256:
		return p.SHA256, nil
	case h == algo.SHA512:
		return p.SHA512, nil
	case p.More != nil:
		return p.More.Sum(h)
	}
	return nil, fmt.Errorf("%v: %w", h, ers.ErrNoHash)
}

// Trust is what a verification rests on.
type Trust struct {
	Options ers.Options
	Anchors []*x509.Certificate
	Own     bool              // the anchors are those of the bundle itself
	LogKey  ed25519.PublicKey // of the event log, from elsewhere; nil: unknown
	logs    *logs
}

// judging is one verification of parts.
type judging struct {
	p      *Parts
	t      Trust
	report *ers.Report
	facts  *inspect.Facts
}

// Verify judges the parts. The facts hold the report, and what else there is to tell.
func (p *Parts) Verify(ctx context.Context, t Trust) *inspect.Facts {
	m := p.Manifest
	o := t.Options
	o.Whole = len(m.Withheld) == 0
	var members []ers.Member
	for i, x := range m.Members {
		members = append(members, ers.Member{Name: x.File, Data: &p.Members[i]})
	}
	j := &judging{p: p, t: t, report: ers.Verify(ctx, p.Record, members, o)}
	j.facts = &inspect.Facts{Report: j.report, At: o.At, Own: t.Own, Withheld: m.Withheld, Object: inspect.Object{AOID: m.AOID, Tenant: m.Tenant}}
	for i, x := range m.Members {
		covered := i < len(j.report.Members) && j.report.Members[i].Covered
		j.facts.Members = append(j.facts.Members, inspect.Member{Name: x.Name, File: x.File, Size: p.Members[i].Size, SHA256: hex.EncodeToString(p.Members[i].SHA256), Covered: covered})
	}
	for _, c := range t.Anchors {
		sum := sha256.Sum256(c.Raw)
		j.facts.Anchors = append(j.facts.Anchors, inspect.Anchor{Subject: c.Subject.String(), SHA256: hex.EncodeToString(sum[:])})
	}
	if p.Head != nil {
		j.facts.Object.ReadHead(p.Head)
	}
	metadata := j.compare()
	j.tokens()
	j.log(ctx, metadata)
	if t.Own {
		j.note(CodeOwnAnchors, evidence.Indeterminate, "", "trusted was only what the bundle itself brings: %s. Get these certificates from the authority or from its country's trusted list, compare, and give them by --anchors", prints(t.Anchors))
	}
	if len(m.Withheld) > 0 {
		text := strings.Join(m.Withheld, ", ")
		if slices.Contains(m.Withheld, "metadata") {
			text += "; the number of the object and its tenant are claimed by " + ManifestFile + " and proven by nothing"
		}
		j.note(CodeWithheld, evidence.Valid, "", "%s", text)
	}
	return j.facts
}

func (j *judging) note(code evidence.Code, v evidence.Verdict, member, format string, args ...any) {
	j.report.Findings = append(j.report.Findings, evidence.Finding{Code: code, Verdict: v, Chain: -1, Stamp: -1, Member: member, Detail: fmt.Sprintf(format, args...)})
	j.report.Verdict = graver(j.report.Verdict, v)
}

// compare looks whether manifest, metadata and members speak of the same. The record
// proves the members without it; what disagrees is a bundle that somebody has put
// together of several.
func (j *judging) compare() *evidence.Metadata {
	m := j.p.Manifest
	var members []evidence.MetadataSum
	for i, x := range m.Members {
		have := &j.p.Members[i]
		if hex.EncodeToString(have.SHA256) != x.SHA256 || have.Size != x.Size {
			j.note(CodeManifest, evidence.Invalid, x.File, "%s tells another size or hash value", ManifestFile)
		}
		if x.Name != "metadata" {
			members = append(members, evidence.MetadataSum{Name: x.Name, SHA512: [64]byte(have.SHA512)})
		}
	}
	if j.p.Metadata == nil {
		if !slices.Contains(m.Withheld, "metadata") {
			j.note(CodeManifest, evidence.Invalid, "metadata", "it is missing, and %s does not tell that it was withheld", ManifestFile)
		}
		return nil
	}
	metadata, err := evidence.ParseMetadata(j.p.Metadata)
	if err != nil {
		j.note(CodeMetadata, evidence.Invalid, "metadata", "%v", err)
		return nil
	}
	j.facts.Object.Arrived = metadata.Arrived
	if metadata.AOID != m.AOID || metadata.Tenant != m.Tenant {
		j.note(CodeMetadata, evidence.Invalid, "", "it is that of object %s of tenant %s", metadata.AOID, metadata.Tenant)
	}
	for _, s := range members {
		if !slices.ContainsFunc(metadata.Members, func(x evidence.MetadataSum) bool { return x.SHA512 == s.SHA512 && x.Name == s.Name }) {
			j.note(CodeMetadata, evidence.Invalid, "", "the member %q is not among those that it names by SHA-512", s.Name)
		}
	}
	return metadata
}

// tokens looks whether the manifest tells of the time stamps what they say themselves.
func (j *judging) tokens() {
	m := j.p.Manifest
	if m.Tokens == nil || j.report.Stamps == nil {
		return
	}
	if m.Test != j.report.Test {
		j.note(CodeManifest, evidence.Invalid, "", "%s does not tell rightly whether a time stamp is one of a test authority", ManifestFile)
	}
	if m.Qualified == qualifiedClaim && !slices.ContainsFunc(j.report.Stamps, func(s ers.StampReport) bool { return s.Statement }) {
		j.note(CodeManifest, evidence.Invalid, "", "%s calls the time stamp qualified, which it does not state to be", ManifestFile)
	}
	for _, t := range m.Tokens {
		if !slices.ContainsFunc(j.report.Stamps, func(s ers.StampReport) bool { return s.Time.Equal(t.GenTime) }) {
			j.note(CodeManifest, evidence.Invalid, t.File, "%s tells another time of it than the record", ManifestFile)
		}
	}
}
