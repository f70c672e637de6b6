package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/inspect"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/uid"
)

// A bundle of many messages is written from its beginning to its end, and nothing of it
// waits in files: each message in a folder of its own, what several share once
// (sidecars, time stamps, certificates), and at the end what is in it, what is not, and
// that this is all.

// smallMessage is up to which size a message is read before anything of it is written, so
// that a damaged one leaves nothing behind, in bytes.
const smallMessage = 4 << 20

// exportWriter is one bundle that is being written.
type exportWriter struct {
	*bundleWriter
	e        *Export
	log      *arrivalProofs
	list     hash.Hash // ListLine of all objects
	contents bytes.Buffer
	csv      *csv.Writer
	done     offline.Complete
	page     inspect.Selection
	trusts   map[string]*sharedTrust
	shared   map[string]bool // names of shared files that were written
	anchors  [][]byte
	chain    [][]byte
}

// sharedTrust is what the objects of one batch share.
type sharedTrust struct {
	bundleTrust
	sidecar string
	tokens  []offline.ManifestToken
	log     []offline.ManifestToken // of the checkpoint
	test    bool
}

// WriteZIP writes the bundle, and returns what it says of itself. Messages that cannot
// be put in are named in it, with the reason. After an error the file is worthless.
func (e *Export) WriteZIP(ctx context.Context, out io.Writer) (*offline.Complete, error) {
	w := &exportWriter{bundleWriter: &bundleWriter{z: zip.NewWriter(out), at: e.h.a.now().UTC().Truncate(time.Second)}, e: e, list: sha256.New(),
		trusts: map[string]*sharedTrust{}, shared: map[string]bool{}}
	w.csv = csv.NewWriter(&w.contents)
	w.done = offline.Complete{Version: offline.ManyVersion, LeftOut: []offline.LeftOut{}}
	w.page = inspect.Selection{Title: e.title, At: w.at, Checked: true}
	var err error
	if w.log, err = e.h.a.arrivalProofs(ctx, e.h.actor.Tenant); err != nil {
		return nil, err
	}
	if err := w.json(offline.ManyFile, offline.Many{Version: offline.ManyVersion, Tenant: e.h.actor.Tenant.String(), Title: e.title, Query: e.r.Query, MadeAt: w.at, Volume: e.r.Volume}); err != nil {
		return nil, err
	}
	w.head()
	if err := w.objects(ctx); err != nil {
		return nil, err
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	details := map[string]string{"selection": e.logged(), "volume": strconv.Itoa(e.r.Volume), "objects": strconv.FormatInt(w.done.Objects, 10), "left_out": strconv.Itoa(len(w.done.LeftOut))}
	if g := e.h.actor.Grant; g != nil {
		details["request"] = g.Request.String()
	}
	return &w.done, e.h.a.catalog.AppendEvents(ctx, e.h.actor.Tenant, []*catalog.Event{e.h.event("mail.export-finished", "", details)})
}

func (w *exportWriter) objects(ctx context.Context) error {
	after := w.e.r.After
	for {
		ids, bad, next, err := w.e.source(ctx, after)
		if err != nil {
			return err
		}
		for _, text := range bad {
			w.leave("", offline.LeftUnreadable, text)
		}
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.object(ctx, id); err != nil {
				return err
			}
		}
		if next == "" {
			return w.tombstones(ctx)
		}
		if after = next; w.done.Objects+exportPage > int64(w.e.most) {
			w.done.Next = next
			return nil
		}
	}
}

// object puts one message in, or tells why it cannot. What does not concern this message
// alone is an error.
func (w *exportWriter) object(ctx context.Context, id uid.ID) error {
	b, err := w.bundle(ctx, id)
	if err == nil {
		err = w.write(ctx, b)
	}
	switch {
	case err == nil:
		return nil
	case w.err != nil || ctx.Err() != nil || errors.Is(err, ErrAccessOver):
		return errors.Join(err, w.err)
	case errors.Is(err, ErrNotSealed):
		w.leave(id.String(), offline.LeftUnsealed, "it has no time stamp yet")
	case errors.Is(err, ErrBlind):
		w.leave(id.String(), offline.LeftBlind, "its header names blind recipients, of whom the reader may not know")
	case errors.Is(err, catalog.ErrNotFound):
		if w.e.h.actor.Grant != nil && len(w.e.r.IDs) == 0 {
			return nil // outside of the period or query of the request: not part of the selection
		}
		w.missing(ctx, id, err)
	case errors.Is(err, access.ErrForbidden):
		return err
	default:
		w.e.h.a.log.Error("message cannot be exported", "tenant", w.e.h.actor.Tenant, "aoid", id, "error", err)
		w.leave(id.String(), offline.LeftDamaged, "it cannot be read; muniment fsck tells more")
	}
	return nil
}

func (w *exportWriter) bundle(ctx context.Context, id uid.ID) (*Bundle, error) {
	h := w.e.h
	row, err := h.provable(ctx, id)
	if err != nil {
		return nil, err
	}
	b, err := h.a.bundle(ctx, row, w.log)
	if err != nil {
		return nil, err
	}
	h.withhold(b)
	if row.Size <= smallMessage {
		raw, err := h.a.open(ctx, row)
		if err != nil {
			return nil, err
		}
		b.raw, err = io.ReadAll(raw)
		if err := errors.Join(err, raw.Close()); err != nil {
			return nil, err
		}
	}
	return b, h.record(ctx, actExported, row, "")
}

// write writes the folder of one message.
func (w *exportWriter) write(ctx context.Context, b *Bundle) error {
	n := w.done.Objects
	folder := fmt.Sprintf("%s/%04d/%06d-%s", offline.ObjectsFolder, n/1000, n+1, b.Row.AOID)
	dir := folder + "/"
	p, err := b.members(ctx, w.bundleWriter, dir)
	if err != nil {
		return err
	}
	t, err := w.trust(b)
	if err != nil {
		return err
	}
	m := p.Manifest
	m.MadeAt, m.Record, m.Sidecar, m.Anchors, m.Tokens, m.Test = w.at, bundleRecord, t.sidecar, "/"+bundleAnchors, t.tokens, t.test
	w.put(dir+bundleRecord, b.Record)
	if b.Log != nil {
		m.Log = bundleLog
		w.put(dir+bundleLog, b.Log)
	}
	f := b.facts(ctx, p, &t.bundleTrust)
	const root = "../../../"
	if err := b.describe(w.bundleWriter, p, dir, bundlePaths{root: root, anchors: root + bundleAnchors, chain: root + bundleChain, verify: root, log: t.log}); err != nil {
		return err
	}
	manifest := w.last(dir + offline.ManifestFile)
	w.forget()
	w.list.Write(offline.ListLine(folder, m.AOID, manifest))
	w.count(folder, f, b.Row)
	return w.err
}

// forget leaves the files of objects out of the list of hash values: it names those of
// the bundle, and complete.json answers for the objects.
func (w *exportWriter) forget() {
	w.written = slices.DeleteFunc(w.written, func(x sumOfFile) bool { return strings.HasPrefix(x.name, offline.ObjectsFolder+"/") })
}

// last is the hash value of a file that was written just now.
func (w *exportWriter) last(name string) string {
	for i := len(w.written) - 1; i >= 0; i-- {
		if w.written[i].name == name {
			return hex.EncodeToString(w.written[i].sum.Sum(nil))
		}
	}
	return ""
}

// trust writes what the objects of a batch share, once.
func (w *exportWriter) trust(b *Bundle) (*sharedTrust, error) {
	key := ""
	for i, s := range b.all() {
		if i == len(b.Stamps) {
			key += " "
		}
		sum := sha256.Sum256(s.Token)
		key += hex.EncodeToString(sum[:8])
	}
	if t := w.trusts[key]; t != nil {
		return t, nil
	}
	m := &offline.Manifest{}
	x, err := b.trust(m)
	if err != nil {
		return nil, err
	}
	t := &sharedTrust{bundleTrust: *x, tokens: m.Tokens, log: x.log, test: m.Test}
	t.trust.Options.Cache = tsp.NewCache(len(b.all()) + 1)
	t.sidecar = w.once("sidecar", ".der", x.der)
	for i, s := range b.Stamps {
		t.tokens[i].File = w.once("token", ".tst", s.Token)
	}
	for i := range t.log {
		t.log[i].File = w.once("token", ".tst", b.stamped.stamps[i].Token)
	}
	w.anchors, w.chain = append(w.anchors, x.anchors...), append(w.chain, x.side.Certificates...)
	w.trusts[key] = t
	return t, w.err
}

// once writes a shared file unless it is there, and returns its name from the root.
func (w *exportWriter) once(kind, ext string, b []byte) string {
	sum := sha256.Sum256(b)
	name := "shared/" + kind + "-" + hex.EncodeToString(sum[:8]) + ext
	if !w.shared[name] {
		w.shared[name] = true
		w.put(name, b)
	}
	return "/" + name
}

func (w *exportWriter) leave(aoid, code, reason string) {
	w.done.LeftOut = append(w.done.LeftOut, offline.LeftOut{AOID: aoid, Code: code, Reason: reason})
	if len(w.page.Left) < inspect.MaxRows {
		w.page.Left = append(w.page.Left, inspect.LeftOut{AOID: aoid, Reason: reason})
	} else {
		w.page.LeftBeyond++
	}
	w.row("", aoid, "", "", "", "", "", "", "", "left out: "+reason)
}

// count adds an object to all that tells of it.
func (w *exportWriter) count(folder string, f *inspect.Facts, row *catalog.Message) {
	w.done.Objects++
	r := f.Report
	switch r.Verdict {
	case evidence.Valid:
		w.done.Valid++
		if w.page.First.IsZero() || r.Proven.Before(w.page.First) {
			w.page.First = r.Proven
		}
		if r.Proven.After(w.page.Last) {
			w.page.Last = r.Proven
		}
	case evidence.Indeterminate:
		w.done.Unsure++
	case evidence.Invalid:
		w.done.Invalid++
	}
	w.page.Test = w.page.Test || r.Test
	if len(w.page.Rows) < inspect.MaxRows {
		w.page.Rows = append(w.page.Rows, offline.SelectionRow(folder, f))
	}
	date := ""
	if !f.Object.Date.IsZero() {
		date = f.Object.Date.Format(time.RFC3339)
	}
	qualified := "unknown"
	if len(f.Found) > 0 {
		qualified = string(f.Found[0].Qualified)
	}
	w.row(folder, row.AOID.String(), date, row.ReceivedAt.UTC().Format(time.RFC3339), f.Object.From, f.Object.Subject, strconv.FormatInt(row.Size, 10), hex.EncodeToString(row.SHA256[:]),
		r.Proven.UTC().Format(time.RFC3339)+" ("+qualified+")", r.Verdict.String())
}

func (w *exportWriter) head() {
	w.contents.WriteString("\ufeff") // so that spreadsheets read it as UTF-8
	w.row("folder", "aoid", "date", "arrived", "from", "subject", "size", "sha256", "proven since", "verdict")
}

// row writes a line of the table of contents. Foreign text must not become a formula in
// a spreadsheet.
func (w *exportWriter) row(fields ...string) {
	for i, s := range fields {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(s, "\uFFFD"))
		if t := strings.TrimLeft(s, " "); t != "" && strings.ContainsRune("=+-@", rune(t[0])) {
			s = "'" + s
		}
		fields[i] = s
	}
	w.csv.Write(fields) //nolint:errcheck // a buffer takes everything
}

func (w *exportWriter) json(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	w.put(name, append(b, '\n'))
	return w.err
}

// end writes what comes after all objects.
func (w *exportWriter) end() error {
	w.csv.Flush()
	w.forget()
	w.put(offline.ContentsFile, w.contents.Bytes())
	w.put(bundleAnchors, certificates(w.anchors))
	w.put(bundleChain, certificates(w.chain))
	w.done.List = hex.EncodeToString(w.list.Sum(nil))
	w.page.Objects, w.page.Valid, w.page.Unsure, w.page.Invalid = w.done.Objects, w.done.Valid, w.done.Unsure, w.done.Invalid
	w.page.Beyond, w.page.More = w.done.Objects-int64(len(w.page.Rows)), w.done.Next != ""
	for _, l := range inspect.Languages() {
		if err := w.bundleWriter.page(inspect.OfSelection(&w.page, l), inspectionName(l)); err != nil {
			return err
		}
	}
	w.put(readmeEN, []byte(exportReadme(w.done, false)))
	w.put(readmeDE, []byte(exportReadme(w.done, true)))
	if err := w.json(offline.CompleteFile, w.done); err != nil {
		return err
	}
	w.put(offline.SumsFile, w.sums())
	return errors.Join(w.err, w.z.Close())
}
