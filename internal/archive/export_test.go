package archive

import "github.com/muniment/muniment/internal/uid"

// Waiting counts the tenant's messages that wait for the next group commit.
func (a *Archive) Waiting(tenant uid.ID) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.tenants[tenant]; w != nil {
		return len(w.queue)
	}
	return 0
}

// Hashes counts the passwords that were hashed: the work of log-ins.
func (a *Archive) Hashes() int64 { return a.hasher.Hashes() }
