package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

type xaipCmd struct {
	Export xaipExportCmd `cmd:"" help:"Write a message, document or preserved object to standard output as XAIP 1.3 (BSI TR-03125), with its evidence records."`
	Import xaipImportCmd `cmd:"" help:"Archive an XAIP 1.3 as a new object, with all its versions, and print its AOID."`
	Check  xaipCheckCmd  `cmd:"" help:"Judge XAIP files: form, check sums, evidence records. No archive is needed."`
}

type xaipExportCmd struct {
	evidenceOf
	Version []string `help:"Version, such as V002; may be repeated. All if none is given." placeholder:"VERSION" sep:"none"`
}

func (c *xaipExportCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	var numbers []int
	for _, v := range c.Version {
		n, err := strconv.Atoi(strings.TrimPrefix(v, "V"))
		if err != nil || n < 1 || fmt.Sprintf("V%03d", n) != v {
			return usage(fmt.Errorf("%q is no version; want one such as V002", v))
		}
		numbers = append(numbers, n)
	}
	return c.with(ctx, g, s, func(a *app, tenant, aoid uid.ID) error {
		x, err := a.archive.XAIP(ctx, tenant, aoid, numbers...)
		if errors.Is(err, catalog.ErrNotFound) {
			return fmt.Errorf("export %s: %w", aoid, err)
		}
		if err != nil {
			return err
		}
		defer x.Close()
		if len(x.Unstamped) > 0 {
			fmt.Fprintf(s.err, "There is no time stamp yet on %s, and so no evidence record; muniment seal --now gets one.\n", strings.Join(x.Unstamped, ", "))
		}
		return x.Write(s.out)
	})
}

type xaipImportCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	File   string `arg:"" type:"existingfile" help:"The XAIP."`
}

func (c *xaipImportCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := tresor.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if p.Update != nil {
		return fmt.Errorf("%s: is a DXAIP, which makes a version of an object; only whole objects are imported", c.File)
	}
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.tenant(ctx, c.Tenant)
	if err != nil {
		return err
	}
	r, aoid, err := a.archive.Submit(ctx, t.ID, p)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if r.Major == tresor.Failure {
		return fmt.Errorf("%s: %s (%s)", c.File, r.Message, r.Minor)
	}
	if r.Message != "" {
		fmt.Fprintln(s.err, r.Message)
	}
	fmt.Fprintln(s.out, aoid)
	return nil
}

// xaipCheckCmd judges packages offline. Its exit codes are the verdict, as those of
// verifyCmd.
type xaipCheckCmd struct {
	Files   []string `arg:"" type:"existingfile" name:"file" help:"XAIP or DXAIP files."`
	Anchors []string `type:"path" help:"Trusted certificate, or directory of them (PEM or DER); may be repeated." placeholder:"PATH" sep:"none"`
}

func (c *xaipCheckCmd) Run(ctx context.Context, s *streams) error {
	anchors, err := offline.Anchors(c.Anchors)
	if err != nil {
		return &exitCode{evidence.Indeterminate.ExitCode(), err}
	}
	worst := evidence.Valid
	for _, name := range c.Files {
		v, err := checkXAIP(ctx, name, ers.Options{Anchors: anchors}, s.out)
		if err != nil {
			return &exitCode{evidence.Indeterminate.ExitCode(), err}
		}
		if worst != evidence.Invalid && v != evidence.Valid {
			worst = v
		}
	}
	if worst != evidence.Valid {
		return &exitCode{worst.ExitCode(), verdictError(worst)}
	}
	return nil
}

func checkXAIP(ctx context.Context, name string, o ers.Options, out io.Writer) (evidence.Verdict, error) {
	f, err := os.Open(name)
	if err != nil {
		return evidence.Indeterminate, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, tresor.MaxSize+1))
	if err != nil {
		return evidence.Indeterminate, err
	}
	r, list := archive.VerifyXAIP(ctx, b, nil, o)
	v := map[tresor.Major]evidence.Verdict{tresor.OK: evidence.Valid, tresor.Warning: evidence.Indeterminate, tresor.Failure: evidence.Invalid}[r.Major]
	fmt.Fprintf(out, "%s: %s\n", name, v)
	if r.Message != "" {
		fmt.Fprintf(out, "  %s %s\n", r.Message, r.Minor)
	}
	for _, x := range list {
		fmt.Fprintf(out, "  %s: %s. %s\n", x.ObjectID, x.Verdict, x.Detail)
		if !x.Proven.IsZero() && x.Verdict != evidence.Invalid {
			fmt.Fprintf(out, "    of version %s, time stamp of %s\n", x.VersionID, x.Proven.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		if x.Test {
			fmt.Fprintln(out, "    of a test authority: it proves nothing to others")
		}
	}
	return v, nil
}
