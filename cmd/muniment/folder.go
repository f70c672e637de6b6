package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/watch"
)

type sourceAddFolderCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Name   string `arg:"" help:"Name of the source."`

	Directory     string        `help:"Path below the tenant's own directory, which is below folder.root; empty: that one itself." default:"" placeholder:"PATH"`
	Owner         []string      `required:"" help:"Address that may see what comes from it; may be repeated." sep:"none"`
	DocumentsOnly bool          `help:"Archive messages (.eml, .msg) as the files they are, too. Otherwise they become mail, seen by those whom they name."`
	Settle        time.Duration `help:"For how long a file must not have changed before it is taken." default:"10s"`
	Category      string        `help:"Category of what comes from it."`
	Disabled      bool          `help:"Add it switched off."`
}

func (c *sourceAddFolderCmd) settings() (watch.Settings, error) {
	owners, err := archive.Addresses(c.Owner)
	s := watch.Settings{Directory: c.Directory, Owners: owners, DocumentsOnly: c.DocumentsOnly, Settle: int(c.Settle / time.Second)}
	if err != nil {
		return s, err
	}
	return s, s.Check()
}

func (c *sourceAddFolderCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	set, err := c.settings()
	if err != nil {
		return usage(err)
	}
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	b, err := json.Marshal(set)
	if err != nil {
		return err
	}
	x, err := a.archive.CreateFolder(ctx, t.ID, archive.SourceDraft{Name: c.Name, Category: c.Category, Disabled: c.Disabled, Settings: b})
	if err != nil {
		return taken(err, "source %q exists already", c.Name)
	}
	if a.config.Folder.Root == "" {
		fmt.Fprintln(s.err, "warning: folder.root is not set, so nothing is watched yet")
		_, err = fmt.Fprintf(s.out, "added watched folder %s (%s)\n", x.Name, x.ID)
		return err
	}
	_, err = fmt.Fprintf(s.out, "added watched folder %s (%s); muniment serve archives what is put into %s\n", x.Name, x.ID, path.Join(a.config.Folder.Root, t.Slug, set.Directory))
	return err
}
