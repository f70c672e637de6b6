package archive

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// One key signs the checkpoints of all logs of the installation. It rests sealed
// with the instance key: whoever holds that can sign anyway, and what protects a
// log is not the key but that its checkpoints are in other people's hands. Its name
// in a signature is the log's own, so that a checkpoint of one log cannot pass for
// that of another.

// logSigner is the key that signs now, with all that came before.
type logSigner struct {
	keys   []*catalog.LogKey
	secret ed25519.PrivateKey
}

func (s *logSigner) current() *catalog.LogKey { return s.keys[len(s.keys)-1] }

func (s *logSigner) public() ed25519.PublicKey {
	return s.secret.Public().(ed25519.PublicKey) //nolint:forcetypeassert // always is
}

func (s *logSigner) changes() (list []string) {
	for _, k := range s.keys[1:] {
		list = append(list, k.ChangeNote)
	}
	return list
}

func logKeyName(number int64) string { return fmt.Sprintf("log key %d", number) }

// logSigner returns the key that signs. The first time, it makes one.
func (a *Archive) logSigner(ctx context.Context) (*logSigner, error) {
	for {
		keys, err := a.catalog.LogKeys(ctx)
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 {
			s := &logSigner{keys: keys}
			k := s.current()
			seed, err := a.vault.OpenInstance(logKeyName(k.Number), k.Secret)
			if err != nil || len(seed) != ed25519.SeedSize {
				return nil, fmt.Errorf("key %d of the event logs: %w", k.Number, errors.Join(err, errors.New("cannot be opened with the instance key")))
			}
			s.secret = ed25519.NewKeyFromSeed(seed)
			if !bytes.Equal(s.public(), k.Public) {
				return nil, fmt.Errorf("key %d of the event logs: public and secret key do not belong together", k.Number)
			}
			return s, nil
		}
		now := a.now().UTC().Truncate(time.Millisecond)
		k := &catalog.LogKey{Number: 1, Instance: uid.New(now), CreatedAt: now}
		if _, err := a.newLogKey(k); err != nil {
			return nil, err
		}
		e := &catalog.Event{At: now, Actor: "system", Action: "log.key-made", Details: map[string]string{"after": base64.StdEncoding.EncodeToString(k.Public)}}
		if err := a.catalog.AddLogKey(ctx, k, e); err != nil && !errors.Is(err, catalog.ErrTaken) {
			return nil, err
		}
	}
}

// newLogKey puts a new pair into k.
func (a *Archive) newLogKey(k *catalog.LogKey) (ed25519.PrivateKey, error) {
	public, secret, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	k.Public = public
	k.Secret, err = a.vault.SealInstance(logKeyName(k.Number), secret.Seed())
	return secret, err
}

// RotateLogKey has a new key sign from now on. The old one signs that, in a note
// that every receipt carries and whose hash is in the log of the installation, and
// is destroyed.
func (a *Archive) RotateLogKey(ctx context.Context) (*catalog.LogKey, error) {
	s, err := a.logSigner(ctx)
	if err != nil {
		return nil, err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	k := &catalog.LogKey{Number: s.current().Number + 1, Instance: s.current().Instance, CreatedAt: now}
	if _, err := a.newLogKey(k); err != nil {
		return nil, err
	}
	change := eventlog.Succession{Instance: k.Instance.String(), Old: s.public(), New: k.Public, Time: now.UnixMilli()}
	if k.ChangeNote, err = change.Sign(s.secret); err != nil {
		return nil, err
	}
	e := a.cliEvent("log.key-changed", "", map[string]string{
		"before": base64.StdEncoding.EncodeToString(s.public()), "after": base64.StdEncoding.EncodeToString(k.Public), "note": k.ChangeNote})
	e.Digest = noteDigest(k.ChangeNote)
	return k, a.catalog.AddLogKey(ctx, k, e)
}

// noteDigest binds the event of a change of keys to the signed note.
func noteDigest(note string) string {
	h := sha256.Sum256([]byte(note))
	return hex.EncodeToString(h[:])
}

// LogKey returns the key that signs checkpoints of a tenant's log now, as programs
// that read signed notes want it; the zero tenant is the installation.
func (a *Archive) LogKey(ctx context.Context, tenant uid.ID) (string, error) {
	s, err := a.logSigner(ctx)
	if err != nil {
		return "", err
	}
	return eventlog.VerifierKey(s.origin(tenant), s.public()), nil
}

func (s *logSigner) origin(tenant uid.ID) string {
	return eventlog.Origin(s.current().Instance.String(), tenant.String())
}

// receipt signs a head. day and zone are those of daily receipts, or empty.
func (s *logSigner) receipt(tenant uid.ID, head eventlog.Head, at time.Time, day, zone string) (*eventlog.Receipt, error) {
	c := eventlog.Checkpoint{Origin: s.origin(tenant), Head: head, Time: at.UTC().Truncate(time.Second), Day: day, Zone: zone}
	signed, err := c.Sign(s.secret)
	if err != nil {
		return nil, err
	}
	return &eventlog.Receipt{Checkpoint: signed, Key: eventlog.VerifierKey(c.Origin, s.public()), KeyChanges: s.changes()}, nil
}

// signedBy makes a receipt of a checkpoint that one of the keys has signed.
func (s *logSigner) signedBy(note, origin string) (*eventlog.Receipt, error) {
	for i, k := range s.keys {
		if _, err := eventlog.OpenCheckpoint(note, k.Public); err != nil {
			continue
		}
		return &eventlog.Receipt{Checkpoint: note, Key: eventlog.VerifierKey(origin, k.Public), KeyChanges: s.changes()[:i]}, nil
	}
	return nil, errors.New("a checkpoint is signed by none of the keys of this installation")
}
