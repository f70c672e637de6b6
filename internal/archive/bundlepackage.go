package archive

import (
	"context"
	"errors"
	"fmt"
)

// originals writes what the evidence record covers beside metadata and report: the
// original, or each part of a version of a package that is protected.
func (b *Bundle) originals(ctx context.Context, z *bundleWriter, m *manifest) error {
	if b.version == nil {
		raw, err := b.a.open(ctx, b.Row)
		if err != nil {
			return err
		}
		err = z.copy(b.originalName(), raw, m, memberOriginal)
		return errors.Join(err, raw.Close())
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
		err = z.copy(fmt.Sprintf("part-%02d.bin", i+1), r, m, part.ID)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	return nil
}
