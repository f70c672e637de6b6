package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// maxTold bounds how many different troubles with reading are told of.
const maxTold = 1000

// Fsck checks everything stored against everything known, both ways: the
// catalog by itself, every byte of every segment and key, every row against its
// frame, every frame against its row, the event log, the accounts, the index.
// Others may go on working meanwhile, unless Repair is set. What cannot be read is
// a finding, and the check goes on. The error is only about the check itself; what
// it finds goes to Report.
func (a *Archive) Fsck(ctx context.Context, o FsckOptions) (*FsckResult, error) {
	f := &fsck{a: a, o: o, out: &FsckResult{}, told: map[string]bool{}}
	err := a.catalog.Check(ctx, func(err error) {
		object := "catalog"
		var row *catalog.RowError
		if errors.As(err, &row) {
			object = row.Table + " " + row.Object
		}
		f.report(Finding{Severity: Damage, Object: object, What: err.Error()})
	})
	if err := f.unreadable(ctx, "catalog", err); err != nil {
		return f.out, fmt.Errorf("check catalog: %w", err)
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return f.out, err
	}
	if err := f.lostTenants(ctx); err != nil {
		return f.out, err
	}
	for _, t := range tenants {
		segments, err := a.vault.ListSegments(ctx, t.ID)
		if err != nil {
			continue // told of below
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
	if err := f.seals(ctx, tenants); err != nil {
		return f.out, fmt.Errorf("seals: %w", err)
	}
	return f.out, nil
}

type fsck struct {
	a           *Archive
	o           FsckOptions
	out         *FsckResult
	slug        string
	done, total int64
	told        map[string]bool // troubles with reading

	// Of the tenant being checked:
	held   frames
	unread map[uid.ID]bool // segments that could not be read to their end
	dark   bool            // the segments cannot even be listed
	met    []metCapture
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

// unreadable reports, once, that something cannot be read, so that the check
// goes on. Only the end of ctx is an error.
func (f *fsck) unreadable(ctx context.Context, object string, err error) error {
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if key := f.slug + "\x00" + object + "\x00" + err.Error(); !f.told[key] && len(f.told) < maxTold {
		f.told[key] = true
		f.damage(object, "cannot be read: %v", err)
	}
	return nil
}

// frames remembers what the vault holds: the kind of every frame.
type frames map[uid.ID][]vault.Kind

func (f *fsck) tenant(ctx context.Context, tenant uid.ID) error {
	f.held, f.unread, f.dark, f.met = frames{}, map[uid.ID]bool{}, false, nil
	if err := f.a.vault.CheckTenant(ctx, tenant); err != nil {
		f.damage("key of tenant "+tenant.String(), "%v", err)
		return ctx.Err() // nothing of the tenant can be read
	}
	strays, err := f.strays(ctx, tenant)
	if err != nil {
		return err
	}
	known := map[uid.ID]bool{}
	err = f.a.catalog.WalkSegments(ctx, tenant, func(s *catalog.Segment, err error) error {
		if err == nil {
			known[s.ID] = true
		}
		return nil // Check has reported damaged rows
	})
	if err := f.unreadable(ctx, "catalog", err); err != nil {
		return err
	}
	if err := f.segments(ctx, tenant, known); err != nil {
		return err
	}
	for id := range known {
		if _, ok := f.held[id]; !ok && !f.dark && !f.compacted(ctx, tenant, id) {
			f.damage("segment "+id.String(), "the catalog knows it, but the vault has lost it")
		}
	}
	if err := f.rows(ctx, tenant); err != nil {
		return err
	}
	if err := f.decisions(ctx, tenant); err != nil {
		return err
	}
	if err := f.tombstones(ctx, tenant); err != nil {
		return err
	}
	if err := f.stillThere(ctx, tenant, strays); err != nil {
		return err
	}
	if err := f.description(ctx, tenant); err != nil {
		return err
	}
	if err := f.holds(ctx, tenant); err != nil {
		return err
	}
	if err := f.retentions(ctx, tenant); err != nil {
		return err
	}
	return f.index(ctx, tenant)
}

// compacted reports whether the catalog has given a segment up in the meantime.
func (f *fsck) compacted(ctx context.Context, tenant, segment uid.ID) bool {
	_, err := f.a.catalog.Segment(ctx, tenant, segment)
	return errors.Is(err, catalog.ErrNotFound)
}

// segments reads every byte of every segment and compares each frame with its row.
func (f *fsck) segments(ctx context.Context, tenant uid.ID, known map[uid.ID]bool) error {
	list, err := f.a.vault.ListSegments(ctx, tenant)
	if err != nil {
		f.dark = true
		return f.unreadable(ctx, "segments", err)
	}
	for _, s := range list {
		f.out.Segments++
		if !known[s.ID] { // perhaps committed after the catalog was asked
			if _, err := f.a.catalog.Segment(ctx, tenant, s.ID); err == nil {
				known[s.ID] = true
			}
		}
		taken := known[s.ID]
		if !taken {
			if taken, err = f.unknownSegment(ctx, tenant, s); err != nil {
				if err := f.unreadable(ctx, "segment "+s.ID.String(), err); err != nil {
					return err
				}
			}
		}
		if taken {
			if err := f.segment(ctx, tenant, s.ID, known[s.ID]); err != nil {
				return err
			}
		}
		f.done += s.Size
		if f.o.Progress != nil {
			f.o.Progress(f.done, f.total)
		}
	}
	return nil
}

// segment reads one segment, which a compaction may remove meanwhile.
func (f *fsck) segment(ctx context.Context, tenant, id uid.ID, known bool) error {
	f.held[id] = nil
	err := f.a.vault.Check(ctx, tenant, id, func(e vault.Entry) error {
		kind := e.Frame.Kind
		if e.Err != nil {
			f.damage(fmt.Sprintf("segment %s", e.Frame.Ref), "%v", e.Err)
		}
		for int(e.Frame.Ref.Frame) > len(f.held[id]) { // dictionaries are not told of
			f.held[id] = append(f.held[id], vault.KindDict)
		}
		if e.Erased {
			kind = vault.KindDict // nothing that a row could tell of
		}
		f.held[id] = append(f.held[id], kind)
		if e.Err != nil || e.Erased {
			return nil //nolint:nilerr // it is reported above
		}
		return f.frame(ctx, tenant, e)
	})
	if err == nil {
		return f.captures(ctx, tenant)
	}
	if err := f.captures(ctx, tenant); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case known && f.compacted(ctx, tenant, id):
		delete(f.held, id)
		return nil
	case errors.Is(err, vault.ErrCorrupt) || errors.Is(err, vault.ErrNotFound):
		f.damage("segment "+id.String(), "%v", err)
		return nil
	}
	f.unread[id] = true
	return f.unreadable(ctx, "segment "+id.String(), err)
}

// frame compares a frame with what the catalog knows of it.
func (f *fsck) frame(ctx context.Context, tenant uid.ID, e vault.Entry) error {
	if e.Frame.Kind == vault.KindMessage || e.Frame.Kind == vault.KindRecord {
		if buried, err := f.grave(ctx, tenant, e); buried || err != nil {
			return err
		}
	}
	switch e.Frame.Kind {
	case vault.KindMessage:
		copied, err := f.message(ctx, tenant, e)
		if err != nil || copied {
			return err
		}
	case vault.KindRecord:
	default:
		return nil
	}
	return f.capture(ctx, tenant, e)
}

// message compares a message in the vault with its row. It reports whether the
// frame has none of its own.
func (f *fsck) message(ctx context.Context, tenant uid.ID, e vault.Entry) (rowless bool, err error) {
	row, err := f.a.catalog.Message(ctx, tenant, e.Frame.AOID)
	var bad *catalog.RowError
	switch {
	case errors.As(err, &bad): // Check has reported it
	case errors.Is(err, catalog.ErrNotFound):
		known, err := f.a.knownFrame(ctx, tenant, e)
		if err != nil {
			return true, f.unreadable(ctx, "catalog", err)
		}
		if _, copied := known[contentOf(e)]; copied {
			return true, nil // stored twice by a crash and an import that went on; compaction drops it
		}
		f.damage("message "+e.Frame.AOID.String(), "in segment %s, but the catalog has lost its row; muniment rebuild restores it", e.Frame.Ref)
		return true, nil
	case err != nil:
		return true, f.unreadable(ctx, "catalog", err)
	case row.SHA256 != e.Frame.SHA256 || row.Size != e.Frame.Size:
		f.damage("message "+e.Frame.AOID.String(), "row and segment %s disagree on hash or size", e.Frame.Ref)
	default:
		f.members(row, e)
	}
	return false, nil
}

// strays lists what lies in the tenant's space and belongs to nothing. A commit or
// a compaction on its way looks like that too: see stillThere.
func (f *fsck) strays(ctx context.Context, tenant uid.ID) (map[string]vault.Stray, error) {
	out := map[string]vault.Stray{}
	err := f.a.vault.Strays(ctx, tenant, func(s vault.Stray) error { out[s.Key] = s; return nil })
	return out, f.unreadable(ctx, "segments", err)
}

// stillThere reports the strays that were there before the segments were read and
// are there now.
func (f *fsck) stillThere(ctx context.Context, tenant uid.ID, before map[string]vault.Stray) error {
	now, err := f.strays(ctx, tenant)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		s := now[key]
		if before[key] != s || s.Harmless && !f.o.Repair && f.a.now().Sub(s.CreatedAt) < graceTime {
			continue
		}
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
	}
	return nil
}
