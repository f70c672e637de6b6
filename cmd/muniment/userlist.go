package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/usercsv"
)

type userImportCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	File   string `arg:"" help:"CSV file, UTF-8, without a header line, with commas or semicolons; - is standard input. docs/users.md describes it."`
	DryRun bool   `help:"Say what would be done, and do nothing."`
	Update bool   `help:"Change users who exist already; else they are a problem."`
	Shared bool   `help:"Addresses may belong to several users; else that is a problem."`
	JSON   bool   `name:"json" help:"Print the result as JSON."`
}

func (c *userImportCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	content, err := c.content()
	if err != nil {
		return err
	}
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	o := archive.ImportOptions{Update: c.Update, Shared: c.Shared}
	var plan *archive.ImportPlan
	if c.DryRun {
		plan, err = a.archive.PreviewUsers(ctx, t.ID, content, o)
	} else {
		last := time.Now()
		plan, err = a.archive.ImportUsers(ctx, t.ID, content, o, func(done, all int) {
			if time.Since(last) > 2*time.Second {
				last = time.Now()
				fmt.Fprintf(s.err, "%d of %d passwords are hashed\n", done, all)
			}
		})
	}
	if err != nil && !errors.Is(err, archive.ErrImport) {
		return err
	}
	if shown := c.show(s, plan); shown != nil {
		return shown
	}
	if len(plan.Problems) > 0 {
		return &exitCode{exitUsage, fmt.Errorf("%d problems: nothing was changed", len(plan.Problems))}
	}
	return nil
}

// content reads the file, and one byte more than it may have.
func (c *userImportCmd) content() ([]byte, error) {
	in := os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, usage(err)
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, usercsv.MaxBytes+1))
}

func (c *userImportCmd) show(s *streams, plan *archive.ImportPlan) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{"create": plan.Create, "update": plan.Update, "same": plan.Same, "problems": listed(plan.Problems),
			"notices": listed(plan.Notices), "more": plan.More, "done": !c.DryRun && len(plan.Problems) == 0})
	}
	for _, p := range plan.Problems {
		fmt.Fprintln(s.err, p)
	}
	for _, p := range plan.Notices {
		fmt.Fprintln(s.err, "notice:", p)
	}
	if plan.More > 0 {
		fmt.Fprintf(s.err, "and %d more\n", plan.More)
	}
	if len(plan.Problems) > 0 {
		return nil
	}
	verbs := [2]string{"would create", "change"}
	if !c.DryRun {
		verbs = [2]string{"created", "changed"}
	}
	fmt.Fprintf(s.out, "%s %d users, %s %d; %d are as the file says already\n", verbs[0], plan.Create, verbs[1], plan.Update, plan.Same)
	return nil
}

func listed(problems []usercsv.Problem) []map[string]any {
	out := []map[string]any{}
	for _, p := range problems {
		out = append(out, map[string]any{"line": p.Line, "column": p.Column, "code": p.Code, "text": p.Text})
	}
	return out
}

type userExportCmd struct {
	Tenant    string `arg:"" help:"Short name of the tenant."`
	Passwords bool   `help:"Write the hashes of passwords (argon2id), so that the same passwords hold after an import; else nothing."`
	Disabled  bool   `help:"Write those as well who may not log in: an import makes them active."`
	Separator string `help:"${enum}; with semicolons there is a byte order mark for spreadsheets." enum:"comma,semicolon" default:"comma"`
}

func (c *userExportCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	rows, left, err := a.archive.ExportUsers(ctx, t.ID, archive.ExportOptions{Passwords: c.Passwords, Disabled: c.Disabled})
	if err != nil {
		return err
	}
	delimiter := ','
	if c.Separator == "semicolon" {
		delimiter = ';'
		fmt.Fprint(s.out, "\uFEFF")
	}
	if left > 0 {
		fmt.Fprintf(s.err, "%d users who may not log in are left out; --disabled writes them as well\n", left)
	}
	return usercsv.Write(s.out, delimiter, rows)
}
