package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// Bounds of a bundle of many messages.
const (
	// MaxExportIDs is how many messages somebody may choose one by one.
	MaxExportIDs = 200
	// exportVolume is how many objects go into one bundle. The directory of a ZIP file
	// is kept in memory until its end: 50,000 objects take about 150 MB. What is beyond
	// comes into further volumes.
	exportVolume = 50_000
	exportPage   = 200
)

// ErrExport is matched by errors about what somebody wants to export.
var ErrExport = errors.New("nothing to export")

// ExportRequest says what a bundle of many messages shall hold.
type ExportRequest struct {
	IDs   []uid.ID // these; none: what Query finds, all if it is empty
	Query string
	After string // Complete.Next of the volume before; empty: the beginning
	// Volume is the number of the volume, from 1.
	Volume int
}

// Export is a bundle of many messages that is to be written.
type Export struct {
	h      *Handle
	r      ExportRequest
	source exportSource
	title  string
	most   int
	whole  bool // everything that the tenant has
}

// exportSource tells page by page which messages belong to a selection. next is where
// the page after it begins, empty at the end. Rows that cannot be read are told by bad.
type exportSource func(ctx context.Context, after string) (ids []uid.ID, bad []string, next string, err error)

// Export returns a bundle of many messages of the actor, or of what was approved for an
// export. Errors match access.ErrForbidden, ErrExport, *query.Error, ErrAccessOver.
func (h *Handle) Export(ctx context.Context, r ExportRequest) (*Export, error) {
	if err := h.actor.CheckExport(); err != nil {
		return nil, err
	}
	e := &Export{h: h, r: r, most: exportVolume}
	e.r.Volume = max(r.Volume, 1)
	e.r.Query = strings.TrimSpace(r.Query)
	switch {
	case len(r.IDs) > MaxExportIDs:
		return nil, fmt.Errorf("%w: choose at most %d messages, or all that a search finds", ErrExport, MaxExportIDs)
	case len(r.IDs) > 0:
		e.source = func(context.Context, string) ([]uid.ID, []string, string, error) { return r.IDs, nil, "", nil }
		e.title = fmt.Sprintf("%d chosen messages", len(r.IDs))
	case h.actor.SeesAll() && e.r.Query == "" && h.actor.Grant.Query == "":
		// The catalog, and not the index: nothing may be missing.
		e.source, e.title, e.whole = h.allMessages, "all messages of the archive", true
	default:
		if _, err := h.parse(ctx, r.Query); err != nil {
			return nil, err
		}
		e.source, e.title = h.foundMessages(e.r.Query), "messages found by: "+e.r.Query
		if e.r.Query == "" {
			e.title = "all messages"
		}
	}
	if r.After != "" {
		if _, _, _, err := e.source(ctx, r.After); err != nil {
			return nil, fmt.Errorf("%w: the place to go on at is not known: %w", ErrExport, err)
		}
	}
	return e, h.recordExport(ctx, e)
}

// recordExport writes down that an export begins, before anything of it is handed out.
func (h *Handle) recordExport(ctx context.Context, e *Export) error {
	if h.actor.Grant != nil {
		return h.record(ctx, actExport, nil, e.title)
	}
	details := map[string]string{"selection": e.logged(), "volume": strconv.Itoa(e.r.Volume)}
	return h.a.catalog.AppendEvents(ctx, h.actor.Tenant, []*catalog.Event{h.event(actExport, "", details)})
}

// logged is what the event log tells of what was selected. What somebody searches for
// in the own mail is nobody's business.
func (e *Export) logged() string {
	switch {
	case e.h.actor.Grant != nil:
		return e.title
	case len(e.r.IDs) > 0:
		return "chosen messages"
	case e.r.Query != "":
		return "messages found by a search"
	}
	return "all messages"
}

// foundMessages is what a search finds, the oldest first.
func (h *Handle) foundMessages(query string) exportSource {
	return func(ctx context.Context, after string) ([]uid.ID, []string, string, error) {
		req, _, err := h.request(ctx, SearchRequest{Query: query, Cursor: after, Oldest: true, Limit: exportPage})
		if err != nil {
			return nil, nil, "", err
		}
		req.CountUpTo = 0
		found, err := h.a.index.Search(ctx, h.actor.Tenant, *req)
		if err != nil {
			return nil, nil, "", h.damagedIndex(err)
		}
		ids := make([]uid.ID, len(found.Hits))
		for i, x := range found.Hits {
			ids[i] = x.ID
		}
		return ids, nil, found.Next, nil
	}
}

// allMessages is every message of the tenant, in the order of their arrival.
func (h *Handle) allMessages(ctx context.Context, after string) (ids []uid.ID, bad []string, next string, err error) {
	var seq int64
	if after != "" {
		if seq, err = strconv.ParseInt(after, 10, 64); err != nil || seq < 0 {
			return nil, nil, "", fmt.Errorf("%.40q: %w", after, index.ErrCursor)
		}
	}
	n := 0
	err = h.a.catalog.Sealables(ctx, h.actor.Tenant, seq, exportPage, func(s catalog.Sealable, err error) error {
		n++
		seq = max(seq, s.Seq)
		if err != nil {
			bad = append(bad, err.Error())
			return nil
		}
		ids = append(ids, s.AOID)
		return nil
	})
	if n == exportPage {
		next = strconv.FormatInt(seq, 10)
	}
	return ids, bad, next, err
}

// Name is what the file of the bundle is called.
func (e *Export) Name() string {
	name := "export-" + e.h.a.now().UTC().Format("2006-01-02")
	if e.r.Volume > 1 {
		name += "-" + strconv.Itoa(e.r.Volume)
	}
	return name + ".proof.zip"
}

// ExportUnder writes what was approved for an export into bundles, one volume after the
// other, for the command line: open gives the file of each. It acts for the person who
// has asked, who has to hold the role still. Errors match access.ErrForbidden,
// catalog.ErrNotFound, ErrAccessOver.
func (a *Archive) ExportUnder(ctx context.Context, tenant, request uid.ID, query string, open func(volume int) (io.WriteCloser, error)) (objects, left int64, err error) {
	r, err := a.catalog.AccessRequest(ctx, tenant, request)
	if err != nil {
		return 0, 0, err
	}
	u, err := a.catalog.User(ctx, tenant, r.RequestedBy)
	if err != nil {
		return 0, 0, err
	}
	if !mayLogIn(u, a.now()) {
		return 0, 0, fmt.Errorf("whoever asked for the export is disabled: %w", access.ErrForbidden)
	}
	h, err := a.InGrant(ctx, access.Actor{Tenant: tenant, User: u.ID, Role: access.Role(u.Role), Peer: "command line"}, request)
	if err != nil {
		return 0, 0, err
	}
	after := ""
	for volume := 1; ; volume++ {
		e, err := h.Export(ctx, ExportRequest{Query: query, After: after, Volume: volume})
		if err != nil {
			return objects, left, err
		}
		w, err := open(volume)
		if err != nil {
			return objects, left, err
		}
		done, err := e.WriteZIP(ctx, w)
		if err := errors.Join(err, w.Close()); err != nil {
			return objects, left, err
		}
		objects, left = objects+done.Objects, left+int64(len(done.LeftOut))
		if after = done.Next; after == "" {
			return objects, left, nil
		}
	}
}
