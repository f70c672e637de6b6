package archive_test

import (
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
)

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	token, _, err := r.LogIn(t.Context(), archive.LogIn{Login: "anna", Password: right})
	if err != nil {
		t.Fatal(err)
	}
	open := func() bool {
		_, err := r.Session(t.Context(), token, "")
		if err != nil && !errors.Is(err, archive.ErrNoSession) {
			t.Fatal(err)
		}
		return err == nil
	}
	for range 15 { // used all the time, it ends after 7 days
		r.forward(11 * time.Hour)
		if !open() {
			t.Fatal("ended while it was used")
		}
	}
	r.forward(3*time.Hour - time.Second)
	if !open() {
		t.Error("ended too early")
	}
	r.forward(time.Second)
	if open() {
		t.Error("lives longer than 7 days")
	}
	if token, _, err = r.LogIn(t.Context(), archive.LogIn{Login: "anna", Password: right}); err != nil {
		t.Fatal(err)
	}
	r.forward(12 * time.Hour)
	if open() {
		t.Error("lives 12 hours without being used")
	}
}

// Factors are changed only by whoever has proved lately to be the user.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	token, _, err := r.LogIn(t.Context(), archive.LogIn{Login: "anna", Password: right})
	if err != nil {
		t.Fatal(err)
	}
	r.forward(16 * time.Minute)
	acc, err := r.Session(t.Context(), token, "")
	if err != nil {
		t.Fatal(err)
	}
	self := r.Self(acc)
	_, beginErr := self.BeginTOTP(t.Context())
	_, confirmErr := self.ConfirmTOTP(t.Context(), "123456")
	_, addErr := self.BeginAddPasskey(t.Context())
	_, codesErr := self.NewRecoveryCodes(t.Context())
	for name, err := range map[string]error{"begin": beginErr, "confirm": confirmErr, "passkey": addErr, "codes": codesErr, "remove": self.RemoveFactor(t.Context(), acc.User.ID)} {
		if !errors.Is(err, archive.ErrConfirm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := self.Confirm(t.Context(), "wrong", ""); !errors.Is(err, archive.ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	if err := self.Confirm(t.Context(), right, ""); err != nil {
		t.Fatal(err)
	}
	if acc, err = r.Session(t.Context(), token, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Self(acc).BeginTOTP(t.Context()); err != nil {
		t.Errorf("confirmed: %v", err)
	}
	for range 21 {
		err = self.Confirm(t.Context(), "wrong", "")
	}
	if !errors.As(err, new(*archive.TooManyError)) {
		t.Errorf("guessing within a session: %v", err)
	}
}
