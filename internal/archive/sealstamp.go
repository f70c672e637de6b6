package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// PendingSeals returns the batches without a time stamp, the oldest first.
func (a *Archive) PendingSeals(ctx context.Context) ([]*catalog.SealBatch, error) {
	return a.catalog.PendingSeals(ctx)
}

// LastSeal returns the newest batch of new objects, nil if there is none.
func (a *Archive) LastSeal(ctx context.Context) (*catalog.SealBatch, error) {
	list, err := a.catalog.SealBatches(ctx, uid.ID{}, uid.ID{}, 1)
	if len(list) == 0 {
		return nil, err
	}
	return list[0], err
}

// StoreStamp makes the time stamp of a batch durable. If there is one already, of
// another process or of a run that was interrupted, that one counts.
func (a *Archive) StoreStamp(ctx context.Context, s *seal.Stamp) error {
	data, err := s.Encode()
	if err != nil {
		return err
	}
	name := vault.SealName{Batch: s.Batch, Stamp: s.Number}
	if err := a.vault.PutSeal(ctx, name, data); err != nil && !errors.Is(err, blob.ErrExists) {
		return err
	}
	_, err = a.AdoptStamp(ctx, s.Batch, s.Number)
	return err
}

// AdoptStamp takes a time stamp that rests in the vault into the catalog. It reports
// whether there was one.
func (a *Archive) AdoptStamp(ctx context.Context, batch uid.ID, number int) (bool, error) {
	row, err := a.stampRow(ctx, batch, number)
	if errors.Is(err, vault.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if number == 1 {
		if err := a.fits(ctx, row); err != nil {
			return false, err
		}
	}
	return true, a.catalog.AddSealStamp(ctx, row)
}

// fits makes sure that a stamp in the vault is on the root of its batch.
func (a *Archive) fits(ctx context.Context, row *catalog.SealStamp) error {
	b, err := a.catalog.SealBatch(ctx, row.Batch)
	if err != nil {
		return err
	}
	name := vault.SealName{Batch: row.Batch, Stamp: row.Number}
	data, err := a.vault.ReadSeal(ctx, name)
	if err == nil {
		err = checkStamp(data, row, b)
	}
	if err != nil {
		return &SealError{Object: name.String(), Err: err}
	}
	return nil
}

// stampRow makes the row of a stamp in the vault.
func (a *Archive) stampRow(ctx context.Context, batch uid.ID, number int) (*catalog.SealStamp, error) {
	name := vault.SealName{Batch: batch, Stamp: number}
	data, err := a.vault.ReadSeal(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := seal.ParseStamp(data, batch, number)
	if err != nil {
		return nil, &SealError{Object: name.String(), Err: err}
	}
	return &catalog.SealStamp{Batch: batch, Number: number, Authority: s.Authority, GenTime: s.GenTime, Until: s.Until, Policy: s.Policy, Test: s.Test,
		Qualified: s.Qualified, Reason: s.Reason, Sum: sha256.Sum256(data)}, nil
}

// SealError is damage to an object that proves others.
type SealError struct {
	Object string // key in the blob store
	Err    error
}

// Error implements error.
func (e *SealError) Error() string { return "vault object " + e.Object + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *SealError) Unwrap() error { return e.Err }

// Is makes it a vault.ErrCorrupt as well.
func (e *SealError) Is(target error) bool { return target == vault.ErrCorrupt }

// FailSeal notes why a batch got no time stamp, and when it is to be tried again.
// problem is JSON.
func (a *Archive) FailSeal(ctx context.Context, b *catalog.SealBatch, next time.Time, problem string) error {
	return a.catalog.FailSeal(ctx, b.ID, b.Attempts+1, next.UTC().Truncate(time.Millisecond), problem)
}

// SealBacklog is what has no time stamp yet.
type SealBacklog struct {
	Waiting int64     // objects in no batch
	Pending int64     // objects in batches without a time stamp
	Oldest  time.Time // when the archive took the oldest of them; zero: there is none
	Batches int       // without a time stamp
}

// Age is how long the oldest object has been without a time stamp.
func (b SealBacklog) Age(now time.Time) time.Duration {
	if b.Oldest.IsZero() {
		return 0
	}
	return max(now.Sub(b.Oldest), 0)
}

// SealBacklog counts what has no time stamp yet, in the whole installation.
func (a *Archive) SealBacklog(ctx context.Context) (SealBacklog, error) {
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return SealBacklog{}, err
	}
	var b SealBacklog
	for _, t := range tenants {
		if err := a.addWaiting(ctx, t.ID, &b); err != nil {
			return b, err
		}
	}
	pending, err := a.catalog.PendingSeals(ctx)
	for _, p := range pending {
		if p.Kind != catalog.SealNew || p.Leaves == 0 {
			continue
		}
		b.Batches++
		b.Pending += p.Leaves
		b.older(p.Oldest)
	}
	return b, err
}

func (a *Archive) addWaiting(ctx context.Context, tenant uid.ID, b *SealBacklog) error {
	mark, err := a.catalog.SealMark(ctx, tenant)
	if err != nil {
		return err
	}
	oldest, n, err := a.catalog.UnsealedSince(ctx, tenant, mark)
	if err != nil || n == 0 {
		return err
	}
	b.Waiting += n
	b.older(oldest)
	return nil
}

func (b *SealBacklog) older(t time.Time) {
	if b.Oldest.IsZero() || t.Before(b.Oldest) {
		b.Oldest = t
	}
}

// SealLag is a backlog and what it means.
type SealLag struct {
	SealBacklog
	Age         time.Duration // of the oldest object without a time stamp
	Alarm       bool          // it is older than it may be
	Authorities bool          // somebody has set who gives time stamps
}

// leastAlarm is the age below which nothing is alarming.
const leastAlarm = 10 * time.Minute

// SealLag tells what has no time stamp yet at a time. Something is wrong if an object
// waits for more than two intervals although there is an authority.
func (a *Archive) SealLag(ctx context.Context, now time.Time) (SealLag, error) {
	set, err := a.SealSetting(ctx)
	if err != nil {
		return SealLag{}, err
	}
	b, err := a.SealBacklog(ctx)
	return lag(set, b, now), err
}

func lag(set *SealView, b SealBacklog, now time.Time) SealLag {
	out := SealLag{SealBacklog: b, Age: b.Age(now), Authorities: len(set.Active()) > 0}
	out.Alarm = out.Authorities && out.Age > max(2*set.Every(), leastAlarm)
	return out
}
