package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

type sourceHistoryCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Name   string `arg:"" help:"Name of the source: a remote mailbox by IMAP, switched off or not."`

	DryRun          bool     `short:"n" help:"Only count, in each folder: messages, bytes, what is archived already, what would be archived and removed."`
	RemoveOlderThan int      `help:"Remove messages from the server that it got more than so many days ago, once they are archived and have come back intact from the vault. 0: remove nothing." default:"0" placeholder:"DAYS"`
	Folder          []string `help:"Folder to read; may be repeated. Without it: all but drafts, spam and trash." sep:"none"`
	Drafts          bool     `help:"Drafts too."`
	Spam            bool     `help:"Spam too."`
	Trash           bool     `help:"Trash too."`
	JSON            bool     `help:"Print the report as JSON."`
	Report          string   `help:"Write the report here too: text for .txt, else JSON." placeholder:"FILE"`
	Quiet           bool     `short:"q" help:"No progress."`
}

// Help is shown by muniment source history --help.
func (sourceHistoryCmd) Help() string {
	return `Every message is kept byte for byte, with its folder, its flags and the time at which the server got it. Do a run with --dry-run first. For a mailbox that shall be archived once and not fetched further, add it with source add-mailbox --disabled --keep.

Nothing is removed unless --remove-older-than says so, and then only single messages (UID EXPUNGE) whose bytes have been read again from the vault, in folders whose counts agree: what the server counts, what it lists and finds, and what the archive accounts for. If they do not, the run ends there with exit code 5. It can be broken off at any moment; the same command goes on where it was.

Exit codes: 0 everything is archived, and removed where asked for; 1 it could not be finished (start it again); 2 wrong use; 3 finished, but some messages or folders were left as they are; 5 counts disagree.`
}

func (c *sourceHistoryCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	asked := remote.History{DryRun: c.DryRun, RemoveOlderThan: c.RemoveOlderThan, Folders: c.Folder, Drafts: c.Drafts, Spam: c.Spam, Trash: c.Trash}
	if err := asked.Check(); err != nil {
		return usage(err)
	}
	if err := (&importCmd{Report: c.Report}).reportable(); err != nil {
		return usage(err)
	}
	defer context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })()
	bar := newProgress(s, c.Quiet)
	a, err := g.open(ctx, &streams{out: s.out, err: bar}, shared)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.mailbox(ctx, c.Tenant, c.Name)
	if err != nil {
		return err
	}
	if set, err := remote.Parse(v.Settings); err == nil && !set.Keep && !v.Disabled && !c.DryRun {
		fmt.Fprintln(s.err, "note: this source is fetched, and everything in the folders it fetches is deleted there, however old; --keep or switching it off would prevent that")
	}
	f, err := a.newFetcher()
	if err != nil {
		return err
	}
	bar.start()
	started := time.Now()
	r, err := f.History(ctx, v.Tenant, v.ID, asked, func(r remote.HistoryReport) { bar.stand(historyStanding(&r, time.Since(started))) })
	bar.stop()
	if errors.Is(err, remote.ErrNoHistory) {
		return usage(err)
	}
	if r == nil {
		return err
	}
	if terr := c.tell(s, r); terr != nil {
		return terr
	}
	if sum := r.Sum(); sum.Stored > 0 && err == nil {
		a.awaitIndex(ctx, v.Tenant, 30*time.Second)
	}
	return c.verdict(r, err)
}

// historyStanding tells how far a history is, by messages.
func historyStanding(r *remote.HistoryReport, since time.Duration) standing {
	sum := r.Sum()
	done := sum.Known + sum.Offered + sum.Left
	t := standing{what: "history", done: done, total: max(sum.OnServer, done)}
	t.counts = fmt.Sprintf("%d of %d messages", done, t.total)
	if sum.Removed > 0 {
		t.counts += fmt.Sprintf(", %d removed", sum.Removed)
	}
	t.pace = fmt.Sprintf("%.0f/s", float64(sum.Offered)/max(since.Seconds(), 1))
	return t
}

// tell writes the report.
func (c *sourceHistoryCmd) tell(s *streams, r *remote.HistoryReport) error {
	if c.Report != "" && c.Report != "-" {
		f, err := os.Create(c.Report)
		if err == nil {
			if filepath.Ext(c.Report) == ".txt" {
				err = writeHistory(f, r)
			} else {
				err = writeJSON(f, r)
			}
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return fmt.Errorf("--report: %w", err)
		}
	}
	if c.JSON {
		return writeJSON(s.out, r)
	}
	return writeHistory(s.out, r)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeHistory writes a report for people.
func writeHistory(w io.Writer, r *remote.HistoryReport) error {
	var b strings.Builder
	what := "history of " + r.Account
	if r.Asked.DryRun {
		what = "dry run of the " + what + "; nothing was changed"
	}
	fmt.Fprintln(&b, what)
	if r.RemoveBefore != nil {
		fmt.Fprintf(&b, "to be removed: what the server got before %s\n", r.RemoveBefore.Format("2006-01-02 15:04 MST"))
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	if r.Asked.DryRun {
		fmt.Fprintln(t, "on the server\tMB\talready there\twould be archived\twould be left\twould be removed\t  folder")
	} else {
		fmt.Fprintln(t, "on the server\talready there\toffered\tstored\tduplicate\tleft\tto be removed\tre-read intact\tremoved\tremaining\t  folder")
	}
	row := func(f remote.HistoryFolder) {
		if r.Asked.DryRun {
			fmt.Fprintf(t, "%d\t%.1f\t%d\t%d\t%d\t%d\t  %s\n", f.OnServer, float64(f.Bytes)/1e6, f.Known, f.Offered, f.Left, f.Due, printable(f.Name))
			return
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t  %s\n", f.OnServer, f.Known, f.Offered, f.Stored, f.Duplicate, f.Left, f.Due, f.Intact, f.Removed, f.Remaining, printable(f.Name))
	}
	for _, f := range r.Folders {
		row(f)
	}
	sum := r.Sum()
	sum.Name = "(sum)"
	row(sum)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, l := range r.LeftOut {
		fmt.Fprintf(&b, "not read: %s: %s\n", printable(l.Name), printable(l.Why))
	}
	for _, f := range r.Folders {
		if f.Gone+f.Arrived > 0 {
			fmt.Fprintf(&b, "meanwhile, in %s: %d gone, %d arrived\n", printable(f.Name), f.Gone, f.Arrived)
		}
		for _, x := range f.Reasons {
			fmt.Fprintf(&b, "%s %s: %s\n", printable(f.Name), x.Item, printable(x.Why))
		}
	}
	for _, d := range r.Disagreements {
		fmt.Fprintf(&b, "COUNTS DISAGREE in %s: %s\n", printable(d.Folder), printable(d.Text))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable keeps what a server says from moving the cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// verdict turns how the run ended into the exit code.
func (c *sourceHistoryCmd) verdict(r *remote.HistoryReport, err error) error {
	sum := r.Sum()
	unread := 0
	for _, l := range r.LeftOut {
		if l.Missing {
			unread++
		}
	}
	switch {
	case len(r.Disagreements) > 0:
		d := r.Disagreements[0]
		return &exitCode{exitDisagree, fmt.Errorf("counts disagree in folder %q: %s", d.Folder, d.Text)}
	case err != nil:
		return fmt.Errorf("history interrupted; what is archived stays. To go on: %s", commandLine(os.Args))
	case !r.Complete && r.Problem != nil:
		return fmt.Errorf("%s (%s: %s)\nWhat is archived stays. To go on when the cause is removed: %s", r.Problem.Text, r.Problem.Code, r.Problem.Detail, commandLine(os.Args))
	case sum.Left > 0 || unread > 0 || r.Problem != nil || !c.DryRun && sum.Removed < sum.Due:
		return &exitCode{exitFindings, fmt.Errorf("%d messages were not archived, %d of %d not removed, %d folders not read", sum.Left, max(0, sum.Due-sum.Removed), sum.Due, unread)}
	}
	return nil
}
