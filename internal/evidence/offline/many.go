package offline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/inspect"
)

// Limits of a bundle of many objects.
const (
	maxObjects  = 1_000_000
	maxComplete = 256 << 20 // bytes of complete.json, which names all that was left out
	maxTold     = 1000      // objects that a report names one by one
)

// Codes of findings about bundles of many objects.
const (
	// CodeIncomplete: complete.json is missing, so that the bundle was cut off.
	CodeIncomplete evidence.Code = "bundle-cut-off"
	// CodeObjects: the objects are not those that complete.json tells.
	CodeObjects evidence.Code = "objects-differ"
	// CodeLeftOut: objects of the selection could not be put in: a remark.
	CodeLeftOut evidence.Code = "objects-left-out"
	// CodeVolume: other volumes belong to the selection: a remark.
	CodeVolume evidence.Code = "more-volumes"
)

// ManyReport is what came of a bundle of many objects.
type ManyReport struct {
	Verdict       evidence.Verdict  `json:"verdict"`
	Title         string            `json:"title"`
	Objects       int64             `json:"objects"`
	Valid         int64             `json:"valid"`
	Indeterminate int64             `json:"indeterminate"`
	Invalid       int64             `json:"invalid"`
	First         time.Time         `json:"first,omitzero"` // range of the first time stamps of what is valid
	Last          time.Time         `json:"last,omitzero"`
	Test          bool              `json:"test,omitempty"`
	Findings      evidence.Findings `json:"findings,omitempty"`
	// Told are objects that are not valid, at most 1000.
	Told    []BundleReport `json:"told,omitempty"`
	LeftOut []LeftOut      `json:"leftOut,omitempty"`

	at   time.Time
	rows []inspect.SelectionRow
	own  bool
	more bool
}

// object is one of many.
type object struct {
	folder string
	aoid   string
	sum    string // of its manifest
}

func (m *ManyReport) note(code evidence.Code, v evidence.Verdict, member, format string, args ...any) {
	m.Findings = append(m.Findings, evidence.Finding{Code: code, Verdict: v, Chain: -1, Stamp: -1, Member: member, Detail: fmt.Sprintf(format, args...)})
	m.Verdict = graver(m.Verdict, v)
}

// many verifies all objects of a bundle, and that they are all.
func (b *bundleFiles) many(ctx context.Context) (*ManyReport, error) {
	var head Many
	raw, err := readPart(b.fs, ManyFile, maxManifest)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Version != ManyVersion {
		return nil, errors.New(ManyFile + ": is not of a kind that this program knows")
	}
	list, err := b.objects()
	if err != nil {
		return nil, err
	}
	m := &ManyReport{Title: head.Title, at: b.r.At}
	if m.at.IsZero() {
		m.at = time.Now().UTC()
		b.r.At = m.at // all are judged at the same time
	}
	if err := b.each(ctx, m, list); err != nil {
		return nil, err
	}
	b.whole(m, list)
	if m.Objects == 0 {
		m.note(CodeObjects, evidence.Indeterminate, "", "there is no object in it")
	}
	return m, nil
}

// objects finds the folders of all objects, in their order.
func (b *bundleFiles) objects() ([]object, error) {
	var list []object
	err := fs.WalkDir(b.fs, ObjectsFolder, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && name == ObjectsFolder {
				return nil
			}
			return err
		}
		if d.IsDir() || path.Base(name) != ManifestFile {
			return nil
		}
		if len(list) == maxObjects {
			return fmt.Errorf("more than %d objects", maxObjects)
		}
		list = append(list, object{folder: path.Dir(name)})
		return nil
	})
	slices.SortFunc(list, func(x, y object) int { return strings.Compare(x.folder, y.folder) })
	return list, err
}

// each verifies the objects, several at a time.
func (b *bundleFiles) each(ctx context.Context, m *ManyReport, list []object) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var mu sync.Mutex
	var wg sync.WaitGroup
	rows := make([]*inspect.Facts, min(len(list), inspect.MaxRows))
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				f, manifest, err := b.one(ctx, list[i].folder)
				if err != nil {
					cancel(fmt.Errorf("%s: %w", list[i].folder, err))
					continue
				}
				sum := sha256.Sum256(manifest)
				list[i].aoid, list[i].sum = f.Object.AOID, hex.EncodeToString(sum[:])
				mu.Lock()
				m.count(list[i].folder, f)
				if i < len(rows) {
					rows[i] = f
				}
				mu.Unlock()
			}
		})
	}
	for i := range list {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for i, f := range rows {
		m.rows = append(m.rows, SelectionRow(list[i].folder, f))
	}
	return nil
}

// count adds one object.
func (m *ManyReport) count(folder string, f *inspect.Facts) {
	r := f.Report
	m.Objects++
	m.Test = m.Test || r.Test
	m.own = m.own || f.Own
	switch r.Verdict {
	case evidence.Valid:
		m.Valid++
		if m.First.IsZero() || r.Proven.Before(m.First) {
			m.First = r.Proven
		}
		if r.Proven.After(m.Last) {
			m.Last = r.Proven
		}
	case evidence.Indeterminate:
		m.Indeterminate++
	case evidence.Invalid:
		m.Invalid++
	}
	m.Verdict = graver(m.Verdict, r.Verdict)
	if r.Verdict != evidence.Valid && len(m.Told) < maxTold {
		m.Told = append(m.Told, BundleReport{Bundle: folder, AOID: f.Object.AOID, Report: r, Log: f.Log})
	}
}

// SelectionRow is the line of an object in the report on many.
func SelectionRow(folder string, f *inspect.Facts) inspect.SelectionRow {
	row := inspect.SelectionRow{AOID: f.Object.AOID, Folder: folder, From: f.Object.From, Subject: f.Object.Subject, Date: f.Object.Date, Proven: f.Report.Proven,
		Valid: f.Report.Verdict == evidence.Valid, Unsure: f.Report.Verdict == evidence.Indeterminate}
	return row
}

// whole looks whether the objects are all that have to be there.
func (b *bundleFiles) whole(m *ManyReport, list []object) {
	slices.SortFunc(m.Told, func(x, y BundleReport) int { return strings.Compare(x.Bundle, y.Bundle) })
	raw, err := readPart(b.fs, CompleteFile, maxComplete)
	if err != nil {
		m.note(CodeIncomplete, evidence.Indeterminate, CompleteFile, "the bundle was cut off: %v", err)
		return
	}
	var c Complete
	if err := json.Unmarshal(raw, &c); err != nil || c.Version != ManyVersion {
		m.note(CodeObjects, evidence.Invalid, CompleteFile, "is not of a kind that this program knows")
		return
	}
	h := sha256.New()
	for _, x := range list {
		h.Write(ListLine(x.folder, x.aoid, x.sum))
	}
	if c.Objects != int64(len(list)) || hex.EncodeToString(h.Sum(nil)) != c.List {
		m.note(CodeObjects, evidence.Invalid, CompleteFile, "tells of %d objects, there are %d, or they are others", c.Objects, len(list))
	}
	listed := b.compareSums(SumsFile, ".", []string{ManyFile, CompleteFile, ContentsFile}, func(name, format string, args ...any) {
		m.note(CodeSums, evidence.Invalid, name, format, args...)
	})
	listed[SumsFile] = true
	maps.Copy(listed, b.named.all)
	if others := b.unlisted(".", listed); others != "" {
		m.note(CodeUnlisted, evidence.Valid, "", "%s: no part of the bundle, and proven by nothing", others)
	}
	if m.LeftOut = c.LeftOut; len(c.LeftOut) > 0 {
		m.note(CodeLeftOut, evidence.Valid, "", "%d objects of the selection could not be put in", len(c.LeftOut))
	}
	if m.more = c.Next != ""; m.more {
		m.note(CodeVolume, evidence.Valid, "", "the selection goes on in another volume")
	}
}

// text writes the report for people.
func (m *ManyReport) text(w io.Writer, name string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%d objects): %s\n", name, m.Objects, strings.ToUpper(m.Verdict.String()))
	fmt.Fprintf(&b, "%d valid, %d indeterminate, %d invalid.\n", m.Valid, m.Indeterminate, m.Invalid)
	if m.Valid > 0 {
		fmt.Fprintf(&b, "The valid ones were first stamped between %s and %s.\n", when(m.First), when(m.Last))
	}
	if m.Test {
		b.WriteString("NOTE: time stamps are of the TEST AUTHORITY. They prove nothing.\n")
	}
	if m.own {
		b.WriteString("Trusted was only what the bundle itself brings. Get these certificates from the authority, compare, and give them by --anchors.\n")
	}
	for _, f := range m.Findings {
		fmt.Fprintf(&b, "  %s %s %s: %s\n", f.Verdict, f.Code, f.Member, f.Detail)
	}
	for _, x := range m.LeftOut[:min(len(m.LeftOut), maxTold)] {
		fmt.Fprintf(&b, "  left out: %s (%s)\n", x.AOID, x.Reason)
	}
	for _, x := range m.Told {
		fmt.Fprintf(&b, "\n%s (object %s): ", x.Bundle, x.AOID)
		if err := text(&b, x.Report); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
