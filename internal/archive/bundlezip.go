package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/inspect"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
)

// Files of a bundle beside the members.
const (
	bundleRecord   = "evidence.er"
	bundleSidecar  = "sidecar.der"
	bundleAnchors  = "trust/anchors.pem"
	bundleChain    = "trust/chain.pem"
	bundleLog      = "log.json"
	bundleMetadata = "metadata.json"
	bundleReport   = "report.eml"
	readmeEN       = offline.ReadmeFile
	readmeDE       = offline.LiesmichFile
)

// inspectionName is what the inspection report is called, without its ending.
func inspectionName(l inspect.Language) string {
	if l == inspect.German {
		return "Pruefbericht"
	}
	return "inspection-report"
}

// Name is what the file of the bundle is called.
func (b *Bundle) Name() string { return b.Row.AOID.String() + ".proof.zip" }

// ReportName is what the inspection report by itself is called, without its ending.
func (b *Bundle) ReportName(l inspect.Language) string {
	return b.Row.AOID.String() + "." + inspectionName(l)
}

// originalName is what the original is called in the bundle.
func (b *Bundle) originalName() string {
	if b.Row.Facts.File == nil {
		return "original.eml"
	}
	ext := strings.ToLower(path.Ext(b.Row.Facts.File.Name))
	for _, r := range strings.TrimPrefix(ext, ".") {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') || len(ext) > 12 {
			return "original.bin"
		}
	}
	return "original" + ext
}

// WriteZIP writes the bundle as a ZIP file: the members, the record, tokens, what
// their verification needs, the inspection report, and how to verify all of it without
// this program. The members are checked while they are read; after an error the file is
// worthless.
func (b *Bundle) WriteZIP(ctx context.Context, w io.Writer) error {
	z := &bundleWriter{z: zip.NewWriter(w), at: b.a.now().UTC().Truncate(time.Second)}
	p, err := b.members(ctx, z, "")
	if err != nil {
		return err
	}
	m := p.Manifest
	m.MadeAt, m.Record, m.Sidecar, m.Anchors, m.Sums = z.at, bundleRecord, bundleSidecar, bundleAnchors, offline.SumsFile
	if b.Log != nil {
		m.Log = bundleLog
		z.put(bundleLog, b.Log)
	}
	t, err := b.proof(z, p)
	if err != nil {
		return err
	}
	if err := z.inspection(b.facts(ctx, p, t), ""); err != nil {
		return err
	}
	if err := b.describe(z, p, "", bundlePaths{anchors: bundleAnchors, chain: bundleChain, verify: ".", log: t.log}); err != nil {
		return err
	}
	z.put(offline.SumsFile, z.sums())
	return errors.Join(z.err, z.z.Close())
}

// Inspection returns the inspection report on the message, as it is in the bundle.
func (b *Bundle) Inspection(ctx context.Context, l inspect.Language) (*inspect.Page, time.Time, error) {
	at := b.a.now().UTC().Truncate(time.Second)
	z := &bundleWriter{z: zip.NewWriter(io.Discard), at: at, discard: true}
	p, err := b.members(ctx, z, "")
	if err != nil {
		return nil, at, err
	}
	t, err := b.proof(z, p)
	if err != nil {
		return nil, at, err
	}
	return inspect.Of(b.facts(ctx, p, t), l), at, nil
}

// members writes the members below dir, and returns what was found in them.
func (b *Bundle) members(ctx context.Context, z *bundleWriter, dir string) (*offline.Parts, error) {
	p := &offline.Parts{Manifest: &offline.Manifest{Version: offline.ManifestVersion, AOID: b.Row.AOID.String(), Tenant: b.Row.Tenant.String(), MadeAt: z.at,
		Qualified: b.Stamps[0].Qualified}, Record: b.Record, Log: b.Log, Metadata: b.Metadata}
	m := p.Manifest
	rec, err := ers.ParseRecord(b.Record)
	if err != nil {
		return nil, err
	}
	z.hashes = rec.Hashes
	if b.version != nil {
		m.AOID = b.version.Object.String()
	}
	if err := b.originals(ctx, z, dir, p); err != nil {
		return nil, err
	}
	if b.Metadata == nil {
		m.Withheld = append(m.Withheld, "metadata")
	} else if _, err := z.copy(dir, bundleMetadata, bytes.NewReader(b.Metadata), p, "metadata", 0); err != nil {
		return nil, err
	}
	if b.Capture == nil {
		if b.version == nil && len(b.Row.Members) > sha256.Size {
			m.Withheld = append(m.Withheld, memberReport)
		}
		return p, nil
	}
	r, err := b.a.openReport(ctx, b.Capture)
	if err != nil {
		return nil, err
	}
	_, err = z.copy(dir, bundleReport, r, p, memberReport, 0)
	return p, errors.Join(err, r.Close())
}

// open opens the original.
func (b *Bundle) open(ctx context.Context) (io.ReadCloser, error) {
	if b.raw != nil {
		return io.NopCloser(bytes.NewReader(b.raw)), nil
	}
	return b.a.open(ctx, b.Row)
}

// facts verifies the bundle as whoever gets it will, with the certificates that the
// archive trusted.
func (b *Bundle) facts(ctx context.Context, p *offline.Parts, t *bundleTrust) *inspect.Facts {
	trust := t.trust
	trust.Options.At = b.a.now().UTC().Truncate(time.Second)
	for _, s := range b.all() {
		if s.GenTime.After(trust.Options.At) { // the authority's clock is a little ahead
			trust.Options.At = s.GenTime
		}
	}
	f := p.Verify(ctx, trust)
	for _, s := range b.Stamps {
		q := map[string]tsp.Qualification{seal.Yes: tsp.Qualified, seal.No: tsp.NotQualified}[s.Qualified]
		if q == "" {
			q = tsp.NotDetermined
		}
		f.Found = append(f.Found, inspect.Found{Qualified: q, Why: s.Reason})
	}
	return f
}

// bundlePaths are where the commands of a README find what it needs.
type bundlePaths struct {
	anchors, chain string
	verify         string                  // the bundle, for our own verifier
	root           string                  // what leads to the root of a bundle of many objects, such as ../../../
	log            []offline.ManifestToken // the time stamps on the checkpoint; none: it has none
}

// file is where a command finds a file of the manifest.
func (p bundlePaths) file(name string) string {
	if rest, rooted := strings.CutPrefix(name, "/"); rooted {
		return p.root + rest
	}
	return name
}

// describe writes the manifest and the instructions.
func (b *Bundle) describe(z *bundleWriter, p *offline.Parts, dir string, at bundlePaths) error {
	rec, err := ers.ParseRecord(b.Record)
	if err != nil {
		return err
	}
	j, err := json.MarshalIndent(p.Manifest, "", "  ")
	if err != nil {
		return err
	}
	z.put(dir+offline.ManifestFile, append(j, '\n'))
	english, err := readme(p, rec, at, readmeEnglish())
	if err != nil {
		return err
	}
	german, err := readme(p, rec, at, readmeGerman())
	z.put(dir+readmeEN, []byte(english))
	z.put(dir+readmeDE, []byte(german))
	return errors.Join(err, z.err)
}

// certificates writes certificates in PEM.
func certificates(list [][]byte) []byte {
	var w bytes.Buffer
	seen := map[string]bool{}
	for _, c := range list {
		if !seen[string(c)] {
			seen[string(c)] = true
			w.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c}))
		}
	}
	return w.Bytes()
}

// bundleWriter writes files of a bundle; the first error stays.
type bundleWriter struct {
	z       *zip.Writer
	at      time.Time
	err     error
	discard bool        // nothing is written, only read
	hashes  []algo.Hash // of the record whose members are written
	written []sumOfFile
}

// sumOfFile is a file that was written, with its hash value while it is written.
type sumOfFile struct {
	name string
	sum  hash.Hash
}

// create begins a file.
func (w *bundleWriter) create(name string) io.Writer {
	if w.discard {
		return io.Discard
	}
	f, err := w.z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: w.at})
	if err != nil {
		w.err = errors.Join(w.err, err)
		return io.Discard
	}
	return f
}

// listed is create of a file that the list of hash values names.
func (w *bundleWriter) listed(name string) io.Writer {
	h := sha256.New()
	w.written = append(w.written, sumOfFile{name, h})
	return io.MultiWriter(w.create(name), h)
}

func (w *bundleWriter) put(name string, b []byte) {
	if _, err := w.listed(name).Write(b); err != nil {
		w.err = errors.Join(w.err, err)
	}
}

// sums is the list of hash values of what was written, as sha256sum reads it.
func (w *bundleWriter) sums() []byte {
	var b bytes.Buffer
	for _, x := range w.written {
		fmt.Fprintf(&b, "%x  %s\n", x.sum.Sum(nil), x.name)
	}
	return b.Bytes()
}

// inspection writes the inspection report in all its forms.
func (w *bundleWriter) inspection(f *inspect.Facts, dir string) error {
	for _, l := range inspect.Languages() {
		if err := w.page(inspect.Of(f, l), dir+inspectionName(l)); err != nil {
			return err
		}
	}
	return w.err
}

func (w *bundleWriter) page(p *inspect.Page, name string) error {
	return errors.Join(p.HTML(w.listed(name+".html")), p.PDF(w.listed(name+".pdf"), w.at))
}

// copy writes a member, notes it, and returns its beginning.
func (w *bundleWriter) copy(dir, name string, r io.Reader, p *offline.Parts, member string, head int) ([]byte, error) {
	short, long := sha256.New(), sha512.New()
	keep := &beginning{left: head}
	all := []io.Writer{w.listed(dir + name), short, long, keep}
	more := map[algo.Hash]hash.Hash{}
	for _, h := range w.hashes {
		if h != algo.SHA256 && h != algo.SHA512 {
			more[h] = h.New()
			all = append(all, more[h])
		}
	}
	n, err := io.Copy(io.MultiWriter(all...), r)
	if err = errors.Join(err, w.err); err != nil {
		return nil, err
	}
	p.Manifest.Members = append(p.Manifest.Members, offline.ManifestMember{Name: member, File: name, Size: n, SHA256: hex.EncodeToString(short.Sum(nil))})
	further := ers.Digests{}
	for h, x := range more {
		further[h] = x.Sum(nil)
	}
	p.Members = append(p.Members, offline.Part{Size: n, SHA256: short.Sum(nil), SHA512: long.Sum(nil), More: further})
	return keep.Bytes(), nil
}

// beginning keeps the beginning of what is written to it.
type beginning struct {
	bytes.Buffer
	left int
}

func (b *beginning) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.Buffer.Write(p[:n])
	return len(p), nil
}
