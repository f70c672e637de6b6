package httpd

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// self returns what somebody does with the own log-in.
func (s *Server) self(ctx context.Context) (*archive.Self, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.cfg.Archive.Self(a), nil
}

// idOf parses an id; what is none does not exist.
func idOf(text string) (uid.ID, error) {
	id, err := uid.Parse(text)
	if err != nil {
		return uid.ID{}, catalog.ErrNotFound
	}
	return id, nil
}

// Security implements api.Service.
func (s *Server) Security(ctx context.Context) (*api.Security, error) {
	me, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := me.Security(ctx)
	if err != nil {
		return nil, err
	}
	out := security(v)
	out.Confirmed = me.Confirmed()
	return out, nil
}

func security(v *archive.Security) *api.Security {
	out := &api.Security{HasPassword: v.HasPassword, Required: v.Required, RecoveryCodes: v.RecoveryCodes, Passkeys: []api.Factor{}, Sessions: []api.Session{}, Links: []api.PendingLink{}}
	if v.TOTP != nil {
		f := factorView(*v.TOTP)
		out.TOTP = &f
	}
	for _, f := range v.Passkeys {
		out.Passkeys = append(out.Passkeys, factorView(f))
	}
	for _, c := range v.Sessions {
		out.Sessions = append(out.Sessions, api.Session{ID: c.ID.String(), CreatedAt: c.CreatedAt, SeenAt: c.SeenAt, EndsAt: c.EndsAt, Peer: c.Peer,
			UserAgent: c.UserAgent, Method: c.Method, Current: c.Current})
	}
	for _, l := range v.Links {
		out.Links = append(out.Links, api.PendingLink{Purpose: l.Purpose, CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt})
	}
	return out
}

func factorView(f archive.FactorView) api.Factor {
	out := api.Factor{ID: f.ID.String(), Name: f.Name, CreatedAt: f.CreatedAt}
	if f.UsedAt.After(time.Unix(0, 0)) {
		out.UsedAt = &f.UsedAt
	}
	return out
}

// ConfirmPassword implements api.Service.
func (s *Server) ConfirmPassword(ctx context.Context, in api.PasswordConfirmation) error {
	me, err := s.self(ctx)
	if err != nil {
		return err
	}
	return me.Confirm(ctx, in.Password, requestOf(ctx).device)
}

// ChangePassword implements api.Service.
func (s *Server) ChangePassword(ctx context.Context, in api.PasswordChange) ([]http.Cookie, error) {
	me, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	q := requestOf(ctx)
	token, err := me.ChangePassword(ctx, in.Old, in.New, q.device)
	if errors.Is(err, archive.ErrInvalid) {
		return nil, mistake("body.new", err.Error())
	}
	if err != nil {
		return nil, err
	}
	return []http.Cookie{*sessionCookie(q, token, 0)}, nil
}

// BeginTOTP implements api.Service.
func (s *Server) BeginTOTP(ctx context.Context) (*api.TOTPSetup, error) {
	me, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	t, err := me.BeginTOTP(ctx)
	if err != nil {
		return nil, err
	}
	return &api.TOTPSetup{Secret: t.Text, URI: t.URI, QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(t.PNG)}, nil
}

// ConfirmTOTP implements api.Service.
func (s *Server) ConfirmTOTP(ctx context.Context, in api.TOTPCode) (*api.FactorAdded, []http.Cookie, error) {
	me, err := s.self(ctx)
	if err != nil {
		return nil, nil, err
	}
	added, err := me.ConfirmTOTP(ctx, in.Code)
	return s.added(ctx, added, err)
}

// added answers with what came of setting up a factor, and with a new session if the old
// one lacked the factor.
func (s *Server) added(ctx context.Context, added *archive.Added, err error) (*api.FactorAdded, []http.Cookie, error) {
	if err != nil {
		return nil, nil, err
	}
	out := &api.FactorAdded{RecoveryCodes: list(added.Recovery)}
	if added.Token == "" {
		return out, nil, nil
	}
	return out, []http.Cookie{*sessionCookie(requestOf(ctx), added.Token, 0)}, nil
}

// BeginAddPasskey implements api.Service.
func (s *Server) BeginAddPasskey(ctx context.Context) (*api.PasskeyOptions, error) {
	me, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	options, err := me.BeginAddPasskey(ctx)
	if err != nil {
		return nil, typed("body.name", err)
	}
	return passkeyOptions(options)
}

// AddPasskey implements api.Service.
func (s *Server) AddPasskey(ctx context.Context, in api.NewPasskey) (*api.FactorAdded, []http.Cookie, error) {
	me, err := s.self(ctx)
	if err != nil {
		return nil, nil, err
	}
	answer, err := json.Marshal(in.Passkey)
	if err != nil {
		return nil, nil, err
	}
	added, err := me.AddPasskey(ctx, in.Name, answer)
	return s.added(ctx, added, typed("body.name", err))
}

// RenamePasskey implements api.Service.
func (s *Server) RenamePasskey(ctx context.Context, id string, in api.PasskeyName) error {
	me, err := s.self(ctx)
	if err != nil {
		return err
	}
	key, err := idOf(id)
	if err != nil {
		return err
	}
	return typed("body.name", me.RenamePasskey(ctx, key, in.Name))
}

// RemoveFactor implements api.Service.
func (s *Server) RemoveFactor(ctx context.Context, id string) error {
	me, err := s.self(ctx)
	if err != nil {
		return err
	}
	key, err := idOf(id)
	if err != nil {
		return err
	}
	return typed("path.id", me.RemoveFactor(ctx, key))
}

// NewRecoveryCodes implements api.Service.
func (s *Server) NewRecoveryCodes(ctx context.Context) (*api.RecoveryCodes, error) {
	me, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	codes, err := me.NewRecoveryCodes(ctx)
	if err != nil {
		return nil, typed("body", err)
	}
	return &api.RecoveryCodes{Codes: codes}, nil
}

// EndSession implements api.Service.
func (s *Server) EndSession(ctx context.Context, id string) error {
	me, err := s.self(ctx)
	if err != nil {
		return err
	}
	session, err := idOf(id)
	if err != nil {
		return err
	}
	return me.EndSession(ctx, session)
}

// EndOtherSessions implements api.Service.
func (s *Server) EndOtherSessions(ctx context.Context) error {
	me, err := s.self(ctx)
	if err != nil {
		return err
	}
	return me.EndOthers(ctx)
}

// managedUser returns the handle and the id of a user to be administered. The right is
// checked before the id: whoever lacks it learns nothing else.
func (s *Server) managedUser(ctx context.Context, user string) (*archive.Handle, uid.ID, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, uid.ID{}, err
	}
	if err := a.Actor.Check(access.ManageUsers); err != nil {
		return nil, uid.ID{}, err
	}
	id, err := idOf(user)
	return s.cfg.Archive.As(a.Actor), id, err
}

// UserSecurity implements api.Service.
func (s *Server) UserSecurity(ctx context.Context, user string) (*api.Security, error) {
	h, id, err := s.managedUser(ctx, user)
	if err != nil {
		return nil, err
	}
	v, err := h.UserSecurity(ctx, id)
	if err != nil {
		return nil, err
	}
	return security(v), nil
}

// WelcomeUser implements api.Service.
func (s *Server) WelcomeUser(ctx context.Context, user string, in api.Welcome) (*api.Invitation, error) {
	h, id, err := s.managedUser(ctx, user)
	if err != nil {
		return nil, err
	}
	i, err := h.WelcomeUser(ctx, id, in.Show)
	if err != nil {
		return nil, typed("path.id", err)
	}
	return &api.Invitation{Purpose: i.Purpose, ExpiresAt: i.ExpiresAt, MailedTo: i.MailedTo, Link: i.URL}, nil
}

// ResetFactors implements api.Service.
func (s *Server) ResetFactors(ctx context.Context, user string) error {
	h, id, err := s.managedUser(ctx, user)
	if err != nil {
		return err
	}
	return h.ResetFactors(ctx, id)
}

// EndUserSession implements api.Service.
func (s *Server) EndUserSession(ctx context.Context, user, session string) error {
	h, id, err := s.managedUser(ctx, user)
	if err != nil {
		return err
	}
	which, err := idOf(session)
	if err != nil {
		return err
	}
	return h.EndUserSession(ctx, id, which)
}

// EndUserSessions implements api.Service.
func (s *Server) EndUserSessions(ctx context.Context, user string) error {
	h, id, err := s.managedUser(ctx, user)
	if err != nil {
		return err
	}
	return h.EndUserSessions(ctx, id)
}

// LoginPolicy implements api.Service.
func (s *Server) LoginPolicy(ctx context.Context) (*api.LoginPolicy, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	p, err := h.LoginPolicy(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.LoginPolicy{SecondFactor: []string{}}
	for _, r := range p.SecondFactor {
		out.SecondFactor = append(out.SecondFactor, string(r))
	}
	return out, nil
}

// ChangeLoginPolicy implements api.Service.
func (s *Server) ChangeLoginPolicy(ctx context.Context, in api.LoginPolicy) (*api.LoginPolicy, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	p := archive.LoginPolicy{}
	for _, r := range in.SecondFactor {
		p.SecondFactor = append(p.SecondFactor, access.Role(r))
	}
	if err := h.SetLoginPolicy(ctx, p); err != nil {
		return nil, typed("body.second_factor", err)
	}
	return s.LoginPolicy(ctx)
}
