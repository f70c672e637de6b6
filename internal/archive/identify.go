package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/journal"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Bounds of what is kept beside a capture of the journal report it came in, in bytes:
// some 35,000 recipients.
const (
	maxAround  = 4 << 20                 // of the report, around the messages in it
	maxWrapped = vault.MaxMeta - 512<<10 // of that and what was read in it, as JSON
	surelyFits = maxWrapped / (6 * 2)    // of the report: JSON makes six bytes of one at most, and a recipient is in it twice
)

// wrapping is the journal report in which a message came.
type wrapping struct {
	journal *catalog.Journal
	report  []pieceRecord
	second  bool // the report was counted with its first message
}

// pieceRecord is a piece of a journal report: bytes of its own, or a whole
// message of the archive.
type pieceRecord struct {
	Text    string `json:"t,omitempty"` // bytes that are UTF-8
	Bytes   []byte `json:"b,omitempty"` // others, in base64
	Message string `json:"m,omitempty"` // SHA-256 of a message, hexadecimal
	Size    int64  `json:"n,omitempty"` // of the message, bytes
}

// identify finds out what a submission is: one message, or the messages in a
// journal report. Reports are believed only from sources that the tenant uses for
// them (JRN-5); what claims to be one and is not complete stays what it is on the
// outside, with the reason.
func (a *Archive) identify(ctx context.Context, sub Submission) ([]Submission, func(), error) {
	plain, done := []Submission{sub}, func() {}
	s, err := a.source(ctx, sub.Tenant, sub.Source)
	if err != nil || !s.reports {
		return plain, done, err
	}
	rep, err := journal.Read(sub.Raw)
	var incomplete *journal.IncompleteError
	switch {
	case errors.Is(err, journal.ErrNotReport):
		return plain, done, nil
	case errors.As(err, &incomplete):
		plain[0].wrapped = &wrapping{journal: &catalog.Journal{Form: string(incomplete.Form), NDR: incomplete.NDR, Problem: incomplete.Reason}}
		return plain, done, nil
	case err != nil:
		return nil, done, fmt.Errorf("read journal report: %w", err)
	}
	return a.unwrap(ctx, sub, rep)
}

// unwrap makes one submission of each message in a report. done frees what they
// hold.
func (a *Archive) unwrap(ctx context.Context, sub Submission, rep *journal.Report) (list []Submission, done func(), err error) {
	var frees []func()
	done = func() {
		for _, f := range frees {
			f()
		}
	}
	outer, err := sums(sub.Raw)
	if err != nil {
		return nil, done, err
	}
	for i, in := range rep.Inner {
		one := sub
		one.Raw = io.NewSectionReader(sub.Raw, in.Offset, in.Length)
		if in.Encoding != "" {
			raw, free, err := a.buffered(in.Open(sub.Raw), in.Length)
			if err != nil {
				return nil, done, err
			}
			frees = append(frees, free)
			one.Raw = raw
		}
		j := journalOf(rep)
		j.Decrypted, j.SHA256, j.SHA512, j.Size = in.Decrypted, hex.EncodeToString(outer.SHA256[:]), hex.EncodeToString(outer.SHA512[:]), sub.Raw.Size()
		one.wrapped = &wrapping{journal: j, second: i > 0}
		list = append(list, one)
	}
	pieces, err := around(sub.Raw, rep, list)
	if err != nil {
		return nil, done, err
	}
	if pieces == nil || !fitsRecord(list[0].wrapped.journal, pieces) {
		sub.sums = &outer
		sub.wrapped = &wrapping{journal: &catalog.Journal{Form: string(rep.Form), NDR: rep.NDR,
			Problem: fmt.Sprintf("with %d recipients it has more around its message than can be kept beside that", len(rep.Recipients))}}
		return []Submission{sub}, done, nil
	}
	for i := range list {
		list[i].wrapped.report = pieces
	}
	return list, done, nil
}

// fitsRecord reports whether what is kept of a report is small enough for a record of the
// vault.
func fitsRecord(j *catalog.Journal, pieces []pieceRecord) bool {
	n := 0
	for _, p := range pieces {
		n += len(p.Text) + len(p.Bytes)
	}
	if n < surelyFits {
		return true
	}
	b, err := json.Marshal(captureRecord{Journal: j, Report: pieces})
	return err == nil && len(b) <= maxWrapped
}

// around keeps what a report is besides its messages; nil if that is too much. It
// notes the sums of the messages.
func around(raw Raw, rep *journal.Report, inner []Submission) ([]pieceRecord, error) {
	var list []pieceRecord
	left := int64(maxAround)
	for _, p := range rep.Pieces {
		if p.Inner >= 0 {
			s, err := sums(inner[p.Inner].Raw)
			if err != nil {
				return nil, err
			}
			inner[p.Inner].sums = &s
			list = append(list, pieceRecord{Message: hex.EncodeToString(s.SHA256[:]), Size: inner[p.Inner].Raw.Size()})
			continue
		}
		if left -= p.Length; left < 0 {
			return nil, nil
		}
		b := make([]byte, p.Length)
		if _, err := io.ReadFull(io.NewSectionReader(raw, p.Offset, p.Length), b); err != nil {
			return nil, fmt.Errorf("read journal report: %w", err)
		}
		if utf8.Valid(b) {
			list = append(list, pieceRecord{Text: string(b)})
		} else {
			list = append(list, pieceRecord{Bytes: b})
		}
	}
	return list, nil
}

// journalOf takes from a report what the catalog keeps of it.
func journalOf(rep *journal.Report) *catalog.Journal {
	j := &catalog.Journal{Form: string(rep.Form), Sender: message.NormalizeAddress(rep.Sender), OnBehalfOf: message.NormalizeAddress(rep.OnBehalfOf),
		Mailbox: message.NormalizeAddress(rep.Mailbox), Label: rep.Label, NDR: rep.NDR}
	for _, r := range rep.Recipients {
		j.Recipients = append(j.Recipients, catalog.Recipient{Role: string(r.Role), Address: message.NormalizeAddress(r.Address),
			Via: string(r.Via), Through: message.NormalizeAddress(r.ViaAddress)})
	}
	return j
}

// reportReader puts a journal report together again from its pieces and the
// archived messages.
type reportReader struct {
	ctx    context.Context
	a      *Archive
	tenant uid.ID
	left   []pieceRecord
	now    io.Reader
	free   func()
}

// openReport returns the report in which a capture came, byte for byte.
// catalog.ErrNotFound if it came without one.
func (a *Archive) openReport(ctx context.Context, c *catalog.Capture) (io.ReadCloser, error) {
	if c.Journal == nil || c.Journal.SHA256 == "" {
		return nil, fmt.Errorf("journal report of capture %s: %w", c.ID, catalog.ErrNotFound)
	}
	rec, err := a.captureMeta(ctx, c)
	if err != nil {
		return nil, err
	}
	return &reportReader{ctx: ctx, a: a, tenant: c.Tenant, left: rec.Capture.Report, free: func() {}}, nil
}

func (r *reportReader) Read(p []byte) (int, error) {
	for {
		if r.now == nil {
			if len(r.left) == 0 {
				return 0, io.EOF
			}
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.now.Read(p)
		if errors.Is(err, io.EOF) {
			r.free()
			r.now, r.free, err = nil, func() {}, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next opens the next piece.
func (r *reportReader) next() error {
	p := r.left[0]
	r.left = r.left[1:]
	if p.Message == "" {
		r.now = bytes.NewReader(append([]byte(p.Text), p.Bytes...))
		return nil
	}
	row, err := r.a.rowBySum(r.ctx, r.tenant, p.Message)
	if err != nil {
		return err
	}
	c, err := r.a.open(r.ctx, row)
	if err != nil {
		return err
	}
	r.now, r.free = c, func() { c.Close() }
	return nil
}

// Close frees what is open.
func (r *reportReader) Close() error {
	r.free()
	r.free = func() {}
	return nil
}

var errReportDiffers = errors.New("the report comes back")

// checkReport compares a journal report with what arrived.
func (a *Archive) checkReport(ctx context.Context, c *catalog.Capture) error {
	r, err := a.openReport(ctx, c)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != c.Journal.SHA256 {
		return fmt.Errorf("%w with SHA-256 %s, it was %s", errReportDiffers, got, c.Journal.SHA256)
	}
	return nil
}
