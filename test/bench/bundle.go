package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// bundled is how many objects the bundle of many holds.
const bundled = 5_000

// manyObjects measures what "muniment verify" does with a bundle of many objects.
func (b *bench) manyObjects(ctx context.Context, x *batch, records [][]byte) error {
	file, anchors := filepath.Join(b.dir, "many.zip"), filepath.Join(b.dir, "root.pem")
	if err := os.WriteFile(anchors, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.root.Raw}), 0o600); err != nil {
		return err
	}
	if err := x.bundle(file, records[:bundled]); err != nil {
		return err
	}
	wall, _, err := timed("verify an object of a bundle of many, all cores", bundled, func() error {
		r := offline.Request{Files: []string{file}, Anchors: []string{anchors}, At: time.Now().Add(time.Minute)}
		v, err := offline.Verify(ctx, r, io.Discard)
		if err == nil && v != evidence.Valid {
			err = fmt.Errorf("the bundle is %v", v)
		}
		return err
	})
	perSecond := time.Second / max(wall, 1)
	b.account("records verified from one bundle", "≥ 2,000/s", fmt.Sprintf("%d/s", perSecond), perSecond >= 2000)
	return err
}

// bundle writes a bundle as an export does, with what the verifier reads of one.
func (x *batch) bundle(file string, records [][]byte) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := &bundleFile{z: zip.NewWriter(f)}
	w.json(offline.ManyFile, offline.Many{Version: offline.ManyVersion, Tenant: benchTenant, Title: "benchmark", MadeAt: time.Now().UTC(), Volume: 1})
	list := sha256.New()
	for i, r := range records {
		aoid := benchAOID(i)
		folder := fmt.Sprintf("%s/%04d/%06d-%s", offline.ObjectsFolder, i/1000, i+1, aoid)
		m := offline.Manifest{Version: offline.ManifestVersion, AOID: aoid, Tenant: benchTenant, MadeAt: time.Now().UTC(), Record: "evidence.er", Sidecar: "/shared/sidecar.der", Qualified: "unknown"}
		for n, content := range object(i) {
			sum, name := sha256.Sum256(content), []string{"original", "metadata"}[n]
			at := []string{"original.eml", "metadata.json"}[n]
			m.Members = append(m.Members, offline.ManifestMember{Name: name, File: at, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])})
			w.put(folder+"/"+at, content)
		}
		w.put(folder+"/evidence.er", r)
		sum := sha256.Sum256(w.json(folder+"/"+offline.ManifestFile, m))
		list.Write(offline.ListLine(folder, aoid, hex.EncodeToString(sum[:])))
	}
	side, err := (&tsp.Sidecar{CRLs: [][]byte{x.crl}}).MarshalBinary()
	if err != nil {
		return err
	}
	w.put("shared/sidecar.der", side)
	w.put(offline.ContentsFile, []byte("folder\r\n"))
	n := int64(len(records))
	w.json(offline.CompleteFile, offline.Complete{Version: offline.ManyVersion, Objects: n, Valid: n, List: hex.EncodeToString(list.Sum(nil))})
	w.put(offline.SumsFile, []byte(w.sums))
	return errors.Join(w.err, w.z.Close(), f.Close())
}

// bundleFile is a ZIP file that is being written.
type bundleFile struct {
	z    *zip.Writer
	sums string // SHA256SUMS of what is not in a folder
	err  error
}

func (w *bundleFile) put(name string, content []byte) {
	f, err := w.z.Create(name)
	if err == nil {
		_, err = f.Write(content)
	}
	if filepath.Dir(name) == "." {
		w.sums += fmt.Sprintf("%x  %s\n", sha256.Sum256(content), name)
	}
	w.err = errors.Join(w.err, err)
}

func (w *bundleFile) json(name string, v any) []byte {
	b, err := json.Marshal(v)
	w.err = errors.Join(w.err, err)
	w.put(name, b)
	return b
}

const benchTenant = "tenant"

func benchAOID(i int) string { return fmt.Sprintf("object-%06d", i) }

// metadata is that of the i-th object, whose original is mail.
func metadata(i int, mail []byte) ([]byte, error) {
	m := &evidence.Metadata{AOID: benchAOID(i), Version: 1, Tenant: benchTenant, Arrived: time.Unix(1_780_000_000, 0).UTC(), Salt: [evidence.SaltSize]byte{1},
		Members: []evidence.MetadataSum{{Name: "original", Size: int64(len(mail)), SHA512: sha512.Sum512(mail)}}}
	return m.Encode()
}
