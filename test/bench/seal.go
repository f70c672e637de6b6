package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/index/fts"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

const (
	sealCommit  = 2000 // rows in one transaction while the catalog is filled
	sealRecords = 200  // that are issued
)

// seal measures how long a batch of many objects takes, with the catalog and the
// time stamp of an authority on this machine, and how long one record takes. The
// rows are made up: sealing reads no mail.
func (b *bench) seal(ctx context.Context) error {
	w, err := openSealWorld(ctx, filepath.Join(b.dir, "seal"))
	if err != nil {
		return err
	}
	defer w.close()
	list, err := w.fill(ctx, b.sealed)
	if err != nil {
		return err
	}
	began := time.Now()
	r, err := w.sealer.Now(ctx)
	took := time.Since(began)
	if err != nil {
		return err
	}
	if r.Objects != int64(len(list)) || r.Pending > 0 {
		return fmt.Errorf("sealing has done %+v", r)
	}
	var most, all time.Duration
	bytes := 0
	step := max(len(list)/sealRecords, 1)
	n := 0
	for i := 0; i < len(list); i += step {
		began := time.Now()
		record, err := w.archive.EvidenceRecord(ctx, w.tenant, list[i])
		if err != nil {
			return err
		}
		one := time.Since(began)
		most, all, bytes, n = max(most, one), all+one, len(record), n+1
	}
	fmt.Printf("\n## Sealing\n\n%d objects in %d batch(es), with catalog and time stamp: %.1f s. One record of them on demand (%d bytes): %.1f ms on average, %.1f ms at most, of %d.\n",
		len(list), r.Batches, took.Seconds(), bytes, 1000*all.Seconds()/float64(n), 1000*most.Seconds(), n)
	want := 20 * float64(len(list)) / 1e6
	b.account(fmt.Sprintf("sealing %d objects", len(list)), fmt.Sprintf("≤ %.1f s", want), fmt.Sprintf("%.1f s", took.Seconds()), took.Seconds() <= want)
	b.account("evidence record on demand", "≤ 50 ms", fmt.Sprintf("%.1f ms", 1000*most.Seconds()), most <= 50*time.Millisecond)
	return nil
}

// sealWorld is an archive with an authority.
type sealWorld struct {
	archive *archive.Archive
	catalog *catalog.Catalog
	sealer  *sealing.Sealer
	tenant  uid.ID
	source  uid.ID
	closers []func()
}

func (w *sealWorld) close() {
	for i := len(w.closers) - 1; i >= 0; i-- {
		w.closers[i]()
	}
}

func openSealWorld(ctx context.Context, dir string) (w *sealWorld, err error) {
	w = &sealWorld{}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	blobs, err := file.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return w, err
	}
	keys, err := vault.CreateKeyring(filepath.Join(dir, "instance.key"))
	if err != nil {
		return w, err
	}
	if w.catalog, err = catalog.Open(ctx, "sqlite:"+filepath.Join(dir, "catalog.db"), catalog.Options{}); err != nil {
		return w, err
	}
	w.closers = append(w.closers, func() { w.catalog.Close() })
	v, err := vault.Open(vault.Config{Blobs: blobs, Keys: keys, Parts: archive.Parts{Catalog: w.catalog}, Spool: filepath.Join(dir, "spool")})
	if err != nil {
		return w, err
	}
	idx, err := fts.Open(filepath.Join(dir, "index"))
	if err != nil {
		return w, err
	}
	w.closers = append(w.closers, func() { idx.Close() })
	if w.archive, err = archive.New(archive.Config{Catalog: w.catalog, Vault: v, Index: idx, Log: slog.New(slog.DiscardHandler), Spool: dir}); err != nil {
		return w, err
	}
	w.closers = append(w.closers, w.archive.Close)
	return w, w.authority(ctx)
}

// authority runs a test authority and has the archive ask it.
func (w *sealWorld) authority(ctx context.Context) error {
	t, err := tsa.New(tsa.Options{})
	if err != nil {
		return err
	}
	srv := httptest.NewServer(t.Handler())
	w.closers = append(w.closers, srv.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: t.Root().Raw})
	err = w.archive.SetSealSetting(ctx, archive.SealDraft{Setting: seal.Setting{Interval: 3600,
		Authorities: []seal.Authority{{Name: "test", URL: srv.URL + "/", Auth: seal.AuthNone, CA: string(ca), Local: true}}}})
	if err != nil {
		return err
	}
	if w.sealer, err = sealing.New(sealing.Config{Archive: w.archive}); err != nil {
		return err
	}
	tenant, err := w.archive.CreateTenant(ctx, archive.NewTenant{Slug: "bench"})
	if err != nil {
		return err
	}
	source, err := w.archive.CreateJournal(ctx, tenant.ID, "Journal", "")
	if err != nil {
		return err
	}
	w.tenant, w.source = tenant.ID, source.ID
	return nil
}

// fill makes rows of n messages.
func (w *sealWorld) fill(ctx context.Context, n int) ([]uid.ID, error) {
	var list []uid.ID
	at := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)
	for len(list) < n {
		s := &catalog.Segment{ID: uid.New(at), Size: 1, CreatedAt: at}
		b := &catalog.Batch{Segment: s}
		for i := range min(sealCommit, n-len(list)) {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(len(list))))
			members := sha256.Sum256(sum[:])
			m := &catalog.Message{AOID: uid.New(at), SHA256: sum, Size: 20_000, Segment: s.ID, Frame: uint32(i), ReceivedAt: at, Date: at, Source: w.source, Class: archive.DefaultClass,
				Members: members[:], Facts: catalog.Facts{Subject: "A subject of usual length, which takes room in the row", Preview: "The beginning of the text, of which the row keeps some, as it does of every message."},
				Parties: []catalog.Party{{Role: "from", Name: "Anna Beispiel", Address: "anna@firma.example"}, {Role: "to", Name: "Bernd Beispiel", Address: "bernd@firma.example"}}}
			b.Messages, list = append(b.Messages, m), append(list, m.AOID)
			at = at.Add(time.Millisecond)
		}
		s.Frames = len(b.Messages)
		if err := w.catalog.Commit(ctx, w.tenant, b); err != nil {
			return nil, err
		}
	}
	return list, nil
}
