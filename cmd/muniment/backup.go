package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/archive"
)

type backupCmd struct {
	Report backupReportCmd `cmd:"" help:"Report that a backup has ended, for the operator's dashboard. To be called by the script that makes it."`
	Show   backupShowCmd   `cmd:"" help:"Show what was reported last."`
}

type backupReportCmd struct {
	Failed bool   `help:"It has failed."`
	Note   string `help:"What people should read beside it, such as where it went: one short line." placeholder:"TEXT"`
}

func (c *backupReportCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	b, err := a.archive.ReportBackup(ctx, c.Failed, c.Note)
	if errors.Is(err, archive.ErrInvalid) {
		return usage(fmt.Errorf("--note: %w", err))
	}
	if err != nil {
		return err
	}
	printBackup(s, b)
	return nil
}

type backupShowCmd struct{}

func (backupShowCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	b, err := a.archive.Backup(ctx)
	if err != nil {
		return err
	}
	if b == nil {
		fmt.Fprintln(s.out, "no backup has been reported")
		return nil
	}
	printBackup(s, b)
	return nil
}

func printBackup(s *streams, b *archive.Backup) {
	outcome := "success"
	if b.Failed {
		outcome = "failure"
	}
	fmt.Fprintf(s.out, "last report: %s, %s\n", b.At.Format(time.RFC3339), outcome)
	if b.Note != "" {
		fmt.Fprintf(s.out, "note: %s\n", b.Note)
	}
	if b.Failed && !b.OKAt.IsZero() {
		fmt.Fprintf(s.out, "last success: %s\n", b.OKAt.Format(time.RFC3339))
	}
}
