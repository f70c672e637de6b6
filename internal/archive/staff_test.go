package archive_test

import (
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

// Operators look after operators and the staff of resellers; one is always left.
func TestStaffAccounts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	e := archivetest.New(t, archivetest.Options{Now: func() time.Time { return now }})
	var ops []*catalog.User
	for _, login := range []string{"olga", "otto"} {
		u, err := e.CreateOperator(ctx, archive.NewUser{Login: login, Password: archivetest.Password})
		if err != nil {
			t.Fatal(err)
		}
		ops = append(ops, u)
	}
	h := e.As(access.Actor{User: ops[0].ID, Role: access.RoleOperator})
	r, err := h.CreateReseller(ctx, archive.NewReseller{Slug: "nord", Name: "Nord"})
	if err != nil {
		t.Fatal(err)
	}
	member, err := h.AddStaff(ctx, r.ID, archive.NewUser{Login: "nils", Password: archivetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	logIn := func(login string) error {
		_, _, err := e.LogIn(ctx, archive.LogIn{Login: login, Operator: true, Password: archivetest.Password})
		return err
	}
	if err := logIn("otto"); err != nil {
		t.Fatal(err)
	}
	list, err := h.AllStaff(ctx)
	if err != nil || len(list) != 3 || list[0].Login != "nils" || list[0].Reseller != "nord" || list[2].Sessions != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	yes, no, day, never := true, false, "2026-11-19", ""
	for name, err := range map[string]error{
		"disable oneself": h.ChangeStaff(ctx, ops[0].ID, archive.StaffChange{Disabled: &yes}),
		"end oneself":     h.ChangeStaff(ctx, ops[0].ID, archive.StaffChange{ExpiresOn: &day}),
		"reset one's own": h.ResetStaffFactors(ctx, ops[0].ID),
	} {
		if !errors.Is(err, archive.ErrYourself) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.ChangeStaff(ctx, ops[1].ID, archive.StaffChange{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if err := logIn("otto"); !errors.Is(err, archive.ErrLogIn) {
		t.Errorf("a disabled operator: %v", err)
	}
	if list, err := h.AllStaff(ctx); err != nil || list[2].Sessions != 0 || !list[2].Disabled {
		t.Errorf("%+v, %v", list, err)
	}
	// olga is the last one now, whoever asks.
	var field *archive.FieldError
	second := e.As(access.Actor{User: ops[1].ID, Role: access.RoleOperator})
	for name, c := range map[string]archive.StaffChange{"disable": {Disabled: &yes}, "end": {ExpiresOn: &day}} {
		if err := second.ChangeStaff(ctx, ops[0].ID, c); !errors.As(err, &field) {
			t.Errorf("%s the last operator: %v", name, err)
		}
	}
	if err := h.ChangeStaff(ctx, ops[1].ID, archive.StaffChange{Disabled: &no, ExpiresOn: &day}); err != nil {
		t.Fatal(err)
	}
	if err := logIn("otto"); !errors.Is(err, archive.ErrLogIn) {
		t.Errorf("an operator whose time is over: %v", err)
	}
	if err := h.ChangeStaff(ctx, ops[1].ID, archive.StaffChange{ExpiresOn: &never}); err != nil {
		t.Fatal(err)
	}
	if err := logIn("otto"); err != nil {
		t.Error(err)
	}
	i, err := h.InviteStaff(ctx, member.ID)
	if err != nil || i.URL == "" || i.MailedTo != "" {
		t.Errorf("%+v, %v", i, err)
	}
	for name, err := range map[string]error{"factors": h.ResetStaffFactors(ctx, member.ID), "sessions": h.EndStaffSessions(ctx, member.ID)} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.ChangeStaff(ctx, r.ID, archive.StaffChange{Disabled: &yes}); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
	if err := e.As(access.Actor{User: member.ID, Role: access.RoleReseller, Reseller: r.ID}).ChangeStaff(ctx, ops[1].ID, archive.StaffChange{Disabled: &yes}); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("a reseller: %v", err)
	}
}
