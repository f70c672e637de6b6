package archive

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// What follows is for the doors that may remove what is archived from its server.
// They act for nobody.

// Arrival is what the archive knows of one item of a source.
type Arrival struct {
	Origin string
	AOID   uid.ID
}

// ErrNotIntact is returned (wrapped) when a message does not come back from the
// vault as it arrived. Then nothing may be removed because of it.
var ErrNotIntact = errors.New("not intact in the archive")

// Arrivals calls do for every item of a source whose origin begins with prefix and
// which is recorded as archived. An item that arrived with different bytes at
// different times is met more than once. Damaged records are left out: what they
// tell counts as not archived. It reads all records of the source.
func (a *Archive) Arrivals(ctx context.Context, tenant, source uid.ID, prefix string, do func(Arrival) error) error {
	return a.catalog.WalkSourceCaptures(ctx, tenant, source, func(c *catalog.Capture, err error) error {
		switch {
		case len(rowErrors(err)) > 0:
			a.log.Error("record of an arrival is damaged; muniment fsck tells more", "tenant", tenant, "source", source, "error", err)
			return nil
		case err != nil:
			return err
		case !strings.HasPrefix(c.Origin, prefix):
			return nil
		}
		return do(Arrival{Origin: c.Origin, AOID: c.AOID})
	})
}

// VerifyArrival reads the message that came as the item origin of a source again
// from the vault, every byte of it, with the journal report around it, if it came
// in one. It returns nil only if the arrival is recorded and what comes back has
// the SHA-256 that was recorded then, which is sum, unless sum is zero. Otherwise
// the error matches ErrNotIntact, or the archive cannot be read at present.
func (a *Archive) VerifyArrival(ctx context.Context, tenant, source uid.ID, at Arrival, sum [32]byte) error {
	row, err := a.catalog.Message(ctx, tenant, at.AOID)
	if err != nil {
		return notIntact(at, err)
	}
	list, err := a.catalog.Captures(ctx, tenant, at.AOID)
	if err != nil {
		return notIntact(at, err)
	}
	for _, c := range list {
		if c.Source != source || c.Origin != at.Origin {
			continue
		}
		came, check := hex.EncodeToString(row.SHA256[:]), func() error { return a.verify(ctx, row) }
		if c.Journal != nil && c.Journal.SHA256 != "" {
			came, check = c.Journal.SHA256, func() error { return a.checkReport(ctx, c) }
		}
		if sum != [32]byte{} && came != hex.EncodeToString(sum[:]) {
			continue // the item came with other bytes at another time
		}
		return notIntact(at, check())
	}
	return fmt.Errorf("%s: these bytes are not recorded as having arrived from there: %w", at.Origin, ErrNotIntact)
}

// notIntact marks what err says of stored bytes and rows. What says nothing of them
// (the database is away, ctx has ended) is not marked, but is an error all the same.
func notIntact(at Arrival, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case damaged(err), len(rowErrors(err)) > 0, errors.Is(err, catalog.ErrNotFound), errors.Is(err, errReportDiffers):
		return fmt.Errorf("%s: %w: %w", at.Origin, ErrNotIntact, err)
	}
	return fmt.Errorf("%s: %w", at.Origin, err)
}

// LastSourceCount returns what a server said last of how many messages it holds in
// a folder. catalog.ErrNotFound if it was never asked.
func (a *Archive) LastSourceCount(ctx context.Context, tenant, source uid.ID, folder string) (*catalog.SourceCount, error) {
	return a.catalog.LastSourceCount(ctx, tenant, source, folder)
}

// SetSourceCount remembers what a server says of how many messages it holds.
func (a *Archive) SetSourceCount(ctx context.Context, tenant uid.ID, s catalog.SourceCount) error {
	return a.catalog.SetSourceCount(ctx, tenant, s)
}

// LogRemoval writes into the event log that messages of a source were removed from
// their server, or are about to be. Details name the folder and the numbers.
func (a *Archive) LogRemoval(ctx context.Context, tenant, source uid.ID, details map[string]string) error {
	e := &catalog.Event{At: a.now().UTC(), Actor: actorSource + source.String(), Action: "source.removed", Object: source.String(), Details: details}
	return a.catalog.AppendEvents(ctx, tenant, []*catalog.Event{e})
}
