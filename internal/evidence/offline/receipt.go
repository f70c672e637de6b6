package offline

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
)

// Codes of findings about the evidence record of a receipt.
const (
	// CodeRecordInvalid: the record of a receipt does not prove its checkpoint.
	CodeRecordInvalid eventlog.Code = "record"
	// CodeRecordUnsure: something is missing to prove that it does.
	CodeRecordUnsure eventlog.Code = "record-unsure"
	// CodeRecordMissing: time stamps were asked for, and the receipt has none.
	CodeRecordMissing eventlog.Code = "record-missing"
)

// ReceiptReport is what came of the evidence record of a receipt.
type ReceiptReport struct {
	Name   string      `json:"name"`
	Report *ers.Report `json:"report,omitempty"` // nil: the receipt has no record
}

// VerifyReceipt verifies the evidence record of a receipt over the bytes of its
// checkpoint, nil if it has none. The signature on the checkpoint is not looked at.
func VerifyReceipt(ctx context.Context, r *eventlog.Receipt, o ers.Options) *ers.Report {
	if len(r.EvidenceRecord) == 0 {
		return nil
	}
	o.Whole = false // the group has a second member, which nobody needs
	return ers.Verify(ctx, r.EvidenceRecord, []ers.Member{{Name: "checkpoint", Data: ers.Bytes(r.Checkpoint)}}, o)
}

// Receipts verifies the evidence records of receipts, and adds to the comparison what
// speaks against it. If nobody is trusted, it is only told whether record, checkpoint and
// signatures belong together; if somebody is, each receipt must have a valid record.
// Errors have ErrRequest.
func (r Request) Receipts(ctx context.Context, list []eventlog.Named, c *eventlog.Comparison) ([]ReceiptReport, error) {
	anchors, _, err := certificates(r.Anchors)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	beside, err := sidecar(r.Beside)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	o, err := r.options(anchors, beside)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	out := []ReceiptReport{}
	for _, x := range list {
		report := VerifyReceipt(ctx, x.Receipt, o)
		out = append(out, ReceiptReport{x.Name, report})
		switch {
		case report == nil && len(anchors) > 0:
			c.Add(CodeRecordMissing, eventlog.Indeterminate, x.Name+" has no time stamp: a time stamp comes with the next batch, fetch the receipt again")
		case report == nil:
		case report.Verdict == evidence.Invalid:
			c.Add(CodeRecordInvalid, eventlog.Invalid, x.Name+": the evidence record does not prove the checkpoint: "+Gravest(report.Findings))
		case report.Verdict == evidence.Indeterminate && len(anchors) > 0:
			c.Add(CodeRecordUnsure, eventlog.Indeterminate, x.Name+": it is not certain that the time stamp holds: "+Gravest(report.Findings))
		}
	}
	return out, nil
}

// Gravest is the first finding of the gravest verdict.
func Gravest(list evidence.Findings) string {
	want := list.Verdict()
	for _, f := range list {
		if f.Verdict == want {
			return f.Detail
		}
	}
	return want.String()
}

// Text writes the report for people.
func (r *ReceiptReport) Text(out io.Writer) {
	x := r.Report
	switch {
	case x == nil:
		fmt.Fprintf(out, "%s: no time stamp\n", r.Name)
		return
	case x.Verdict == evidence.Valid:
		fmt.Fprintf(out, "%s: time stamp valid: it existed at %s", r.Name, x.Proven.UTC().Format(time.RFC3339))
	case x.Verdict == evidence.Invalid:
		fmt.Fprintf(out, "%s: time stamp invalid", r.Name)
	case x.Integrity == evidence.Valid:
		fmt.Fprintf(out, "%s: time stamp of %s fits together, but it is not known whether to trust it; --anchors names whom you trust", r.Name, x.Proven.UTC().Format(time.RFC3339))
	default:
		fmt.Fprintf(out, "%s: time stamp indeterminate: %s", r.Name, Gravest(x.Findings))
	}
	if n := len(x.Stamps); n > 1 {
		fmt.Fprintf(out, ", renewed %d times", n-1)
	}
	if x.Test {
		fmt.Fprint(out, " (of a test authority: it proves nothing)")
	}
	fmt.Fprintln(out)
}
