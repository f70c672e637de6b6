package vault_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/vault"
)

func TestInstanceSecret(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	plain := []byte("correct horse \x00\xff")
	sealed, err := b.SealInstance("smarthost", plain)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("horse")) {
		t.Error("the secret can be read")
	}
	if got, err := b.OpenInstance("smarthost", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("OpenInstance = %q, %v", got, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	ofTenant, err := b.SealSecret(t.Context(), b.tenant, "smarthost", plain)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() ([]byte, error){
		"another name":        func() ([]byte, error) { return b.OpenInstance("other", sealed) },
		"other bytes":         func() ([]byte, error) { return b.OpenInstance("smarthost", flipped) },
		"no bytes":            func() ([]byte, error) { return b.OpenInstance("smarthost", nil) },
		"that of a tenant":    func() ([]byte, error) { return b.OpenInstance("smarthost", ofTenant) },
		"as that of a tenant": func() ([]byte, error) { return b.OpenSecret(t.Context(), b.tenant, "smarthost", sealed) },
	} {
		if got, err := f(); !errors.Is(err, vault.ErrCorrupt) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := b.SealInstance("x", make([]byte, vault.MaxInstance+1)); !errors.Is(err, vault.ErrTooLarge) {
		t.Errorf("large secret: %v", err)
	}
}
