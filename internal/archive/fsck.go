package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Severity tells what a finding means.
type Severity string

// Severities.
const (
	// Damage: something that was acknowledged is missing or not what it was.
	Damage Severity = "damage"
	// Leftover: a crash left something that was never acknowledged, or the
	// index lags. Nothing is lost; --repair tidies up.
	Leftover Severity = "leftover"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Severity Severity
	Tenant   string // slug, or empty
	Object   string // the object in the vault, the row or the message
	What     string
	Repaired bool
}

// FsckOptions choose what Fsck does.
type FsckOptions struct {
	// Repair removes leftovers of crashes and queues messages that the index
	// lacks. Damage is never touched. It needs the data directory for itself.
	Repair   bool
	Progress func(done, total int64) // bytes of segments checked so far
	Report   func(Finding)
}

// FsckResult counts what Fsck has seen.
type FsckResult struct {
	Tenants, Segments, Messages, Parts, Captures int64
	Damage, Leftovers, Repaired                  int64
}

// graceTime is how old an unknown segment must be before it counts as left
// over: a younger one may be a commit on its way.
const graceTime = time.Minute

// Fsck checks everything stored against everything known, both ways: the
// catalog by itself, every byte of every segment and key, every row against its
// frame, every frame against its row, the event log, the index. The error is
// only about the check itself; what it finds goes to Report.
func (a *Archive) Fsck(ctx context.Context, o FsckOptions) (*FsckResult, error) {
	f := &fsck{a: a, o: o, out: &FsckResult{}}
	if err := a.catalog.Check(ctx, func(err error) {
		object := "catalog"
		var row *catalog.RowError
		if errors.As(err, &row) {
			object = row.Table + " " + row.Object
		}
		f.report(Finding{Severity: Damage, Object: object, What: err.Error()})
	}); err != nil {
		return f.out, fmt.Errorf("check catalog: %w", err)
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return f.out, err
	}
	for _, t := range tenants {
		segments, err := a.vault.ListSegments(ctx, t.ID)
		if err != nil {
			return f.out, err
		}
		for _, s := range segments {
			f.total += s.Size
		}
	}
	for _, t := range tenants {
		f.slug = t.Slug
		f.out.Tenants++
		if err := f.tenant(ctx, t.ID); err != nil {
			return f.out, fmt.Errorf("tenant %s: %w", t.Slug, err)
		}
	}
	return f.out, nil
}

type fsck struct {
	a           *Archive
	o           FsckOptions
	out         *FsckResult
	slug        string
	done, total int64
}

func (f *fsck) report(x Finding) {
	if x.Tenant == "" {
		x.Tenant = f.slug
	}
	if x.Severity == Damage {
		f.out.Damage++
	} else {
		f.out.Leftovers++
	}
	if x.Repaired {
		f.out.Repaired++
	}
	if f.o.Report != nil {
		f.o.Report(x)
	}
}

func (f *fsck) damage(object string, format string, args ...any) {
	f.report(Finding{Severity: Damage, Object: object, What: fmt.Sprintf(format, args...)})
}

// frames remembers what the vault holds: the kind of every frame, 0 once a row
// has claimed it.
type frames map[uid.ID][]vault.Kind

func (f *fsck) tenant(ctx context.Context, tenant uid.ID) error {
	if err := f.a.vault.CheckTenant(ctx, tenant); err != nil {
		f.damage("key of tenant "+tenant.String(), "%v", err)
		return nil // nothing of the tenant can be read
	}
	known := map[uid.ID]bool{}
	if err := f.a.catalog.WalkSegments(ctx, tenant, func(s *catalog.Segment, err error) error {
		if err == nil {
			known[s.ID] = true
		}
		return nil // Check has reported damaged rows
	}); err != nil {
		return err
	}
	held, err := f.segments(ctx, tenant, known)
	if err != nil {
		return err
	}
	for id := range known {
		if _, ok := held[id]; !ok {
			f.damage("segment "+id.String(), "the catalog knows it, but the vault has lost it")
		}
	}
	if err := f.rows(ctx, tenant, held); err != nil {
		return err
	}
	if err := f.strays(ctx, tenant); err != nil {
		return err
	}
	return f.index(ctx, tenant)
}

// segments reads every byte of every segment and compares each frame with its row.
func (f *fsck) segments(ctx context.Context, tenant uid.ID, known map[uid.ID]bool) (frames, error) {
	held := frames{}
	list, err := f.a.vault.ListSegments(ctx, tenant)
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		f.out.Segments++
		if !known[s.ID] {
			taken, err := f.unknownSegment(ctx, tenant, s)
			if err != nil {
				return nil, err
			}
			if !taken {
				continue
			}
		}
		held[s.ID] = nil
		err := f.a.vault.Check(ctx, tenant, s.ID, func(e vault.Entry) error {
			kind := e.Frame.Kind
			if e.Err != nil {
				f.damage(fmt.Sprintf("segment %s", e.Frame.Ref), "%v", e.Err)
			}
			for int(e.Frame.Ref.Frame) > len(held[s.ID]) { // dictionaries are not told of
				held[s.ID] = append(held[s.ID], vault.KindDict)
			}
			held[s.ID] = append(held[s.ID], kind)
			if e.Err != nil || kind != vault.KindMessage {
				return nil //nolint:nilerr // it is reported above
			}
			return f.frame(ctx, tenant, e)
		})
		if errors.Is(err, vault.ErrCorrupt) || errors.Is(err, vault.ErrNotFound) {
			f.damage("segment "+s.ID.String(), "%v", err)
		} else if err != nil {
			return nil, err
		}
		f.done += s.Size
		if f.o.Progress != nil {
			f.o.Progress(f.done, f.total)
		}
	}
	return held, nil
}

// frame compares a message in the vault with its row.
func (f *fsck) frame(ctx context.Context, tenant uid.ID, e vault.Entry) error {
	row, err := f.a.catalog.Message(ctx, tenant, e.Frame.AOID)
	var bad *catalog.RowError
	switch {
	case errors.As(err, &bad): // Check has reported it
	case errors.Is(err, catalog.ErrNotFound):
		known, err := f.a.catalog.Known(ctx, tenant, [][32]byte{e.Frame.SHA256})
		if err != nil {
			return err
		}
		if _, copied := known[e.Frame.SHA256]; copied {
			return nil // stored twice by a crash and an import that went on; compaction drops it
		}
		f.damage("message "+e.Frame.AOID.String(), "in segment %s, but the catalog has lost its row; muniment rebuild restores it", e.Frame.Ref)
	case err != nil:
		return err
	case row.SHA256 != e.Frame.SHA256 || row.Size != e.Frame.Size:
		f.damage("message "+e.Frame.AOID.String(), "row and segment %s disagree on hash or size", e.Frame.Ref)
	}
	return nil
}

// rows compares every row with what the vault holds.
func (f *fsck) rows(ctx context.Context, tenant uid.ID, held frames) error {
	has := func(segment uid.ID, frame uint32, kinds ...vault.Kind) bool {
		s := held[segment]
		if int(frame) >= len(s) {
			return false
		}
		for _, k := range kinds {
			if s[frame] == k {
				return true
			}
		}
		return false
	}
	err := f.a.catalog.WalkMessages(ctx, tenant, func(m *catalog.Message, err error) error {
		f.out.Messages++
		if err == nil && !has(m.Segment, m.Frame, vault.KindMessage) {
			f.damage("message "+m.AOID.String(), "the vault has lost it: segment %s/%d holds no message", m.Segment, m.Frame)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = f.a.catalog.WalkParts(ctx, tenant, func(p *catalog.Part, err error) error {
		f.out.Parts++
		if err == nil && !has(p.Segment, p.Frame, vault.KindPart) {
			f.damage(fmt.Sprintf("attachment %x", p.SHA256[:8]), "the vault has lost it: segment %s/%d holds no attachment", p.Segment, p.Frame)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.a.catalog.WalkCaptures(ctx, tenant, func(c *catalog.Capture, err error) error {
		f.out.Captures++
		if err == nil && !has(c.Segment, c.Frame, vault.KindMessage, vault.KindRecord) {
			f.damage("capture "+c.ID.String(), "of message %s: the vault has lost its record %s/%d", c.AOID, c.Segment, c.Frame)
		}
		if err != nil || c.Journal == nil || c.Journal.SHA256 == "" {
			return nil //nolint:nilerr // Check has reported damaged rows
		}
		return f.journalReport(ctx, c)
	})
}

// journalReport puts the report together in which a message came, and compares.
func (f *fsck) journalReport(ctx context.Context, c *catalog.Capture) error {
	err := f.a.checkReport(ctx, c)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		f.damage("journal report of capture "+c.ID.String(), "of message %s: %v", c.AOID, err)
	}
	return nil
}

func (f *fsck) strays(ctx context.Context, tenant uid.ID) error {
	return f.a.vault.Strays(ctx, tenant, func(s vault.Stray) error {
		x := Finding{Severity: Damage, Object: s.Key, What: s.What}
		if s.Harmless {
			x.Severity = Leftover
			if f.o.Repair {
				if err := f.a.vault.RemoveStray(ctx, s); err != nil {
					return err
				}
				x.Repaired = true
			}
		}
		f.report(x)
		return nil
	})
}

// index compares the index with the catalog, both ways. The index is derived:
// what it lacks is a leftover, never damage.
func (f *fsck) index(ctx context.Context, tenant uid.ID) error {
	mark, err := f.a.catalog.Indexed(ctx, tenant) // first: the indexer goes on meanwhile
	if err != nil {
		return err
	}
	indexed := map[uid.ID]bool{}
	err = f.a.index.IDs(ctx, tenant, func(id uid.ID) error { indexed[id] = true; return nil })
	if err != nil {
		f.report(Finding{Severity: Leftover, Object: "search index", What: fmt.Sprintf("%v; muniment reindex builds it anew", err)})
		return nil
	}
	missing := int64(0)
	err = f.a.catalog.WalkMessages(ctx, tenant, func(m *catalog.Message, err error) error {
		if err == nil && m.Seq <= mark && !indexed[m.AOID] {
			missing++
		}
		if err == nil {
			delete(indexed, m.AOID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if missing == 0 && len(indexed) == 0 {
		return nil
	}
	x := Finding{Severity: Leftover, Object: "search index", What: fmt.Sprintf("lacks %d messages and has %d that the catalog does not know; muniment reindex builds it anew", missing, len(indexed))}
	if f.o.Repair {
		if err := f.a.Reindex(ctx, tenant); err != nil {
			return err
		}
		x.Repaired = true
	}
	f.report(x)
	return nil
}
