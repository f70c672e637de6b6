package vault

import (
	"context"
	"time"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// Finder is the part of the catalog the vault needs: where the parts rest that
// messages of a tenant share. It must be safe for concurrent use.
type Finder interface {
	// FindPart reports where the part with this SHA-256 of its decoded bytes
	// rests. It must know every part of every segment whose Write or Compact
	// has been committed to the catalog.
	FindPart(ctx context.Context, tenant uid.ID, sum Sum) (Ref, bool, error)
}

// Config is what a Vault is built from.
type Config struct {
	Blobs blob.Store
	Keys  *Keyring
	Parts Finder
	// Spool is a directory for the encrypted frames of large objects between
	// Prepare and Write. Open creates it and removes what is left in it of
	// processes that have ended. Nothing in it is ever plaintext.
	Spool string
	Now   func() time.Time
}
