package httpd

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// typed turns mistakes of somebody who has typed something into problems that name
// the place.
func typed(location string, err error) error {
	switch {
	case errors.Is(err, archive.ErrInvalid):
		return mistake(location, err.Error())
	case errors.Is(err, archive.ErrUnavailable):
		return mistakes(api.ProblemError{Location: location, Code: "unavailable", Message: "is not available"})
	case errors.Is(err, catalog.ErrTaken):
		return mistakes(api.ProblemError{Location: location, Code: "taken", Message: "is in the list already"})
	case errors.Is(err, archive.ErrUnconfirmed):
		return mistake("body.confirmed", archive.ErrUnconfirmed.Error())
	}
	return err
}

// Domains implements api.Service.
func (s *Server) Domains(ctx context.Context) (*api.Domains, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.Domains(ctx)
	if err != nil {
		return nil, err
	}
	proofs, err := h.DomainProofs(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Domains{Domains: []api.Domain{}}
	for i := range list {
		out.Domains = append(out.Domains, describeDomain(&list[i], proofs[list[i].Name]))
	}
	return out, nil
}

func describeDomain(d *archive.DomainView, p *archive.ProofView) api.Domain {
	return api.Domain{Name: d.Name, AliasOf: d.Main, CreatedAt: d.CreatedAt, Waiting: d.Waiting, Proof: describeProof(p)}
}

// AddDomain implements api.Service.
func (s *Server) AddDomain(ctx context.Context, n api.NewDomain) (*api.Domain, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	d, err := h.AddDomain(ctx, n.Name, n.AliasOf)
	if err != nil {
		return nil, typed("body.name", err)
	}
	proofs, err := h.DomainProofs(ctx)
	if err != nil {
		return nil, err
	}
	out := describeDomain(d, proofs[d.Name])
	return &out, nil
}

// RemoveDomain implements api.Service.
func (s *Server) RemoveDomain(ctx context.Context, name string) error {
	h, err := s.handle(ctx)
	if err != nil {
		return err
	}
	return typed("path.name", h.RemoveDomain(ctx, name))
}

// Selection implements api.Service.
func (s *Server) Selection(ctx context.Context) (*api.Selection, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	v, err := h.Selection(ctx)
	if err != nil {
		return nil, err
	}
	return &api.Selection{Enabled: v.Enabled, Addresses: list(v.Addresses), ChangedAt: moment(v.ChangedAt), ChangedBy: v.By}, nil
}

// moment is nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ChangeSelection implements api.Service.
func (s *Server) ChangeSelection(ctx context.Context, c api.SelectionChange) (*api.Selection, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.SetSelection(ctx, c.Enabled, c.Addresses, c.Confirmed); err != nil {
		return nil, typed("body.addresses", err)
	}
	return s.Selection(ctx)
}

// ProposeAddresses implements api.Service.
func (s *Server) ProposeAddresses(ctx context.Context) (*api.ProposedAddresses, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	known, err := h.ProposeAddresses(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.ProposedAddresses{Addresses: []api.ProposedAddress{}}
	for _, p := range known {
		out.Addresses = append(out.Addresses, api.ProposedAddress(p))
	}
	return out, nil
}

// Quarantine implements api.Service.
func (s *Server) Quarantine(ctx context.Context, q api.QuarantineQuery) (*api.QuarantinePage, error) {
	h, err := s.quarantiner(ctx)
	if err != nil {
		return nil, err
	}
	r := archive.QuarantineRequest{Reason: q.Reason, Text: q.Q, Belongs: q.Belongs, Domain: q.Domain, Limit: q.Limit}
	switch q.State {
	case "open":
		r.States = []catalog.QuarantineState{catalog.Waiting, catalog.Kept}
	case "all":
	default:
		r.States = []catalog.QuarantineState{catalog.QuarantineState(q.State)}
	}
	if q.Source != "" {
		if r.Source, err = uid.Parse(q.Source); err != nil {
			return &api.QuarantinePage{Messages: []api.QuarantinedMessage{}}, nil //nolint:nilerr // nothing is of that source
		}
	}
	if q.Cursor != "" {
		if r.Before, err = uid.Parse(q.Cursor); err != nil {
			return nil, index.ErrCursor
		}
	}
	page, err := h.Quarantine(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &api.QuarantinePage{Messages: []api.QuarantinedMessage{}}
	if !page.Next.IsZero() {
		out.Next = page.Next.String()
	}
	for i := range page.Items {
		v := &page.Items[i]
		out.Messages = append(out.Messages, api.QuarantinedMessage{ID: v.ID.String(), ReceivedAt: v.ReceivedAt, Source: v.SourceName, Kind: v.SourceKind,
			From: list(v.From), To: list(v.To), Hidden: v.Hidden, Subject: v.Subject, Size: v.Size, Reason: v.Reason, State: string(v.State),
			DecidedAt: moment(v.DecidedAt), DecidedBy: v.DecidedBy, Note: v.Note, Belongs: v.Belongs})
	}
	return out, nil
}

// quarantiner checks the right before the request is judged.
func (s *Server) quarantiner(ctx context.Context) (*archive.Handle, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.Actor.Check(access.ManageQuarantine); err != nil {
		return nil, err
	}
	return s.handle(ctx)
}

// CountQuarantine implements api.Service.
func (s *Server) CountQuarantine(ctx context.Context) (*api.QuarantineCounts, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	n, err := h.CountQuarantine(ctx)
	if err != nil {
		return nil, err
	}
	return &api.QuarantineCounts{Waiting: n[catalog.Waiting], Kept: n[catalog.Kept], Released: n[catalog.Released]}, nil
}

// DecideQuarantine implements api.Service.
func (s *Server) DecideQuarantine(ctx context.Context, d api.QuarantineDecision) (*api.QuarantineDecided, error) {
	h, err := s.quarantiner(ctx)
	if err != nil {
		return nil, err
	}
	state := catalog.QuarantineState(d.State)
	if d.Domain != "" {
		if len(d.IDs) > 0 || state != catalog.Released {
			return nil, mistake("body.domain", "goes without ids, and only to release")
		}
		n, more, err := h.ReleaseBelonging(ctx, d.Domain, d.Reason)
		return &api.QuarantineDecided{Count: n, More: more}, typed("body.reason", err)
	}
	if len(d.IDs) == 0 {
		return nil, mistake("body.ids", "name the messages")
	}
	ids := make([]uid.ID, len(d.IDs))
	for i, x := range d.IDs {
		if ids[i], err = parseID(x); err != nil {
			return nil, err
		}
	}
	n, err := h.Decide(ctx, ids, state, d.Reason)
	return &api.QuarantineDecided{Count: n}, typed("body.reason", err)
}
