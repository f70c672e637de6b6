package archive

import (
	"context"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Parts tells a vault where the attachments rest that a catalog knows.
type Parts struct{ Catalog *catalog.Catalog }

// FindPart implements vault.Finder.
func (p Parts) FindPart(ctx context.Context, tenant uid.ID, sum vault.Sum) (vault.Ref, bool, error) {
	loc, ok, err := p.Catalog.FindPart(ctx, tenant, sum)
	return vault.Ref{Segment: loc.Segment, Frame: loc.Frame}, ok, err
}

var _ vault.Finder = Parts{}
