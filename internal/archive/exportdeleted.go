package archive

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/uid"
)

// What a bundle of many messages tells of those that were deleted: of each that was
// chosen, and, if it is everything that a tenant has, of all.

// seesDeleted reports whether the actor may know what was deleted, also while it exports
// other people's mail.
func (h *Handle) seesDeleted() bool {
	return !h.actor.Program && h.actor.Role.OfTenant() && access.Allowed(h.actor.Role, access.SeeTombstones)
}

// missing tells why a message is not there that somebody has chosen.
func (w *exportWriter) missing(ctx context.Context, id uid.ID, err error) {
	if s, bad := w.e.h.a.catalog.Tombstone(ctx, w.e.h.actor.Tenant, id); bad == nil && w.e.h.seesDeleted() && errors.Is(err, catalog.ErrNotFound) {
		w.deleted(s)
		return
	}
	w.leave(id.String(), offline.LeftGone, "it is not there, or not for the reader")
}

func (w *exportWriter) deleted(s *catalog.Tombstone) {
	w.leave(s.AOID.String(), offline.LeftDeleted, "it was deleted on "+s.DeletedAt.UTC().Format(time.DateOnly)+"; a tombstone remains")
}

// tombstones tells of everything that was deleted, at the end of all messages: of what
// arrived in the period of the request, for a tombstone knows of no other date.
func (w *exportWriter) tombstones(ctx context.Context) error {
	h := w.e.h
	if !w.e.whole || !h.seesDeleted() {
		return nil
	}
	return h.a.catalog.WalkTombstones(ctx, h.actor.Tenant, func(s *catalog.Tombstone, err error) error {
		switch {
		case err != nil:
			w.leave("", offline.LeftUnreadable, err.Error())
		case h.actor.Grant.Covers(s.ReceivedAt):
			w.deleted(s)
		}
		return ctx.Err()
	})
}
