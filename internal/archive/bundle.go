package archive

import (
	"context"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
)

// Bundle is what proves a message to a stranger, beside its bytes.
type Bundle struct {
	Row      *catalog.Message
	Record   []byte // the evidence record, DER
	Metadata []byte // the member; nil: withheld, because it names people of whom the actor may not know
	Stamps   []*seal.Stamp
	// Capture is the arrival in whose journal report the message came, a further
	// member; nil: it came in none.
	Capture *catalog.Capture
	// Log proves that the arrival of the message is in the event log
	// (eventlog.InclusionProof); nil: the log was begun later, or it is a version of a
	// package, whose event is about the whole package.
	Log []byte

	// stamped is the checkpoint of Log with its time stamps; nil: it has none.
	stamped *stampedLog

	// version is set for a version of a package, whose members are its parts.
	version *Package

	beside *tsp.Sidecar
	a      *Archive
	raw    []byte // the original, if it was read already
}

// Sidecar joins what was kept beside the time stamps, and what was known last about
// those that were renewed.
func (b *Bundle) Sidecar() (*tsp.Sidecar, error) {
	all := &tsp.Sidecar{}
	all.Merge(b.beside)
	if b.stamped != nil {
		all.Merge(b.stamped.beside)
	}
	for _, s := range b.all() {
		if len(s.Sidecar) == 0 {
			continue
		}
		var one tsp.Sidecar
		if err := one.UnmarshalBinary(s.Sidecar); err != nil {
			return nil, err
		}
		all.Merge(&one)
	}
	return all, nil
}

// all are the time stamps of the object and those of the checkpoint.
func (b *Bundle) all() []*seal.Stamp {
	if b.stamped == nil {
		return b.Stamps
	}
	return slices.Concat(b.Stamps, b.stamped.stamps)
}

// Metadata returns the metadata of a message that its evidence record covers, for
// the operator on the command line.
func (a *Archive) Metadata(ctx context.Context, tenant, aoid uid.ID) ([]byte, error) {
	row, err := a.catalog.Message(ctx, tenant, aoid)
	if err != nil {
		return nil, err
	}
	p, err := a.protected(ctx, row)
	if err != nil {
		return nil, err
	}
	return p.metadata, nil
}

// Bundle returns what proves a message. Metadata and journal report are withheld from
// those who may not know of all whom they name; each member is proven without the
// others. ErrNotSealed, ErrBlind.
func (h *Handle) Bundle(ctx context.Context, id uid.ID) (*Bundle, error) {
	row, err := h.provable(ctx, id)
	if err != nil {
		return nil, err
	}
	log, err := h.a.arrivalProofs(ctx, row.Tenant)
	if err != nil {
		return nil, err
	}
	b, err := h.a.bundle(ctx, row, log)
	if err != nil {
		return nil, err
	}
	h.withhold(b)
	return b, h.logRead(ctx, actProof, row)
}

// withhold leaves out what the actor may not know.
func (h *Handle) withhold(b *Bundle) {
	row := b.Row
	if _, hidden := h.visible(row.Parties); hidden && row.Facts.File == nil {
		b.Metadata, b.Capture = nil, nil
	}
	if b.Capture != nil && !h.actor.MaySeeBcc(accessParties(row.Parties)) {
		b.Metadata, b.Capture = nil, nil // as Report does
	}
}

// Bundle returns what proves a message, for the operator on the command line.
// ErrNotSealed.
func (a *Archive) Bundle(ctx context.Context, tenant, aoid uid.ID) (*Bundle, error) {
	row, err := a.catalog.Message(ctx, tenant, aoid)
	if err != nil {
		return nil, err
	}
	log, err := a.arrivalProofs(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return a.bundle(ctx, row, log)
}

func (a *Archive) bundle(ctx context.Context, row *catalog.Message, log *arrivalProofs) (*Bundle, error) {
	e, err := a.evidence(ctx, row)
	if err != nil {
		return nil, err
	}
	p, err := a.protected(ctx, row)
	if err != nil {
		return nil, err
	}
	b := &Bundle{Row: row, Record: e.record, Metadata: p.metadata, Stamps: e.stamps, beside: e.beside, a: a, version: p.record.version()}
	if p.report != nil {
		if b.Capture, err = p.record.Capture.capture(row.Tenant, row.AOID); err != nil {
			return nil, err
		}
		b.Capture.Segment, b.Capture.Frame = row.Segment, row.Frame
	}
	if b.version == nil {
		b.Log, b.stamped, err = log.arrival(ctx, row.AOID)
	}
	return b, err
}
