package archive

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/watch"
)

// UploadSource finds or makes the source called name for what people give in the web
// interface.
func (a *Archive) UploadSource(ctx context.Context, tenant uid.ID, name string) (*catalog.Source, error) {
	return a.namedSource(ctx, &catalog.Source{Tenant: tenant, Kind: KindUpload, Name: name})
}

// WatchedFolders lists the watched folders of all tenants, disabled ones included, but
// not those of tenants that have ended.
func (a *Archive) WatchedFolders(ctx context.Context) ([]SourceView, error) {
	tenants, err := a.takingTenants(ctx)
	if err != nil {
		return nil, err
	}
	var out []SourceView
	for _, t := range tenants {
		list, err := a.sourceViews(ctx, t.ID, KindFolder)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// CreateFolder makes a watched folder, for the operator on the command line.
// catalog.ErrTaken if the tenant has one of that name.
func (a *Archive) CreateFolder(ctx context.Context, tenant uid.ID, d SourceDraft) (*catalog.Source, error) {
	d.Kind = KindFolder
	return a.createSource(ctx, tenant, d, a.cliEvent)
}

// apart returns a *FieldError if a watched folder would take what is another one's, its
// done and failed included. Disabled ones take nothing. Settings that cannot be read are
// for the door to refuse.
func (a *Archive) apart(ctx context.Context, s *catalog.Source, settings []byte) error {
	mine, err := watch.Parse(settings)
	if err != nil || s.Kind != KindFolder || s.Disabled {
		return nil //nolint:nilerr // see above
	}
	others, err := a.sourceViews(ctx, s.Tenant, KindFolder)
	if err != nil {
		return err
	}
	for _, o := range others {
		set, err := watch.Parse(o.Settings)
		if err == nil && o.ID != s.ID && !o.Disabled && mine.Overlaps(set) {
			return wrongField("folder.directory", "is, contains or lies below that of the watched folder %q", o.Name)
		}
	}
	return nil
}

// CheckStored reads what is stored under id from the vault, and fails unless it has
// the SHA-256 sum, byte for byte. It is for doors that give up their own copy then.
func (a *Archive) CheckStored(ctx context.Context, tenant, id uid.ID, sum [32]byte) error {
	row, err := a.catalog.Message(ctx, tenant, id)
	if err != nil {
		return err
	}
	if row.SHA256 != sum {
		return fmt.Errorf("message %s has SHA-256 %x, not %x", id, row.SHA256, sum)
	}
	return a.verify(ctx, row)
}

// Uploaded records that the actor has given a file; id names the upload.
func (h *Handle) Uploaded(ctx context.Context, id uid.ID, right access.Right) error {
	if err := h.actor.Check(right); err != nil {
		return err
	}
	return h.log(ctx, "upload.finished", id)
}

// Visible returns those of ids that the actor may see.
func (h *Handle) Visible(ctx context.Context, ids []uid.ID) (map[uid.ID]bool, error) {
	rows, err := h.a.catalog.Messages(ctx, h.actor.Tenant, ids)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	out := map[uid.ID]bool{}
	for id, row := range rows {
		out[id] = len(h.actor.Why(accessParties(row.Parties))) > 0
	}
	return out, nil
}
