package archive

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/uid"
)

// The evidence records of receipts, judged with the certificates that the archive has
// trusted. A stranger trusts whom he likes: muniment verify-log --anchors.

// receiptRecord verifies the record of a receipt, nil if it has none.
func (a *Archive) receiptRecord(ctx context.Context, tenant uid.ID, day string, r *eventlog.Receipt) (*ers.Report, error) {
	if len(r.EvidenceRecord) == 0 {
		return nil, nil //nolint:nilnil // the contract
	}
	trusted, err := a.settingAnchors(ctx)
	if err != nil {
		return nil, err
	}
	side := &tsp.Sidecar{}
	c, err := a.catalog.SealedReceipt(ctx, tenant, day)
	if err == nil {
		var more []*x509.Certificate
		if more, err = a.checkpointTrust(ctx, c, side); err == nil {
			trusted = append(trusted, more...)
		}
	}
	if err != nil && !errors.Is(err, catalog.ErrNotFound) { // what is in the receipt may prove without it
		a.log.Error("what is kept beside the time stamps of a receipt cannot be read; muniment fsck tells more", "tenant", tenant, "day", day, "error", err)
	}
	return offline.VerifyReceipt(ctx, r, ers.Options{At: a.now(), Anchors: tsp.NewAnchors(trusted), Sidecar: side, Revocation: tsp.RevocationIfPresent, Catalogue: a.catalogue}), nil
}

// checkpointTrust returns the certificates that were trusted when the time stamps of a
// checkpoint came, and puts what is kept beside them into side.
func (a *Archive) checkpointTrust(ctx context.Context, c *catalog.SealCheckpoint, side *tsp.Sidecar) (trusted []*x509.Certificate, err error) {
	chains, _, err := a.checkpointChains(ctx, c.Batch, c.Position)
	if err != nil {
		return nil, err
	}
	for _, chain := range chains {
		for _, x := range chain.line {
			list, err := x.stamp.Certificates()
			if err != nil {
				return nil, err
			}
			trusted = append(trusted, list...)
			if x.beside != nil {
				side.Merge(x.beside)
			}
			if len(x.stamp.Sidecar) == 0 {
				continue
			}
			var one tsp.Sidecar
			if err := one.UnmarshalBinary(x.stamp.Sidecar); err != nil {
				return nil, err
			}
			side.Merge(&one)
		}
	}
	return trusted, nil
}

// settingAnchors are the certificates of the authorities that are set now.
func (a *Archive) settingAnchors(ctx context.Context) (list []*x509.Certificate, err error) {
	set, err := a.SealSetting(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range set.Authorities {
		for rest := []byte(x.CA); ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			c, err := brainpool.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("certificates of the authority %q: %w", x.Name, err)
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// ComparedReceipts are receipts that were compared, with what their evidence records
// prove.
type ComparedReceipts struct {
	*eventlog.Comparison
	// Stamps are the reports on the evidence records by the names of the receipts; a
	// receipt without a record has none.
	Stamps map[string]*ers.Report
}

// stampsOf verifies the records of receipts.
func (h *Handle) stampsOf(ctx context.Context, list []eventlog.Named, c *eventlog.Comparison) (*ComparedReceipts, error) {
	out := &ComparedReceipts{Comparison: c, Stamps: map[string]*ers.Report{}}
	for _, x := range list {
		day := x.Name
		if o, err := x.Receipt.Open(); err == nil {
			day = o.Day
		}
		report, err := h.a.receiptRecord(ctx, h.actor.Tenant, day, x.Receipt)
		if err != nil {
			return nil, err
		}
		if report == nil {
			continue
		}
		out.Stamps[x.Name] = report
		if report.Verdict == evidence.Invalid {
			c.Add(offline.CodeRecordInvalid, eventlog.Invalid, x.Name+": the evidence record does not prove the checkpoint")
		}
	}
	return out, nil
}

// receipts looks whether the log still is what the daily receipts say, and whether
// their evidence records prove that.
func (u *auditor) receipts(ctx context.Context) error {
	s, err := u.a.logSigner(ctx)
	if err != nil {
		return err
	}
	for before := ""; ; {
		list, err := u.a.catalog.Receipts(ctx, u.tenant, before, receiptsShown)
		for _, bad := range rowErrors(err) {
			u.find(AuditReceipt, "receipt", "%v", bad)
		}
		if err != nil && len(rowErrors(err)) == 0 {
			return err
		}
		if len(list) == 0 {
			return nil
		}
		for _, row := range list {
			if err := u.receipt(ctx, row, s); err != nil {
				return err
			}
		}
		before = list[len(list)-1].Day
	}
}

func (u *auditor) receipt(ctx context.Context, row *catalog.Receipt, s *logSigner) error {
	u.out.Receipts++
	bad := func(err error) error {
		u.find(AuditReceipt, row.Day, "the receipt of this day: %v", err)
		return ctx.Err()
	}
	r, err := eventlog.ParseReceipt([]byte(row.Body))
	if err != nil {
		return bad(err)
	}
	o, err := r.Open()
	if err != nil {
		return bad(err)
	}
	if o.Origin != s.origin(u.tenant) || !slices.ContainsFunc(s.keys, func(k *catalog.LogKey) bool { return bytes.Equal(k.Public, o.Key) }) {
		u.find(AuditReceipt, row.Day, "the receipt of this day is of another log, or signed by a key that is not this archive's")
	}
	head, err := u.a.catalog.EventHeadAt(ctx, u.tenant, o.Head.Size)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		u.find(AuditReceipt, row.Day, "the receipt of this day tells of %d events, and the log has fewer", o.Head.Size)
	case len(rowErrors(err)) > 0:
		return bad(err)
	case err != nil:
		return err
	case head != o.Head:
		u.find(AuditReceipt, row.Day, "the first %d events are not those that the receipt of this day tells of", o.Head.Size)
	}
	return u.stamps(ctx, row, r)
}

// stamps judges the record that is kept in a receipt, and the one with all renewals.
func (u *auditor) stamps(ctx context.Context, row *catalog.Receipt, kept *eventlog.Receipt) error {
	bad := func(format string, args ...any) error {
		u.find(AuditReceipt, row.Day, "the evidence record of the receipt of this day "+format, args...)
		return ctx.Err()
	}
	if err := u.a.withRecord(ctx, row); err != nil {
		return bad("cannot be issued: %v", err)
	}
	now, err := eventlog.ParseReceipt([]byte(row.Body))
	if err != nil {
		return bad("cannot be read: %v", err)
	}
	list := []*eventlog.Receipt{now}
	if !bytes.Equal(kept.EvidenceRecord, now.EvidenceRecord) {
		list = append(list, kept)
	}
	good := 0
	for _, r := range list {
		report, err := u.a.receiptRecord(ctx, u.tenant, row.Day, r)
		if err != nil {
			return err
		}
		if report == nil {
			continue
		}
		// One that has been renewed since may be past its time; it was not when it was.
		if report.Verdict == evidence.Invalid || report.Verdict != evidence.Valid && r == now {
			return bad("is %s: %s", report.Verdict, offline.Gravest(report.Findings))
		}
		good++
	}
	if good > 0 {
		u.out.Stamped++
	}
	return nil
}
