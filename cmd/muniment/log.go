package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/wholefile"
)

type logCmd struct {
	Export     logExportCmd     `cmd:"" help:"Write a whole event log into a file, so that a stranger can compute everything again."`
	Checkpoint logCheckpointCmd `cmd:"" help:"Sign what the log has now, as a receipt."`
	Proof      logProofCmd      `cmd:"" help:"Prove that a log continues what it was earlier."`
	Receipts   logReceiptsCmd   `cmd:"" help:"List the daily receipts of a log, or print one."`
	Recipients logRecipientsCmd `cmd:"" help:"Say who gets the daily receipts by mail, and when."`
	Key        logKeyCmd        `cmd:"" help:"Print the key that signs checkpoints of a log."`
	RotateKey  logRotateCmd     `cmd:"" help:"Have a new key sign checkpoints; the old one signs that and is destroyed."`
}

// installation stands for the log of the installation where a tenant is named.
const installation = "_installation"

// logOf finds the log that is named.
func (a *app) logOf(ctx context.Context, slug string) (uid.ID, error) {
	if slug == installation {
		return uid.ID{}, nil
	}
	t, err := a.tenant(ctx, slug)
	if err != nil {
		return uid.ID{}, err
	}
	return t.ID, nil
}

type logOwner struct {
	Tenant string `arg:"" help:"Short name of the tenant; _installation is the log of the installation."`
}

// open opens the archive and finds the log.
func (o *logOwner) open(ctx context.Context, g *Globals, s *streams) (*app, uid.ID, error) {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return nil, uid.ID{}, err
	}
	id, err := a.logOf(ctx, o.Tenant)
	if err != nil {
		a.close()
		return nil, uid.ID{}, err
	}
	return a, id, nil
}

// writeOut writes to standard output, or into a new file that is whole or not there.
func writeOut(s *streams, name string, write func(io.Writer) error) error {
	if name == "" {
		w := bufio.NewWriter(s.out)
		if err := write(w); err != nil {
			return err
		}
		return w.Flush()
	}
	return wholefile.Replace(name, 0o640, write)
}

type encoder interface{ Encode() ([]byte, error) }

func writeEncoded(s *streams, name string, v encoder) error {
	b, err := v.Encode()
	if err != nil {
		return err
	}
	return writeOut(s, name, func(w io.Writer) error { _, err := w.Write(b); return err })
}

type logExportCmd struct {
	logOwner
	Out string `short:"o" help:"File to write; otherwise standard output." type:"path"`
}

func (c *logExportCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, id, err := c.open(ctx, g, s)
	if err != nil {
		return err
	}
	defer a.close()
	return writeOut(s, c.Out, func(w io.Writer) error { return a.archive.ExportLog(ctx, id, w) })
}

type logCheckpointCmd struct {
	logOwner
	Out string `short:"o" help:"File to write; otherwise standard output." type:"path"`
}

func (c *logCheckpointCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, id, err := c.open(ctx, g, s)
	if err != nil {
		return err
	}
	defer a.close()
	r, err := a.archive.Checkpoint(ctx, id)
	if err != nil {
		return err
	}
	return writeEncoded(s, c.Out, r)
}

type logProofCmd struct {
	logOwner
	From int64  `required:"" help:"Number of events of the earlier log; receipts say it."`
	To   int64  `required:"" help:"Number of events of the later log."`
	Out  string `short:"o" help:"File to write; otherwise standard output." type:"path"`
}

func (c *logProofCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, id, err := c.open(ctx, g, s)
	if err != nil {
		return err
	}
	defer a.close()
	p, err := a.archive.Consistency(ctx, id, c.From, c.To)
	if err != nil {
		return err
	}
	return writeEncoded(s, c.Out, p)
}

type logReceiptsCmd struct {
	logOwner
	Day string `help:"Print the receipt of this day (2006-01-02)."`
	Out string `short:"o" help:"File for the receipt of --day; otherwise standard output." type:"path"`
}

func (c *logReceiptsCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, id, err := c.open(ctx, g, s)
	if err != nil {
		return err
	}
	defer a.close()
	if c.Day != "" {
		r, err := a.catalog.Receipt(ctx, id, c.Day)
		if err != nil {
			return err
		}
		return writeOut(s, c.Out, func(w io.Writer) error { _, err := io.WriteString(w, r.Body); return err })
	}
	for before := ""; ; {
		list, err := a.catalog.Receipts(ctx, id, before, 500)
		if err != nil {
			return err
		}
		for _, r := range list {
			fmt.Fprintf(s.out, "%s  %d events  made %s  filed %t  mailed %t\n", r.Day, r.Size, r.MadeAt.Format("2006-01-02T15:04:05Z"), r.Filed, r.Mailed)
			before = r.Day
		}
		if len(list) < 500 {
			return nil
		}
	}
}

type logRecipientsCmd struct {
	logOwner
	To       []string `arg:"" optional:"" help:"Mail addresses; none: nobody gets mail."`
	At       string   `help:"Time of day in the tenant's time zone." default:"00:05"`
	Language string   `help:"Language of the mail: ${enum}." enum:"de,en" default:"de"`
}

func (c *logRecipientsCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, id, err := c.open(ctx, g, s)
	if err != nil {
		return err
	}
	defer a.close()
	return a.archive.SetReceiptSettings(ctx, id, archive.ReceiptSettings{To: c.To, At: c.At, Language: c.Language})
}

type logKeyCmd struct{ logOwner }

func (c *logKeyCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, id, err := c.open(ctx, g, s)
	if err != nil {
		return err
	}
	defer a.close()
	k, err := a.archive.LogKey(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, k)
	return nil
}

type logRotateCmd struct{}

func (logRotateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	k, err := a.archive.RotateLogKey(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "key %d signs from now on. The old key has signed:\n%s", k.Number, k.ChangeNote)
	return nil
}

type auditCmd struct {
	logOwner
	JSON bool `name:"json" help:"Print the report as JSON."`
}

func (c *auditCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, id, err := c.open(ctx, g, s)
	if err != nil {
		return err
	}
	defer a.close()
	if id.IsZero() {
		return usage(fmt.Errorf("the installation has no messages to compare"))
	}
	r, err := a.archive.Audit(ctx, id)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(r); err != nil {
			return err
		}
	} else {
		for _, f := range r.Findings {
			fmt.Fprintf(s.out, "%s: %s: %s\n", f.Code, f.Object, f.What)
		}
		fmt.Fprintf(s.out, "compared %d daily receipts with the log: the time stamps of %d are valid, %d have none yet or none that is valid\n", r.Receipts, r.Stamped, r.Receipts-r.Stamped)
		fmt.Fprintf(s.out, "compared %d messages with %d events (root %s): %d entries tell that a message came, %d that one was deleted; %d messages match, %d findings\n",
			r.Messages, r.LogSize, r.LogRoot, r.Entries, r.Deleted, r.Matched, r.Found)
	}
	if !r.Complete() {
		return &exitCode{exitFindings, fmt.Errorf("%d findings", r.Found)}
	}
	return nil
}
