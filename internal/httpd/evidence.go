package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/seal"
)

// MessageEvidence implements api.Service.
func (s *Server) MessageEvidence(ctx context.Context, id string) (*api.MessageEvidence, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	aoid, err := parseID(id)
	if err != nil {
		return nil, err
	}
	m, err := h.Seal(ctx, aoid)
	if err != nil {
		return nil, err
	}
	out := &api.MessageEvidence{State: "waiting", Authorities: m.Authorities, Stamps: evidenceStamps(m.Stamps)}
	if out.Available, err = h.Provable(ctx, aoid); err != nil {
		return nil, err
	}
	if m.Batch == nil {
		return out, nil
	}
	out.State = string(m.Batch.State)
	out.Batch = &api.MessageBatch{ID: m.Batch.ID.String(), Hash: m.Batch.Algorithm, CreatedAt: m.Batch.CreatedAt}
	out.Problem = evidenceProblem(m.Batch.Problem)
	return out, nil
}

func evidenceStamps(list []*catalog.SealStamp) []api.EvidenceStamp {
	out := []api.EvidenceStamp{}
	for _, x := range list {
		out = append(out, api.EvidenceStamp{Number: x.Number, Time: x.GenTime, Until: x.Until, Authority: x.Authority, Policy: x.Policy, Test: x.Test,
			Qualified: x.Qualified, Reason: x.Reason})
	}
	return out
}

// evidenceProblem reads the problem in a row.
func evidenceProblem(text string) *api.EvidenceProblem {
	var p seal.Problem
	if text == "" || json.Unmarshal([]byte(text), &p) != nil {
		return nil
	}
	return (*api.EvidenceProblem)(&p)
}

// Evidence implements api.Service.
func (s *Server) Evidence(ctx context.Context) (*api.Evidence, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.cfg.Archive.As(a.Actor).Evidence(ctx)
	if err != nil {
		return nil, err
	}
	return describeEvidence(e), nil
}

func describeEvidence(e *archive.Evidence) *api.Evidence {
	h := algo.SHA256
	out := &api.Evidence{Interval: e.Interval, Authorities: append([]string{}, e.Asked...), Hash: api.EvidenceHash{Name: h.String(), Until: known(algo.Shipped().Hash(h).Until)},
		Waiting: e.Lag.Waiting, Pending: e.Lag.Pending, Oldest: known(e.Lag.Oldest), Alarm: e.Lag.Alarm, Batches: []api.EvidenceBatch{}, Logs: []api.EvidenceLog{},
		Unread: []api.EvidenceUnread{}, UnreadCount: e.UnreadN, Unreadable: []api.EvidenceUnreadBatch{}}
	for _, x := range e.Unread {
		out.Unread = append(out.Unread, api.EvidenceUnread{Tenant: x.Tenant.String(), Object: x.Object.String(), Since: x.Since})
	}
	for _, x := range e.UnreadBatches {
		out.Unreadable = append(out.Unreadable, api.EvidenceUnreadBatch{Batch: x.Batch.String(), Why: x.Why})
	}
	for _, g := range e.Logs {
		out.Logs = append(out.Logs, api.EvidenceLog{Name: g.Name(), Size: g.Size, Stamped: g.Stamped})
	}
	for _, b := range e.Batches {
		x := api.EvidenceBatch{ID: b.ID.String(), State: string(b.State), CreatedAt: b.CreatedAt, Objects: b.Leaves, Hash: b.Algorithm, Attempts: b.Attempts,
			Problem: evidenceProblem(b.Problem), Stamps: evidenceStamps(b.Stamps)}
		if b.State == catalog.SealPending {
			x.NextAt = known(b.NextAt)
		}
		out.Batches = append(out.Batches, x)
	}
	return out
}

// evidenceRecord sends the evidence record of a message.
func (s *Server) evidenceRecord(w http.ResponseWriter, r *http.Request) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := h.EvidenceRecord(r.Context(), id)
	if err != nil {
		s.failEvidence(w, r, err)
		return
	}
	s.send(w, r, bytes.NewReader(b), archive.Download{Name: id.String() + ".er", Type: "application/octet-stream", Size: int64(len(b))})
}

// evidenceBundle sends everything that proves a message.
func (s *Server) evidenceBundle(w http.ResponseWriter, r *http.Request) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := h.Bundle(r.Context(), id)
	if err != nil {
		s.failEvidence(w, r, err)
		return
	}
	s.sendZIP(w, r, b.Name(), b.WriteZIP)
}

// sendZIP sends a ZIP file while it is written.
func (s *Server) sendZIP(w http.ResponseWriter, r *http.Request, name string, write func(context.Context, io.Writer) error) {
	in, out := io.Pipe()
	defer in.Close() // ends the writer if the client is gone
	go func() { out.CloseWithError(write(r.Context(), out)) }()
	s.send(w, r, in, archive.Download{Name: name, Type: "application/zip", Size: -1})
}

// failEvidence says in its own words what is not there yet, or not for this actor.
func (s *Server) failEvidence(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, archive.ErrNotSealed):
		s.refuse(w, r, api.NewProblem(api.CodeNotFound, "The message has no time stamp yet."))
	case errors.Is(err, archive.ErrBlind):
		s.refuse(w, r, api.NewProblem(api.CodeRole, "The header names blind recipients, so only the sender may have the evidence."))
	default:
		s.fail(w, r, err)
	}
}
