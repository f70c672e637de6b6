package httpd

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
)

// ofStaff turns what the archive says of a change of staff into problems.
func ofStaff(err error) error {
	switch {
	case errors.Is(err, archive.ErrYourself):
		return api.NewProblem(api.CodeNotYet, "This has to be done by another operator.")
	case errors.As(err, new(*archive.FieldError)):
		return judged(err)
	case errors.Is(err, archive.ErrInvalid):
		return mistake("path.id", err.Error())
	}
	return err
}

// AllStaff implements api.Service.
func (s *Server) AllStaff(ctx context.Context) (*api.StaffAccounts, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	views, err := s.cfg.Archive.As(a.Actor).AllStaff(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.StaffAccounts{Staff: make([]api.StaffAccount, 0, len(views))}
	for i := range views {
		v := &views[i]
		x := api.StaffAccount{ID: v.ID.String(), Login: v.Login, Name: v.Name, Role: v.Role, Reseller: v.Reseller, Disabled: v.Disabled, LoggedInAt: known(v.LoggedInAt),
			Factors: v.Factors, Sessions: v.Sessions, You: v.ID == a.User.ID}
		if len(v.Addresses) > 0 {
			x.Address = v.Addresses[0]
		}
		if !v.ExpiresAt.IsZero() {
			x.ExpiresOn = v.ExpiresAt.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
		}
		out.Staff = append(out.Staff, x)
	}
	return out, nil
}

// ChangeStaff implements api.Service.
func (s *Server) ChangeStaff(ctx context.Context, id string, c api.StaffAccountChange) error {
	h, user, err := s.about(ctx, access.ManageStaff, id)
	if err != nil {
		return err
	}
	return ofStaff(h.ChangeStaff(ctx, user, archive.StaffChange{Name: c.Name, Disabled: c.Disabled, ExpiresOn: c.ExpiresOn, Address: c.Address}))
}

// InviteStaff implements api.Service.
func (s *Server) InviteStaff(ctx context.Context, id string) (*api.StaffLink, error) {
	h, user, err := s.about(ctx, access.ManageStaff, id)
	if err != nil {
		return nil, err
	}
	i, err := h.InviteStaff(ctx, user)
	if err != nil {
		return nil, ofStaff(err)
	}
	return &api.StaffLink{ExpiresAt: i.ExpiresAt, MailedTo: i.MailedTo, URL: i.URL}, nil
}

// ResetStaffFactors implements api.Service.
func (s *Server) ResetStaffFactors(ctx context.Context, id string) error {
	h, user, err := s.about(ctx, access.ManageStaff, id)
	if err != nil {
		return err
	}
	return ofStaff(h.ResetStaffFactors(ctx, user))
}

// EndStaffSessions implements api.Service.
func (s *Server) EndStaffSessions(ctx context.Context, id string) error {
	h, user, err := s.about(ctx, access.ManageStaff, id)
	if err != nil {
		return err
	}
	return ofStaff(h.EndStaffSessions(ctx, user))
}
