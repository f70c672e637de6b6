package archive

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/retention"
	"github.com/muniment/muniment/internal/uid"
)

// ErrShortens is returned (wrapped) when a retention would become shorter, which needs a
// request and somebody else's approval.
var ErrShortens = errors.New("this makes the retention shorter: somebody else with another role has to approve it; send a request")

// maxRetentions bounds the settings that make a difference: all of them are in the vault's
// description of the tenant.
const maxRetentions = 60

// settingData is a setting as requests and the vault's description of a tenant have it;
// docs/format.md, "Metadata", specifies it.
type settingData struct {
	From         time.Time              `json:"from,omitzero"` // zero: since ever
	Years        int                    `json:"years"`
	Jurisdiction retention.Jurisdiction `json:"jurisdiction"`
	YearEnd      time.Month             `json:"year_end"`
	Zone         string                 `json:"zone"`
}

func newSettingData(s retention.Setting) settingData { return settingData(s) }

func (d settingData) setting() retention.Setting { return retention.Setting(d) }

func (d settingData) details(prefix string, into map[string]string) {
	into[prefix+"years"], into[prefix+"jurisdiction"] = strconv.Itoa(d.Years), string(d.Jurisdiction)
	into[prefix+"year_end"], into[prefix+"zone"] = strconv.Itoa(int(d.YearEnd)), d.Zone
}

func settingRow(tenant uid.ID, s retention.Setting, now time.Time) *catalog.RetentionSetting {
	return &catalog.RetentionSetting{Tenant: tenant, ID: uid.New(now), ValidFrom: now, Years: s.Years, Jurisdiction: string(s.Jurisdiction), YearEnd: s.YearEnd, Zone: s.Zone}
}

// RetentionView is how long the tenant keeps what nothing classifies.
type RetentionView struct {
	Current retention.Setting
	Default bool // nobody has set anything
	// Set are all settings, the newest first, with the names of people.
	Set []RetentionChange
	// Request is the request to shorten it that waits for a decision; zero: none.
	Request uid.ID
	Classes []retention.Class
	// MayChange says that the actor may make it longer.
	MayChange bool
}

// RetentionChange is one setting, with the names of people.
type RetentionChange struct {
	catalog.RetentionSetting
	SetByName, ApprovedByName string
}

// Retention returns how long the tenant keeps what nothing classifies.
func (h *Handle) Retention(ctx context.Context) (*RetentionView, error) {
	if err := h.actor.Check(access.SeeRetention); err != nil {
		return nil, err
	}
	v, err := h.a.RetentionOfTenant(ctx, h.actor.Tenant)
	if err != nil {
		return nil, err
	}
	v.MayChange = h.actor.Check(access.ManageRetention) == nil
	names, err := h.names(ctx)
	if err != nil {
		return nil, err
	}
	for i := range v.Set {
		v.Set[i].SetByName, v.Set[i].ApprovedByName = nameOf(names, v.Set[i].SetBy), nameOf(names, v.Set[i].ApprovedBy)
	}
	list, err := h.a.catalog.AccessRequests(ctx, h.actor.Tenant, catalog.AccessFilter{States: []catalog.AccessState{catalog.AccessWaiting}}, maxRequests)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	for _, r := range list {
		if access.Kind(r.Kind) == access.ShortenRetention && h.a.now().Before(r.ValidUntil) {
			v.Request = r.ID
		}
	}
	return v, nil
}

// RetentionOfTenant is that of a tenant, for whoever runs the installation on the
// command line.
func (a *Archive) RetentionOfTenant(ctx context.Context, tenant uid.ID) (*RetentionView, error) {
	k, err := a.keeping(ctx, tenant)
	if err != nil {
		return nil, err
	}
	v := &RetentionView{Current: k.current(a.now()), Default: len(k.rows) == 0}
	for i := len(k.rows) - 1; i >= 0; i-- {
		v.Set = append(v.Set, RetentionChange{RetentionSetting: *k.rows[i]})
	}
	v.Classes, err = retention.Classes()
	return v, err
}

// current is the setting in force. One that was put off because of a clock that went
// wrong counts already: whatever was stored before it is kept by those before it.
func (k *keeping) current(now time.Time) retention.Setting {
	if n := len(k.history); n > 0 {
		return k.history[n-1]
	}
	return k.history.At(now, k.zone)
}

// NewRetention is what somebody wants to set. Members that are zero stay as they are.
type NewRetention struct {
	Years        int
	Jurisdiction retention.Jurisdiction
	YearEnd      time.Month
	Reason       string
}

// SetRetention makes the retention longer, at once, also for what is stored. Errors
// match access.ErrForbidden, ErrInvalid, ErrShortens.
func (h *Handle) SetRetention(ctx context.Context, n NewRetention) (*RetentionView, error) {
	if err := h.actor.Check(access.ManageRetention); err != nil {
		return nil, err
	}
	tenant, now := h.actor.Tenant, h.a.now().UTC().Truncate(time.Millisecond)
	before, after, err := h.wanted(ctx, n)
	if err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(n.Reason)
	if err := checkReason("reason", reason, false); err != nil {
		return nil, inField("reason", err)
	}
	switch {
	case after.Shortens(before):
		return nil, ErrShortens
	case after.Same(before):
		return h.Retention(ctx)
	}
	row := settingRow(tenant, after, now)
	row.Reason, row.SetBy = reason, h.who()
	details := map[string]string{}
	newSettingData(before).details("before.", details)
	newSettingData(after).details("after.", details)
	if reason != "" {
		details["reason"] = reason
	}
	if err := h.a.catalog.AddRetention(ctx, tenant, []*catalog.RetentionSetting{row}, h.event("retention.lengthened", "", details)); err != nil {
		return nil, err
	}
	if err := h.a.describeTenant(ctx, tenant); err != nil {
		return nil, err
	}
	return h.Retention(ctx)
}

// wanted returns the setting in force and the one that somebody wants.
func (h *Handle) wanted(ctx context.Context, n NewRetention) (before, after retention.Setting, err error) {
	k, err := h.a.keeping(ctx, h.actor.Tenant)
	if err != nil {
		return before, after, err
	}
	before = k.current(h.a.now())
	after = before
	after.From, after.Zone = time.Time{}, k.zone
	if n.Years != 0 {
		after.Years = n.Years
	}
	if n.Jurisdiction != "" {
		after.Jurisdiction = n.Jurisdiction
	}
	if n.YearEnd != 0 {
		after.YearEnd = n.YearEnd
	}
	if err := after.Check(); err != nil {
		return before, after, wrongField("years", "%v", err)
	}
	if len(append(slices.Clone(k.history), after).Needed()) > maxRetentions {
		return before, after, wrongField("years", "the retention was changed too often: more than %d settings still make a difference to what is stored", maxRetentions)
	}
	return before, after, nil
}

// RequestShorter asks somebody with another role to make the retention shorter, for what
// arrives after that. Errors match access.ErrForbidden, ErrInvalid.
func (h *Handle) RequestShorter(ctx context.Context, n NewRetention, until time.Time) (*AccessView, error) {
	if err := h.actor.CheckRequest(access.ShortenRetention); err != nil {
		return nil, err
	}
	before, after, err := h.wanted(ctx, n)
	if err != nil {
		return nil, err
	}
	if !after.Shortens(before) {
		return nil, wrongField("years", "this makes nothing shorter; no request is needed")
	}
	return h.requestKept(ctx, access.ShortenRetention, shortenAbout{newSettingData(before), newSettingData(after)}, n.Reason, until)
}

// keepZone makes sure that a new time zone of a tenant makes nothing due earlier: what is
// stored stays under the years of the old one.
func (a *Archive) keepZone(ctx context.Context, tenant uid.ID, zone string, e *catalog.Event) error {
	k, err := a.keeping(ctx, tenant)
	if err != nil || k.zone == zone {
		return err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	var list []*catalog.RetentionSetting
	if len(k.rows) == 0 {
		base := settingRow(tenant, retention.Default(k.zone), now)
		base.ValidFrom, base.SetBy = time.Time{}, e.Actor
		list = append(list, base)
	}
	next := k.current(now)
	next.Zone = zone
	row := settingRow(tenant, next, now)
	row.SetBy = e.Actor
	return a.catalog.AddRetention(ctx, tenant, append(list, row), e)
}
