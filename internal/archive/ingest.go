package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync/atomic"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// inMemory is the size up to which an original is held in memory while it is
// worked on.
const inMemory = 4 << 20

// pending is a submission on its way through the group commit.
type pending struct {
	sub      Submission
	source   *catalog.Source
	sums     vault.Sums
	prepared *vault.Prepared // nil for what is expected to be a duplicate
	salt     string
	row      *catalog.Message
	capture  *catalog.Capture
	doc      index.Doc
	verdict  verdict                  // of a new message
	entry    *catalog.QuarantineEntry // of a new message that goes to quarantine
	done     chan result              // capacity 1
	with     []*pending               // are committed in the same transaction
}

type result struct {
	receipt Receipt
	err     error
}

// mood remembers whether the last batch held duplicates: then it pays to ask the
// catalog before a message is prepared.
type mood struct{ duplicates atomic.Bool }

// Ingest archives one message. When it returns nil, the bytes, the catalog row
// and the event are durable, or the same bytes were archived before (Duplicate)
// and this arrival is recorded. After any error nothing may be acknowledged.
//
// A journal report from a source that brings them is unwrapped: the message in it
// is archived, or both if there are two, and the report can be put together again
// from the capture. The receipt is of the first.
//
// A Document is archived as it is, once for the same bytes and owners.
//
// Errors match ErrTooLarge, ErrBusy, ErrTenantEnded, ErrInvalid (of a Document) or ctx's. Calls wait for each other in group
// commits: many concurrent calls are much faster than one after another.
func (a *Archive) Ingest(ctx context.Context, sub Submission) (Receipt, error) {
	if err := a.admitSubmission(ctx, &sub); err != nil {
		return Receipt{}, err
	}
	if sub.Document != nil {
		list, err := a.ingestAll(ctx, []Submission{sub})
		if err != nil {
			return Receipt{}, err
		}
		return list[0], nil
	}
	list, done, err := a.identify(ctx, sub)
	defer done()
	if err == nil {
		err = a.together(ctx, list)
	}
	if err != nil {
		return Receipt{}, busy(err)
	}
	var first Receipt
	for i, s := range list {
		r, err := a.ingestAll(ctx, []Submission{s})
		if err != nil {
			return Receipt{}, err
		}
		if i == 0 {
			first = r[0]
		}
	}
	return first, nil
}

// admitSubmission looks whether a submission can be taken at all, and completes it.
func (a *Archive) admitSubmission(ctx context.Context, sub *Submission) error {
	if sub.Raw.Size() > MaxMessage {
		return fmt.Errorf("%d bytes, at most %d: %w", sub.Raw.Size(), MaxMessage, ErrTooLarge)
	}
	if err := a.Takes(ctx, sub.Tenant); err != nil {
		return busy(err)
	}
	if sub.ReceivedAt.IsZero() {
		sub.ReceivedAt = a.now()
	}
	sub.ReceivedAt = sub.ReceivedAt.UTC().Truncate(time.Millisecond)
	if sub.Document == nil {
		return nil
	}
	d := *sub.Document
	sub.Document = &d
	return d.Check()
}

// ingestAll archives submissions of one tenant as they are, in one transaction: after an
// error none of them is there, unless the error is that of ctx.
func (a *Archive) ingestAll(ctx context.Context, list []Submission) ([]Receipt, error) {
	w, err := a.work(list[0].Tenant)
	if err != nil {
		return nil, err
	}
	w.storing.RLock() // attachments that they need not bring must stay until they are stored
	first, err := a.send(ctx, w, list)
	if err != nil {
		w.storing.RUnlock()
		return nil, err
	}
	out := make([]Receipt, 0, len(list))
	for _, p := range first.all() {
		select {
		case r := <-p.done:
			out = append(out, r.receipt)
			err = r.err // it is the same for all
		case <-ctx.Done():
			go func() { <-p.done; w.storing.RUnlock() }()
			// They may still be committed; without the acknowledgement the sender
			// offers them again and they will be duplicates.
			return nil, ctx.Err()
		}
	}
	w.storing.RUnlock()
	if err != nil {
		return nil, err
	}
	return out, nil
}

// send prepares submissions and hands them to the committer, as the first with the others.
func (a *Archive) send(ctx context.Context, w *tenantWork, list []Submission) (*pending, error) {
	w.coming.Add(1)
	defer w.coming.Add(-1)
	var first *pending
	for _, sub := range list {
		p, err := a.prepare(ctx, w, sub)
		switch {
		case err != nil:
			first.close()
			return nil, busy(err)
		case first == nil:
			first = p
		default:
			first.with = append(first.with, p)
		}
	}
	if err := a.enqueue(ctx, w, first); err != nil {
		first.close()
		return nil, err
	}
	return first, nil
}

// all are p and those that are committed with it; none if p is nil.
func (p *pending) all() []*pending {
	if p == nil {
		return nil
	}
	return append([]*pending{p}, p.with...)
}

func (a *Archive) enqueue(ctx context.Context, w *tenantWork, p *pending) error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return ErrBusy
	}
	w.senders.Add(1)
	a.mu.Unlock()
	defer w.senders.Done()
	select {
	case w.queue <- p:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close gives up what was prepared.
func (p *pending) close() {
	for _, x := range p.all() {
		if x.prepared != nil {
			x.prepared.Close()
			x.prepared = nil
		}
	}
}

// prepare does all that needs no order: hash, parse, compress, encrypt.
func (a *Archive) prepare(ctx context.Context, w *tenantWork, sub Submission) (*pending, error) {
	weight := min(sub.Raw.Size()+4096, inFlight)
	if err := a.bytes.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	defer a.bytes.Release(weight)
	select {
	case a.cpu <- struct{}{}:
		defer func() { <-a.cpu }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	info, err := a.source(ctx, sub.Tenant, sub.Source)
	if err != nil {
		return nil, err
	}
	raw, err := load(sub.Raw)
	if err != nil {
		return nil, err
	}
	sub.Raw = raw
	p := &pending{sub: sub, source: info.Source, done: make(chan result, 1)}
	if sub.sums != nil {
		p.sums = *sub.sums
	} else if p.sums, err = sums(raw); err != nil {
		return nil, err
	}
	id := uid.New(sub.ReceivedAt)
	p.capture = &catalog.Capture{
		Tenant: sub.Tenant, ID: id, Source: sub.Source, ReceivedAt: sub.ReceivedAt,
		EnvelopeFrom: sub.EnvelopeFrom, EnvelopeTo: sub.EnvelopeTo, Peer: sub.Peer, Origin: sub.Origin, Filing: filing(sub.Filing),
		Key: captureKey(&sub, id, p.sums.SHA256),
	}
	if sub.wrapped != nil {
		p.capture.Journal = sub.wrapped.journal
	}
	p.capture.Hints = hints(ctx, info, &sub)
	if w.mood.duplicates.Load() {
		known, err := a.stored(ctx, sub.Tenant, []*pending{p})
		if err != nil {
			return nil, err
		}
		if len(known) == 1 {
			return p, nil
		}
	}
	return p, a.prepareNew(ctx, p)
}

// content is what p is known by: its bytes, or the identity of a document.
func (p *pending) content() [32]byte {
	if p.sub.Document != nil {
		return (*documentRecord)(p.sub.Document).identity(p.sums.SHA256)
	}
	return p.sums.SHA256
}

// stored tells which of a group are stored already, by content, and as what. Bytes
// and identities are hashes of different texts: they never meet.
func (a *Archive) stored(ctx context.Context, tenant uid.ID, group []*pending) (map[[32]byte]uid.ID, error) {
	var mail, documents [][32]byte
	for _, p := range group {
		if p.sub.Document != nil {
			documents = append(documents, p.content())
		} else {
			mail = append(mail, p.content())
		}
	}
	known, err := a.catalog.Known(ctx, tenant, mail)
	if err != nil || len(documents) == 0 {
		return known, err
	}
	more, err := a.catalog.KnownDocuments(ctx, tenant, documents)
	maps.Copy(known, more)
	return known, err
}

// prepareNew makes the row, the document and the frames of a message.
func (a *Archive) prepareNew(ctx context.Context, p *pending) error {
	sub := &p.sub
	category := sub.Category
	if category == "" {
		category = p.source.Category
	}
	p.salt = newSalt()
	p.row = &catalog.Message{
		Tenant: sub.Tenant, AOID: uid.New(sub.ReceivedAt), SHA256: p.sums.SHA256, SHA512: p.sums.SHA512, Size: sub.Raw.Size(),
		ReceivedAt: sub.ReceivedAt, Source: sub.Source, Class: DefaultClass, Category: category, Tags: sub.Tags,
	}
	rec := record{Version: recordVersion, Class: p.row.Class, Category: p.row.Category, Tags: p.row.Tags, Salt: p.salt}
	if sub.Document != nil {
		rec.Document = (*documentRecord)(sub.Document)
		if v := sub.Document.Package; v != nil && v.Number == firstVersion {
			p.row.AOID = v.Object
		}
		if err := describeDocument(p.row, rec.Document, sub.Raw); err != nil {
			return err
		}
		p.verdict = verdict{outcome: catalog.Stored} // its owners are named by who gives it
		p.doc = documentDoc(p.row, p.source.Name)
	} else {
		facts := message.Parse(ctx, sub.Raw)
		p.row.Parties = append(headerParties(facts), captureParties(p.capture)...)
		describe(p.row, facts)
		if err := a.routeNew(ctx, p); err != nil || p.verdict.outcome == catalog.Excluded {
			return err
		}
		rec.Class, rec.Quarantine = p.row.Class, newQuarantineRecord(p.entry)
		p.doc = document(p.row, facts, p.source.Name)
	}
	p.capture.AOID = p.row.AOID
	rec.Capture = newCaptureRecord(p)
	meta, err := rec.encode()
	if err != nil {
		return err
	}
	if err := setMembers(p.row, &rec, meta); err != nil {
		return err
	}
	p.prepared, err = a.vault.Prepare(ctx, sub.Tenant, vault.Object{AOID: p.row.AOID, Raw: sub.Raw, Meta: meta, Sums: &p.sums})
	return err
}

// load reads small originals into memory, once.
func load(raw Raw) (Raw, error) {
	if _, ok := raw.(*bytes.Reader); ok || raw.Size() > inMemory {
		return raw, nil
	}
	b := make([]byte, raw.Size())
	if n, err := raw.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("read submission: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	return bytes.NewReader(b), nil
}

func sums(raw Raw) (vault.Sums, error) {
	h256, h512 := sha256.New(), sha512.New()
	n, err := copyAll(io.MultiWriter(h256, h512), raw)
	if err == nil && n != raw.Size() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return vault.Sums{}, fmt.Errorf("read submission: %w", err)
	}
	return vault.Sums{SHA256: [32]byte(h256.Sum(nil)), SHA512: [64]byte(h512.Sum(nil))}, nil
}

// copyAll writes the whole of raw. What is in memory goes there at once.
func copyAll(w io.Writer, raw Raw) (int64, error) {
	if r, ok := raw.(*bytes.Reader); ok {
		own := *r // r itself is read from elsewhere at the same time
		if _, err := own.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		return own.WriteTo(w)
	}
	return io.Copy(w, io.NewSectionReader(raw, 0, raw.Size()))
}

// busy marks err as one after which the sender must come again.
func busy(err error) error {
	if err == nil || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrBusy) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrBusy, err)
}
