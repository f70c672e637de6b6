package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// StaffView is somebody who belongs to no tenant: an operator, or one of a reseller's
// staff.
type StaffView struct {
	catalog.User
	Reseller string // short name; empty: an operator
	Factors  int    // second factors and passkeys
	Sessions int    // that are open
}

// StaffChange says what of somebody changes; nil stays.
type StaffChange struct {
	Name     *string
	Disabled *bool // ends all sessions
	// ExpiresOn is the last day of log-ins, in UTC, such as 2026-12-31; empty: for ever.
	ExpiresOn *string
	Address   *string // that mail about the log-in goes to; empty: none
}

// ErrYourself is matched by the refusal of an act on one's own account that somebody else
// has to do.
var ErrYourself = errors.New("this has to be done by another operator")

// AllStaff lists operators and the staff of all resellers, by login.
func (h *Handle) AllStaff(ctx context.Context) ([]StaffView, error) {
	if err := h.actor.Check(access.ManageStaff); err != nil {
		return nil, err
	}
	users, err := h.a.catalog.Users(ctx, uid.ID{})
	if err := h.a.sound("users", err); err != nil {
		return nil, err
	}
	resellers, err := h.a.catalog.Resellers(ctx)
	if err := h.a.sound("resellers", err); err != nil {
		return nil, err
	}
	out := make([]StaffView, 0, len(users))
	for _, u := range users {
		v := StaffView{User: *u}
		if access.Role(u.Role) == access.RoleReseller {
			id, err := h.a.catalog.ResellerOf(ctx, u.ID)
			if err != nil && !errors.Is(err, catalog.ErrNotFound) && len(rowErrors(err)) == 0 {
				return nil, err
			}
			if i := slices.IndexFunc(resellers, func(r *catalog.Reseller) bool { return r.ID == id }); i >= 0 {
				v.Reseller = resellers[i].Slug
			}
		}
		factors, err := h.a.catalog.Factors(ctx, uid.ID{}, u.ID)
		if err := h.a.sound("factors", err); err != nil {
			return nil, err
		}
		sessions, err := h.a.sessions(ctx, u)
		if err := h.a.sound("sessions", err); err != nil {
			return nil, err
		}
		v.Factors, v.Sessions = len(factors), len(sessions)
		out = append(out, v)
	}
	return out, nil
}

// staffMember returns somebody of the staff. catalog.ErrNotFound.
func (h *Handle) staffMember(ctx context.Context, id uid.ID) (*catalog.User, error) {
	if err := h.actor.Check(access.ManageStaff); err != nil {
		return nil, err
	}
	return h.a.catalog.User(ctx, uid.ID{}, id)
}

// apply changes u.
func (c *StaffChange) apply(u *catalog.User) error {
	if c.Name != nil {
		if u.Name = strings.TrimSpace(*c.Name); u.Name == "" {
			u.Name = u.Login
		}
		if err := checkName(u.Name); err != nil {
			return inField("name", err)
		}
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	if c.Address != nil {
		list, err := Addresses(strings.Fields(*c.Address))
		if err != nil || len(list) > 1 {
			return wrongField("address", "want one mail address")
		}
		u.Addresses = list
	}
	if c.ExpiresOn == nil {
		return nil
	}
	u.ExpiresAt = time.Time{}
	if *c.ExpiresOn != "" {
		day, err := time.Parse(time.DateOnly, *c.ExpiresOn)
		if err != nil {
			return wrongField("expires_on", "want a day such as 2026-12-31, or nothing")
		}
		u.ExpiresAt = day.AddDate(0, 0, 1)
	}
	return nil
}

// operators counts those who may log in at a time and for ever after.
func operators(users []*catalog.User, now time.Time) int {
	n := 0
	for _, u := range users {
		if access.Role(u.Role) == access.RoleOperator && mayLogIn(u, now) && u.ExpiresAt.IsZero() {
			n++
		}
	}
	return n
}

// ChangeStaff changes somebody of the staff; the change holds at once, also for open
// sessions. There is always an operator left who may log in without an end. A
// *FieldError says what is wrong; ErrYourself if somebody disables the own account;
// catalog.ErrNotFound.
func (h *Handle) ChangeStaff(ctx context.Context, id uid.ID, c StaffChange) error {
	if _, err := h.staffMember(ctx, id); err != nil {
		return err
	}
	if id == h.actor.User && (c.Disabled != nil && *c.Disabled || c.ExpiresOn != nil && *c.ExpiresOn != "") {
		return fmt.Errorf("end your own access: %w", ErrYourself)
	}
	now := h.a.now()
	return h.a.catalog.EditUsers(ctx, uid.ID{}, func(users []*catalog.User) (*catalog.UserEdit, error) {
		i := slices.IndexFunc(users, func(u *catalog.User) bool { return u.ID == id })
		if i < 0 {
			return nil, catalog.ErrNotFound
		}
		before, u := users[i], *users[i]
		if err := c.apply(&u); err != nil {
			return nil, err
		}
		details := userDetails(before, &u)
		if len(details) == 1 { // the login alone: nothing has changed
			return &catalog.UserEdit{}, nil
		}
		after := slices.Clone(users)
		after[i] = &u
		if operators(users, now) > 0 && operators(after, now) == 0 {
			return nil, wrongField("disabled", "%s is the last operator who may log in without an end; make another one first", u.Login)
		}
		e := &catalog.UserEdit{Update: []*catalog.User{&u}, Events: []*catalog.Event{h.event("staff.changed", id.String(), details)}}
		if !mayLogIn(&u, now) {
			e.End = []uid.ID{id}
		}
		return e, nil
	})
}

// InviteStaff makes a link with which somebody of the staff sets a new password, and mails
// it; the invitation has it if there is no address or no smarthost. catalog.ErrNotFound.
func (h *Handle) InviteStaff(ctx context.Context, id uid.ID) (*Invitation, error) {
	u, err := h.staffMember(ctx, id)
	if err != nil {
		return nil, err
	}
	i, err := h.a.invite(ctx, u, purposeFor(u), h.event)
	if err != nil {
		return nil, err
	}
	return i.shown(false), nil
}

// ResetStaffFactors removes second factors, passkeys and recovery codes of somebody else
// of the staff, and ends the sessions. ErrYourself, catalog.ErrNotFound.
func (h *Handle) ResetStaffFactors(ctx context.Context, id uid.ID) error {
	u, err := h.staffMember(ctx, id)
	if err != nil {
		return err
	}
	if id == h.actor.User {
		return fmt.Errorf("reset your own second factors: %w", ErrYourself)
	}
	return h.a.resetFactors(ctx, u, h.event)
}

// EndStaffSessions ends all sessions of somebody of the staff. catalog.ErrNotFound.
func (h *Handle) EndStaffSessions(ctx context.Context, id uid.ID) error {
	u, err := h.staffMember(ctx, id)
	if err != nil {
		return err
	}
	return h.a.catalog.EndSessions(ctx, uid.ID{}, u.ID, [32]byte{}, h.event("sessions.ended", u.ID.String(), nil))
}
