package offline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/inspect"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Limits of a bundle.
const (
	maxManifest = 1 << 20 // bytes
	maxMembers  = 100
	maxMember   = 4 << 30 // bytes, unpacked
	maxSums     = 1 << 20 // bytes of SHA256SUMS
	maxUnlisted = 5       // names that are told
)

// Codes of findings about bundles.
const (
	// CodeOwnAnchors: the only certificates that were trusted are the bundle's own, which
	// whoever made it has chosen.
	CodeOwnAnchors evidence.Code = "anchors-of-the-bundle"
	// CodeManifest: bundle.json and what lies beside it do not agree.
	CodeManifest evidence.Code = "bundle-disagrees"
	// CodeMetadata: the metadata does not belong to the other members.
	CodeMetadata evidence.Code = "metadata-disagrees"
	// CodeWithheld: members were left out of the bundle, as whoever got it may not know
	// them. The others are proven without them.
	CodeWithheld evidence.Code = "members-withheld"
	// CodeSums: a file is not as the list of hash values of the bundle tells, or the list
	// lacks one.
	CodeSums evidence.Code = "file-changed"
	// CodeUnlisted: files lie in the bundle that its list of hash values lacks. They are no
	// part of it: whoever passed it on may have put them there.
	CodeUnlisted evidence.Code = "files-not-listed"
)

// graver returns the verdict that weighs more: one that is invalid, then one that is
// not certain.
func graver(x, y evidence.Verdict) evidence.Verdict {
	for _, v := range []evidence.Verdict{evidence.Invalid, evidence.Indeterminate} {
		if x == v || y == v {
			return v
		}
	}
	return evidence.Valid
}

// openBundle opens a ZIP file or a directory.
func openBundle(path string) (fs.FS, io.Closer, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if st.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, nil, err
		}
		return root.FS(), root, nil
	}
	return openZip(path)
}

// bundleFiles is a bundle that is being verified.
type bundleFiles struct {
	fs      fs.FS
	r       Request
	anchors []*x509.Certificate // those that were given; none: the bundle's own are taken
	trusts  trusts
	named   names
	tokens  sync.Map // SHA-256 of the files of time stamps by name, as many objects share them
}

// names are the files that manifests name. Safe for concurrent use.
type names struct {
	mu  sync.Mutex
	all map[string]bool
}

// add takes in the names in a manifest that lies in dir, and of those that always lie there.
func (n *names) add(dir string, m *Manifest) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.all == nil {
		n.all = map[string]bool{}
	}
	files := []string{ManifestFile, ReadmeFile, LiesmichFile, m.Record, m.Sidecar, m.Anchors, m.Log, m.Sums}
	for _, x := range m.Members {
		files = append(files, x.File)
	}
	for _, x := range m.Tokens {
		files = append(files, x.File)
	}
	for _, name := range files {
		if name != "" {
			n.all[resolve(dir, name)] = true
		}
	}
}

// resolve returns the name of a file that the manifest in dir names.
func resolve(dir, name string) string {
	if rest, rooted := strings.CutPrefix(name, "/"); rooted {
		return rest
	}
	if dir == "." {
		return name
	}
	return dir + "/" + name // not cleaned: a name that leads out of the bundle is refused
}

// one verifies the bundle of one object whose manifest lies in dir.
func (b *bundleFiles) one(ctx context.Context, dir string) (f *inspect.Facts, manifest []byte, err error) {
	if manifest, err = readPart(b.fs, resolve(dir, ManifestFile), maxManifest); err != nil {
		return nil, nil, fmt.Errorf("is no proof bundle: %w", err)
	}
	m, err := parseManifest(manifest)
	if err != nil {
		return nil, nil, err
	}
	b.named.add(dir, m)
	p := &Parts{Manifest: m}
	if p.Record, err = readPart(b.fs, resolve(dir, m.Record), ers.MaxRecord); err != nil {
		return nil, nil, err
	}
	trust, err := b.trusts.of(b, resolve(dir, m.Sidecar), resolve(dir, m.Anchors), m)
	if err != nil {
		return nil, nil, err
	}
	for _, x := range m.Members {
		if err := p.read(b.fs, resolve(dir, x.File), x); err != nil {
			return nil, nil, err
		}
	}
	if m.Log != "" {
		if p.Log, err = readPart(b.fs, resolve(dir, m.Log), maxLogProof); err != nil {
			return nil, nil, err
		}
	}
	f = p.Verify(ctx, *trust)
	if err := b.tokenFiles(dir, m, p.Record, f.Report); err != nil {
		return nil, nil, err
	}
	if m.Sums != "" {
		b.sums(dir, m, f.Report)
	}
	return f, manifest, nil
}

// read takes a member in.
func (p *Parts) read(files fs.FS, name string, x ManifestMember) error {
	f, err := openPart(files, name)
	if err != nil {
		return err
	}
	defer f.Close()
	short, long := sha256.New(), sha512.New()
	keep := &limitedBuffer{}
	switch {
	case x.Name == "metadata":
		keep.left = maxManifest
	case x.Name == "original" && path.Ext(x.File) == ".eml":
		keep.left = inspect.HeadSize
	}
	n, err := io.Copy(io.MultiWriter(short, long, keep), io.LimitReader(f, maxMember+1))
	if err == nil && n > maxMember {
		err = fmt.Errorf("%s: more than %d bytes", name, int64(maxMember))
	}
	if err != nil {
		return err
	}
	p.Members = append(p.Members, Part{Size: n, SHA256: short.Sum(nil), SHA512: long.Sum(nil), More: part{files, name}})
	switch {
	case x.Name == "metadata":
		p.Metadata = keep.Bytes() // a longer one is refused by its parser
	case keep.left > 0 || keep.Len() > 0:
		p.Head = keep.Bytes()
	}
	return nil
}

// tokenFiles looks whether the time stamps that lie in the bundle as files, for other
// programs, are those of the record.
func (b *bundleFiles) tokenFiles(dir string, m *Manifest, record []byte, report *ers.Report) error {
	r, err := ers.ParseRecord(record)
	if err != nil {
		return nil //nolint:nilerr // the report has said so
	}
	inside := map[[sha256.Size]byte]bool{}
	for _, chain := range r.Chains {
		for _, stamp := range chain {
			inside[sha256.Sum256(stamp.Token)] = true
		}
	}
	for _, t := range m.Tokens {
		if t.File == "" {
			continue
		}
		name := resolve(dir, t.File)
		sum, known := b.tokens.Load(name)
		if !known {
			raw, err := readPart(b.fs, name, tsp.MaxToken)
			if err != nil {
				return err
			}
			sum = sha256.Sum256(raw)
			b.tokens.Store(name, sum)
		}
		if !inside[sum.([sha256.Size]byte)] { //nolint:forcetypeassert // nothing else is stored
			report.Findings = append(report.Findings, evidence.Finding{Code: CodeManifest, Verdict: evidence.Invalid, Chain: -1, Stamp: -1, Member: t.File, Detail: "it is none of the time stamps of the record"})
			report.Verdict = evidence.Invalid
		}
	}
	return nil
}

// limitedBuffer keeps the beginning of what is written to it.
type limitedBuffer struct {
	bytes.Buffer
	left int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.Buffer.Write(p[:n])
	return len(p), nil
}

// sums compares files with the list of hash values in the bundle. It proves nothing
// against somebody who has written both, but shows whatever happened to a file.
func (b *bundleFiles) sums(dir string, m *Manifest, report *ers.Report) {
	needed := []string{ManifestFile, m.Record, m.Sidecar, m.Anchors, m.Log}
	for _, x := range m.Members {
		needed = append(needed, x.File)
	}
	listed := b.compareSums(resolve(dir, m.Sums), dir, needed, func(name, format string, args ...any) {
		report.Findings = append(report.Findings, evidence.Finding{Code: CodeSums, Verdict: evidence.Invalid, Chain: -1, Stamp: -1, Member: name, Detail: fmt.Sprintf(format, args...)})
		report.Verdict = evidence.Invalid
	})
	listed[m.Sums] = true
	if others := b.unlisted(dir, listed); others != "" {
		report.Findings = append(report.Findings, evidence.Finding{Code: CodeUnlisted, Verdict: evidence.Valid, Chain: -1, Stamp: -1, Detail: others + ": no part of the bundle, and proven by nothing"})
	}
}

// unlisted names files of a bundle, maxUnlisted at most, that are not listed.
func (b *bundleFiles) unlisted(dir string, listed map[string]bool) string {
	var names []string
	//nolint:errcheck // what cannot be read is told where it is needed
	fs.WalkDir(b.fs, dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !listed[strings.TrimPrefix(name, dir+"/")] {
			if len(names) == maxUnlisted {
				names = append(names, "…")
				return fs.SkipAll
			}
			names = append(names, fmt.Sprintf("%.200q", name))
		}
		return nil //nolint:nilerr // see above
	})
	return strings.Join(names, ", ")
}

// compareSums compares the files that a list names, which needed have to be among, and
// returns their names.
func (b *bundleFiles) compareSums(list, dir string, needed []string, note func(name, format string, args ...any)) (seen map[string]bool) {
	seen = map[string]bool{}
	text, err := readPart(b.fs, list, maxSums)
	if err != nil {
		note(list, "%v", err)
		return seen
	}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "  ")
		if !ok || seen[name] {
			note(list, "is not as sha256sum writes it")
			return seen
		}
		seen[name] = true
		h := sha256.New()
		if _, err := (part{b.fs, resolve(dir, name)}).feed(h); err != nil {
			note(name, "%v", err)
		} else if hex.EncodeToString(h.Sum(nil)) != sum {
			note(name, "is not what %s tells", list)
		}
	}
	for _, name := range needed {
		if name != "" && !seen[name] {
			note(list, "does not name %s", name)
		}
	}
	return seen
}

// prints names certificates by their SHA-256.
func prints(list []*x509.Certificate) string {
	var out []string
	for _, c := range list {
		sum := sha256.Sum256(c.Raw)
		out = append(out, fmt.Sprintf("%q with SHA-256 %s", c.Subject.String(), hex.EncodeToString(sum[:])))
	}
	return strings.Join(out, ", ")
}

// openPart opens a file of a bundle. It refuses names that lead out of the bundle, and what
// is no file: opening a pipe would never end.
func openPart(files fs.FS, name string) (fs.File, error) {
	if st, err := fs.Stat(files, name); err != nil {
		return nil, err
	} else if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", name)
	}
	return files.Open(name)
}

// readPart reads a file of a bundle of at most max bytes.
func readPart(files fs.FS, name string, max int64) ([]byte, error) {
	f, err := openPart(files, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("%s: more than %d bytes", name, max)
	}
	return b, nil
}

func ownAnchors(files fs.FS, name string) ([]*x509.Certificate, error) {
	if name == "" {
		return nil, nil
	}
	b, err := readPart(files, name, maxFile)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return out, nil
		}
		c, err := brainpool.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, c)
	}
}

// part is a member of a bundle.
type part struct {
	files fs.FS
	name  string
}

// Sum implements ers.Data.
func (p part) Sum(h algo.Hash) ([]byte, error) {
	n := h.New()
	if _, err := p.feed(n); err != nil {
		return nil, err
	}
	return n.Sum(nil), nil
}

func (p part) feed(w io.Writer) (int64, error) {
	f, err := openPart(p.files, p.name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := io.Copy(w, io.LimitReader(f, maxMember+1))
	if err == nil && n > maxMember {
		err = fmt.Errorf("%s: more than %d bytes", p.name, int64(maxMember))
	}
	return n, err
}
