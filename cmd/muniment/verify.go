package main

import (
	"context"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// verifyCmd is the offline verifier. Unlike those of the other commands its exit
// codes are the verdict, as in the program muniment-verify.
type verifyCmd struct {
	Record       string    `type:"path" help:"An evidence record (RFC 4998, DER) by itself."`
	Files        []string  `arg:"" optional:"" type:"path" name:"file" help:"Proof bundles, as ZIP files or unpacked; with --record, the data that it shall cover."`
	Anchors      []string  `type:"path" help:"Trusted certificate, or directory of them (PEM or DER); may be repeated." placeholder:"PATH" sep:"none"`
	Beside       []string  `type:"path" help:"Sidecar, certificate, CRL or OCSP response, or directory of them; may be repeated." placeholder:"PATH" sep:"none"`
	At           time.Time `help:"Time of the verification (RFC 3339); now if not given." placeholder:"TIME"`
	Whole        bool      `help:"The data must be the whole group that the record covers."`
	NoRevocation bool      `help:"Do not ask for revocation data."`
	BasisERS     bool      `name:"basis-ers" help:"Check against the profile Basis-ERS of BSI TR-ESOR."`
	TrustedList  []string  `type:"path" help:"Trusted list (ETSI TS 119 612), or directory of them: is the time stamp a qualified one." placeholder:"PATH" sep:"none"`
	ListSigner   []string  `type:"path" help:"Certificate that may have signed the lists, or directory of them." placeholder:"PATH" sep:"none"`
	LogKey       string    `help:"The key of the event log, known from elsewhere (muniment log key)." placeholder:"KEY"`
	Report       []string  `type:"path" help:"Write the inspection report on one bundle into this file, .html or .pdf; may be repeated." placeholder:"FILE" sep:"none"`
	Language     string    `enum:"en,de" default:"en" help:"Language of the inspection report: en or de."`
	JSON         bool      `help:"The report as JSON."`
}

func (c *verifyCmd) Run(ctx context.Context, s *streams) error {
	v, err := offline.Verify(ctx, offline.Request{Record: c.Record, Files: c.Files, Anchors: c.Anchors, Beside: c.Beside, At: c.At, Whole: c.Whole,
		NoRevocation: c.NoRevocation, Basis: c.BasisERS, JSON: c.JSON, Lists: c.TrustedList, ListSigners: c.ListSigner, LogKey: c.LogKey, Reports: c.Report, Language: c.Language}, s.out)
	if err != nil {
		return &exitCode{evidence.Indeterminate.ExitCode(), err}
	}
	if v != evidence.Valid {
		return &exitCode{v.ExitCode(), verdictError(v)}
	}
	return nil
}

// verdictError is a verdict on standard error; the report is on standard output.
type verdictError evidence.Verdict

func (v verdictError) Error() string { return "the verdict is " + evidence.Verdict(v).String() }
