package offline

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/inspect"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// BundleReport is what came of one bundle.
type BundleReport struct {
	Bundle string       `json:"bundle"`
	AOID   string       `json:"aoid,omitempty"`
	Report *ers.Report  `json:"report,omitempty"`
	Log    *inspect.Log `json:"log,omitempty"`
	Many   *ManyReport  `json:"many,omitempty"` // of a bundle of many objects

	facts *inspect.Facts
}

func (b *BundleReport) verdict() evidence.Verdict {
	if b.Many != nil {
		return b.Many.Verdict
	}
	return b.Report.Verdict
}

// RunBundles verifies proof bundles, as ZIP files or unpacked directories, and writes
// the reports. The verdict is the gravest. Of r, Record, Files, Beside and Whole are
// not looked at. Errors have ErrRequest.
func RunBundles(ctx context.Context, r Request, bundles []string, out io.Writer) (evidence.Verdict, error) {
	worst, reports, err := r.bundles(ctx, bundles)
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return r.tell(worst, reports, out)
}

// RunFS is RunBundles for one bundle that lies unpacked in a file system.
func RunFS(ctx context.Context, r Request, files fs.FS, out io.Writer) (evidence.Verdict, error) {
	anchors, remarks, err := r.trusted()
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	b, err := r.verifyFiles(ctx, files, "", anchors)
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	b.remark(remarks)
	return r.tell(b.verdict(), []*BundleReport{b}, out)
}

// tell writes the reports.
func (r Request) tell(worst evidence.Verdict, reports []*BundleReport, out io.Writer) (evidence.Verdict, error) {
	if len(r.Reports) > 0 {
		if err := r.writeReports(reports); err != nil {
			return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
		}
	}
	if r.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return worst, e.Encode(struct {
			Verdict evidence.Verdict `json:"verdict"`
			Bundles []*BundleReport  `json:"bundles"`
		}{worst, reports})
	}
	for i, b := range reports {
		if i > 0 {
			fmt.Fprintln(out)
		}
		if b.Many != nil {
			if err := b.Many.text(out, b.Bundle); err != nil {
				return worst, err
			}
			continue
		}
		fmt.Fprintf(out, "%s (object %s): ", b.Bundle, b.AOID)
		if err := text(out, b.Report); err != nil {
			return worst, err
		}
		logText(out, b.Log)
	}
	return worst, nil
}

// trusted reads what bundles are judged by.
func (r *Request) trusted() (anchors []*x509.Certificate, remarks evidence.Findings, err error) {
	if anchors, remarks, err = certificates(r.Anchors); err == nil {
		r.logKey, err = parseLogKey(r.LogKey)
	}
	return anchors, remarks, err
}

// remark adds what was noticed about the request itself.
func (b *BundleReport) remark(remarks evidence.Findings) {
	if b.Report != nil {
		b.Report.Findings = append(b.Report.Findings, remarks...)
	} else {
		b.Many.Findings = append(b.Many.Findings, remarks...)
	}
}

func (r Request) bundles(ctx context.Context, paths []string) (worst evidence.Verdict, reports []*BundleReport, err error) {
	anchors, remarks, err := r.trusted()
	if err != nil {
		return worst, nil, err
	}
	reports = []*BundleReport{}
	for _, path := range paths {
		b, err := r.verifyBundle(ctx, path, anchors)
		if err != nil {
			return worst, nil, fmt.Errorf("%s: %w", path, err)
		}
		b.remark(remarks)
		worst = graver(worst, b.verdict())
		reports = append(reports, b)
	}
	return worst, reports, nil
}

func (r Request) verifyBundle(ctx context.Context, path string, anchors []*x509.Certificate) (*BundleReport, error) {
	files, closer, err := openBundle(path)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return r.verifyFiles(ctx, files, path, anchors)
}

// verifyFiles verifies a bundle under the name that it is told of by.
func (r Request) verifyFiles(ctx context.Context, files fs.FS, path string, anchors []*x509.Certificate) (*BundleReport, error) {
	b := &bundleFiles{fs: files, r: r, anchors: anchors}
	b.trusts.logs = &logs{}
	if _, err := fs.Stat(files, ManyFile); err == nil {
		m, err := b.many(ctx)
		return &BundleReport{Bundle: path, Many: m}, err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, _, err := b.one(ctx, ".")
	if err != nil {
		return nil, err
	}
	return &BundleReport{Bundle: path, AOID: f.Object.AOID, Report: f.Report, Log: f.Log, facts: f}, nil
}

// trusts remembers what verifications rest on, by the files that it comes from: in a
// bundle of many objects most share it. Safe for concurrent use.
type trusts struct {
	mu     sync.Mutex
	byName map[[2]string]*Trust
	logs   *logs
}

// maxTrusts bounds what is remembered.
const maxTrusts = 1000

// of returns what the verification of a manifest rests on.
func (t *trusts) of(b *bundleFiles, sidecar, anchors string, m *Manifest) (*Trust, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := [2]string{}
	if m.Sidecar != "" {
		key[0] = sidecar
	}
	if m.Anchors != "" && len(b.anchors) == 0 {
		key[1] = anchors
	}
	if x := t.byName[key]; x != nil {
		return x, nil
	}
	x := &Trust{Anchors: b.anchors, LogKey: b.r.logKey, logs: t.logs}
	beside := &tsp.Sidecar{}
	if m.Sidecar != "" {
		raw, err := readPart(b.fs, sidecar, maxFile)
		if err != nil {
			return nil, err
		}
		if err := beside.UnmarshalBinary(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Sidecar, err)
		}
	}
	var err error
	if x.Own = len(x.Anchors) == 0; x.Own && m.Anchors != "" {
		if x.Anchors, err = ownAnchors(b.fs, anchors); err != nil {
			return nil, err
		}
	}
	if x.Options, err = b.r.options(x.Anchors, beside); err != nil {
		return nil, err
	}
	if x.Options.At.IsZero() {
		x.Options.At = time.Now().UTC()
	}
	if x.Options.Cache = b.r.Cache; x.Options.Cache == nil {
		x.Options.Cache = tsp.NewCache(maxTokens)
	}
	if t.byName == nil || len(t.byName) >= maxTrusts {
		t.byName = map[[2]string]*Trust{}
	}
	t.byName[key] = x
	return x, nil
}

// maxTokens is how many tokens are remembered for each sidecar: a batch has one, and
// its renewals.
const maxTokens = 64
