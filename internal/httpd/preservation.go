package httpd

import (
	"context"
	"io"
	"net/http"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/tresor"
)

// maxPackage bounds an XAIP in a request, in bytes.
const maxPackage = 32 << 20

func result(r tresor.Result) api.PreservationResult {
	return api.PreservationResult{Major: string(r.Major), Minor: string(r.Minor), Message: r.Message}
}

func controls(list []api.PreservationOption) []archive.Option {
	var out []archive.Option
	for _, o := range list {
		out = append(out, archive.Option(o))
	}
	return out
}

// fits refuses a package that is too large; the archive itself takes larger ones.
func fits(b []byte, minor tresor.Minor) *tresor.Result {
	if len(b) <= maxPackage {
		return nil
	}
	r := tresor.Failed(minor, "The package is larger than 32 MiB. Have the operator import it: muniment xaip import.")
	return &r
}

// RetrieveInfo implements api.Service.
func (s *Server) RetrieveInfo(ctx context.Context, q api.InfoRequest) (*api.InfoResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	r, list, err := h.Profiles(q.Profile, q.Status, controls(q.Options))
	if err != nil {
		return nil, err
	}
	out := &api.InfoResponse{Result: result(r), Profiles: []api.PreservationProfile{}}
	for _, p := range list {
		out.Profiles = append(out.Profiles, api.PreservationProfile{Identifier: p.Identifier, Status: archive.StatusActive, Formats: p.Formats, Evidence: p.Evidence, Functions: p.Functions})
	}
	return out, nil
}

// ArchiveSubmission implements api.Service.
func (s *Server) ArchiveSubmission(ctx context.Context, q api.SubmissionRequest) (*api.SubmissionResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	if bad := fits(q.XAIP, tresor.ParameterError); bad != nil {
		return &api.SubmissionResponse{Result: result(*bad)}, nil
	}
	switch {
	case len(q.XAIP) > 0 && len(q.Data) > 0, len(q.XAIP)+len(q.Data) == 0:
		return &api.SubmissionResponse{Result: result(tresor.Failed(tresor.ParameterError, "Give either an XAIP or data."))}, nil
	case len(q.Data) > 0:
		return &api.SubmissionResponse{Result: result(tresor.Failed(tresor.NotSupported, "Data without a package are not supported; give them as a data object of an XAIP."))}, nil
	}
	r, aoid, err := h.Submit(ctx, q.XAIP, controls(q.Options))
	if err != nil {
		return nil, err
	}
	out := &api.SubmissionResponse{Result: result(r)}
	if !aoid.IsZero() {
		out.AOID = aoid.String()
	}
	return out, nil
}

// ArchiveUpdate implements api.Service.
func (s *Server) ArchiveUpdate(ctx context.Context, q api.UpdateRequest) (*api.UpdateResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	if bad := fits(q.DXAIP, tresor.ParameterError); bad != nil {
		return &api.UpdateResponse{Result: result(*bad)}, nil
	}
	r, version, err := h.Update(ctx, q.DXAIP, controls(q.Options))
	if err != nil {
		return nil, err
	}
	return &api.UpdateResponse{Result: result(r), VersionID: version}, nil
}

// ArchiveRetrieval implements api.Service.
func (s *Server) ArchiveRetrieval(ctx context.Context, q api.RetrievalRequest) (*api.RetrievalResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	r, xaip, err := h.Retrieve(ctx, q.AOID, q.Versions, controls(q.Options))
	if err != nil {
		return nil, err
	}
	return &api.RetrievalResponse{Result: result(r), XAIP: xaip}, nil
}

// ArchiveEvidence implements api.Service.
func (s *Server) ArchiveEvidence(ctx context.Context, q api.RetrievalRequest) (*api.EvidenceResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	r, list, err := h.RetrieveEvidence(ctx, q.AOID, q.Versions, controls(q.Options))
	if err != nil {
		return nil, err
	}
	out := &api.EvidenceResponse{Result: result(r), Records: []api.VersionRecord{}}
	for _, x := range list {
		out.Records = append(out.Records, api.VersionRecord{AOID: q.AOID, VersionID: x.VersionID, Record: x.Record})
	}
	return out, nil
}

// ArchiveData implements api.Service.
func (s *Server) ArchiveData(ctx context.Context, q api.DataRequest) (*api.DataResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	var places []archive.Location
	for _, l := range q.Locations {
		places = append(places, archive.Location(l))
	}
	r, list, err := h.Data(ctx, q.AOID, places, controls(q.Options))
	if err != nil {
		return nil, err
	}
	out := &api.DataResponse{Result: result(r), Data: []api.LocatedData{}}
	for i, x := range list {
		out.Data = append(out.Data, api.LocatedData{Result: result(x.Result), Location: q.Locations[i], Value: x.Value})
	}
	return out, nil
}

// ArchiveTrace implements api.Service.
func (s *Server) ArchiveTrace(ctx context.Context, q api.TraceRequest) (*api.TraceResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	r, list, err := h.Trace(ctx, q.AOID, controls(q.Options))
	if err != nil {
		return nil, err
	}
	out := &api.TraceResponse{Result: result(r), Events: []api.Event{}}
	for _, e := range list {
		out.Events = append(out.Events, api.Event{Seq: e.Seq, At: e.At, Actor: e.Actor, Action: e.Action, Object: e.Object, Details: e.Details})
	}
	return out, nil
}

// ArchiveDeletion implements api.Service.
func (s *Server) ArchiveDeletion(ctx context.Context, q api.DeletionRequest) (*api.ResultOnly, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	var reason *archive.Reason
	if q.Reason != nil {
		reason = &archive.Reason{Requestor: q.Reason.Requestor, Info: q.Reason.Info}
	}
	r, err := h.Delete(ctx, q.AOID, reason, controls(q.Options))
	if err != nil {
		return nil, err
	}
	return &api.ResultOnly{Result: result(r)}, nil
}

// VerifyPackage implements api.Service.
func (s *Server) VerifyPackage(ctx context.Context, q api.VerifyRequest) (*api.VerifyResponse, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.VerifyResponse{Objects: []api.VerifiedObject{}}
	if bad := fits(q.XAIP, tresor.ParameterError); bad != nil {
		out.Result = result(*bad)
		return out, nil
	}
	r, list, err := h.Verify(ctx, q.XAIP, q.Record, controls(q.Options))
	if err != nil {
		return nil, err
	}
	out.Result = result(r)
	for _, v := range list {
		out.Objects = append(out.Objects, api.VerifiedObject{ID: v.ObjectID, VersionID: v.VersionID, Verdict: v.Verdict.String(), Detail: v.Detail, Proven: known(v.Proven), Test: v.Test})
	}
	return out, nil
}

// messageXAIP sends a message or document as an XAIP.
func (s *Server) messageXAIP(w http.ResponseWriter, r *http.Request) {
	h, id, err := s.open(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	x, err := h.XAIP(r.Context(), id)
	if err != nil {
		s.failEvidence(w, r, err)
		return
	}
	defer x.Close()
	in, out := io.Pipe()
	defer in.Close() // ends the writer if the client is gone
	go func() { out.CloseWithError(x.Write(out)) }()
	s.send(w, r, in, archive.Download{Name: x.Name(), Type: "application/xml", Size: -1})
}
