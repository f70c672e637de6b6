package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/vault"
)

// memberSums returns the hash values of the members of a message by h, in the order
// original, metadata, report. What is not known is read and verified.
func (a *Archive) memberSums(ctx context.Context, row *catalog.Message, h algo.Hash) ([][]byte, error) {
	if h == algo.SHA256 && len(row.Members) > 0 {
		return group(row.SHA256[:], row.Members), nil
	}
	p, err := a.protected(ctx, row)
	if err != nil {
		return nil, err
	}
	if len(row.Members) > 0 && !bytes.Equal(membersOf(p.metadata, p.report, p.record), row.Members) {
		return nil, fmt.Errorf("message %s: %w: its metadata are not those that were sealed", row.AOID, vault.ErrCorrupt)
	}
	if v := p.record.version(); v != nil {
		return a.partSums(ctx, &storedVersion{v, row}, p.metadata, h)
	}
	original := row.SHA512[:]
	if h != algo.SHA512 {
		r, err := a.open(ctx, row)
		if err != nil {
			return nil, err
		}
		if original, err = sumOf(h, r); err != nil {
			return nil, fmt.Errorf("message %s: %w", row.AOID, err)
		}
	}
	list := [][]byte{original, h.Sum(p.metadata)}
	if p.report == nil {
		return list, nil
	}
	report := p.report.sha512[:]
	if h != algo.SHA512 {
		r := &reportReader{ctx: ctx, a: a, tenant: row.Tenant, left: p.record.Capture.Report, free: func() {}}
		if report, err = sumOf(h, r); err != nil {
			return nil, fmt.Errorf("journal report of message %s: %w", row.AOID, err)
		}
	}
	return append(list, report), nil
}

// sumOf reads all of r and closes it.
func sumOf(h algo.Hash, r io.ReadCloser) ([]byte, error) {
	w := h.New()
	_, err := io.Copy(w, r)
	return w.Sum(nil), errors.Join(err, r.Close())
}

// reread reads the members of a message again and compares them with what is known of
// them (REN-7). It returns their hash values by h.
func (a *Archive) reread(ctx context.Context, row *catalog.Message, h algo.Hash) ([][]byte, error) {
	p, err := a.protected(ctx, row)
	if err != nil {
		return nil, err
	}
	if len(row.Members) > 0 && !bytes.Equal(membersOf(p.metadata, p.report, p.record), row.Members) {
		return nil, fmt.Errorf("message %s: %w: its metadata are not those that were sealed", row.AOID, vault.ErrCorrupt)
	}
	if v := p.record.version(); v != nil {
		return a.partSums(ctx, &storedVersion{v, row}, p.metadata, h)
	}
	r, err := a.open(ctx, row)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", row.AOID, err)
	}
	original, err := compared(h, r, row.SHA256, row.SHA512)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", row.AOID, err)
	}
	list := [][]byte{original, h.Sum(p.metadata)}
	if p.report == nil {
		return list, nil
	}
	report, err := compared(h, &reportReader{ctx: ctx, a: a, tenant: row.Tenant, left: p.record.Capture.Report, free: func() {}}, p.report.sha256, p.report.sha512)
	if err != nil {
		return nil, fmt.Errorf("journal report of message %s: %w", row.AOID, err)
	}
	return append(list, report), nil
}

// compared reads all of r, requires that its hash values are those known, and returns
// that by h.
func compared(h algo.Hash, r io.ReadCloser, sha256sum [32]byte, sha512sum [64]byte) ([]byte, error) {
	w, h256, h512 := h.New(), sha256.New(), sha512.New()
	_, err := io.Copy(io.MultiWriter(w, h256, h512), r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	if [32]byte(h256.Sum(nil)) != sha256sum || [64]byte(h512.Sum(nil)) != sha512sum {
		return nil, fmt.Errorf("%w: it is not what was archived", vault.ErrCorrupt)
	}
	return w.Sum(nil), nil
}
