package offline

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Limits of a bundle.
const (
	maxManifest = 1 << 20 // bytes
	maxMembers  = 100
	maxMember   = 4 << 30 // bytes, unpacked
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
)

// manifest is what is read of bundle.json.
type manifest struct {
	Version int    `json:"v"`
	AOID    string `json:"aoid"`
	Tenant  string `json:"tenant"`
	Record  string `json:"record"`
	Sidecar string `json:"sidecar"`
	Anchors string `json:"anchors"`
	Members []struct {
		Name   string `json:"name"`
		File   string `json:"file"`
		Size   int64  `json:"size"`
		SHA256 string `json:"sha256"`
	} `json:"members"`
	Withheld []string `json:"withheld"`
}

// BundleReport is what came of one bundle.
type BundleReport struct {
	Bundle string      `json:"bundle"`
	AOID   string      `json:"aoid"`
	Report *ers.Report `json:"report"`
}

// RunBundles verifies proof bundles, as ZIP files or unpacked directories, and writes
// the reports. The verdict is the gravest. Of r, Record, Files, Beside and Whole are
// not looked at. Errors have ErrRequest.
func RunBundles(ctx context.Context, r Request, bundles []string, out io.Writer) (evidence.Verdict, error) {
	anchors, remarks, err := certificates(r.Anchors)
	if err != nil {
		return evidence.Indeterminate, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	var worst evidence.Verdict
	reports := []*BundleReport{}
	for _, path := range bundles {
		b, err := verifyBundle(ctx, r, path, anchors)
		if err != nil {
			return evidence.Indeterminate, fmt.Errorf("%w: %s: %w", ErrRequest, path, err)
		}
		b.Report.Findings = append(b.Report.Findings, remarks...)
		worst = graver(worst, b.Report.Verdict)
		reports = append(reports, b)
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
		fmt.Fprintf(out, "%s (object %s): ", b.Bundle, b.AOID)
		if err := text(out, b.Report); err != nil {
			return worst, err
		}
	}
	return worst, nil
}

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
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, nil, fmt.Errorf("is neither a proof bundle (ZIP) nor a directory with one: %w", err)
	}
	return z, z, nil
}

func verifyBundle(ctx context.Context, r Request, path string, anchors []*x509.Certificate) (*BundleReport, error) {
	files, closer, err := openBundle(path)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	m, err := readManifest(files)
	if err != nil {
		return nil, err
	}
	record, err := readPart(files, m.Record, ers.MaxRecord)
	if err != nil {
		return nil, err
	}
	beside := &tsp.Sidecar{}
	if m.Sidecar != "" {
		b, err := readPart(files, m.Sidecar, maxFile)
		if err != nil {
			return nil, err
		}
		if err := beside.UnmarshalBinary(b); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Sidecar, err)
		}
	}
	own := len(anchors) == 0
	if own {
		if anchors, err = ownAnchors(files, m.Anchors); err != nil {
			return nil, err
		}
	}
	o, err := r.options(anchors, beside)
	if err != nil {
		return nil, err
	}
	o.Whole = len(m.Withheld) == 0
	var members []ers.Member
	for _, x := range m.Members {
		members = append(members, ers.Member{Name: x.File, Data: part{files, x.File}})
	}
	report := ers.Verify(ctx, record, members, o)
	note := func(code evidence.Code, v evidence.Verdict, member, format string, args ...any) {
		report.Findings = append(report.Findings, evidence.Finding{Code: code, Verdict: v, Chain: -1, Stamp: -1, Member: member, Detail: fmt.Sprintf(format, args...)})
		report.Verdict = graver(report.Verdict, v)
	}
	if err := m.compare(files, note); err != nil {
		return nil, err
	}
	if own {
		note(CodeOwnAnchors, evidence.Indeterminate, "", "trusted was only what the bundle itself brings: %s. Get these certificates from the authority or from its country's trusted list, compare, and give them by --anchors", prints(anchors))
	}
	if len(m.Withheld) > 0 {
		note(CodeWithheld, evidence.Valid, "", "%s", strings.Join(m.Withheld, ", "))
	}
	return &BundleReport{Bundle: path, AOID: m.AOID, Report: report}, nil
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

func readManifest(files fs.FS) (*manifest, error) {
	b, err := readPart(files, "bundle.json", maxManifest)
	if err != nil {
		return nil, fmt.Errorf("is no proof bundle: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("bundle.json: %w", err)
	}
	if m.Version != 1 || m.Record == "" || len(m.Members) == 0 || len(m.Members) > maxMembers {
		return nil, errors.New("bundle.json: is not of a kind that this program knows")
	}
	return &m, nil
}

// readPart reads a file of a bundle of at most max bytes.
func readPart(files fs.FS, name string, max int64) ([]byte, error) {
	f, err := files.Open(name) // refuses names that lead out of the bundle
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
		c, err := x509.ParseCertificate(block.Bytes)
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
	f, err := p.files.Open(p.name)
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

// compare looks whether manifest, metadata and members speak of the same. The record
// proves the members without it; what disagrees is a bundle that somebody has put
// together of several.
func (m *manifest) compare(files fs.FS, note func(code evidence.Code, v evidence.Verdict, member, format string, args ...any)) error {
	var sums [][64]byte
	var metadata *evidence.Metadata
	for _, x := range m.Members {
		short, long := sha256.New(), sha512.New()
		n, err := part{files, x.File}.feed(io.MultiWriter(short, long))
		if err != nil {
			return err
		}
		if hex.EncodeToString(short.Sum(nil)) != x.SHA256 || n != x.Size {
			note(CodeManifest, evidence.Invalid, x.File, "bundle.json tells another size or hash value")
		}
		if x.Name != "metadata" {
			sums = append(sums, [64]byte(long.Sum(nil)))
			continue
		}
		b, err := readPart(files, x.File, maxManifest)
		if err != nil {
			return err
		}
		if metadata, err = evidence.ParseMetadata(b); err != nil {
			note(CodeMetadata, evidence.Invalid, x.File, "%v", err)
		}
	}
	if metadata == nil {
		return nil
	}
	if metadata.AOID != m.AOID || metadata.Tenant != m.Tenant {
		note(CodeMetadata, evidence.Invalid, "", "it is that of object %s of tenant %s", metadata.AOID, metadata.Tenant)
	}
	for _, s := range sums {
		if !slices.ContainsFunc(metadata.Members, func(x evidence.MetadataSum) bool { return x.SHA512 == s }) {
			note(CodeMetadata, evidence.Invalid, "", "a member is not among those that it names by SHA-512")
		}
	}
	return nil
}
