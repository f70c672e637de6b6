package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/ingest/mbox"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

// importState is the directory of checkpoints below the data directory.
const importState = "import"

type importCmd struct {
	Tenant string   `arg:"" help:"Short name of the tenant."`
	Paths  []string `arg:"" name:"path" help:"Files and directories; directories are searched to any depth. Symbolic links in them are reported and not followed."`

	Format   string        `help:"What to look for: auto, eml (every file is one message, whatever it looks like), maildir, mbox, emlx, msg, tnef (winmail.dat), pst (OST too), archive (ZIP, tar, gzip, bzip2, Zstandard, with anything in them)." enum:"auto,eml,maildir,mbox,emlx,msg,tnef,pst,archive" default:"auto"`
	Mbox     string        `help:"Variant of mbox files: auto, mboxrd, mboxo, mboxcl, mboxcl2." default:"auto" placeholder:"VARIANT"`
	Source   string        `help:"Name of the source the messages are filed under; made if there is none. A continued import needs the same." default:"Import"`
	Category string        `help:"Category of the messages."`
	Tag      []string      `help:"Tag of the messages; may be repeated." sep:"none"`
	Parallel int           `help:"Messages offered at the same time." default:"256" placeholder:"N"`
	Wait     time.Duration `help:"How long to wait for an archive that cannot store at present (disk full, database away) before giving up." default:"30s" placeholder:"TIME"`
	Report   string        `help:"Write the whole report here: CSV (the list of what was not stored) for .csv, text for .txt, else JSON; - is standard output." placeholder:"FILE"`
	Journal  bool          `help:"The files are those of a journal mailbox: unwrap the journal reports in them. Only for mail that nobody else could have put there; it holds for the source from now on."`
	DryRun   bool          `short:"n" help:"Find, read and count everything, store nothing."`
	Quiet    bool          `short:"q" help:"No progress."`
}

// Help is shown by muniment import --help.
func (importCmd) Help() string {
	return `Messages are kept byte for byte. What Outlook keeps (.msg, winmail.dat, PST, OST) becomes a message, with the tag "converted"; .msg and winmail.dat files are kept beside it, with the tag "original". What the archive has already is not stored again, so an import can be repeated and, after an interruption, started again with the same words: it goes on where it stopped.

Everything that is not stored is listed on standard error with its reason. Exit codes: 0 all that was found is in the archive, 1 the import could not be finished (start it again), 2 wrong use, 3 finished, but something was not stored, or is damaged in part.`
}

func (c *importCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	cfg, err := c.settings()
	if err != nil {
		return err
	}
	// The first interrupt ends the import in good order; a second one ends the
	// process at once, which loses nothing either.
	defer context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })()
	bar := newProgress(s, c.Quiet)
	searchable := func() {}
	if !c.DryRun {
		a, err := g.open(ctx, &streams{out: s.out, err: bar}, shared)
		if err != nil {
			return err
		}
		defer a.close()
		if err := c.into(ctx, a, &cfg); err != nil {
			return err
		}
		searchable = func() { a.awaitIndex(ctx, cfg.Tenant, c.Wait) }
	}
	bar.start()
	cfg.Progress = bar.show
	r, err := importer.Run(ctx, cfg)
	bar.stop()
	if r == nil {
		return err
	}
	told := c.tell(s, r)
	if r.Stored > 0 && err == nil {
		searchable()
	}
	return errors.Join(told, c.verdict(ctx, r, err))
}

// awaitIndex lets the index catch up, for as long as it moves at least every
// now and then. Not to be able to is no failure of the import: the next process
// that opens the archive goes on with it.
func (a *app) awaitIndex(ctx context.Context, tenant uid.ID, patience time.Duration) {
	before := int64(math.MaxInt64)
	for {
		left, err := a.archive.Unindexed(ctx, tenant)
		if err == nil && left == 0 {
			return
		}
		if err != nil || left >= before {
			a.log.Warn("not everything is searchable yet; the server goes on with it when it starts", "messages", left, "error", err)
			return
		}
		before = left
		round, cancel := context.WithTimeout(ctx, patience)
		// Whether it was in time, the next look tells.
		_ = a.archive.AwaitIndex(round, tenant)
		cancel()
	}
}

// into names the archive's side of the import.
func (c *importCmd) into(ctx context.Context, a *app, cfg *importer.Config) error {
	t, err := a.tenant(ctx, c.Tenant)
	if err != nil {
		return err
	}
	source, err := a.archive.ImportSource(ctx, t.ID, c.Source, "")
	if err != nil {
		return err
	}
	if c.Journal {
		if err := a.archive.BelieveReports(ctx, source); err != nil {
			return err
		}
	}
	cfg.Archive, cfg.Tenant, cfg.Source, cfg.Log = a.archive, t.ID, source.ID, a.log
	cfg.State = filepath.Join(a.config.Data, importState)
	cfg.Spool, err = spool.Open(filepath.Join(a.config.Data, spoolDir, "import"))
	return err
}

// settings checks the arguments before anything is opened.
func (c *importCmd) settings() (importer.Config, error) {
	variant, err := mbox.ParseVariant(c.Mbox)
	if err != nil {
		return importer.Config{}, usage(err)
	}
	for _, p := range c.Paths {
		if _, err := os.Stat(p); err != nil {
			return importer.Config{}, usage(err)
		}
	}
	if err := c.reportable(); err != nil {
		return importer.Config{}, usage(err)
	}
	if c.Source == "" || c.Parallel < 1 || c.Wait <= 0 {
		return importer.Config{}, usage(errors.New("--source must not be empty, --parallel must be at least 1, --wait above 0"))
	}
	return importer.Config{
		Paths: c.Paths, Format: importer.Format(c.Format), Variant: variant,
		Category: c.Category, Tags: c.Tag, Workers: c.Parallel, RetryFor: c.Wait, DryRun: c.DryRun,
	}, nil
}

// reportable makes sure, before anything is read, that the report can be written.
func (c *importCmd) reportable() error {
	if c.Report == "" || c.Report == "-" {
		return nil
	}
	f, err := os.OpenFile(c.Report, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	return f.Close()
}

// tell writes the report: what was not stored on standard error, the sums on
// standard output.
func (c *importCmd) tell(s *streams, r *importer.Report) error {
	if err := r.WriteProblems(s.err); err != nil {
		return err
	}
	if c.Report == "-" {
		return r.WriteJSON(s.out)
	}
	if _, err := fmt.Fprintln(s.out, r.Summary()); err != nil || c.Report == "" {
		return err
	}
	return r.WriteFile(c.Report)
}

// verdict turns how the run ended into the exit code, and says how to go on.
func (c *importCmd) verdict(ctx context.Context, r *importer.Report, err error) error {
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("import interrupted; what is stored stays. To go on: %s", commandLine(os.Args))
	case err != nil:
		return fmt.Errorf("%w\nWhat is stored stays. To go on when the cause is removed: %s", err, commandLine(os.Args))
	case r.NotStored() > 0 || r.Partial > 0:
		return &exitCode{exitFindings, fmt.Errorf("%d files or messages were not stored, %d were damaged in part", r.NotStored(), r.Partial)}
	}
	return nil
}

// commandLine writes args as a shell takes them.
func commandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		if strings.Trim(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@+") != "" || a == "" {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
