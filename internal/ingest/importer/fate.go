package importer

import (
	"context"

	"github.com/muniment/muniment/internal/catalog"
)

// fate is where the message went that was made of a file: the file goes there too,
// for nobody is named in it that the archive could read. A nil fate is that of a
// message of which no file is kept.
type fate struct {
	sent  bool // the message has gone to a worker; of the feeder
	ended chan struct{}
	went  catalog.Outcome // before ended is closed
}

// newFate assumes that the message is stored: what cannot be converted is kept as
// the file that it is.
func newFate() *fate { return &fate{ended: make(chan struct{}), went: catalog.Stored} }

// end tells whoever waits what became of the message.
func (f *fate) end(o outcome) {
	if f == nil {
		return
	}
	switch o {
	case quarantined:
		f.went = catalog.Quarantined
	case excluded:
		f.went = catalog.Excluded
	}
}

// close ends the waiting, whether anything became of the message or not.
func (f *fate) close() {
	if f != nil {
		close(f.ended)
	}
}

// await returns where the message went; empty of a nil fate.
func (f *fate) await(ctx context.Context) (catalog.Outcome, error) {
	if f == nil {
		return "", nil
	}
	if f.sent {
		select {
		case <-f.ended:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return f.went, nil
}
