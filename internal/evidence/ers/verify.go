package ers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/der"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Options of a verification. The zero value trusts nobody.
type Options struct {
	At         time.Time    // the time of the verification; zero: now
	Anchors    *tsp.Anchors // certificates trusted without proof
	Sidecar    *tsp.Sidecar // certificates and revocation data beside the record
	Revocation tsp.RevocationPolicy
	Catalogue  *algo.Catalogue // nil: the shipped one
	Qualifier  tsp.Qualifier   // nil: every stamp is "not determined"
	Cache      *tsp.Cache      // for many records with equal options; may be nil
	Whole      bool            // the members must be the whole group, not a part of it
	Basis      bool            // report what breaks the profile Basis-ERS
}

// verifier is one verification.
type verifier struct {
	o       Options
	record  *Record
	members []Member
	report  *Report
	tokens  [][]*tsp.Token // by chain and stamp; nil where one cannot be read
	sums    map[algo.Hash][][]byte
}

// Verify judges a record and whether it covers the members. It always returns a
// report; errors are findings. What it checks:
//
//   - the structure: DER, version 1, every used hash listed
//   - each stamp: one hash per chain, the same as in the token, and a hash tree
//     that leads to the token's imprint
//   - the first stamp covers every member; each further stamp of a chain covers
//     the token before it; the first stamp of each further chain covers every
//     member together with all that went before
//   - each token, its certificates, their revocation and its algorithms, at the
//     time of the next stamp (of the last: At); times ascend
//
// Data of which nothing is given are not proven: without members the verdict is
// indeterminate at best. Reading members and verifying tokens ends when ctx does.
func Verify(ctx context.Context, record []byte, members []Member, o Options) *Report {
	if o.At.IsZero() {
		o.At = time.Now()
	}
	if o.Catalogue == nil {
		o.Catalogue = algo.Shipped()
	}
	v := &verifier{o: o, members: members, report: &Report{}, sums: map[algo.Hash][][]byte{}}
	v.run(ctx, record)
	v.report.Verdict = v.report.Findings.Verdict()
	v.report.Integrity = v.report.integrity()
	return v.report
}

// sequenceTag is what every ASN.1 record begins with, by BER as well.
const sequenceTag = 0x30

// add records a finding about a stamp; chain -1 is none.
func (v *verifier) add(c evidence.Code, verdict evidence.Verdict, chain, stamp int, detail string) {
	v.report.Findings = append(v.report.Findings, evidence.Finding{Code: c, Verdict: verdict, Chain: chain, Stamp: stamp, Detail: detail})
}

func (v *verifier) run(ctx context.Context, record []byte) {
	r, err := ParseRecord(record)
	if err != nil {
		var code evidence.Code
		if !errors.As(err, &code) {
			code = CodeMalformed
		}
		verdict := evidence.Invalid
		if code == CodeTooLarge || code == CodeVersion || errors.Is(err, der.ErrBER) && record[0] == sequenceTag {
			verdict = evidence.Indeterminate // it cannot be read here, which says nothing about it
		}
		v.add(code, verdict, -1, -1, err.Error())
		return
	}
	v.record = r
	if r.encryption {
		v.add(CodeEncrypted, evidence.Indeterminate, -1, -1, "the record covers encrypted data")
	}
	if v.o.Basis {
		v.basis()
	}
	for _, m := range v.members {
		v.report.Members = append(v.report.Members, MemberReport{Name: m.Name, Covered: true})
	}
	v.parseTokens()
	for c := range r.Chains {
		for j := range r.Chains[c] {
			if ctx.Err() != nil {
				v.add(CodeTimeBound, evidence.Indeterminate, c, j, "the verification was given up: "+ctx.Err().Error())
				return
			}
			v.stamp(c, j)
		}
	}
	v.times()
	if len(v.members) == 0 {
		v.add(CodeNoData, evidence.Indeterminate, -1, -1, "no data were given, only the record itself was verified")
	}
}

// basis reports what the profile Basis-ERS forbids in a record.
func (v *verifier) basis() {
	if v.record.cryptoInfos {
		v.add(CodeBasis, evidence.Invalid, -1, -1, "cryptoInfos is forbidden")
	}
	if v.record.encryption {
		v.add(CodeBasis, evidence.Invalid, -1, -1, "encryptionInfo is forbidden")
	}
	for c, chain := range v.record.Chains {
		for j, t := range chain {
			if t.attributes {
				v.add(CodeBasis, evidence.Invalid, c, j, "attributes are forbidden")
			}
		}
	}
}

func (v *verifier) parseTokens() {
	for c, chain := range v.record.Chains {
		v.tokens = append(v.tokens, make([]*tsp.Token, len(chain)))
		for j, t := range chain {
			token, err := v.o.Cache.Parse(t.Token)
			if err != nil {
				var code evidence.Code
				errors.As(err, &code)
				verdict := evidence.Invalid
				if errors.Is(err, der.ErrBER) {
					verdict = evidence.Indeterminate
				}
				v.add(code, verdict, c, j, err.Error())
				continue
			}
			v.tokens[c][j] = token
		}
	}
}

// secured returns the time at which a stamp is judged: that of the next one.
func (v *verifier) secured(c, j int) time.Time {
	for k, i := c, j+1; k < len(v.tokens); k, i = k+1, 0 {
		for ; i < len(v.tokens[k]); i++ {
			if v.tokens[k][i] != nil {
				return v.tokens[k][i].Info.GenTime
			}
		}
	}
	return v.o.At
}

// stamp verifies one archive time stamp.
func (v *verifier) stamp(c, j int) {
	t, token := v.record.Chains[c][j], v.tokens[c][j]
	if token == nil {
		return // parseTokens has said why
	}
	at := v.secured(c, j)
	result := v.o.Cache.Verify(token, tsp.Options{At: at, Anchors: v.o.Anchors, Sidecar: v.o.Sidecar, Revocation: v.o.Revocation, Catalogue: v.o.Catalogue, Qualifier: v.o.Qualifier})
	for _, f := range result.Findings {
		f.Chain, f.Stamp = c, j
		v.report.Findings = append(v.report.Findings, f)
	}
	if v.o.Basis {
		for _, f := range token.Basis() {
			f.Chain, f.Stamp = c, j
			v.report.Findings = append(v.report.Findings, f)
		}
	}
	s := StampReport{Chain: c, Stamp: j, SecuredAt: at}
	s.describe(token, result)
	if s.Test {
		v.report.Test = true
		v.add(CodeTest, evidence.Valid, c, j, "this time stamp was made by a test authority and proves nothing")
	}
	if v.o.Qualifier != nil {
		v.add(CodeQualified, evidence.Valid, c, j, fmt.Sprintf("%s: %s", s.Qualified, s.Why))
	}
	h, ok := v.hash(c, j, t, token)
	s.Hash = h.String()
	if ok {
		trust := v.o.Catalogue.Hash(h)
		if !trust.At(at) {
			v.add(CodeHashEnded, evidence.Indeterminate, c, j, fmt.Sprintf("%v is not trusted at the secured date %s", h, at.Format(time.DateOnly)))
		}
		v.report.Until = s.end(trust)
		v.tree(c, j, h, t, token)
	}
	v.report.Stamps = append(v.report.Stamps, s)
	if c == 0 && j == 0 {
		v.report.Proven = token.Info.GenTime
	}
}

// hash returns the hash of a stamp; false if nothing can be computed with it.
func (v *verifier) hash(c, j int, t Stamp, token *tsp.Token) (algo.Hash, bool) {
	if t.hashErr != nil {
		v.add(CodeUnsupported, evidence.Indeterminate, c, j, t.hashErr.Error())
		return algo.Hash{}, false
	}
	if token.Info.HashErr != nil {
		v.add(CodeUnsupported, evidence.Indeterminate, c, j, token.Info.HashErr.Error())
		return algo.Hash{}, false
	}
	h := token.Info.Hash
	if t.Hash != (algo.Hash{}) && t.Hash != h {
		v.add(CodeHashMismatch, evidence.Invalid, c, j, fmt.Sprintf("digestAlgorithm is %v, the token's imprint is of %v", t.Hash, h))
		return h, false
	}
	if j > 0 && v.tokens[c][0] != nil && v.tokens[c][0].Info.Hash != h {
		v.add(CodeHashChanged, evidence.Invalid, c, j, fmt.Sprintf("the chain began with %v and goes on with %v", v.tokens[c][0].Info.Hash, h))
	}
	if !slices.Contains(v.record.Hashes, h) {
		v.add(CodeAlgorithms, evidence.Invalid, c, j, fmt.Sprintf("%v is not among digestAlgorithms", h))
	}
	return h, true
}

// times checks that the stamps follow one another and are not of the future.
func (v *verifier) times() {
	var before time.Time
	for c := range v.tokens {
		for j, t := range v.tokens[c] {
			if t == nil {
				continue
			}
			switch g := t.Info.GenTime; {
			case before.IsZero() || g.After(before):
			case g.Equal(before):
				v.add(CodeSameTime, evidence.Valid, c, j, fmt.Sprintf("stamped at %s, the same time as what it renews", g.Format(time.RFC3339)))
			default:
				v.add(CodeOrder, evidence.Invalid, c, j, fmt.Sprintf("stamped at %s, what it renews at %s", g.Format(time.RFC3339), before.Format(time.RFC3339)))
			}
			before = t.Info.GenTime
			if before.After(v.o.At) {
				v.add(CodeFuture, evidence.Indeterminate, c, j, fmt.Sprintf("stamped at %s, after the time of the verification", before.Format(time.RFC3339)))
			}
		}
	}
}

// tree checks that the hash tree leads to the imprint, and what it begins with.
func (v *verifier) tree(c, j int, h algo.Hash, t Stamp, token *tsp.Token) {
	imprint := token.Info.Imprint
	list := [][]byte{imprint}
	if t.Tree != nil {
		for _, l := range t.Tree {
			if len(l) == 0 {
				v.add(CodeUnnamed, evidence.Invalid, c, j, "a list of the hash tree is empty")
				return
			}
			if i := slices.IndexFunc(l, func(value []byte) bool { return len(value) != h.Size() }); i >= 0 {
				// Else values could be cut otherwise than they were, with the same root.
				v.add(CodeMalformed, evidence.Invalid, c, j, fmt.Sprintf("a value of the hash tree has %d bytes, one of %v has %d", len(l[i]), h, h.Size()))
				return
			}
		}
		switch {
		case len(t.Tree) == 0:
			v.add(CodeUnnamed, evidence.Invalid, c, j, "the hash tree has no list")
			return
		case bytes.Equal(root(h, t.Tree, false), imprint):
		case len(t.Tree[0]) == 1 && bytes.Equal(root(h, t.Tree, true), imprint):
			v.add(CodeRehashed, evidence.Valid, c, j, "the only value of the first list was hashed once more")
		default:
			v.add(CodeRoot, evidence.Invalid, c, j, "the hash tree does not lead to what was stamped")
		}
		list = t.Tree[0]
	}
	switch {
	case j > 0:
		v.coversToken(c, j, h, list)
	case c == 0:
		v.coversMembers(h, list)
	default:
		v.coversRenewed(c, h, list)
	}
}
