package archive

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// SourceDraft is what somebody wants a source to be.
type SourceDraft struct {
	Kind     string // only when it is made
	Name     string
	Category string
	Disabled bool
	Settings []byte // JSON object; its members depend on the kind
	// Secret is the password or token; nil leaves the old one, an empty one
	// removes it.
	Secret []byte
}

// SourceView is a source with its settings and how it fares.
type SourceView struct {
	catalog.Source
	Settings  []byte // JSON object
	HasSecret bool
	State     []byte // JSON object; nil: it has told nothing
}

// maxSettings bounds the settings of a source, in bytes.
const maxSettings = 64 << 10

// Sources lists the tenant's sources.
func (h *Handle) Sources(ctx context.Context) ([]SourceView, error) {
	if err := h.actor.Check(access.ManageSources); err != nil {
		return nil, err
	}
	return h.a.sourceViews(ctx, h.actor.Tenant, "")
}

// sourceViews lists the sources of a tenant; those of one kind unless it is empty.
// Damaged rows are left out and logged, for the others must go on.
func (a *Archive) sourceViews(ctx context.Context, tenant uid.ID, kind string) ([]SourceView, error) {
	list, err := a.catalog.Sources(ctx, tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	states, more := a.catalog.SourceStates(ctx, tenant)
	if more != nil && len(rowErrors(more)) == 0 {
		return nil, more
	}
	if err := errors.Join(err, more); err != nil {
		a.log.Error("rows of sources are damaged; muniment fsck tells more", "tenant", tenant, "error", err)
	}
	var out []SourceView
	for _, s := range list {
		if kind != "" && s.Kind != kind {
			continue
		}
		v, err := a.sourceView(ctx, s, states[s.ID])
		if len(rowErrors(err)) > 0 {
			a.log.Error("settings of a source are damaged", "tenant", tenant, "source", s.ID, "error", err)
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (a *Archive) sourceView(ctx context.Context, s *catalog.Source, state *catalog.SourceState) (SourceView, error) {
	v := SourceView{Source: *s, Settings: []byte("{}")}
	set, err := a.catalog.SourceSetting(ctx, s.Tenant, s.ID)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
	case err != nil:
		return v, err
	default:
		v.Settings, v.HasSecret = set.Settings, len(set.Secret) > 0
	}
	if state != nil {
		v.State = state.State
	}
	return v, nil
}

// Source returns one source of the tenant.
func (h *Handle) Source(ctx context.Context, id uid.ID) (*SourceView, error) {
	if err := h.actor.Check(access.ManageSources); err != nil {
		return nil, err
	}
	s, err := h.a.catalog.Source(ctx, h.actor.Tenant, id)
	if err != nil {
		return nil, err
	}
	states, err := h.a.catalog.SourceStates(ctx, h.actor.Tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	v, err := h.a.sourceView(ctx, s, states[id])
	return &v, err
}

// CreateSource makes a source. catalog.ErrTaken if the tenant has one of that
// kind and name. A journal gets its address here.
func (h *Handle) CreateSource(ctx context.Context, d SourceDraft) (*catalog.Source, error) {
	if err := h.actor.Check(access.ManageSources); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{KindJournal, KindMailbox, KindFolder}, d.Kind) {
		return nil, invalid("kind %q: want journal, mailbox or folder", d.Kind)
	}
	if err := h.a.Takes(ctx, h.actor.Tenant); err != nil {
		return nil, err
	}
	return h.a.createSource(ctx, h.actor.Tenant, d, h.event)
}

// CreateMailbox makes a remote mailbox, for the operator on the command line.
// catalog.ErrTaken if the tenant has one of that name.
func (a *Archive) CreateMailbox(ctx context.Context, tenant uid.ID, d SourceDraft) (*catalog.Source, error) {
	d.Kind = KindMailbox
	return a.createSource(ctx, tenant, d, a.cliEvent)
}

func (a *Archive) createSource(ctx context.Context, tenant uid.ID, d SourceDraft, act describeAct) (*catalog.Source, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	s := &catalog.Source{ID: uid.New(now), Tenant: tenant, Kind: d.Kind, Name: d.Name, Category: d.Category, Disabled: d.Disabled, CreatedAt: now}
	if d.Kind == KindJournal {
		var err error
		if s.JournalAddress, err = a.newJournalAddress(ctx); err != nil {
			return nil, err
		}
	}
	e := &catalog.SourceEdit{Source: s, New: true}
	if err := a.configure(ctx, e, d, act); err != nil {
		return nil, err
	}
	return s, a.describeTenant(ctx, tenant)
}

// ChangeSource changes a source but its kind. It takes effect with the next
// message or fetch.
func (h *Handle) ChangeSource(ctx context.Context, id uid.ID, d SourceDraft) error {
	if err := h.actor.Check(access.ManageSources); err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	s, err := h.a.catalog.Source(ctx, h.actor.Tenant, id)
	if err != nil {
		return err
	}
	if err := h.a.configure(ctx, &catalog.SourceEdit{Source: s}, d, h.event); err != nil {
		return err
	}
	return h.a.describeTenant(ctx, s.Tenant)
}

func (d *SourceDraft) check() error {
	d.Name = strings.TrimSpace(d.Name)
	var object map[string]any
	switch {
	case d.Name == "":
		return invalid("name: is needed")
	case len(d.Category) > maxName:
		return invalid("category: want at most %d bytes", maxName)
	case len(d.Settings) > maxSettings:
		return invalid("settings: %d bytes, at most %d", len(d.Settings), maxSettings)
	case len(d.Settings) > 0 && json.Unmarshal(d.Settings, &object) != nil:
		return invalid("settings: want a JSON object")
	}
	return checkName(d.Name)
}

// configure makes a source, or changes it and its settings to those of a draft, and its
// secret if the draft has one; all of it with its event, or nothing.
func (a *Archive) configure(ctx context.Context, e *catalog.SourceEdit, d SourceDraft, act describeAct) error {
	s := e.Source
	var before map[string]string
	action := "source.created"
	if !e.New {
		old, err := a.catalog.SourceSetting(ctx, s.Tenant, s.ID)
		if err != nil && !errors.Is(err, catalog.ErrNotFound) && len(rowErrors(err)) == 0 {
			return err
		}
		action, before = "source.changed", sourceFacts(s, old)
		s.Name, s.Category, s.Disabled = d.Name, d.Category, d.Disabled
	}
	e.Settings = d.Settings
	if len(e.Settings) == 0 {
		e.Settings = []byte("{}")
	}
	if err := a.apart(ctx, s, e.Settings); err != nil {
		return err
	}
	// Without a secret in the draft the old one stays as it is then: a log-in may be
	// renewed at the same time.
	e.KeepSecret = d.Secret == nil
	if len(d.Secret) > 0 {
		var err error
		if e.Secret, err = a.vault.SealSecret(ctx, s.Tenant, secretName(s.ID), d.Secret); err != nil {
			return err
		}
	}
	details := sourceDetails(before, sourceFacts(s, &catalog.SourceSetting{Settings: e.Settings}))
	switch {
	case len(d.Secret) > 0:
		details["secret"] = "set"
	case d.Secret != nil && !e.New:
		details["secret"] = "removed"
	}
	e.Events = []*catalog.Event{act(action, s.ID.String(), details)}
	if err := a.catalog.EditSource(ctx, e); err != nil {
		return err
	}
	a.sources.Delete(sourceKey{s.Tenant, s.ID})
	return nil
}

// maxFact bounds a value of a setting in the event log, in bytes.
const maxFact = 400

// sourceFacts are what the event log keeps of a source: never its secret.
func sourceFacts(s *catalog.Source, set *catalog.SourceSetting) map[string]string {
	f := map[string]string{"kind": s.Kind, "name": s.Name, "category": s.Category, "journal_address": s.JournalAddress}
	if s.Disabled {
		f["disabled"] = "yes"
	}
	var members map[string]json.RawMessage
	if set != nil && json.Unmarshal(set.Settings, &members) == nil {
		for k, v := range members {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			f["settings."+clip(k, maxFact)] = text
		}
	}
	for k, v := range f {
		f[k] = clip(v, maxFact)
	}
	return f
}

// sourceDetails tells what differs of the facts before, nil for a new source, and after.
func sourceDetails(before, after map[string]string) map[string]string {
	d := map[string]string{}
	for k, v := range before {
		if v != after[k] && v != "" {
			d["before."+k] = v
		}
	}
	for k, v := range after {
		if v != before[k] {
			d["after."+k] = v
		}
	}
	for k := range before {
		if _, there := after[k]; !there {
			d["after."+k] = ""
		}
	}
	return d
}

func secretName(source uid.ID) string { return "source " + source.String() }

// AccountLine is an account with the name of its source.
type AccountLine struct {
	catalog.Account
	SourceName string
	SourceKind string
	// FromHeaders says that what comes from the source tells of its recipients in
	// headers alone: blind copies cannot be known (CAP-1).
	FromHeaders bool
}

// Completeness lists where every message offered from day from to day to
// ("2006-01-02"; empty: no bound) ended, by day, source and outcome.
func (h *Handle) Completeness(ctx context.Context, from, to string) ([]AccountLine, error) {
	if err := h.actor.Check(access.SeeStatistics); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Accounts(ctx, h.actor.Tenant, from, to)
	if err != nil {
		return nil, err
	}
	out := make([]AccountLine, len(list))
	for i, x := range list {
		out[i].Account = x
		if s, err := h.a.source(ctx, h.actor.Tenant, x.Source); err == nil { // an account outlives any trouble with its source
			out[i].SourceName, out[i].SourceKind, out[i].FromHeaders = s.Name, s.Kind, s.workspace
		}
	}
	return out, nil
}

// CountLine is what a server said of one folder, with the name of its source.
type CountLine struct {
	catalog.SourceCount
	SourceName string
	SourceKind string
	Name       string // of the folder, as people know it; empty: a maildrop has none
}

// ServerCounts lists what servers said of how many messages they hold, from day
// from to day to ("2006-01-02"; empty: no bound), by day, source and folder. Damaged
// rows are left out and logged.
func (h *Handle) ServerCounts(ctx context.Context, from, to string) ([]CountLine, error) {
	if err := h.actor.Check(access.SeeStatistics); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.SourceCounts(ctx, h.actor.Tenant, from, to)
	if len(rowErrors(err)) > 0 {
		h.a.log.Error("counts of sources are damaged; muniment fsck tells more", "tenant", h.actor.Tenant, "error", err)
	} else if err != nil {
		return nil, err
	}
	out := make([]CountLine, len(list))
	for i, x := range list {
		out[i] = CountLine{SourceCount: x, Name: folderOf(x.Folder)}
		if s, err := h.a.source(ctx, h.actor.Tenant, x.Source); err == nil { // as in Completeness
			out[i].SourceName, out[i].SourceKind = s.Name, s.Kind
		}
	}
	return out, nil
}

// folderOf takes the account off the name of a folder, "imap://user@host/folder".
func folderOf(path string) string {
	parts := strings.SplitN(path, "/", 4)
	if len(parts) < 4 {
		return ""
	}
	if name, err := url.PathUnescape(parts[3]); err == nil {
		return name
	}
	return parts[3]
}

// Left lists what stays on the server of a source and why.
func (h *Handle) Left(ctx context.Context, source uid.ID) ([]*catalog.SourceItem, error) {
	if err := h.actor.Check(access.ManageSources); err != nil {
		return nil, err
	}
	return h.a.catalog.SourceItems(ctx, h.actor.Tenant, source, "")
}
