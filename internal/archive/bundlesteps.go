package archive

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// The instructions in a bundle lead from the members through every time stamp of the
// evidence record, with nothing but openssl, xxd and cat. Below each command stands what
// it must print.

// stampSteps writes the steps of a record, each with its number and heading.
type stampSteps struct {
	b    strings.Builder
	p    *offline.Parts
	rec  *ers.Record
	at   bundlePaths
	w    *readmeWords
	step int
	next int // token
}

// steps lists the commands of every time stamp, after so many other steps. It returns the
// number of the last step.
func steps(p *offline.Parts, rec *ers.Record, at bundlePaths, w *readmeWords, before int) (string, int, error) {
	s := &stampSteps{p: p, rec: rec, at: at, w: w, step: before}
	for c, chain := range rec.Chains {
		for j := range chain {
			if s.next >= len(p.Manifest.Tokens) {
				return "", 0, errors.New("the record has more time stamps than the bundle")
			}
			if err := s.stamp(c, j); err != nil {
				return "", 0, err
			}
			s.next++
		}
	}
	return s.b.String(), s.step, nil
}

// heading begins a step.
func (s *stampSteps) heading(text string) {
	s.step++
	fmt.Fprintf(&s.b, "%d. %s\n\n", s.step, text)
}

func (s *stampSteps) stamp(c, j int) error {
	t := s.rec.Chains[c][j]
	token := s.p.Manifest.Tokens[s.next]
	day := token.GenTime.UTC().Format(time.RFC3339)
	first, err := []byte(nil), error(nil)
	switch {
	case j > 0:
		s.heading(fmt.Sprintf(s.w.step.byStamp, day, token.Authority))
		first = s.covered(t)
	case c > 0:
		s.heading(fmt.Sprintf(s.w.step.byTree, day, token.Authority, t.Hash))
		first, err = s.rehashed(c, t)
	default:
		s.heading(s.w.step.members)
		s.b.WriteString(s.w.before)
		first, err = s.members(t)
	}
	if err != nil {
		return err
	}
	if len(t.Tree) > 0 {
		s.siblings(t.Hash, first, t.Tree[1:])
	}
	fmt.Fprintf(&s.b, "\n   %s\n      %s\n\n", s.w.last, token.Imprint)
	if c == 0 && j == 0 {
		s.heading(s.w.step.stamp)
	}
	s.b.WriteString(s.tokenCommands(token) + "\n")
	return nil
}

// members begins with the first time stamp: each member, and the group.
func (s *stampSteps) members(t ers.Stamp) ([]byte, error) {
	for i, x := range s.p.Manifest.Members {
		sum, err := s.p.Members[i].Sum(t.Hash)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&s.b, "   openssl dgst %s %s\n      %s\n", dgstOption(t.Hash), x.File, hex.EncodeToString(sum))
	}
	return s.group(t)
}

func (s *stampSteps) group(t ers.Stamp) ([]byte, error) {
	if len(t.Tree) == 0 {
		return nil, errors.New("a time stamp without a hash tree")
	}
	at := t.Hash.Sum(t.Tree[0]...)
	fmt.Fprintf(&s.b, "\n   # %s\n", s.w.group)
	dgst(&s.b, t.Hash, t.Tree[0], at)
	return at, nil
}

// covered begins with the time stamp before (RFC 4998 §5.3 (2)).
func (s *stampSteps) covered(t ers.Stamp) []byte {
	before := s.p.Manifest.Tokens[s.next-1]
	of := t.Hash.Sum(s.token(s.next - 1))
	fmt.Fprintf(&s.b, "   # %s\n   openssl dgst %s %s\n      %s\n", s.w.step.token, dgstOption(t.Hash), s.at.file(before.File), hex.EncodeToString(of))
	if len(t.Tree) == 0 {
		return of
	}
	at := of
	if len(t.Tree[0]) > 1 {
		at = t.Hash.Sum(t.Tree[0]...)
		fmt.Fprintf(&s.b, "\n   # %s\n", s.w.pair)
		dgst(&s.b, t.Hash, t.Tree[0], at)
	}
	return at
}

// rehashed begins with the members, each with all that has gone before (RFC 4998 §5.3
// (3)).
func (s *stampSteps) rehashed(c int, t ers.Stamp) ([]byte, error) {
	frames, err := s.rec.Frames(c)
	if err != nil {
		return nil, err
	}
	ancestry, err := (&ers.Record{Chains: s.rec.Chains[:c]}).Ancestry(t.Hash)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&s.b, "   # %s\n   (", s.w.step.ancestry)
	for i, f := range frames {
		if i > 0 {
			s.b.WriteString("; \\\n    ")
		}
		s.b.WriteString("printf '%s' \\\n")
		for line := range slices.Chunk(f, frameLine) {
			fmt.Fprintf(&s.b, "     %s \\\n", hex.EncodeToString(line))
		}
		fmt.Fprintf(&s.b, "     | xxd -r -p; cat %s", s.at.file(s.p.Manifest.Tokens[i].File))
	}
	fmt.Fprintf(&s.b, ") \\\n     | openssl dgst %s\n      %s\n", dgstOption(t.Hash), hex.EncodeToString(ancestry))
	for i, x := range s.p.Manifest.Members {
		sum, err := s.p.Members[i].Sum(t.Hash)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&s.b, "\n   # %s\n   openssl dgst %s %s\n      %s\n", fmt.Sprintf(s.w.step.member, x.Name), dgstOption(t.Hash), x.File, hex.EncodeToString(sum))
		dgst(&s.b, t.Hash, [][]byte{sum, ancestry}, ers.Renewed(t.Hash, sum, ancestry))
	}
	return s.group(t)
}

// frameLine is how many bytes of a frame are written on a line.
const frameLine = 48

// siblings goes on to the root.
func (s *stampSteps) siblings(h algo.Hash, at []byte, lists [][][]byte) {
	for _, list := range lists {
		both := [][]byte{at, list[0]}
		if bytes.Compare(at, list[0]) > 0 {
			both = [][]byte{list[0], at}
		}
		at = h.Sum(both...)
		fmt.Fprintf(&s.b, "\n   # %s\n", s.w.pair)
		dgst(&s.b, h, both, at)
	}
}

// token is the i-th token of the record.
func (s *stampSteps) token(i int) []byte {
	for _, c := range s.rec.Chains {
		if i < len(c) {
			return c[i].Token
		}
		i -= len(c)
	}
	return nil
}

// dgstOption is how openssl dgst is told a hash: SHA-256 → -sha256, SHA3-256 → -sha3-256.
func dgstOption(h algo.Hash) string {
	return "-" + strings.Replace(strings.ToLower(h.String()), "sha-", "sha", 1)
}

func dgst(b *strings.Builder, h algo.Hash, values [][]byte, result []byte) {
	b.WriteString("   printf '%s' \\\n")
	for _, v := range values {
		fmt.Fprintf(b, "     %s \\\n", hex.EncodeToString(v))
	}
	fmt.Fprintf(b, "     | xxd -r -p | openssl dgst %s\n      %s\n", dgstOption(h), hex.EncodeToString(result))
}

// tokenCommands show and verify a token. One that was renewed is verified as of the time
// of the renewal: after that its certificate may end.
func (s *stampSteps) tokenCommands(t offline.ManifestToken) string {
	when := ""
	if s.next+1 < len(s.p.Manifest.Tokens) {
		when = fmt.Sprintf("-attime %d ", s.p.Manifest.Tokens[s.next+1].GenTime.Unix())
	}
	return fmt.Sprintf(`   openssl ts -reply -token_in -in %[1]s -text
   openssl ts -verify -token_in -in %[1]s -digest %[2]s \
     %[5]s-CAfile %[3]s -untrusted %[4]s
`, s.at.file(t.File), t.Imprint, s.at.anchors, s.at.chain, when)
}
