package ers

import (
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
)

// coversToken checks that a time-stamp renewal covers the token before it
// (RFC 4998 §5.3 (2)).
func (v *verifier) coversToken(c, j int, h algo.Hash, list [][]byte) {
	if !has(list, h.Sum(v.record.Chains[c][j-1].Token)) {
		v.add(CodeRenewal, evidence.Invalid, c, j, "the renewal does not cover the time stamp before it")
	}
}

// sumsOf returns the members' hashes; nil where one is not to be had, which is
// a finding. They are computed once per hash.
func (v *verifier) sumsOf(c int, h algo.Hash) [][]byte {
	sums, done := v.sums[h]
	if !done {
		for _, m := range v.members {
			sum, err := m.Data.Sum(h)
			if err != nil {
				sum = nil
				v.noSum(c, m.Name, err)
			}
			sums = append(sums, sum)
		}
		v.sums[h] = sums
	}
	return sums
}

func (v *verifier) noSum(c int, name string, err error) {
	code := CodeUnreadable
	if errors.Is(err, ErrNoHash) {
		code = CodeNoHash
	}
	v.report.Findings = append(v.report.Findings, evidence.Finding{Code: code, Verdict: evidence.Indeterminate, Chain: c, Stamp: 0, Member: name, Detail: err.Error()})
}

// coversMembers checks the first stamp of all.
func (v *verifier) coversMembers(h algo.Hash, list [][]byte) {
	v.covers(0, list, v.sumsOf(0, h))
}

// covers checks that every value is in the list, and how much of it they are.
func (v *verifier) covers(c int, list, values [][]byte) {
	if len(v.members) == 0 {
		return // run has said so
	}
	unknown, inList := 0, finder(list)
	for i, value := range values {
		if value == nil {
			unknown++
			v.report.Members[i].Covered = false
			continue
		}
		if inList(value) {
			continue
		}
		v.report.Members[i].Covered = false
		v.report.Findings = append(v.report.Findings, evidence.Finding{Code: CodeMember, Verdict: evidence.Invalid, Chain: c, Stamp: 0, Member: v.members[i].Name,
			Detail: "the data are not what was stamped"})
	}
	missing, given := 0, finder(values)
	for _, l := range list {
		if !given(l) {
			missing++
		}
	}
	if missing <= unknown {
		return // noSum has said what is missing
	}
	detail := fmt.Sprintf("the first list has %d values, %d of them belong to none of the data given", len(list), missing)
	if v.o.Whole {
		v.add(CodeGroup, evidence.Invalid, c, 0, detail)
	} else {
		v.add(CodePartial, evidence.Valid, c, 0, detail)
	}
}

// coversRenewed checks the first stamp of a chain after the first: each member
// together with all earlier chains (RFC 4998 §5.3 (3)), concatenated as the
// text has it or, in records of others, sorted.
func (v *verifier) coversRenewed(c int, h algo.Hash, list [][]byte) {
	if len(v.members) == 0 {
		return
	}
	before, err := sequenceBytes(v.record.Chains[:c])
	if err != nil {
		v.add(CodeMalformed, evidence.Invalid, c, 0, err.Error())
		return
	}
	ancestry := h.Sum(before)
	sums := v.sumsOf(c, h)
	values, inOrder, inList := make([][]byte, len(sums)), true, finder(list)
	for i, sum := range sums {
		if sum == nil {
			continue
		}
		values[i] = Renewed(h, sum, ancestry)
		if !inList(values[i]) && inList(pair(h, sum, ancestry)) {
			values[i], inOrder = pair(h, sum, ancestry), false
		}
	}
	if !inOrder {
		v.add(CodeSorted, evidence.Valid, c, 0, "the renewal concatenates in sorted order, not in the order of RFC 4998 §5.3")
	}
	v.covers(c, list, values)
}
