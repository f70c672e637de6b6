package folder

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/uid"
)

// busyFor is how long an archive that is busy is waited for, within one look.
const busyFor = 10 * time.Second

// isMail reports whether a file is a message by its name.
func isMail(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".eml", ".msg":
		return true
	}
	return false
}

// kept remembers what of a file has become of the archive's.
type kept struct {
	Archive
	mu       sync.Mutex
	receipts []archive.Receipt
}

// Ingest implements importer.Ingester.
func (k *kept) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	r, err := k.Archive.Ingest(ctx, sub)
	if err == nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.receipts = append(k.receipts, r)
	}
	return r, err
}

// Refused implements importer.Ingester: the file is counted as one, when it is moved.
func (k *kept) Refused(context.Context, uid.ID, uid.ID, int64) {}

// mail archives a message. Whatever of it cannot be archived is told.
func (s *source) mail(ctx context.Context, g *given) (stored bool, err error) {
	k := &kept{Archive: s.w.Archive}
	r, err := importer.Run(ctx, importer.Config{Archive: k, Spool: s.w.Spool, Tenant: s.tenant, Source: s.id, Paths: []string{g.copy.Name()}, Name: g.path, RetryFor: busyFor, Log: s.w.Log})
	if err != nil {
		return false, err
	}
	for _, x := range k.receipts {
		if x.Outcome == catalog.Excluded {
			return false, &unfitError{reason: "It is not archived: none of its addresses is among those that are selected for archiving.", counted: true}
		}
		if err := s.w.Archive.CheckStored(ctx, s.tenant, x.AOID, x.SHA256); err != nil {
			return false, err
		}
	}
	if r.NotStored() > 0 || len(k.receipts) == 0 {
		reasons := []string{"It could not be archived as a message, or not all of it."}
		for _, p := range r.Problems {
			if p.Reason == importer.NotTaken { // the archive's trouble, not the file's
				return false, fmt.Errorf("%s: %s", p.Origin, p.Detail)
			}
			reasons = append(reasons, fmt.Sprintf("%s: %s %s", p.Origin, p.Reason, p.Detail))
		}
		return false, &unfitError{reason: strings.Join(reasons, "\r\n")}
	}
	return r.Stored+r.Quarantined > 0, nil
}
