// Package offline verifies evidence records that lie in files, without a server,
// a database or the network. It is what "muniment verify" and the small program
// muniment-verify share: they only read the command line.
//
// What bundles consist of (Manifest, Many, Complete) and how a proof is judged (Parts)
// is here as well: the archive that writes bundles uses the same.
//
//	offline.go   Request, Run
//	run.go       RunBundles
//	bundle.go    the files of a bundle
//	many.go      bundles of many objects
//	manifest.go  bundle.json, many.json, complete.json
//	parts.go     Parts: the proof of one object, wherever it comes from
//	log.go       the proof that an arrival is in the event log
//	receipt.go   the evidence records of receipts of the event log
//	report.go    the inspection report
//	lists.go     trusted lists
//	trust.go     reading certificates, CRLs, OCSP responses and sidecars
//	text.go      the report for people
package offline

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Request says what is to be verified. Paths are those of files.
type Request struct {
	Record       string    // the evidence record, DER
	Files        []string  // the data it shall cover
	Anchors      []string  // certificates that are trusted: files, or directories of them
	Beside       []string  // what else helps: sidecars, certificates, CRLs, OCSP responses; files or directories
	At           time.Time // zero: now
	Whole        bool      // the files must be the whole group
	NoRevocation bool      // missing revocation data are a remark only
	Basis        bool      // check against the profile Basis-ERS
	JSON         bool      // the report as one JSON object
	Lists        []string  // trusted lists, for the question whether a time stamp is qualified: files or directories
	ListSigners  []string  // certificates that may have signed them: files or directories
	LogKey       string    // of the event log of a bundle, as "muniment log key" prints it; empty: not compared
	Reports      []string  // files to write the inspection report of a bundle into: .html or .pdf
	Language     string    // of the inspection report: "en" or "de"; empty: English

	// Cache is for many bundles with the same Anchors, At and certificates beside; may be
	// nil.
	Cache *tsp.Cache

	logKey ed25519.PublicKey
}

// ErrRequest is in the errors of Run: nothing was verified, because something
// could not be read.
var ErrRequest = errors.New("nothing was verified")

// Verify is Run for a request with a record, and RunBundles for the files of one without.
func Verify(ctx context.Context, r Request, out io.Writer) (evidence.Verdict, error) {
	switch {
	case r.Record != "" && len(r.Reports) > 0:
		return evidence.Indeterminate, fmt.Errorf("%w: an inspection report needs a proof bundle, not a record by itself", ErrRequest)
	case r.Record != "":
		return Run(ctx, r, out)
	case len(r.Files) == 0:
		return evidence.Indeterminate, fmt.Errorf("%w: name a proof bundle, or an evidence record by --record", ErrRequest)
	}
	return RunBundles(ctx, r, r.Files, out)
}

// Run verifies and writes the report. The verdict is only meaningful without an
// error; errors have ErrRequest.
func Run(ctx context.Context, r Request, out io.Writer) (evidence.Verdict, error) {
	record, err := read(r.Record, ers.MaxRecord)
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	anchors, remarks, err := certificates(r.Anchors)
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	beside, err := sidecar(r.Beside)
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	o, err := r.options(anchors, beside)
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	o.Whole = r.Whole
	var members []ers.Member
	for _, f := range r.Files {
		members = append(members, ers.Member{Name: f, Data: ers.File(f)})
	}
	report := ers.Verify(ctx, record, members, o)
	report.Findings = append(report.Findings, remarks...)
	if r.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(report)
	} else {
		err = text(out, report)
	}
	return report.Verdict, err
}

// options are those of a verification against anchors.
func (r *Request) options(anchors []*x509.Certificate, beside *tsp.Sidecar) (ers.Options, error) {
	o := ers.Options{At: r.At, Anchors: tsp.NewAnchors(anchors), Sidecar: beside, Basis: r.Basis}
	if r.NoRevocation {
		o.Revocation = tsp.RevocationIfPresent
	}
	if len(r.Lists) == 0 {
		return o, nil
	}
	var err error
	o.Qualifier, err = Qualifier(r.Lists, r.ListSigners, func() time.Time {
		if r.At.IsZero() {
			return time.Now()
		}
		return r.At
	})
	return o, err
}

// read reads a file of at most max bytes.
func read(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%s: more than %d bytes", path, max)
	}
	return b, nil
}
