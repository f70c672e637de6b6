package archive

import (
	"context"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// UserSecurity is what an administrator sees of how a user logs in. catalog.ErrNotFound.
func (h *Handle) UserSecurity(ctx context.Context, user uid.ID) (*Security, error) {
	u, err := h.managed(ctx, user)
	if err != nil {
		return nil, err
	}
	return h.a.security(ctx, u)
}

// ResetFactors removes a user's second factors, passkeys and recovery codes, ends the
// user's sessions and tells the user. catalog.ErrNotFound.
func (h *Handle) ResetFactors(ctx context.Context, user uid.ID) error {
	u, err := h.managed(ctx, user)
	if err != nil {
		return err
	}
	return h.a.resetFactors(ctx, u, h.event)
}

// ResetFactors is Handle.ResetFactors, for the operator on the command line.
func (a *Archive) ResetFactors(ctx context.Context, u *catalog.User) error {
	return a.resetFactors(ctx, u, a.cliEvent)
}

func (a *Archive) resetFactors(ctx context.Context, u *catalog.User, act describeAct) error {
	if err := a.catalog.ResetFactors(ctx, u.Tenant, u.ID, act("factors.reset", u.ID.String(), nil)); err != nil {
		return err
	}
	a.tell(ctx, u, letterFactors, letterFacts{})
	return nil
}

// EndUserSession ends one of a user's sessions. catalog.ErrNotFound.
func (h *Handle) EndUserSession(ctx context.Context, user, session uid.ID) error {
	u, err := h.managed(ctx, user)
	if err != nil {
		return err
	}
	return h.a.catalog.EndSession(ctx, u.Tenant, u.ID, session, h.event("session.ended", u.ID.String(), map[string]string{"session": session.String()}))
}

// EndUserSessions ends all of a user's sessions. catalog.ErrNotFound.
func (h *Handle) EndUserSessions(ctx context.Context, user uid.ID) error {
	u, err := h.managed(ctx, user)
	if err != nil {
		return err
	}
	return h.a.catalog.EndSessions(ctx, u.Tenant, u.ID, [32]byte{}, h.event("sessions.ended", u.ID.String(), nil))
}

// UserSessions lists a user's sessions, for the operator on the command line.
func (a *Archive) UserSessions(ctx context.Context, u *catalog.User) ([]SessionView, error) {
	return a.sessions(ctx, u)
}

// EndSessions ends all of a user's sessions, for the operator on the command line.
func (a *Archive) EndSessions(ctx context.Context, u *catalog.User) error {
	return a.catalog.EndSessions(ctx, u.Tenant, u.ID, [32]byte{}, a.cliEvent("sessions.ended", u.ID.String(), nil))
}
