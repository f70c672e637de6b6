package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// Defaults and bounds of the settings of receipts.
const (
	receiptTime   = "00:05" // in the tenant's time zone
	maxReceivers  = 20
	receiptsShown = 400
	// receiptsLate is how many of the youngest receipts are handed out when they
	// could not be before.
	receiptsLate = 7
)

// ReceiptSettings say who gets the daily receipts of a log, and when they are made.
type ReceiptSettings struct {
	To       []string `json:"to"`       // mail addresses
	At       string   `json:"at"`       // 15:04 in the tenant's time zone
	Language string   `json:"language"` // of the mail: "de" or "en"
}

// ReceiptSettings returns those of the actor's log.
func (h *Handle) ReceiptSettings(ctx context.Context) (*ReceiptSettings, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	return h.a.receiptSettings(ctx, h.actor.Tenant)
}

func (a *Archive) receiptSettings(ctx context.Context, tenant uid.ID) (*ReceiptSettings, error) {
	s := &ReceiptSettings{To: []string{}, At: receiptTime, Language: "de"}
	row, err := a.catalog.ReceiptSetting(ctx, tenant)
	if err != nil || row == nil {
		return s, err
	}
	if err := json.Unmarshal(row.Settings, s); err != nil {
		return nil, fmt.Errorf("settings of receipts: %w", err)
	}
	return s, nil
}

// SetReceiptSettings says who gets the daily receipts of the actor's log. ErrInvalid.
func (h *Handle) SetReceiptSettings(ctx context.Context, s ReceiptSettings) error {
	if err := h.actor.Check(access.ManageReceipts); err != nil {
		return err
	}
	return h.a.setReceiptSettings(ctx, h.actor.Tenant, s, h.event)
}

// SetReceiptSettings is that of a Handle, for the operator on the command line.
func (a *Archive) SetReceiptSettings(ctx context.Context, tenant uid.ID, s ReceiptSettings) error {
	return a.setReceiptSettings(ctx, tenant, s, a.cliEvent)
}

func (a *Archive) setReceiptSettings(ctx context.Context, tenant uid.ID, s ReceiptSettings, act describeAct) error {
	if _, err := time.Parse("15:04", s.At); err != nil || len(s.At) != len("15:04") {
		return invalid("time %.20q: want one such as 00:05", s.At)
	}
	if s.Language != "de" && s.Language != "en" {
		return invalid("language %.20q: want de or en", s.Language)
	}
	if len(s.To) > maxReceivers {
		return invalid("%d addresses, at most %d", len(s.To), maxReceivers)
	}
	for _, to := range s.To {
		if err := remote.MailAddress(to); err != nil {
			return invalid("address %.60q: %v", to, err)
		}
	}
	s.To = slices.Compact(slices.Sorted(slices.Values(s.To)))
	if s.To == nil {
		s.To = []string{}
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	old, err := a.receiptSettings(ctx, tenant)
	if err != nil { // damaged: is set anew
		if len(rowErrors(err)) == 0 {
			return err
		}
		old = &ReceiptSettings{}
	}
	return a.catalog.SetReceiptSetting(ctx, &catalog.ReceiptSetting{Tenant: tenant, Settings: b}, act("log.receipts-changed", "", map[string]string{
		"before.to": strings.Join(old.To, " "), "after.to": strings.Join(s.To, " "),
		"before.at": old.At, "after.at": s.At, "before.language": old.Language, "after.language": s.Language}))
}

// Receipts lists the daily receipts of the actor's log, the youngest first, of days
// before a day; empty: all.
func (h *Handle) Receipts(ctx context.Context, before string) ([]*catalog.Receipt, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Receipts(ctx, h.actor.Tenant, before, receiptsShown)
	if len(rowErrors(err)) > 0 {
		h.a.log.Error("rows of receipts are damaged; muniment fsck tells more", "tenant", h.actor.Tenant, "error", err)
		err = nil
	}
	return list, err
}

// Receipt returns the receipt of a day of the actor's log. catalog.ErrNotFound.
func (h *Handle) Receipt(ctx context.Context, day string) (*catalog.Receipt, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	row, err := h.a.catalog.Receipt(ctx, h.actor.Tenant, day)
	if err != nil {
		return nil, err
	}
	if err := h.a.withRecord(ctx, row); err != nil { // the receipt proves without it
		h.a.log.Error("the evidence record of a receipt cannot be issued", "tenant", row.Tenant, "day", day, "error", err)
	}
	return row, nil
}

// What follows is for the door that hands receipts out. It acts for nobody.

// LogOwner is a log that gets receipts.
type LogOwner struct {
	Tenant uid.ID // zero: the installation
	Slug   string // as its directory is called
	Name   string
	Zone   string
	Since  time.Time
	ReceiptSettings
}

// installationSlug is no slug that a tenant may have.
const installationSlug = "_installation"

// LogOwners lists the tenants, and the installation. Whose settings are damaged gets
// receipts as if there were none.
func (a *Archive) LogOwners(ctx context.Context) ([]LogOwner, error) {
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	out := []LogOwner{{Slug: installationSlug, Zone: "UTC"}}
	for _, t := range tenants {
		out = append(out, LogOwner{Tenant: t.ID, Slug: t.Slug, Name: t.Name, Zone: t.Zone, Since: t.CreatedAt})
	}
	for i := range out {
		s, err := a.receiptSettings(ctx, out[i].Tenant)
		if err != nil {
			a.log.Error("settings of receipts are damaged", "tenant", out[i].Tenant, "error", err)
			s = &ReceiptSettings{At: receiptTime, Language: "de"}
		}
		out[i].ReceiptSettings = *s
	}
	return out, nil
}

// due returns the day whose receipt should be there by now.
func (o *LogOwner) due(now time.Time) (day string, ok bool) {
	zone, err := time.LoadLocation(o.Zone)
	if err != nil {
		zone = time.UTC
	}
	at, err := time.Parse("15:04", o.At)
	if err != nil {
		return "", false
	}
	local := now.In(zone)
	due := time.Date(local.Year(), local.Month(), local.Day(), at.Hour(), at.Minute(), 0, 0, zone)
	if now.Before(due) {
		due = time.Date(local.Year(), local.Month(), local.Day()-1, at.Hour(), at.Minute(), 0, 0, zone)
	}
	return due.Format(time.DateOnly), !due.Before(o.Since)
}

// MakeReceipt makes the receipt that is due, unless it is there: after a downtime
// one, which covers all that was missed. It returns nil if there was nothing to do.
func (a *Archive) MakeReceipt(ctx context.Context, o *LogOwner) (*catalog.Receipt, error) {
	now := a.now().UTC().Truncate(time.Millisecond)
	day, ok := o.due(now)
	if !ok {
		return nil, nil //nolint:nilnil // the contract
	}
	if list, err := a.catalog.Receipts(ctx, o.Tenant, "", 1); err == nil && len(list) == 1 && list[0].Day >= day {
		return nil, nil //nolint:nilnil // as above
	}
	s, err := a.logSigner(ctx)
	if err != nil {
		return nil, err
	}
	k := s.current()
	changed := func(last *catalog.Receipt) []*catalog.Event {
		if last == nil || last.Key == k.Number {
			return nil
		}
		return []*catalog.Event{{At: now, Actor: "system", Action: "log.key-changed", Digest: noteDigest(k.ChangeNote), Details: map[string]string{"note": k.ChangeNote}}}
	}
	row, err := a.catalog.MakeReceipt(ctx, o.Tenant, day, changed, func(head eventlog.Head) (*catalog.Receipt, *catalog.Event, error) {
		r, err := s.receipt(o.Tenant, head, now, day, o.Zone)
		if err != nil {
			return nil, nil, err
		}
		body, err := r.Encode()
		e := &catalog.Event{At: now, Actor: "system", Action: "log.receipt-made", Object: day, Digest: head.Root.String()}
		return &catalog.Receipt{MadeAt: now, Key: k.Number, Body: string(body)}, e, err
	})
	if errors.Is(err, catalog.ErrTaken) {
		return nil, nil //nolint:nilnil // another process was faster
	}
	return row, err
}

// ReceiptsToHandOut lists the youngest receipts of a log that were not filed or not
// mailed yet, the oldest first.
func (a *Archive) ReceiptsToHandOut(ctx context.Context, tenant uid.ID) ([]*catalog.Receipt, error) {
	list, err := a.catalog.Receipts(ctx, tenant, "", receiptsLate)
	if len(rowErrors(err)) > 0 {
		err = nil // fsck tells of it
	}
	list = slices.DeleteFunc(list, func(r *catalog.Receipt) bool { return r.Filed && r.Mailed })
	slices.Reverse(list)
	return list, err
}

// ReceiptHandedOut remembers that a receipt was filed or is queued to be sent.
func (a *Archive) ReceiptHandedOut(ctx context.Context, r *catalog.Receipt, filed, mailed bool) error {
	return a.catalog.HandedOut(ctx, r.Tenant, r.Day, filed, mailed)
}

// proofsBetween proves the steps between sizes of a log, as far as it is long enough.
func (a *Archive) proofsBetween(ctx context.Context, tenant uid.ID, sizes []int64) ([]*eventlog.ConsistencyProof, error) {
	sizes = slices.Compact(slices.Sorted(slices.Values(sizes)))
	var out []*eventlog.ConsistencyProof
	for i := 1; i < len(sizes); i++ {
		p, err := a.Consistency(ctx, tenant, sizes[i-1], sizes[i])
		if errors.Is(err, catalog.ErrNotFound) {
			continue // the comparison finds that it is missing
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// AttachRecord puts an evidence record over the bytes of a receipt's checkpoint into
// the receipt; for whoever has checkpoints stamped. catalog.ErrNotFound.
func (a *Archive) AttachRecord(ctx context.Context, tenant uid.ID, day string, record []byte) error {
	row, err := a.catalog.Receipt(ctx, tenant, day)
	if err != nil {
		return err
	}
	r, err := eventlog.ParseReceipt([]byte(row.Body))
	if err != nil {
		return err
	}
	r.EvidenceRecord = record
	body, err := r.Encode()
	if err != nil {
		return err
	}
	return a.catalog.AttachRecord(ctx, tenant, day, string(body))
}
