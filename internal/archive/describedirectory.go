package archive

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/uid"
)

// directoryData is what the vault keeps of a directory. The secret is sealed with the
// key of the instance, as in the catalog.
type directoryData struct {
	ID        uid.ID          `json:"id"`
	Kind      string          `json:"kind"`
	Name      string          `json:"name"`
	Settings  json.RawMessage `json:"settings"`
	Secret    []byte          `json:"secret,omitempty"`
	Position  int             `json:"position,omitempty"`
	Disabled  bool            `json:"disabled,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
}

// directoriesRecord bounds the JSON of the directories in the vault's description of a
// tenant, in bytes: a third of it.
const directoriesRecord = 20 << 10

// describeDirectories adds directories, and the policy of access to other people's mail.
// Directories beyond the bound are counted.
func (a *Archive) describeDirectories(ctx context.Context, tenant uid.ID, d *tenantData) error {
	rows, err := a.catalog.Directories(ctx, tenant)
	if err := a.sound("directories", err); err != nil {
		return err
	}
	size := 0
	for _, r := range rows {
		one := directoryData{ID: r.ID, Kind: r.Kind, Name: r.Name, Settings: r.Settings, Secret: r.Secret, Position: r.Position, Disabled: r.Disabled, CreatedAt: r.CreatedAt.UTC()}
		b, err := json.Marshal(one)
		if err != nil {
			return err
		}
		if size += len(b); size > directoriesRecord {
			size -= len(b)
			d.DirectoriesLeftOut++
			continue
		}
		d.Directories = append(d.Directories, one)
	}
	p, err := a.catalog.AccessPolicy(ctx, tenant)
	if errors.Is(err, catalog.ErrNotFound) || len(rowErrors(err)) > 0 {
		return nil
	}
	if err == nil {
		d.AccessSilent = p.Silent
	}
	return err
}

// describedDirectories restores them of a tenant that was lost. Nobody is read before
// somebody has seen a preview.
func (r *rebuild) describedDirectories(ctx context.Context, t *catalog.Tenant, d *tenantData) error {
	for _, x := range d.Directories {
		if _, err := directory.Parse(x.Settings); err != nil {
			r.out.Remarks = append(r.out.Remarks, "tenant "+t.Slug+": the settings of directory "+x.Name+" cannot be read and are lost.")
			continue
		}
		row := &catalog.Directory{ID: x.ID, Tenant: t.ID, Kind: x.Kind, Name: x.Name, Settings: x.Settings, Secret: x.Secret, Position: x.Position, Disabled: x.Disabled, CreatedAt: x.CreatedAt}
		details := map[string]string{}
		addDirectory(details, "after.", row)
		err := r.a.catalog.CreateDirectory(ctx, row, r.a.cliEvent("directory.restored", row.ID.String(), details))
		if err != nil && !errors.Is(err, catalog.ErrTaken) {
			return err
		}
	}
	if !d.AccessSilent {
		return nil
	}
	return r.a.catalog.SetAccessPolicy(ctx, &catalog.AccessPolicy{Tenant: t.ID, Silent: true, ChangedAt: r.a.now().UTC().Truncate(time.Millisecond), ChangedBy: "cli"},
		r.a.cliEvent("access.policy-restored", "", map[string]string{"after": "silent"}))
}
