package archive

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/muniment/muniment/internal/evidence/inspect"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// originals writes what the evidence record covers beside metadata and report: the
// original, or each part of a version of a package that is protected.
func (b *Bundle) originals(ctx context.Context, z *bundleWriter, dir string, p *offline.Parts) error {
	if b.version == nil {
		return b.original(ctx, z, dir, p)
	}
	parts, done, err := b.a.contents(ctx, &storedVersion{b.version, b.Row})
	if err != nil {
		return err
	}
	defer done()
	for i, part := range b.version.Parts {
		if !part.Protected {
			continue
		}
		r, err := parts[i]()
		if err != nil {
			return err
		}
		// Names of parts are somebody else's: the file has a number.
		_, err = z.copy(dir, fmt.Sprintf("part-%02d.bin", i+1), r, p, part.ID, 0)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) original(ctx context.Context, z *bundleWriter, dir string, p *offline.Parts) error {
	raw, err := b.open(ctx)
	if err != nil {
		return err
	}
	name := b.originalName()
	head := 0
	if path.Ext(name) == ".eml" {
		head = inspect.HeadSize
	}
	p.Head, err = z.copy(dir, name, raw, p, memberOriginal, head)
	return errors.Join(err, raw.Close())
}
