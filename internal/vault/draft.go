package vault

import (
	"context"
	"errors"

	"github.com/muniment/muniment/internal/uid"
)

// Move tells where Compact has put a frame.
type Move struct {
	Kind     Kind
	AOID     uid.ID
	SHA256   Sum // messages and parts
	From, To Ref
}

// Compaction is what Compact has done.
type Compaction struct {
	Segments []*Segment // new ones, durable
	Moves    []Move
	Erased   []Ref // frames among the refs whose keys are gone; not copied
}

// Compact copies frames into new large segments, similar messages together,
// at the best level. It changes nothing that exists: the caller then commits the
// moves to its catalog in one transaction and calls Remove for segments of which
// nothing is left. A crash in between leaves segments that no catalog knows.
func (v *Vault) Compact(ctx context.Context, tenant uid.ID, refs []Ref) (*Compaction, error) {
	return nil, errors.New("compact: not written yet")
}
