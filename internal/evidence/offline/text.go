package offline

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/inspect"
)

// text writes a report for people.
func text(w io.Writer, r *ers.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.ToUpper(r.Verdict.String()))
	switch r.Verdict {
	case evidence.Valid:
		fmt.Fprintf(&b, "The data are unchanged since %s.\n", when(r.Proven))
		if !r.Until.IsZero() {
			fmt.Fprintf(&b, "The proof holds until %s, unless it is renewed before.\n", when(r.Until))
		}
	case evidence.Indeterminate:
		if r.Integrity == evidence.Valid {
			fmt.Fprintf(&b, "Data, hash trees and signatures fit together (stamped at %s). Who has signed, or whether the signature can still be trusted, is not proven.\n", when(r.Proven))
		} else {
			b.WriteString("Nothing speaks against the data, but not everything could be checked.\n")
		}
	case evidence.Invalid:
		b.WriteString("The record does not prove these data, or something in it is wrong.\n")
	}
	if r.Test {
		b.WriteString("NOTE: a time stamp is one of the TEST AUTHORITY. It proves nothing.\n")
	}
	for _, m := range r.Members {
		fmt.Fprintf(&b, "\n%s  %s", map[bool]string{true: "covered    ", false: "NOT covered"}[m.Covered], m.Name)
	}
	if len(r.Members) > 0 {
		b.WriteByte('\n')
	}
	for _, s := range r.Stamps {
		fmt.Fprintf(&b, "\nTime stamp %d of chain %d: %s, %s\n", s.Stamp+1, s.Chain+1, when(s.Time), s.Hash)
		fmt.Fprintf(&b, "  by        %s\n  issued by %s\n  qualified %s (%s)\n", s.Signer, s.Issuer, s.Qualified, s.Why)
	}
	if len(r.Findings) > 0 {
		b.WriteString("\nFindings:\n")
	}
	for _, f := range r.Findings {
		kind := f.Verdict.String()
		if f.Verdict == evidence.Valid {
			kind = "remark"
		}
		fmt.Fprintf(&b, "  %-13s %s", kind, f.Code)
		if f.Chain >= 0 {
			fmt.Fprintf(&b, " (chain %d, time stamp %d)", f.Chain+1, f.Stamp+1)
		}
		if f.Member != "" {
			fmt.Fprintf(&b, " %s", f.Member)
		}
		fmt.Fprintf(&b, ": %s\n", f.Detail)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// logText tells what is proven about the event log.
func logText(w io.Writer, l *inspect.Log) {
	switch {
	case l == nil:
	case l.Problem != "":
		fmt.Fprintf(w, "\nEvent log: the proof does NOT hold: %s\n", l.Problem)
	default:
		fmt.Fprintf(w, "\nEvent log: event %d (%s) of %s, in the log of %d events that was signed at %s\n  log %s\n", l.Seq, l.Event, when(l.Time), l.Size, when(l.Signed), l.Origin)
		if !l.Stamped.IsZero() {
			fmt.Fprintf(w, "  the checkpoint is stamped at %s\n", when(l.Stamped))
		}
	}
}
