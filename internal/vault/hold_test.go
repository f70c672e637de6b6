package vault_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// A hold comes back as it was put last, is nobody else's, and is no stray.
func TestHold(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, other, id := b.tenant, b.newTenant(), uid.New(time.Now())
	for _, text := range []string{`{"name":"first"}`, `{"name":"second"}`} {
		if err := b.PutHold(t.Context(), one, id, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := b.ReadHold(t.Context(), one, id); err != nil || string(got) != text {
			t.Errorf("ReadHold = %q, %v", got, err)
		}
	}
	if _, err := b.ReadHold(t.Context(), other, id); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("another tenant: %v", err)
	}
	if err := b.PutHold(t.Context(), one, id, make([]byte, vault.MaxHold+1)); !errors.Is(err, vault.ErrTooLarge) {
		t.Errorf("large hold: %v", err)
	}
	n := 0
	err := b.Holds(t.Context(), one, func(got uid.ID, data []byte, err error) error {
		n++
		if got != id || !bytes.Contains(data, []byte("second")) || err != nil {
			t.Errorf("Holds: %s %q %v", got, data, err)
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("%d holds, %v", n, err)
	}
	if err := b.Strays(t.Context(), one, func(s vault.Stray) error { t.Errorf("stray: %+v", s); return nil }); err != nil {
		t.Error(err)
	}
}
