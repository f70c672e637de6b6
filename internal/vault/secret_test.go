package vault_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	one, other := b.tenant, b.newTenant()
	plain := []byte("correct horse \x00\xff")
	sealed, err := b.SealSecret(t.Context(), one, "source a", plain)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("horse")) {
		t.Error("the secret can be read")
	}
	if got, err := b.OpenSecret(t.Context(), one, "source a", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("OpenSecret = %q, %v", got, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	for name, f := range map[string]func() ([]byte, error){
		"another tenant": func() ([]byte, error) { return b.OpenSecret(t.Context(), other, "source a", sealed) },
		"another name":   func() ([]byte, error) { return b.OpenSecret(t.Context(), one, "source b", sealed) },
		"other bytes":    func() ([]byte, error) { return b.OpenSecret(t.Context(), one, "source a", flipped) },
		"no bytes":       func() ([]byte, error) { return b.OpenSecret(t.Context(), one, "source a", nil) },
	} {
		if got, err := f(); !errors.Is(err, vault.ErrCorrupt) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := b.SealSecret(t.Context(), uid.New(time.Now()), "x", plain); !errors.Is(err, vault.ErrNoTenant) {
		t.Errorf("unknown tenant: %v", err)
	}
	if _, err := b.SealSecret(t.Context(), one, "x", make([]byte, vault.MaxSecret+1)); !errors.Is(err, vault.ErrTooLarge) {
		t.Errorf("large secret: %v", err)
	}
}
