// Command muniment-verify verifies evidence records (RFC 4998) offline. It is
// what "muniment verify" does, in a program that links nothing of the archive.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/offline"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// paths is a flag that may be given several times.
type paths []string

func (p *paths) String() string { return fmt.Sprint(*p) }

func (p *paths) Set(s string) error {
	*p = append(*p, s)
	return nil
}

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var r offline.Request
	fs := flag.NewFlagSet("muniment-verify", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprintln(stderr, "Usage: muniment-verify [flags] BUNDLE...\n       muniment-verify [flags] --record FILE DATA...\nExit codes: 0 valid, 1 invalid, 2 indeterminate or nothing verified.")
		fs.PrintDefaults()
	}
	fs.StringVar(&r.Record, "record", "", "an evidence record (DER) by itself")
	fs.Var((*paths)(&r.Anchors), "anchors", "trusted certificate, or directory of them; may be repeated")
	fs.Var((*paths)(&r.Beside), "beside", "sidecar, certificate, CRL or OCSP response, or directory of them; may be repeated")
	at := fs.String("at", "", "time of the verification (RFC 3339); now if not given")
	fs.BoolVar(&r.Whole, "whole", false, "the data must be the whole group that the record covers")
	fs.BoolVar(&r.NoRevocation, "no-revocation", false, "do not ask for revocation data")
	fs.BoolVar(&r.Basis, "basis-ers", false, "check against the profile Basis-ERS of BSI TR-ESOR")
	fs.Var((*paths)(&r.Lists), "trusted-list", "trusted list (ETSI TS 119 612), or directory of them; may be repeated")
	fs.Var((*paths)(&r.ListSigners), "list-signer", "certificate that may have signed the lists, or directory of them; may be repeated")
	fs.StringVar(&r.LogKey, "log-key", "", "the key of the event log, known from elsewhere (muniment log key)")
	fs.Var((*paths)(&r.Reports), "report", "write the inspection report on one bundle into this file, .html or .pdf; may be repeated")
	fs.StringVar(&r.Language, "language", "en", "language of the inspection report: en or de")
	fs.BoolVar(&r.JSON, "json", false, "the report as JSON")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return evidence.Indeterminate.ExitCode()
	}
	r.Files = fs.Args()
	var err error
	if *at != "" {
		if r.At, err = time.Parse(time.RFC3339, *at); err != nil {
			fmt.Fprintln(stderr, "muniment-verify: --at:", err)
			return evidence.Indeterminate.ExitCode()
		}
	}
	if r.Record == "" && len(r.Files) == 0 {
		fs.Usage()
		return evidence.Indeterminate.ExitCode()
	}
	v, err := offline.Verify(ctx, r, stdout)
	if err != nil {
		fmt.Fprintln(stderr, "muniment-verify:", err)
		return evidence.Indeterminate.ExitCode()
	}
	return v.ExitCode()
}
