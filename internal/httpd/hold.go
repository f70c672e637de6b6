package httpd

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/retention"
	"github.com/muniment/muniment/internal/uid"
)

// namedField is a problem that names the member of the body that is wrong.
func namedField(err error) error {
	if field, ok := errors.AsType[*archive.FieldError](err); ok {
		return mistake("body."+field.Field, field.Text)
	}
	return typed("body", err)
}

func describeScope(s archive.HoldScope) api.HoldScope {
	out := api.HoldScope{All: s.All, Addresses: list(s.Addresses), From: moment(s.From), To: moment(s.To), Messages: make([]string, len(s.Messages))}
	for i, id := range s.Messages {
		out.Messages[i] = id.String()
	}
	return out
}

func describeHold(v *archive.HoldView) api.Hold {
	h := api.Hold{ID: v.ID.String(), Name: v.Name, Reason: v.Reason, Scope: describeScope(v.Scope), InForce: v.InForce(), PlacedBy: v.PlacedByName, PlacedRole: v.PlacedRole,
		PlacedAt: v.PlacedAt, LiftedAt: moment(v.LiftedAt), LiftedBy: v.LiftedByName, ApprovedBy: v.ApprovedByName, LiftReason: v.LiftReason}
	if !v.Request.IsZero() {
		h.Request = v.Request.String()
	}
	return h
}

// Holds implements api.Service.
func (s *Server) Holds(ctx context.Context) (*api.Holds, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	views, err := h.Holds(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Holds{Holds: make([]api.Hold, len(views))}
	for i := range views {
		out.Holds[i] = describeHold(&views[i])
	}
	return out, nil
}

// PlaceHold implements api.Service.
func (s *Server) PlaceHold(ctx context.Context, n api.NewHold) (*api.Hold, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	wanted := archive.NewHold{Name: n.Name, Reason: n.Reason, All: n.All, Addresses: n.Addresses, From: n.From, To: n.To}
	for _, m := range n.Messages {
		id, err := uid.Parse(m)
		if err != nil {
			return nil, mistake("body.messages", err.Error())
		}
		wanted.Messages = append(wanted.Messages, id)
	}
	v, err := h.PlaceHold(ctx, wanted)
	if err != nil {
		return nil, namedField(err)
	}
	out := describeHold(v)
	return &out, nil
}

// Hold implements api.Service.
func (s *Server) Hold(ctx context.Context, id string) (*api.Hold, error) {
	h, hold, err := s.requestFor(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := h.Hold(ctx, hold)
	if err != nil {
		return nil, err
	}
	out := describeHold(v)
	return &out, nil
}

// RequestLift implements api.Service.
func (s *Server) RequestLift(ctx context.Context, id string, n api.LiftRequest) (*api.AccessRequest, error) {
	h, hold, err := s.requestFor(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := h.RequestLift(ctx, hold, n.Reason, n.Until)
	if err != nil {
		return nil, namedField(err)
	}
	s.tellDeciders(ctx, h, v)
	return settled(v, nil)
}

func describeSetting(s retention.Setting) api.RetentionSetting {
	return api.RetentionSetting{Years: s.Years, Jurisdiction: string(s.Jurisdiction), YearEnd: int(s.YearEnd), Zone: s.Zone}
}

// Retention implements api.Service.
func (s *Server) Retention(ctx context.Context) (*api.Retention, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	v, err := h.Retention(ctx)
	if err != nil {
		return nil, err
	}
	return describeRetention(v), nil
}

func describeRetention(v *archive.RetentionView) *api.Retention {
	out := &api.Retention{Current: describeSetting(v.Current), Default: v.Default, Changes: []api.RetentionChange{}, Classes: []api.RetentionClass{}, MayChange: v.MayChange}
	if !v.Request.IsZero() {
		out.Request = v.Request.String()
	}
	for _, c := range v.Set {
		out.Changes = append(out.Changes, api.RetentionChange{RetentionSetting: api.RetentionSetting{Years: c.Years, Jurisdiction: c.Jurisdiction, YearEnd: int(c.YearEnd), Zone: c.Zone},
			From: moment(c.ValidFrom), Reason: c.Reason, SetBy: c.SetByName, ApprovedBy: c.ApprovedByName})
	}
	day := time.Now().Format(time.DateOnly)
	for _, c := range v.Classes {
		if l, ok := c.On(day); ok {
			out.Classes = append(out.Classes, api.RetentionClass{Class: c.Name, Jurisdiction: string(c.Jurisdiction), Sector: c.Sector, Years: l.Years, Since: l.ValidFrom, Law: l.Law, Source: l.Source})
		}
	}
	return out
}

func wantedRetention(n api.NewRetention) archive.NewRetention {
	return archive.NewRetention{Years: n.Years, Jurisdiction: retention.Jurisdiction(n.Jurisdiction), YearEnd: time.Month(n.YearEnd), Reason: n.Reason}
}

// SetRetention implements api.Service.
func (s *Server) SetRetention(ctx context.Context, n api.NewRetention) (*api.Retention, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	v, err := h.SetRetention(ctx, wantedRetention(n))
	if err != nil {
		return nil, namedField(err)
	}
	return describeRetention(v), nil
}

// RequestShorter implements api.Service.
func (s *Server) RequestShorter(ctx context.Context, n api.ShorterRetention) (*api.AccessRequest, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	v, err := h.RequestShorter(ctx, wantedRetention(n.NewRetention), n.Until)
	if err != nil {
		return nil, namedField(err)
	}
	s.tellDeciders(ctx, h, v)
	return settled(v, nil)
}

func describeMessageRetention(r *archive.RetentionOf) api.MessageRetention {
	out := api.MessageRetention{Due: r.Due, LastDay: r.LastDay, Years: r.Years, Jurisdiction: string(r.Law), Unknown: r.Unknown, MaySeeHolds: r.Holds != nil, Holds: []api.Hold{}}
	for i := range r.Holds {
		out.Holds = append(out.Holds, describeHold(&r.Holds[i]))
	}
	return out
}

// describeAbout adds to a request what it is about.
func describeAbout(out *api.AccessRequest, v *archive.AccessView) {
	if l := v.Lift; l != nil {
		out.Lift = &api.AccessLift{Hold: l.Hold.String(), Name: l.Name, Reason: l.Reason, Scope: describeScope(l.Scope), PlacedAt: moment(l.PlacedAt)}
	}
	if x := v.Shorten; x != nil {
		out.Shorten = &api.AccessShorten{Before: describeSetting(x.Before), After: describeSetting(x.After)}
	}
}
