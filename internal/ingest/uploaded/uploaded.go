// Package uploaded archives what people have given in the web interface: files with
// mail go through the importer, documents are archived as they are.
//
// The bytes are compared with the sum that the sender has told before anything is
// archived. A restart in the middle archives nothing twice: everything has its origin,
// which is the same the next time.
//
// The package must not know how the bytes came.
package uploaded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// SourceName is what the source of uploads is called in every tenant.
const SourceName = "Upload"

const (
	atATime   = 2 // uploads that are archived at the same time
	retry     = 10 * time.Second
	sweep     = 10 * time.Minute
	patience  = 30 * time.Second // with a busy archive, before others have their turn
	inProcess = 64               // messages of an upload that are offered at the same time
)

// Archive is what archiving uploads needs of the archive.
type Archive interface {
	importer.Ingester
	UploadSource(ctx context.Context, tenant uid.ID, name string) (*catalog.Source, error)
}

// Runner archives uploads that are complete. All members but Log are needed.
type Runner struct {
	Archive Archive
	Store   *upload.Store
	Spool   *spool.Dir
	Log     *slog.Logger
}

// Run archives until ctx ends; it returns nil then, when nothing of it is at work any
// more. What was not finished is taken up again by the next Run.
func (r *Runner) Run(ctx context.Context) error {
	if r.Log == nil {
		r.Log = slog.Default()
	}
	var workers sync.WaitGroup
	defer workers.Wait()
	slots := make(chan struct{}, atATime)
	again, tidy := time.NewTicker(retry), time.NewTicker(sweep)
	defer again.Stop()
	defer tidy.Stop()
	for {
		r.start(ctx, slots, &workers)
		select {
		case <-ctx.Done():
			return nil
		case <-r.Store.Ready():
		case <-again.C:
		case <-tidy.C:
			if err := r.Store.Sweep(); err != nil {
				r.Log.Error("old uploads cannot be removed", "error", err)
			}
		}
	}
}

// start begins with as much as there are slots for.
func (r *Runner) start(ctx context.Context, slots chan struct{}, workers *sync.WaitGroup) {
	for {
		select {
		case slots <- struct{}{}:
		default:
			return
		}
		u, jobCtx := r.Store.Take(ctx)
		if u == nil {
			<-slots
			return
		}
		workers.Go(func() {
			wait := r.one(jobCtx, u)
			<-slots
			if !wait {
				r.start(ctx, slots, workers) // the next one need not wait for the ticker
			}
		})
	}
}

// refusal is why an upload can never be archived.
type refusal struct{ reason string }

func (e *refusal) Error() string { return e.reason }

// one archives an upload, and reports whether it has to be tried again.
func (r *Runner) one(ctx context.Context, u *upload.Upload) (again bool) {
	res, err := r.archive(ctx, u)
	var no *refusal
	switch {
	case err == nil:
		err = r.Store.Finished(u.ID, res, "")
	case ctx.Err() != nil:
		r.Store.Postpone(u.ID)
		return true
	case errors.As(err, &no):
		err = r.Store.Finished(u.ID, nil, no.reason)
	case errors.Is(err, archive.ErrInvalid), errors.Is(err, archive.ErrTooLarge):
		err = r.Store.Finished(u.ID, nil, err.Error())
	default:
		r.Log.Error("upload not archived, tried again", "upload", u.ID, "error", err)
		r.Store.Postpone(u.ID)
		return true
	}
	if err != nil && !errors.Is(err, upload.ErrNotFound) {
		r.Log.Error("the report of an upload cannot be kept", "upload", u.ID, "error", err)
	}
	return err != nil
}

func (r *Runner) archive(ctx context.Context, u *upload.Upload) (*upload.Result, error) {
	f, err := os.Open(r.Store.Data(u.ID))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := check(ctx, f, u); err != nil {
		return nil, err
	}
	source, err := r.Archive.UploadSource(ctx, u.Owner.Tenant, SourceName)
	if err != nil {
		return nil, err
	}
	if u.Kind == upload.Document {
		return r.document(ctx, u, source.ID, f)
	}
	return r.mail(ctx, u, source.ID)
}

// check compares the bytes that came with what the sender has said of them.
func check(ctx context.Context, f *os.File, u *upload.Upload) error {
	h := sha256.New()
	n, err := io.Copy(h, stoppable{ctx, f})
	if err != nil {
		return err
	}
	if n != u.Size {
		return &refusal{fmt.Sprintf("The file has arrived with %d of %d bytes. Give it again.", n, u.Size)}
	}
	if got := hex.EncodeToString(h.Sum(nil)); u.SHA256 != "" && !strings.EqualFold(got, u.SHA256) {
		return &refusal{"The file did not arrive as it was sent, or has changed meanwhile: its SHA-256 is another. Give it again."}
	}
	return nil
}

// stoppable ends reading with its context.
type stoppable struct {
	ctx context.Context
	in  io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.in.Read(p)
}

func (r *Runner) document(ctx context.Context, u *upload.Upload, source uid.ID, f *os.File) (*upload.Result, error) {
	x, err := r.Archive.Ingest(ctx, archive.Submission{Tenant: u.Owner.Tenant, Source: source, Raw: io.NewSectionReader(f, 0, u.Size),
		Origin: u.Name + " (" + u.ID.String() + ")", Category: u.Category,
		Document: &archive.Document{Name: u.Name, Title: u.Title, Date: u.Date, Owners: u.Owners}})
	if err != nil {
		if errors.Is(err, archive.ErrTooLarge) {
			r.Archive.Refused(ctx, u.Owner.Tenant, source, u.Size)
		}
		return nil, err
	}
	res := &upload.Result{}
	count(res, upload.Item{Origin: u.Name, Bytes: u.Size}, x)
	return res, nil
}

// count adds what became of an item.
func count(res *upload.Result, i upload.Item, x archive.Receipt) {
	i.AOID, i.Outcome = x.AOID, "stored"
	switch {
	case x.Duplicate:
		i.Outcome = "duplicate"
		res.Duplicate++
	case x.Outcome == catalog.Quarantined:
		i.Outcome = string(x.Outcome)
		res.Quarantined++
	case x.Outcome == catalog.Excluded:
		i.Outcome = string(x.Outcome)
		res.Excluded++
	default:
		res.Stored++
	}
	res.Add(i)
}

// counted tells what became of each message of an upload.
type counted struct {
	Archive
	mu  sync.Mutex
	res upload.Result
}

// Ingest implements importer.Ingester.
func (c *counted) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	x, err := c.Archive.Ingest(ctx, sub)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		count(&c.res, upload.Item{Origin: sub.Origin, Bytes: sub.Raw.Size()}, x)
	}
	return x, err
}

// soFar returns the numbers without the list.
func (c *counted) soFar() upload.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.res
	r.Items = nil
	return r
}
