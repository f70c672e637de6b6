package password

import (
	"errors"
	"strings"
	"testing"
)

func TestHashVerify(t *testing.T) {
	t.Parallel()
	h := NewHasher(2)
	phc, err := h.Hash(t.Context(), "Schöne Grüße 1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash = %q", phc)
	}
	for pw, want := range map[string]bool{"Schöne Grüße 1": true, "schöne Grüße 1": false, "": false} {
		got, err := h.Verify(t.Context(), phc, pw)
		if err != nil || got != want {
			t.Errorf("Verify(%q) = %v, %v; want %v", pw, got, err, want)
		}
	}
	if ok, err := h.Verify(t.Context(), "", ""); ok || err != nil {
		t.Errorf("empty hash: %v, %v", ok, err)
	}
}

func TestVerifyRefusesForeignStrings(t *testing.T) {
	t.Parallel()
	h := NewHasher(1)
	for _, phc := range []string{
		"plain", "$argon2i$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5",
		"$argon2id$v=19$m=99999999,t=3,p=4$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
		"$argon2id$v=19$m=65536,t=0,p=4$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
		"$argon2id$v=19$m=65536,t=3,p=4,keyid=x$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5", "$argon2id$v=19x$m=65536,t=3,p=4$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
		"$argon2id$v=19$m=65536,t=3,p=4$!!$a2V5a2V5a2V5a2V5a2V5a2V5",
	} {
		if _, err := h.Verify(t.Context(), phc, "x"); !errors.Is(err, ErrFormat) {
			t.Errorf("Verify(%q) error = %v, want ErrFormat", phc, err)
		}
	}
}

// TestStale finds hashes of other parameters, which still let people in.
func TestStale(t *testing.T) {
	t.Parallel()
	h, cheap := NewHasher(1), NewCheapHasher(1)
	const older = "$argon2id$v=19$m=65536,t=3,p=4$b2xkZXIgcmVsZWFzZSAwMQ$uzBRLFeb3IN1MUZ1Pjyvo2S3gXLzVcNlLQQRu735myU"
	for _, of := range []*Hasher{h, cheap} {
		own, err := of.Hash(t.Context(), "Schöne Grüße 1")
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range []*Hasher{h, cheap} {
			if got, want := by.Stale(own), of != by; got != want {
				t.Errorf("Stale(%q) = %v, want %v", own, got, want)
			}
			if ok, err := by.Verify(t.Context(), own, "Schöne Grüße 1"); !ok || err != nil {
				t.Errorf("Verify(%q) = %v, %v", own, ok, err)
			}
		}
	}
	for _, phc := range []string{"", "plain"} {
		if h.Stale(phc) {
			t.Errorf("Stale(%q)", phc)
		}
	}
	if ok, err := h.Verify(t.Context(), older, "muniment"); !ok || err != nil || !h.Stale(older) {
		t.Errorf("the hash of an older release: %v, %v, stale %v", ok, err, h.Stale(older))
	}
}

func BenchmarkHash(b *testing.B) {
	h := NewHasher(1)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "Schöne Grüße 1"); err != nil {
			b.Fatal(err)
		}
	}
}
