package evidencetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// errKilled is how a process of the small archive ends before it is done.
var errKilled = errors.New("killed")

// round is one tree with one token. It is stored in two steps: without a token
// when the tree is made, complete when the token has come.
type round struct {
	Kind   string // "seal", "stamp", "tree"
	Hash   algo.Hash
	Leaves []int  // objects, or for "stamp" the rounds that are renewed
	Tree   []byte // ers.Tree as it is written
	Token  []byte // nil: not stamped yet
}

// archive is all that a small archive remembers. It is written and read back as
// JSON between any two steps, so that nothing lives on in memory.
type archive struct {
	Objects []Object // nil: deleted
	Rounds  []round
}

// small is a running process of the small archive.
type small struct {
	world   *World
	archive archive
	catalog *algo.Catalogue
	anchors *tsp.Anchors
	alive   func() error // returns errKilled at random
}

// save is the commit: what was done before it is lost if the process dies.
func (s *small) save(disk *[]byte) error {
	b, err := json.Marshal(s.archive)
	if err != nil {
		return err
	}
	*disk = b
	return s.alive()
}

// record puts the record of an object together from the rounds that are
// complete; nil if it has not been stamped.
func (a *archive) record(object int, rounds int) (*ers.Record, error) {
	var r *ers.Record
	current := -1 // the round of the record's last token
	for i, x := range a.Rounds[:rounds] {
		leaf := slices.Index(x.Leaves, object)
		if x.Kind == "stamp" {
			leaf = slices.Index(x.Leaves, current)
		}
		if leaf < 0 || x.Token == nil || x.Kind == "stamp" && current < 0 {
			continue
		}
		tree, err := ers.OpenTree(bytes.NewReader(x.Tree), int64(len(x.Tree)))
		if err != nil {
			return nil, err
		}
		siblings, err := ers.Path(tree, int64(leaf))
		if err != nil {
			return nil, err
		}
		switch x.Kind {
		case "seal":
			r, err = ers.Initial(x.Hash, a.Objects[object].Sums(x.Hash), siblings, x.Token)
		case "stamp":
			r, err = r.RenewStamp(siblings, x.Token)
		default:
			r, err = r.RenewTree(x.Hash, a.Objects[object].Sums(x.Hash), siblings, x.Token)
		}
		if err != nil {
			return nil, fmt.Errorf("object %d, round %d: %w", object, i, err)
		}
		current = i
	}
	return r, nil
}

// current returns, for each round whose token is the last of some object, those
// objects; and the objects that no round holds.
func (a *archive) current() (held map[int][]int, unsealed []int) {
	held = map[int][]int{}
	for o, members := range a.Objects {
		if members == nil {
			continue
		}
		at := -1
		for i, x := range a.Rounds {
			if x.Token != nil && (x.Kind == "stamp" && slices.Contains(x.Leaves, at) || x.Kind != "stamp" && slices.Contains(x.Leaves, o)) {
				at = i
			}
		}
		if at < 0 {
			unsealed = append(unsealed, o)
		} else {
			held[at] = append(held[at], o)
		}
	}
	return held, unsealed
}

// work does everything that is due now, until it is done or killed.
func (s *small) work(disk *[]byte) error {
	if err := json.Unmarshal(*disk, &s.archive); err != nil {
		return err
	}
	if err := s.finish(disk); err != nil {
		return err
	}
	held, unsealed := s.archive.current()
	now := s.world.Clock()
	if len(unsealed) > 0 {
		h, ok := ers.NextHash(now, s.catalog, ers.DefaultLead().Algorithm)
		if !ok {
			return errors.New("no hash is left")
		}
		if err := s.begin(disk, "seal", h, unsealed); err != nil {
			return err
		}
	}
	var stamps = map[algo.Hash][]int{}
	var trees []int
	for i, objects := range held {
		x := s.archive.Rounds[i]
		token, err := tsp.ParseToken(x.Token)
		if err != nil {
			return err
		}
		r := tsp.Verify(token, tsp.Options{At: now, Anchors: s.anchors, Catalogue: s.catalog})
		switch ers.Decide(now, ers.Held{Hash: x.Hash, GenTime: token.Info.GenTime, NotAfter: r.NotAfter, Trust: r.Trust}, s.catalog, ers.DefaultLead()).Action {
		case ers.RenewTree:
			trees = append(trees, objects...)
		case ers.RenewStamp:
			stamps[x.Hash] = append(stamps[x.Hash], i)
		}
	}
	for h, rounds := range stamps {
		slices.Sort(rounds)
		if err := s.begin(disk, "stamp", h, rounds); err != nil {
			return err
		}
	}
	if len(trees) == 0 {
		return nil
	}
	h, ok := ers.NextHash(now, s.catalog, ers.DefaultLead().Algorithm)
	if !ok {
		return errors.New("no hash is left")
	}
	slices.Sort(trees)
	return s.begin(disk, "tree", h, trees)
}

// begin builds the tree of a round, stores it, and has it stamped.
func (s *small) begin(disk *[]byte, kind string, h algo.Hash, what []int) error {
	var leaves [][]byte
	for _, i := range what {
		var leaf []byte
		var err error
		switch kind {
		case "seal":
			leaf, err = ers.Leaf(h, s.archive.Objects[i].Sums(h))
		case "stamp":
			leaf = ers.TokenLeaf(h, s.archive.Rounds[i].Token)
		default:
			var r *ers.Record
			if r, err = s.archive.record(i, len(s.archive.Rounds)); err == nil {
				leaf, _, err = r.RenewedLeaf(h, s.archive.Objects[i].Sums(h))
			}
		}
		if err != nil {
			return err
		}
		leaves = append(leaves, leaf)
	}
	tree, err := ers.NewTree(h, bytes.Join(leaves, nil))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		return err
	}
	s.archive.Rounds = append(s.archive.Rounds, round{Kind: kind, Hash: h, Leaves: what, Tree: b.Bytes()})
	if err := s.save(disk); err != nil {
		return err
	}
	return s.finish(disk)
}

// finish has the rounds stamped that a killed process has left without a token.
func (s *small) finish(disk *[]byte) error {
	for i := range s.archive.Rounds {
		x := &s.archive.Rounds[i]
		if x.Token != nil {
			continue
		}
		tree, err := ers.OpenTree(bytes.NewReader(x.Tree), int64(len(x.Tree)))
		if err != nil {
			return err
		}
		root, err := ers.Root(tree)
		if err != nil {
			return err
		}
		token := s.world.Stamp(x.Hash, root)
		if err := s.alive(); err != nil {
			return err // the token is lost, and another one is asked for next time
		}
		x.Token = token
		if err := s.save(disk); err != nil {
			return err
		}
	}
	return nil
}
