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
	"sync"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// maxProblems is how many problems a report holds; more are only counted, to
// bound its memory.
const maxProblems = 200_000

// Reason says why an item was not stored.
type Reason string

// The reasons.
const (
	NotAMessage Reason = "not-a-message"
	Empty       Reason = "empty"
	TooLarge    Reason = "too-large"
	Unreadable  Reason = "unreadable"
	Link        Reason = "link"
	SpecialFile Reason = "special-file"
	Unfinished  Reason = "unfinished"
	NotTaken    Reason = "not-taken" // the archive failed on it
)

// Problem is an item that was not stored.
type Problem struct {
	Origin string `json:"origin"`
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
	Bytes  int64  `json:"bytes"`
	// Failed tells a message that should be in the archive and is not from
	// what is rightly left out.
	Failed bool `json:"failed"`
}

// Report is the account of one run.
type Report struct {
	Tenant   uid.ID    `json:"tenant"`
	Source   uid.ID    `json:"source"`
	Paths    []string  `json:"paths"`
	DryRun   bool      `json:"dryRun"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Finished bool      `json:"finished"` // everything was seen

	Stored     int64 `json:"stored"`     // new in the archive; in a dry run: would be offered
	Duplicate  int64 `json:"duplicate"`  // the archive has the same bytes already
	DoneBefore int64 `json:"doneBefore"` // by the interrupted run that this one continues
	Skipped    int64 `json:"skipped"`    // rightly left out
	Failed     int64 `json:"failed"`     // should be in the archive and are not
	Bytes      int64 `json:"bytes"`      // of stored, duplicate and done before

	Problems []Problem `json:"problems"`
	Omitted  int64     `json:"omitted"` // problems that are counted, but not listed
}

// Complete reports whether everything was seen and nothing failed: whether a
// command may end with success.
func (r *Report) Complete() bool { return r.Finished && r.Failed == 0 }

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	state := "finished"
	if !r.Finished {
		state = "NOT finished: run the same import again to go on"
	}
	stored := "stored"
	if r.DryRun {
		stored = "would be offered"
	}
	_, err := fmt.Fprintf(w, "Import %s (%s)\n  %-16s %d\n  %-16s %d\n  %-16s %d\n  %-16s %d\n  %-16s %d\n  %-16s %d\n  %-16s %v\n",
		state, r.Started.UTC().Format(time.RFC3339), stored, r.Stored, "duplicate", r.Duplicate, "done before", r.DoneBefore,
		"skipped", r.Skipped, "failed", r.Failed, "bytes", r.Bytes, "time", r.Ended.Sub(r.Started).Round(time.Millisecond))
	if err != nil || len(r.Problems) == 0 {
		return err
	}
	if _, err := io.WriteString(w, "\nNot stored:\n"); err != nil {
		return err
	}
	for _, p := range r.Problems {
		mark := "skipped"
		if p.Failed {
			mark = "FAILED"
		}
		if _, err := fmt.Fprintf(w, "  %-7s %-13s %q: %s\n", mark, p.Reason, p.Origin, p.Detail); err != nil {
			return err
		}
	}
	if r.Omitted > 0 {
		_, err = fmt.Fprintf(w, "  … and %d more\n", r.Omitted)
	}
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

// Save writes the report into dir as text, JSON and CSV and returns the names
// of the files. The directory is made if it is missing.
func (r *Report) Save(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("save report: %w", err)
	}
	base := filepath.Join(dir, "import-"+r.Started.UTC().Format("20060102T150405.000Z"))
	var names []string
	for _, f := range []struct {
		ext   string
		write func(io.Writer) error
	}{{".txt", r.WriteText}, {".json", r.WriteJSON}, {".csv", r.WriteCSV}} {
		if err := save(base+f.ext, f.write); err != nil {
			return names, fmt.Errorf("save report: %w", err)
		}
		names = append(names, base+f.ext)
	}
	return names, nil
}

func save(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// account collects a report from many goroutines.
type account struct {
	mu sync.Mutex
	r  Report
}

func (a *account) problem(p Problem) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.Failed {
		a.r.Failed++
	} else {
		a.r.Skipped++
	}
	if len(a.r.Problems) >= maxProblems {
		a.r.Omitted++
		return
	}
	a.r.Problems = append(a.r.Problems, p)
}

// outcome says how an item that is a message fared.
type outcome int

const (
	stored outcome = iota
	duplicate
	doneBefore
)

func (a *account) item(o outcome, bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch o {
	case stored:
		a.r.Stored++
	case duplicate:
		a.r.Duplicate++
	case doneBefore:
		a.r.DoneBefore++
	}
	a.r.Bytes += bytes
}

func (a *account) report() *Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.r
	return &r
}
