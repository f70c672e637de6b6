package httpd

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
)

// maxTold bounds the messages that a problem names.
const maxTold = 20

// deletionProblem makes the problem of what was deleted, or must not be; nil: it is none.
func deletionProblem(err error) *api.Problem {
	var gone *archive.GoneError
	if errors.As(err, &gone) {
		at := gone.Tombstone.DeletedAt.UTC()
		p := api.NewProblem(api.CodeDeleted, "The message was deleted on "+at.Format("2006-01-02 15:04 MST")+"; a tombstone remains.")
		p.Errors = []api.ProblemError{{Message: "deleted", Code: "deleted", Args: map[string]string{"at": at.Format(time.RFC3339)}}}
		return p
	}
	var kept *archive.KeptError
	if !errors.As(err, &kept) {
		return nil
	}
	p := api.NewProblem(api.CodeKept, "")
	for i, k := range kept.List {
		if i == maxTold {
			p.Detail += " And " + strconv.Itoa(len(kept.List)-maxTold) + " more."
			p.Errors = append(p.Errors, api.ProblemError{Message: "and more", Code: "more", Args: map[string]string{"count": strconv.Itoa(len(kept.List) - maxTold)}})
			break
		}
		p.Detail += " " + k.String() + "."
		p.Errors = append(p.Errors, keptMistake(k))
	}
	return p
}

// keptMistake tells why a message must stay, so that clients can say it in another
// language.
func keptMistake(k archive.KeptMessage) api.ProblemError {
	e := api.ProblemError{Message: k.String(), Args: map[string]string{"message": k.AOID.String()}}
	switch {
	case k.Missing:
		e.Code = "missing"
	case len(k.Holds) > 0:
		e.Code, e.Args["hold"] = "held", k.Holds[0].String()
	case len(k.With) > 0:
		e.Code, e.Args["with"] = "together", k.With[0].String()
	default:
		e.Code, e.Args["until"] = "retained", k.Due.UTC().Format(time.RFC3339)
	}
	return e
}

// RequestDeletion implements api.Service.
func (s *Server) RequestDeletion(ctx context.Context, n api.NewDeletion) (*api.AccessRequest, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	d := archive.NewDeletion{Reason: n.Reason, Until: n.Until, Messages: make([]uid.ID, len(n.Messages))}
	for i, m := range n.Messages {
		if d.Messages[i], err = parseID(m); err != nil {
			p := api.NewProblem(api.CodeKept, "")
			p.Errors = []api.ProblemError{{Message: fmt.Sprintf("%.60q is not the number of a message", m), Code: "missing", Args: map[string]string{"message": fmt.Sprintf("%.60s", m)}}}
			p.Detail += " " + p.Errors[0].Message + "."
			return nil, p
		}
	}
	v, err := h.RequestDeletion(ctx, d)
	if err != nil {
		return nil, typed("body", err)
	}
	s.tellDeciders(ctx, h, v)
	return settled(v, nil)
}

// Deletion implements api.Service.
func (s *Server) Deletion(ctx context.Context, id string) (*api.Deletion, error) {
	h, request, err := s.requestFor(ctx, id)
	if err != nil {
		return nil, err
	}
	list, err := h.DeletionMessages(ctx, request)
	if err != nil {
		return nil, err
	}
	v, err := h.AccessRequest(ctx, request)
	if err != nil {
		return nil, err
	}
	out := &api.Deletion{Request: describeAccess(v), Messages: make([]api.DeletionMessage, len(list))}
	for i, m := range list {
		x := api.DeletionMessage{ID: m.AOID.String(), State: "there", Class: m.Class, ReceivedAt: moment(m.ReceivedAt), Size: m.Size, Due: moment(m.Due), DeletedAt: moment(m.DeletedAt), Holds: []string{}}
		for _, id := range m.Holds {
			x.Holds = append(x.Holds, id.String())
		}
		switch {
		case m.Missing:
			x.State = "missing"
		case !m.DeletedAt.IsZero():
			x.State = "deleted"
		}
		out.Messages[i] = x
	}
	return out, nil
}

// CarryOutDeletion implements api.Service.
func (s *Server) CarryOutDeletion(ctx context.Context, id string) (*api.DeletionDone, error) {
	h, request, err := s.requestFor(ctx, id)
	if err != nil {
		return nil, err
	}
	n, err := h.DeleteUnder(ctx, request)
	if err != nil {
		return nil, err
	}
	return &api.DeletionDone{Deleted: n}, nil
}

// tombstonesOf reads which tombstones are asked for. An id that is none finds nothing.
func tombstonesOf(request, cursor string) (of, before uid.ID) {
	q := recordRequest(api.AccessRecordQuery{Request: request, Cursor: cursor})
	return q.Request, q.Before
}

// Tombstones implements api.Service.
func (s *Server) Tombstones(ctx context.Context, request, cursor string) (*api.Tombstones, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	of, before := tombstonesOf(request, cursor)
	page, err := h.Tombstones(ctx, of, before)
	if err != nil {
		return nil, err
	}
	out := &api.Tombstones{Tombstones: make([]api.Tombstone, len(page.Tombstones))}
	for i, x := range page.Tombstones {
		out.Tombstones[i] = api.Tombstone{ID: x.AOID.String(), Class: x.Class, ReceivedAt: x.ReceivedAt, Size: x.Size, Due: moment(x.Due), DeletedAt: x.DeletedAt,
			AskedBy: person(x.AskedBy, x.AskedByName, x.AskedRole), ApprovedBy: person(x.ApprovedBy, x.ApprovedByName, x.ApprovedRole), CarriedBy: x.CarriedBy, Reason: x.Reason,
			Finished: len(x.Rest) == 0}
		if !x.Request.IsZero() {
			out.Tombstones[i].Request = x.Request.String()
		}
	}
	if !page.Next.IsZero() {
		out.Next = page.Next.String()
	}
	return out, nil
}

// tombstonesCSV sends the tombstones for a spreadsheet, page by page.
func (s *Server) tombstonesCSV(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	of, before := tombstonesOf(r.URL.Query().Get("request"), "")
	page, err := h.Tombstones(r.Context(), of, before)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	head := w.Header()
	head.Set("Content-Security-Policy", sandboxed)
	head.Set("Content-Type", "text/csv; charset=utf-8")
	head.Set("Content-Disposition", disposition("tombstones.csv"))
	out := csv.NewWriter(&patient{w: w, control: http.NewResponseController(w)})
	out.Comma, out.UseCRLF = ';', true
	out.Write([]string{"\ufeffmessage", "class", "received", "size", "due", "deleted", "asked by", "role", "approved by", "role", "reason", "request"}) //nolint:errcheck // Flush tells
	for {
		for _, x := range page.Tombstones {
			due, request := "", ""
			if !x.Due.IsZero() {
				due = x.Due.Format(time.RFC3339)
			}
			if !x.Request.IsZero() {
				request = x.Request.String()
			}
			line := []string{x.AOID.String(), x.Class, x.ReceivedAt.Format(time.RFC3339), strconv.FormatInt(x.Size, 10), due, x.DeletedAt.Format(time.RFC3339), x.AskedByName, x.AskedRole,
				x.ApprovedByName, x.ApprovedRole, x.Reason, request}
			for i := range line {
				line[i] = harmless(line[i])
			}
			out.Write(line) //nolint:errcheck // Flush tells
		}
		if page.Next.IsZero() {
			break
		}
		if page, err = h.Tombstones(r.Context(), of, page.Next); err != nil {
			s.cfg.Log.Error("download cut", "request", requestOf(r.Context()).id, "error", err)
			panic(http.ErrAbortHandler)
		}
	}
	if out.Flush(); out.Error() != nil && r.Context().Err() == nil {
		panic(http.ErrAbortHandler)
	}
}
