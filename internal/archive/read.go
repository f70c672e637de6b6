package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// original reads a stored message so that it can be read in any order, checked
// against its SHA-256. Large ones rest in an unlinked temporary file meanwhile.
// done frees it.
func (a *Archive) original(ctx context.Context, row *catalog.Message) (raw Raw, done func(), err error) {
	c, err := a.open(ctx, row)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	return a.buffered(c, row.Size)
}

// buffered reads what comes once so that it can be read in any order: in memory,
// or, if it may be large, in a file without a name. done frees it.
func (a *Archive) buffered(r io.Reader, expected int64) (raw Raw, done func(), err error) {
	if expected <= inMemory {
		b := bytes.NewBuffer(make([]byte, 0, expected))
		if _, err := io.Copy(b, r); err != nil {
			return nil, nil, err
		}
		return bytes.NewReader(b.Bytes()), func() {}, nil
	}
	f, err := os.CreateTemp(a.spool, "read-*")
	if err != nil {
		return nil, nil, fmt.Errorf("spool message: %w", err)
	}
	done = func() { f.Close() }
	if err := os.Remove(f.Name()); err != nil {
		done()
		return nil, nil, fmt.Errorf("spool message: %w", err)
	}
	n, err := io.Copy(f, r)
	if err != nil {
		done()
		return nil, nil, err
	}
	return io.NewSectionReader(f, 0, n), done, nil
}

// open opens the stored bytes of a message. A compaction may have moved them
// since the row was read: then it looks again.
func (a *Archive) open(ctx context.Context, row *catalog.Message) (*vault.Content, error) {
	for {
		ref := vault.Ref{Segment: row.Segment, Frame: row.Frame}
		c, err := a.vault.Open(ctx, row.Tenant, ref, vault.Want{SHA256: row.SHA256, Size: row.Size})
		if !errors.Is(err, vault.ErrNotFound) {
			return c, err
		}
		now, again := a.catalog.Message(ctx, row.Tenant, row.AOID)
		if again != nil || now.Segment == row.Segment && now.Frame == row.Frame {
			return nil, err
		}
		row = now
	}
}

// Message returns a message as the actor may see it, parsed from the stored
// bytes and checked now. Damaged bytes are no error: Integrity tells.
func (h *Handle) Message(ctx context.Context, id uid.ID) (*MessageView, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return nil, err
	}
	v := &MessageView{Why: h.actor.Why(accessParties(row.Parties)), Integrity: Integrity{Intact: true, CheckedAt: h.a.now().UTC()}}
	if v.Captures, err = h.captures(ctx, row); err != nil {
		return nil, err
	}
	if v.Retention, err = h.retentionOf(ctx, row); err != nil {
		return nil, err
	}
	raw, done, err := h.a.original(ctx, row)
	switch {
	case damaged(err):
		v.Integrity.Intact, v.Integrity.Problem = false, err.Error()
		h.a.log.Error("message is damaged", "tenant", row.Tenant, "aoid", row.AOID, "error", err)
	case err != nil:
		return nil, err
	default:
		defer done()
		v.Facts = factsOf(ctx, row, raw)
		v.Headers = v.Facts.Headers()
	}
	shown := *row
	shown.Parties, v.BccHidden = h.visible(row.Parties)
	v.Row = &shown
	hints, err := h.hidesHints(ctx, row)
	if err != nil {
		return nil, err
	}
	h.hideBcc(v, row.Parties, hints)
	return v, h.logRead(ctx, actRead, row)
}

// hideBcc takes from the view of an actor who may not know all blind copies what
// else tells of them. The header may name more than the row, which is bounded.
func (h *Handle) hideBcc(v *MessageView, parties []catalog.Party, hints bool) {
	if v.Row.Facts.File != nil {
		return // a document has no blind copies
	}
	if h.actor.MaySeeBcc(accessParties(parties)) || !v.BccHidden && hasBcc(parties) && len(parties) < message.MaxParties {
		return // nothing to hide, or only himself
	}
	named := v.Facts == nil && v.BccHidden // damaged: nobody can tell
	if v.Facts != nil {
		v.Headers, named = withoutBcc(v.Headers, hints)
		v.BccHidden = v.BccHidden || named
		v.Facts.Parties = slices.DeleteFunc(v.Facts.Parties, func(p message.Party) bool { return p.Role == message.RoleBcc })
	}
	if named { // who guesses a blind recipient could test the guess
		v.Row.SHA256, v.Row.SHA512, v.Row.Size = [32]byte{}, [64]byte{}, 0
	}
	for i := range v.Captures {
		if v.BccHidden { // the item's name in its source may be that of a mailbox
			v.Captures[i].Origin, v.Captures[i].Filing = "", nil
		}
	}
}

// damaged reports whether err says that stored bytes are not what they were.
func damaged(err error) bool {
	return errors.Is(err, vault.ErrCorrupt) || errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrErased)
}

// log writes an act of the actor into the event log.
func (h *Handle) log(ctx context.Context, action string, object uid.ID) error {
	return h.a.catalog.AppendEvents(ctx, h.actor.Tenant, []*catalog.Event{h.event(action, object.String(), nil)})
}

// logRead writes that the actor reads a message into the event log; under a grant,
// into its records as well.
func (h *Handle) logRead(ctx context.Context, action string, row *catalog.Message) error {
	if h.actor.Grant != nil {
		return h.record(ctx, action, row, "")
	}
	return h.log(ctx, action, row.AOID)
}

func (h *Handle) captures(ctx context.Context, row *catalog.Message) ([]CaptureView, error) {
	list, err := h.a.catalog.Captures(ctx, row.Tenant, row.AOID)
	if err != nil {
		return nil, err
	}
	visible, _ := h.visible(row.Parties)
	may := map[string]bool{}
	for _, p := range visible {
		may[p.Address] = true
	}
	var out []CaptureView
	for _, c := range list {
		s, err := h.a.source(ctx, row.Tenant, c.Source)
		if err != nil {
			return nil, err
		}
		v := CaptureView{Capture: *c, SourceName: s.Name, SourceKind: s.Kind, FromHeaders: fromHeaders(c, s.Kind), Workspace: s.workspace}
		v.Journal = h.visibleJournal(c.Journal, row.Parties, may)
		v.Hints = visibleHints(c.Hints, may)
		v.EnvelopeTo = nil
		for _, to := range c.EnvelopeTo {
			if may[message.NormalizeAddress(to)] {
				v.EnvelopeTo = append(v.EnvelopeTo, to)
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// visibleJournal leaves out of a report's record whom the actor may not know of,
// and the hash of the report, with which guesses could be tested.
func (h *Handle) visibleJournal(j *catalog.Journal, parties []catalog.Party, may map[string]bool) *catalog.Journal {
	if j == nil || h.actor.MaySeeBcc(accessParties(parties)) {
		return j
	}
	open := *j
	open.Recipients, open.SHA256, open.SHA512, open.Size = nil, "", "", 0
	for _, r := range j.Recipients {
		if may[r.Address] {
			if r.Through != "" && !may[r.Through] {
				r.Via, r.Through = "", ""
			}
			open.Recipients = append(open.Recipients, r)
		}
	}
	return &open
}

// Report streams the journal report in which a message came, byte for byte. It
// names blind copies and members of lists, so it is for the sender alone:
// access.ErrForbidden for others who may see the message.
func (h *Handle) Report(ctx context.Context, id, capture uid.ID) (io.ReadCloser, Download, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return nil, Download{}, err
	}
	list, err := h.a.catalog.Captures(ctx, row.Tenant, row.AOID)
	if err != nil {
		return nil, Download{}, err
	}
	for _, c := range list {
		if c.ID != capture || c.Journal == nil || c.Journal.SHA256 == "" {
			continue
		}
		if !h.actor.MaySeeBcc(accessParties(row.Parties)) {
			return nil, Download{}, fmt.Errorf("a journal report names all recipients, so only the sender may read it: %w", access.ErrForbidden)
		}
		if err := h.logRead(ctx, "report.downloaded", row); err != nil {
			return nil, Download{}, err
		}
		r, err := h.a.openReport(ctx, c)
		return r, Download{Name: c.ID.String() + ".report.eml", Type: "message/rfc822", Size: c.Journal.Size}, err
	}
	return nil, Download{}, fmt.Errorf("journal report %s of %s: %w", capture, id, catalog.ErrNotFound)
}

// Check compares what is stored with what arrived, byte for byte.
func (h *Handle) Check(ctx context.Context, id uid.ID) (Integrity, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return Integrity{}, err
	}
	res := Integrity{Intact: true, CheckedAt: h.a.now().UTC()}
	err = h.a.verify(ctx, row)
	if damaged(err) {
		res.Intact, res.Problem = false, err.Error()
		return res, nil
	}
	return res, err
}

// verify reads a whole message and lets the vault compare.
func (a *Archive) verify(ctx context.Context, row *catalog.Message) error {
	c, err := a.open(ctx, row)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.Copy(io.Discard, c)
	return err
}

// Raw streams the bytes of a message exactly as they arrived. A reader who may
// not know the blind copies that the header names gets it without these fields
// (Download.Redacted); the original stays as it is.
func (h *Handle) Raw(ctx context.Context, id uid.ID) (io.ReadCloser, Download, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return nil, Download{}, err
	}
	c, err := h.a.open(ctx, row)
	if err != nil {
		return nil, Download{}, err
	}
	hide := false
	hints, err := h.hidesHints(ctx, row)
	if err != nil {
		c.Close()
		return nil, Download{}, err
	}
	if row.Facts.File == nil && !h.actor.MaySeeBcc(accessParties(row.Parties)) {
		if hide, err = h.a.namesBcc(ctx, row, hints); err != nil {
			c.Close()
			return nil, Download{}, err
		}
	}
	d := Download{Name: fileName(row), Type: "message/rfc822", Size: row.Size, SHA256: row.SHA256}
	if f := row.Facts.File; f != nil {
		d.Name, d.Type = f.Name, f.Type
	}
	if err := h.logRead(ctx, "message.downloaded", row); err != nil {
		c.Close()
		return nil, Download{}, err
	}
	if !hide {
		return c, d, nil
	}
	d.Redacted, d.Size, d.SHA256 = true, -1, [32]byte{}
	return newRedacted(c, hints), d, nil
}

// namesBcc reports whether the header of a message names blind recipients. It
// reads the header itself: the parties of a row are bounded.
func (a *Archive) namesBcc(ctx context.Context, row *catalog.Message, hints bool) (bool, error) {
	c, err := a.open(ctx, row)
	if err != nil {
		return false, err
	}
	defer c.Close()
	return newRedacted(c, hints).names()
}

func hasBcc(parties []catalog.Party) bool {
	for _, p := range parties {
		if p.Role == "bcc" {
			return true
		}
	}
	return false
}

// fileName proposes a name from date and subject.
func fileName(row *catalog.Message) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x20 || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.TrimSpace(row.Facts.Subject))
	if r := []rune(name); len(r) > 80 {
		name = string(r[:80])
	}
	if name == "" {
		name = row.AOID.String()
	}
	return row.Date.Format("2006-01-02") + " " + name + ".eml"
}

// Attachment streams the decoded bytes of one part; no is message.Part.No.
func (h *Handle) Attachment(ctx context.Context, id uid.ID, no int) (io.ReadCloser, Download, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return nil, Download{}, err
	}
	raw, done, err := h.a.original(ctx, row)
	if err != nil {
		return nil, Download{}, err
	}
	for _, p := range factsOf(ctx, row, raw).Files() {
		if p.No != no {
			continue
		}
		if err := h.logRead(ctx, "attachment.downloaded", row); err != nil {
			done()
			return nil, Download{}, err
		}
		d := Download{Name: p.Name, Type: p.Type, Size: -1}
		return readCloser{message.OpenPart(raw, p), done}, d, nil
	}
	done()
	return nil, Download{}, fmt.Errorf("attachment %d of %s: %w", no, id, catalog.ErrNotFound)
}

type readCloser struct {
	io.Reader
	done func()
}

func (r readCloser) Close() error { r.done(); return nil }
