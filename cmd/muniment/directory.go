package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/directory"
)

// directoriesEvery is the time between two looks for directories that are due.
const directoriesEvery = time.Minute

// directories synchronises directories when they are due.
func (a *app) directories(ctx context.Context) {
	t := time.NewTicker(directoriesEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		a.archive.SyncDirectories(ctx)
	}
}

type directoryCmd struct {
	Add     directoryAddCmd     `cmd:"" help:"Add a directory to a tenant. Nobody is read before muniment directory sync."`
	Test    directoryTestCmd    `cmd:"" help:"Try the settings of a directory, say what is wrong, and show the first five users."`
	Preview directoryPreviewCmd `cmd:"" help:"Show what a synchronisation would change, and change nothing."`
	Sync    directorySyncCmd    `cmd:"" help:"Read a directory, and change the tenant's users accordingly: all or nothing."`
	List    directoryListCmd    `cmd:"" help:"List the directories of a tenant and how they fare."`
	Remove  directoryRemoveCmd  `cmd:"" help:"Remove a directory; its users stay, without a way to log in."`
}

// opened is a directory that a command is about.
type opened struct {
	*archive.TenantDirectories
	app  *app
	view archive.DirectoryView
}

// directoryOf opens the archive and finds a directory by its name.
func (g *Globals) directoryOf(ctx context.Context, s *streams, n directoryName) (*opened, error) {
	a, t, err := g.tenantOf(ctx, s, n.Tenant)
	if err != nil {
		return nil, err
	}
	o := &opened{TenantDirectories: a.archive.DirectoriesOf(t.ID), app: a}
	list, err := o.List(ctx)
	if err != nil {
		a.close()
		return nil, err
	}
	for _, v := range list {
		if strings.EqualFold(v.Name, n.Name) {
			o.view = v
			return o, nil
		}
	}
	a.close()
	return nil, usage(fmt.Errorf("tenant %s has no directory %q; muniment directory list %s shows all", t.Slug, n.Name, t.Slug))
}

type directoryTestCmd struct {
	directoryName
	JSON bool `name:"json" help:"Print the finding as JSON."`
}

func (c *directoryTestCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	o, err := g.directoryOf(ctx, s, c.directoryName)
	if err != nil {
		return err
	}
	defer o.app.close()
	f, err := o.Test(ctx, o.view.ID, archive.DirectoryDraft{Settings: o.view.Settings})
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(f)
	} else {
		showFinding(s.out, f)
	}
	if err == nil && f.Problem != nil {
		err = fmt.Errorf("%s (%s)", f.Problem.Text, f.Problem.Code)
	}
	return err
}

func showFinding(w io.Writer, f *directory.Finding) {
	for _, step := range f.Steps {
		mark := "failed"
		if step.OK {
			mark = "ok"
		}
		fmt.Fprintf(w, "%-7s %s: %s\n", mark, step.What, step.Text)
	}
	if f.Certificate != "" {
		fmt.Fprintln(w, "certificate (SHA-256):", f.Certificate)
	}
	for _, p := range f.First {
		fmt.Fprintf(w, "user    %s (%s): %s\n", p.Login, p.Name, strings.Join(p.Addresses, " "))
	}
	if f.OK && f.People > 0 {
		fmt.Fprintf(w, "%d users, %d shared addresses\n", f.People, f.Shared)
	}
	for _, n := range f.Notes {
		fmt.Fprintf(w, "note    %s: %s\n", n.Code, n.What)
	}
}

type directoryPreviewCmd struct {
	directoryName
	JSON bool `name:"json" help:"Print the plan as JSON."`
}

func (c *directoryPreviewCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	o, err := g.directoryOf(ctx, s, c.directoryName)
	if err != nil {
		return err
	}
	defer o.app.close()
	p, err := o.Preview(ctx, o.view.ID)
	if err != nil {
		return told(err)
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(p)
	}
	showPlan(s.out, p)
	if p.Guard {
		fmt.Fprintf(s.err, "so many users would be disabled that this has to be confirmed: muniment directory sync %s %q --digest %s\n", c.Tenant, c.Name, p.Digest)
	}
	return nil
}

// told explains an error of a directory in plain words.
func told(err error) error {
	var known *directory.Error
	if !errors.As(err, &known) || directory.Text(known.Code) == "" {
		return err
	}
	return fmt.Errorf("%s (%s): %w", directory.Text(known.Code), known.Code, err)
}

func showPlan(w io.Writer, p *directory.Plan) {
	for _, c := range p.Changes {
		line := fmt.Sprintf("%-8s %s", c.Kind, c.Who)
		if c.Reason != "" {
			line += " (" + c.Reason + ")"
		}
		if c.Before != nil && c.After != nil && c.Before.Login != c.After.Login {
			line += ", was " + c.Before.Login
		}
		if c.After != nil {
			line += fmt.Sprintf(": %s, %s, %s", c.After.Name, c.After.Role, strings.Join(c.After.Addresses, " "))
		}
		if len(c.Refused) > 0 {
			line += "; left out: " + strings.Join(c.Refused, " ")
		}
		fmt.Fprintln(w, line)
		if c.Kind == directory.Matched {
			showMatches(w, c)
		}
	}
	for _, n := range p.Notes {
		fmt.Fprintf(w, "note     %s: %s\n", n.Code, n.What)
	}
	fmt.Fprintf(w, "%d changes, %d users stay as they are\n", len(p.Changes), p.Same)
}

// showMatches shows the users who may be the same as somebody in the directory.
func showMatches(w io.Writer, c directory.Change) {
	for _, m := range c.Matches {
		choice := c.Who + "=" + m.User.Login
		if m.Higher {
			choice += ":" + m.User.Role
		}
		line := fmt.Sprintf("         is here: %s (%s), %s, %s; --adopt %s", m.User.Login, m.User.Name, m.User.Role, strings.Join(m.User.Addresses, " "), choice)
		if m.Last {
			line = fmt.Sprintf("         is here: %s (%s): the only administrator with a password here, who cannot be adopted", m.User.Login, m.User.Name)
		}
		fmt.Fprintln(w, line)
	}
	if c.After != nil {
		fmt.Fprintf(w, "         is somebody else: --beside %s\n", c.Who)
	}
}

type directorySyncCmd struct {
	directoryName
	Digest string   `help:"Digest of a preview: do exactly that, however many users it disables."`
	Adopt  []string `help:"WHO[=USER[:ROLE]]: the person of the directory is the user who is here already, who keeps id, addresses, role and second factors; the local password ends. A role other than user has to be named. May be repeated." placeholder:"WHO[=USER[:ROLE]]" sep:"none"`
	Beside []string `help:"WHO: the person of the directory is nobody who is here, but shares an address. May be repeated." placeholder:"WHO" sep:"none"`
	JSON   bool     `name:"json" help:"Print what was done as JSON."`
}

// decide finds the persons and users that the flags name in a preview, and returns its
// digest.
func (c *directorySyncCmd) decide(ctx context.Context, o *opened) ([]directory.Decision, string, error) {
	if len(c.Adopt)+len(c.Beside) == 0 {
		return nil, c.Digest, nil
	}
	p, err := o.Preview(ctx, o.view.ID)
	if err != nil {
		return nil, "", told(err)
	}
	digest := c.Digest
	if digest == "" {
		if p.Guard {
			return nil, "", usage(fmt.Errorf("so many users would be disabled that the preview has to be confirmed by --digest %s", p.Digest))
		}
		digest = p.Digest
	}
	var out []directory.Decision
	for _, who := range c.Beside {
		change, err := matched(p, who)
		if err != nil {
			return nil, "", err
		}
		out = append(out, directory.Decision{Person: change.Origin.External})
	}
	for _, s := range c.Adopt {
		who, user, _ := strings.Cut(s, "=")
		user, role, _ := strings.Cut(user, ":")
		change, err := matched(p, who)
		if err != nil {
			return nil, "", err
		}
		i := slices.IndexFunc(change.Matches, func(m directory.Match) bool { return user == "" || strings.EqualFold(m.User.Login, user) })
		if i < 0 || user == "" && len(change.Matches) > 1 {
			return nil, "", usage(fmt.Errorf("%s: say which user is the same, as the preview shows them: --adopt %s=USER", who, who))
		}
		out = append(out, directory.Decision{Person: change.Origin.External, User: change.Matches[i].User.ID, Role: role})
	}
	return out, digest, nil
}

// matched finds somebody of whom a plan has a match, by the user name there.
func matched(p *directory.Plan, who string) (*directory.Change, error) {
	for i := range p.Changes {
		if c := &p.Changes[i]; c.Kind == directory.Matched && strings.EqualFold(c.Who, who) {
			return c, nil
		}
	}
	return nil, usage(fmt.Errorf("%s: there is nothing to decide; muniment directory preview shows of whom there is", who))
}

func (c *directorySyncCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	o, err := g.directoryOf(ctx, s, c.directoryName)
	if err != nil {
		return err
	}
	defer o.app.close()
	decisions, digest, err := c.decide(ctx, o)
	if err != nil {
		return err
	}
	p, err := o.Sync(ctx, o.view.ID, digest, decisions...)
	if err != nil {
		return told(err)
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(p)
	}
	showPlan(s.out, p)
	return nil
}

type directoryListCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	listing
}

func (c *directoryListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	list, err := a.archive.DirectoriesOf(t.ID).List(ctx)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, v := range list {
		state, last := "on", ""
		if v.Disabled {
			state = "off"
		}
		if v.State.Problem != nil {
			state += ", " + v.State.Problem.Code
		}
		if v.State.LastAt != nil {
			last = v.State.LastAt.Format(time.RFC3339)
		}
		rows = append(rows, []any{v.Name, v.Kind, state, v.Users, last})
	}
	return c.print(s, []string{"name", "kind", "state", "users", "last synchronisation"}, rows)
}

type directoryRemoveCmd struct {
	directoryName
}

func (c *directoryRemoveCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	o, err := g.directoryOf(ctx, s, c.directoryName)
	if err != nil {
		return err
	}
	defer o.app.close()
	if err := o.Remove(ctx, o.view.ID); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "removed %s; %d users who came from there stay, without a way to log in\n", o.view.Name, o.view.Users)
	return nil
}
