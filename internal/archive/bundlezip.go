package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Files of a bundle beside the members.
const (
	bundleManifest = "bundle.json"
	bundleRecord   = "evidence.er"
	bundleSidecar  = "sidecar.der"
	bundleAnchors  = "trust/anchors.pem"
	bundleChain    = "trust/chain.pem"
)

// bundleVersion is the version of bundle.json.
const bundleVersion = 1

// manifest tells programs what is in a bundle.
type manifest struct {
	Version   int              `json:"v"`
	AOID      string           `json:"aoid"`
	Tenant    string           `json:"tenant"`
	MadeAt    time.Time        `json:"made_at"`
	Record    string           `json:"record"`
	Sidecar   string           `json:"sidecar"`
	Anchors   string           `json:"anchors"`
	Members   []manifestMember `json:"members"`
	Withheld  []string         `json:"withheld,omitempty"`
	Tokens    []manifestToken  `json:"tokens"`
	Test      bool             `json:"test,omitempty"` // a test authority: proves nothing
	Qualified string           `json:"qualified"`
}

type manifestMember struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

type manifestToken struct {
	File      string    `json:"file"`
	Authority string    `json:"authority"`
	GenTime   time.Time `json:"gen_time"`
	Imprint   string    `json:"imprint"`
}

// Name is what the file of the bundle is called.
func (b *Bundle) Name() string { return b.Row.AOID.String() + ".proof.zip" }

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
// their verification needs, and how to verify all of it without this program. The
// members are checked while they are read; after an error the file is worthless.
func (b *Bundle) WriteZIP(ctx context.Context, w io.Writer) error {
	z := &bundleWriter{z: zip.NewWriter(w), at: b.a.now().UTC()}
	m := manifest{Version: bundleVersion, AOID: b.Row.AOID.String(), Tenant: b.Row.Tenant.String(), MadeAt: z.at.Truncate(time.Second), Record: bundleRecord,
		Sidecar: bundleSidecar, Anchors: bundleAnchors, Qualified: b.Stamps[0].Qualified}
	if b.version != nil {
		m.AOID = b.version.Object.String()
	}
	if err := b.originals(ctx, z, &m); err != nil {
		return err
	}
	if b.Metadata == nil {
		m.Withheld = append(m.Withheld, "metadata")
	} else if err := z.copy("metadata.json", bytes.NewReader(b.Metadata), &m, "metadata"); err != nil {
		return err
	}
	if b.Capture != nil {
		r, err := b.a.openReport(ctx, b.Capture)
		if err != nil {
			return err
		}
		err = z.copy("report.eml", r, &m, memberReport)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	} else if b.version == nil && len(b.Row.Members) > sha256.Size {
		m.Withheld = append(m.Withheld, memberReport)
	}
	if err := b.proof(z, &m); err != nil {
		return err
	}
	return z.z.Close()
}

// proof writes everything but the members.
func (b *Bundle) proof(z *bundleWriter, m *manifest) error {
	rec, err := ers.ParseRecord(b.Record)
	if err != nil {
		return err
	}
	z.put(bundleRecord, b.Record)
	var roots bytes.Buffer
	for i, s := range b.Stamps {
		t, err := tsp.ParseToken(s.Token)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("token-%d.tst", i+1)
		z.put(name, s.Token)
		m.Tokens = append(m.Tokens, manifestToken{File: name, Authority: s.Authority, GenTime: s.GenTime, Imprint: hex.EncodeToString(t.Info.Imprint)})
		m.Test = m.Test || s.Test
		certificates(&roots, s.Anchors)
	}
	side, err := b.Sidecar()
	if err != nil {
		return err
	}
	der, err := side.MarshalBinary()
	if err != nil {
		return err
	}
	z.put(bundleSidecar, der)
	var chain bytes.Buffer
	certificates(&chain, side.Certificates)
	z.put(bundleChain, chain.Bytes())
	z.put(bundleAnchors, roots.Bytes())
	for i, c := range side.CRLs {
		z.put(fmt.Sprintf("trust/crl-%d.crl", i+1), c)
	}
	for i, o := range side.OCSP {
		z.put(fmt.Sprintf("trust/ocsp-%d.der", i+1), o)
	}
	j, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	z.put(bundleManifest, append(j, '\n'))
	z.put("README.txt", []byte(readmeEnglish(m, rec)))
	z.put("LIESMICH.txt", []byte(readmeGerman(m, rec)))
	return z.err
}

// certificates appends certificates in PEM.
func certificates(w *bytes.Buffer, list [][]byte) {
	for _, c := range list {
		w.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c}))
	}
}

// bundleWriter writes files of a bundle; the first error stays.
type bundleWriter struct {
	z   *zip.Writer
	at  time.Time
	err error
}

func (w *bundleWriter) create(name string) io.Writer {
	f, err := w.z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: w.at})
	if err != nil {
		w.err = errors.Join(w.err, err)
		return io.Discard
	}
	return f
}

func (w *bundleWriter) put(name string, b []byte) {
	if _, err := w.create(name).Write(b); err != nil {
		w.err = errors.Join(w.err, err)
	}
}

// copy writes a member and notes it.
func (w *bundleWriter) copy(name string, r io.Reader, m *manifest, member string) error {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w.create(name), h), r)
	if err = errors.Join(err, w.err); err != nil {
		return err
	}
	m.Members = append(m.Members, manifestMember{Name: member, File: name, Size: n, SHA256: hex.EncodeToString(h.Sum(nil))})
	return nil
}
