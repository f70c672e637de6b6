package importer

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/wholefile"
)

// Summary says in one or two lines how the run went.
func (r *Report) Summary() string {
	var b strings.Builder
	if r.DryRun {
		fmt.Fprintf(&b, "dry run: %d would be offered", r.Offered())
	} else {
		fmt.Fprintf(&b, "%d offered: %d new, %d already there", r.Offered(), r.Stored, r.Duplicate)
		if r.Quarantined > 0 {
			fmt.Fprintf(&b, ", %d IN QUARANTINE", r.Quarantined)
		}
		if r.Excluded > 0 {
			fmt.Fprintf(&b, ", %d EXCLUDED by the selection of addresses and not stored", r.Excluded)
		}
		if r.DoneBefore > 0 {
			fmt.Fprintf(&b, ", %d taken by an earlier run", r.DoneBefore)
		}
	}
	if r.Originals > 0 {
		fmt.Fprintf(&b, " (%d of them the files that messages were made of)", r.Originals)
	}
	fmt.Fprintf(&b, "; %d bytes in %v", r.Bytes, r.Ended.Sub(r.Started).Round(time.Millisecond))
	if r.NotStored() > 0 {
		fmt.Fprintf(&b, "\n%d NOT STORED: %d failed, %d are no mail that can be taken", r.NotStored(), r.Failed, r.Skipped)
	}
	if r.Partial > 0 {
		fmt.Fprintf(&b, "\n%d made of items that are DAMAGED in part", r.Partial)
	}
	return b.String()
}

// WriteProblems writes a line for everything that was not stored, and for every
// notice.
func (r *Report) WriteProblems(w io.Writer) error {
	for _, p := range r.Problems {
		detail := p.Detail
		if detail != "" {
			detail = ": " + detail
		}
		if _, err := fmt.Fprintf(w, "not stored: %q: %s%s\n", p.Origin, p.Reason, detail); err != nil {
			return err
		}
	}
	if r.Omitted > 0 {
		if _, err := fmt.Fprintf(w, "not stored: %d more that are only counted\n", r.Omitted); err != nil {
			return err
		}
	}
	for _, n := range r.Notices {
		if _, err := fmt.Fprintf(w, "note: %q: %s\n", n.Origin, n.Text); err != nil {
			return err
		}
	}
	if r.NoticesOmitted > 0 {
		if _, err := fmt.Fprintf(w, "note: %d more\n", r.NoticesOmitted); err != nil {
			return err
		}
	}
	return nil
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	if err := r.WriteProblems(w); err != nil {
		return err
	}
	state := "finished"
	if !r.Finished {
		state = "not finished"
	}
	_, err := fmt.Fprintf(w, "import of %s %s\n%s\n", r.Started.UTC().Format(time.RFC3339), state, r.Summary())
	return err
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteCSV writes the list of what was not stored.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"origin", "failed", "reason", "detail", "bytes"}}
	for _, p := range r.Problems {
		rows = append(rows, []string{p.Origin, strconv.FormatBool(p.Failed), string(p.Reason), p.Detail, strconv.FormatInt(p.Bytes, 10)})
	}
	return c.WriteAll(rows)
}

// WriteFile writes the report to a file that is new or replaced whole: CSV if
// its name ends with .csv, text with .txt, else JSON. What exists and is no
// regular file (a terminal, a pipe) is written to as it is.
func (r *Report) WriteFile(name string) error {
	write := r.WriteJSON
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		write = r.WriteCSV
	case ".txt":
		write = r.WriteText
	}
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		return errors.Join(write(f), f.Close())
	}
	if err := wholefile.Replace(name, 0o600, write); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
