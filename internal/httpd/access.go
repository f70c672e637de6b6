package httpd

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// AccessRequests implements api.Service.
func (s *Server) AccessRequests(ctx context.Context) (*api.AccessRequests, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.AccessRequests(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.AccessRequests{Requests: make([]api.AccessRequest, len(list))}
	for i, v := range list {
		out.Requests[i] = describeAccess(v)
		if v.MayDecide {
			out.Waiting++
		}
	}
	return out, nil
}

func describeAccess(v *archive.AccessView) api.AccessRequest {
	out := api.AccessRequest{ID: v.ID.String(), Kind: v.Kind, State: string(v.State), Addresses: list(v.Addresses), Query: v.Query, From: moment(v.From), To: moment(v.To),
		Reason: v.Reason, Covert: v.Covert, Until: v.ValidUntil,
		RequestedBy: api.AccessPerson{ID: v.RequestedBy.String(), Name: v.RequestedByName, Role: v.RequestedRole}, RequestedAt: v.RequestedAt,
		DecidedBy: person(v.DecidedBy, v.DecidedByName, v.DecidedRole), DecidedAt: moment(v.DecidedAt), Note: v.Note,
		EndedBy: person(v.EndedBy, v.EndedByName, ""), EndedAt: moment(v.EndedAt), MayDecide: v.MayDecide, MayRead: v.MayRead, MayEnd: v.MayEnd, MayCarryOut: v.MayCarryOut, Messages: v.Messages}
	describeAbout(&out, v)
	return out
}

func person(id uid.ID, name, role string) *api.AccessPerson {
	if id.IsZero() {
		return nil
	}
	return &api.AccessPerson{ID: id.String(), Name: name, Role: role}
}

// settled describes what became of a request.
func settled(v *archive.AccessView, err error) (*api.AccessRequest, error) {
	if err != nil {
		return nil, err
	}
	out := describeAccess(v)
	return &out, nil
}

// RequestAccess implements api.Service.
func (s *Server) RequestAccess(ctx context.Context, n api.NewAccessRequest) (*api.AccessRequest, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	v, err := h.RequestAccess(ctx, archive.NewAccess{Kind: access.Kind(n.Kind), Addresses: n.Addresses, Query: n.Query, From: n.From, To: n.To,
		Reason: n.Reason, Covert: n.Covert, Until: n.Until})
	if err != nil {
		return nil, wanting(ctx, err)
	}
	s.tellDeciders(ctx, h, v)
	return settled(v, nil)
}

// wanting names every field of a request for access, or of the decision on it, that is
// wrong.
func wanting(ctx context.Context, err error) error {
	errs := mistakesIn(err, func(e *archive.FieldError) api.ProblemError {
		return api.ProblemError{Location: "body." + e.Field, Message: e.Text}
	})
	if len(errs) == 0 {
		return typed("body", err)
	}
	if q, ok := errors.AsType[*query.Error](err); ok {
		errs = append(errs, api.ProblemError{Location: "body.query", Message: q.Message(requestOf(ctx).language)})
	}
	return mistakes(errs...)
}

// requestFor finds handle and id of an operation on one request.
func (s *Server) requestFor(ctx context.Context, id string) (*archive.Handle, uid.ID, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, uid.ID{}, err
	}
	request, err := parseID(id)
	return h, request, err
}

// AccessRequest implements api.Service.
func (s *Server) AccessRequest(ctx context.Context, id string) (*api.AccessRequest, error) {
	h, request, err := s.requestFor(ctx, id)
	if err != nil {
		return nil, err
	}
	return settled(h.AccessRequest(ctx, request))
}

// DecideAccess implements api.Service.
func (s *Server) DecideAccess(ctx context.Context, id string, d api.AccessDecision) (*api.AccessRequest, error) {
	h, request, err := s.requestFor(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := h.DecideAccess(ctx, request, d.Approve, d.Note)
	return settled(v, wanting(ctx, err))
}

// EndAccess implements api.Service.
func (s *Server) EndAccess(ctx context.Context, id string) (*api.AccessRequest, error) {
	h, request, err := s.requestFor(ctx, id)
	if err != nil {
		return nil, err
	}
	return settled(h.EndAccess(ctx, request))
}

// recordRequest reads what records are asked for. An id that is none finds nothing.
func recordRequest(q api.AccessRecordQuery) archive.RecordRequest {
	id := func(s string) uid.ID {
		if s == "" {
			return uid.ID{}
		}
		id, err := uid.Parse(s)
		if err != nil {
			return uid.ID{0xff} // nobody's
		}
		return id
	}
	return archive.RecordRequest{Request: id(q.Request), User: id(q.User), Address: q.Address, From: q.From, To: q.To, Before: id(q.Cursor)}
}

// AccessRecords implements api.Service.
func (s *Server) AccessRecords(ctx context.Context, q api.AccessRecordQuery) (*api.AccessRecords, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	page, err := h.AccessRecords(ctx, recordRequest(q))
	if err != nil {
		return nil, typed("query", err)
	}
	out := &api.AccessRecords{Records: describeRecords(page.Records)}
	if !page.Next.IsZero() {
		out.Next = page.Next.String()
	}
	return out, nil
}

func describeRecords(in []archive.RecordView) []api.AccessRecord {
	out := make([]api.AccessRecord, len(in))
	for i, r := range in {
		out[i] = api.AccessRecord{ID: r.ID.String(), At: r.At, Act: r.Act, Request: r.Request.String(), UserID: r.User.String(), User: r.UserName, Reason: r.Reason,
			Message: r.Object, Query: r.Query, Addresses: list(r.Addresses), Peer: r.Peer, Covert: r.Covert}
	}
	return out
}

// accessRecordsCSV sends the records for a spreadsheet, page by page.
func (s *Server) accessRecordsCSV(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := r.URL.Query()
	ask := recordRequest(api.AccessRecordQuery{Request: p.Get("request"), User: p.Get("user"), Address: p.Get("address"), From: p.Get("from"), To: p.Get("to")})
	page, err := h.AccessRecords(r.Context(), ask)
	if err != nil {
		s.fail(w, r, typed("query", err))
		return
	}
	head := w.Header()
	head.Set("Content-Security-Policy", sandboxed)
	head.Set("Content-Type", "text/csv; charset=utf-8")
	head.Set("Content-Disposition", disposition("access-records.csv"))
	out := csv.NewWriter(&patient{w: w, control: http.NewResponseController(w)})
	out.Comma, out.UseCRLF = ';', true
	out.Write([]string{"\ufefftime", "who", "act", "addresses", "message", "query", "reason", "request", "peer", "covert"}) //nolint:errcheck // Flush tells
	for {
		for _, x := range page.Records {
			covert := map[bool]string{true: "yes", false: "no"}[x.Covert]
			line := []string{x.At.Format(time.RFC3339), x.UserName, x.Act, strings.Join(x.Addresses, " "), x.Object, x.Query, x.Reason, x.Request.String(), x.Peer, covert}
			for i := range line {
				line[i] = harmless(line[i])
			}
			out.Write(line) //nolint:errcheck // Flush tells
		}
		if page.Next.IsZero() {
			break
		}
		ask.Before = page.Next
		if page, err = h.AccessRecords(r.Context(), ask); err != nil {
			s.cfg.Log.Error("download cut", "request", requestOf(r.Context()).id, "error", err)
			panic(http.ErrAbortHandler)
		}
	}
	if out.Flush(); out.Error() != nil && r.Context().Err() == nil {
		panic(http.ErrAbortHandler)
	}
}

// harmless keeps spreadsheets from taking a text for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Readers implements api.Service.
func (s *Server) Readers(ctx context.Context) (*api.Readers, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	r, err := h.Readers(ctx)
	if err != nil {
		return nil, err
	}
	return &api.Readers{Told: r.Told, Records: describeRecords(r.Records)}, nil
}

// AccessPolicy implements api.Service.
func (s *Server) AccessPolicy(ctx context.Context) (*api.AccessPolicy, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	tell, err := h.TellsPeople(ctx)
	if err != nil {
		return nil, err
	}
	return &api.AccessPolicy{TellPeople: tell}, nil
}

// ChangeAccessPolicy implements api.Service.
func (s *Server) ChangeAccessPolicy(ctx context.Context, p api.AccessPolicy) (*api.AccessPolicy, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.TellPeople(ctx, p.TellPeople); err != nil {
		return nil, err
	}
	return s.AccessPolicy(ctx)
}

// Post queues letters; package outbox makes and sends them.
type Post interface {
	// Queue makes a letter durable. archive.ErrNoSmarthost if nobody has set how mail
	// leaves.
	Queue(ctx context.Context, l Letter) error
}

// Letter is what people are to read.
type Letter struct {
	Tenant    uid.ID
	Kind, Key string
	To        []string
	Subject   string
	Text      string
}

// tellDeciders writes to those who may decide on a request. It says nothing of what is
// asked for: mail is no place for that. That the request is there does not depend on it.
func (s *Server) tellDeciders(ctx context.Context, h *archive.Handle, v *archive.AccessView) {
	if s.cfg.Post == nil {
		return
	}
	people, err := h.Deciders(ctx, v)
	if err != nil {
		s.cfg.Log.Error("nobody was told of a request for access", "request", v.ID, "error", err)
		return
	}
	for _, p := range people {
		if len(p.Addresses) == 0 {
			continue
		}
		subject, text := decisionLetter(p)
		err := s.cfg.Post.Queue(ctx, Letter{Tenant: v.Tenant, Kind: "access", Key: "access " + v.ID.String() + " " + p.ID.String(), To: p.Addresses[:1], Subject: subject, Text: text})
		if err != nil && !errors.Is(err, archive.ErrNoSmarthost) {
			s.cfg.Log.Error("a letter about a request for access could not be queued", "request", v.ID, "error", err)
		}
	}
}

// decisionLetter is written in both languages unless the person has chosen one.
func decisionLetter(u *catalog.User) (subject, text string) {
	de := "Im E-Mail-Archiv wartet ein Antrag auf Ihre Entscheidung.\n\n" +
		"Melden Sie sich an und öffnen Sie die Seite „Zugriffsanträge“. Aus Gründen der Vertraulichkeit steht hier nicht, worum es geht.\n"
	en := "In the mail archive, a request waits for your decision.\n\n" +
		"Log in and open the page “Access requests”. For confidentiality this mail does not say what it is about.\n"
	switch u.Language {
	case "de":
		return "Zugriffsantrag wartet auf Ihre Entscheidung", de
	case "en":
		return "A request for access waits for your decision", en
	}
	return "Zugriffsantrag wartet / Request for access waits", de + "\n---\n\n" + en
}
