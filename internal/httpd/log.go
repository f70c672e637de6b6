package httpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// EventLog implements api.LogService.
func (s *Server) EventLog(ctx context.Context) (*api.EventLog, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.cfg.Archive.As(a.Actor).Log(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.EventLog{Size: v.Size, Root: v.Root, Key: v.Key, Manage: a.Actor.Check(access.ManageReceipts) == nil}
	if v.Last != nil {
		r := describeReceipt(v.Last)
		out.Last = &r
	}
	return out, nil
}

func describeReceipt(r *catalog.Receipt) api.Receipt {
	return api.Receipt{Day: r.Day, MadeAt: r.MadeAt, Size: r.Size, Filed: r.Filed, Mailed: r.Mailed, Sealed: !strings.Contains(r.Body, `"evidence_record": null`)}
}

// Events implements api.LogService.
func (s *Server) Events(ctx context.Context, q api.EventQuery) (*api.Events, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	f := catalog.EventFilter{Before: q.Before, Group: q.Group, Actor: q.Actor, Object: q.Object}
	if _, err := h.Events(ctx, f, 0); err != nil { // the right first: whoever lacks it learns nothing else
		return nil, err
	}
	if f.From, err = dayOf("query.from", q.From); err != nil {
		return nil, err
	}
	if f.Until, err = dayOf("query.to", q.To); err != nil {
		return nil, err
	}
	if !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1)
	}
	list, err := h.Events(ctx, f, q.Limit)
	if err != nil {
		return nil, err
	}
	out := &api.Events{Events: make([]api.Event, len(list))}
	for i, e := range list {
		out.Events[i] = api.Event{Seq: e.Seq, At: e.At, Actor: e.Actor, ActorName: e.ActorName, Action: e.Action, Object: e.Object, ObjectName: e.ObjectName, Details: e.Details}
	}
	if len(list) == q.Limit && list[len(list)-1].Seq > 0 {
		out.Next = list[len(list)-1].Seq
	}
	return out, nil
}

// dayOf reads a day; empty is the zero time.
func dayOf(where, day string) (time.Time, error) {
	if day == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return t, mistake(where, "want a day such as 2026-01-31")
	}
	return t, nil
}

// Receipts implements api.LogService.
func (s *Server) Receipts(ctx context.Context, before string) (*api.Receipts, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.Receipts(ctx, before)
	if err != nil {
		return nil, err
	}
	out := &api.Receipts{Receipts: make([]api.Receipt, len(list))}
	for i, r := range list {
		out.Receipts[i] = describeReceipt(r)
	}
	return out, nil
}

// CompareReceipts implements api.LogService.
func (s *Server) CompareReceipts(ctx context.Context, c api.ReceiptChoice) (*api.ReceiptComparison, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	if len(c.Names) > len(c.Receipts) {
		return nil, mistake("body.names", "more names than receipts")
	}
	given := make([]archive.GivenReceipt, len(c.Receipts))
	for i, which := range c.Receipts {
		given[i].Which = which
		if i < len(c.Names) {
			given[i].Name = c.Names[i]
		}
	}
	r, err := h.CompareReceipts(ctx, given)
	if errors.Is(err, archive.ErrReceipt) {
		return nil, mistake("body.receipts", err.Error())
	}
	if err != nil {
		return nil, err
	}
	out := &api.ReceiptComparison{Verdict: string(r.Verdict), Receipts: []api.ComparedReceipt{}, Findings: []api.ReceiptFinding{}}
	for _, x := range r.Receipts {
		y := api.ComparedReceipt{Name: x.Name, Size: x.Size, Root: x.Root, Time: x.Time, Key: x.Key, Stamp: "none"}
		if s := r.Stamps[x.Name]; s != nil {
			y.Stamp, y.Test = s.Verdict.String(), s.Test
			if !s.Proven.IsZero() {
				y.Stamped = &s.Proven
			}
		}
		out.Receipts = append(out.Receipts, y)
	}
	for _, x := range r.Findings {
		out.Findings = append(out.Findings, api.ReceiptFinding{Code: string(x.Code), Text: x.Text})
	}
	return out, nil
}

// ReceiptSettings implements api.LogService.
func (s *Server) ReceiptSettings(ctx context.Context) (*api.ReceiptSettings, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	r, err := h.ReceiptSettings(ctx)
	if err != nil {
		return nil, err
	}
	return (*api.ReceiptSettings)(r), nil
}

// ChangeReceiptSettings implements api.LogService.
func (s *Server) ChangeReceiptSettings(ctx context.Context, c api.ReceiptSettings) (*api.ReceiptSettings, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	err = h.SetReceiptSettings(ctx, archive.ReceiptSettings(c))
	if errors.Is(err, archive.ErrInvalid) {
		return nil, mistake("body", err.Error())
	}
	if err != nil {
		return nil, err
	}
	return s.ReceiptSettings(ctx)
}

// auditTime bounds one comparison of log and archive.
const auditTime = 6 * time.Hour

// audits are the last comparisons by tenant; they are for people, and forgotten when
// the server ends.
type audits struct {
	mu   sync.Mutex
	last map[uid.ID]*api.AuditState
}

// StartAudit implements api.LogService.
func (s *Server) StartAudit(ctx context.Context) error {
	a, err := accountOf(ctx)
	if err != nil {
		return err
	}
	if err := a.Actor.Check(access.SeeLog); err != nil {
		return err
	}
	if a.Actor.Tenant.IsZero() {
		return mistake("path", "the installation has no messages to compare")
	}
	s.audits.mu.Lock()
	defer s.audits.mu.Unlock()
	if s.audits.last == nil {
		s.audits.last = map[uid.ID]*api.AuditState{}
	}
	old := s.audits.last[a.Actor.Tenant]
	if old != nil && old.Running {
		return nil
	}
	state := &api.AuditState{Running: true}
	if old != nil {
		state.Report = old.Report
	}
	s.audits.last[a.Actor.Tenant] = state
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), auditTime)
	go func() {
		defer done()
		r, err := s.cfg.Archive.As(a.Actor).Audit(ctx)
		if err != nil {
			s.cfg.Log.Error("event log not compared", "tenant", a.Actor.Tenant, "error", err)
		}
		s.audits.mu.Lock()
		defer s.audits.mu.Unlock()
		s.audits.last[a.Actor.Tenant] = &api.AuditState{Failed: err != nil, Report: describeAudit(r)}
	}()
	return nil
}

func describeAudit(r *archive.AuditReport) *api.AuditReport {
	if r == nil {
		return nil
	}
	out := &api.AuditReport{StartedAt: r.StartedAt, EndedAt: r.EndedAt, LogSize: r.LogSize, LogRoot: r.LogRoot, Entries: r.Entries, Deleted: r.Deleted,
		Messages: r.Messages, Matched: r.Matched, Receipts: r.Receipts, Stamped: r.Stamped, Found: r.Found, Findings: []api.AuditFinding{}}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, api.AuditFinding{Code: string(f.Code), Object: f.Object, What: f.What})
	}
	return out
}

// Audit implements api.LogService.
func (s *Server) Audit(ctx context.Context) (*api.AuditState, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.Actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	s.audits.mu.Lock()
	defer s.audits.mu.Unlock()
	if last := s.audits.last[a.Actor.Tenant]; last != nil {
		again := *last
		return &again, nil
	}
	return &api.AuditState{}, nil
}

type encoder interface{ Encode() ([]byte, error) }

// sendFile sends a file that was made for the request.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, name string, v encoder, err error) {
	var b []byte
	if err == nil {
		b, err = v.Encode()
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.send(w, r, strings.NewReader(string(b)), archive.Download{Name: name, Type: "application/json", Size: int64(len(b))})
}

// numberOf reads a number of an address; what is none is not found.
func numberOf(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1, fmt.Errorf("number %w", catalog.ErrNotFound)
	}
	return n, nil
}

func (s *Server) eventProof(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	seq, _ := numberOf(r.PathValue("seq")) //nolint:errcheck // the right first; no event has the number -1
	p, err := h.EventProof(r.Context(), seq)
	s.sendFile(w, r, fmt.Sprintf("muniment-event-%d-proof.json", seq), p, err)
}

func (s *Server) checkpoint(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := h.Checkpoint(r.Context())
	s.sendFile(w, r, "muniment-checkpoint-"+time.Now().UTC().Format("20060102T150405Z")+".json", c, err)
}

func (s *Server) consistency(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q := r.URL.Query()
	from, err1 := numberOf(q.Get("from"))
	to, err2 := numberOf(q.Get("to"))
	p, err := h.Consistency(r.Context(), from, to) // checks the right
	if err == nil {
		err = errors.Join(err1, err2)
	}
	s.sendFile(w, r, fmt.Sprintf("muniment-proof-%d-%d.json", from, to), p, err)
}

func (s *Server) receiptFile(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	x, err := h.Receipt(r.Context(), r.PathValue("day"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.send(w, r, strings.NewReader(x.Body), archive.Download{Name: "muniment-receipt-" + x.Day + ".json", Type: "application/json", Size: int64(len(x.Body))})
}

// exportLog sends the whole log. It is cut if it cannot be sent to its end, and
// without its end it is none.
func (s *Server) exportLog(w http.ResponseWriter, r *http.Request) {
	h, err := s.handle(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := &lateHeader{w: &patient{w: w, control: http.NewResponseController(w)}, begin: func() {
		w.Header().Set("Content-Security-Policy", sandboxed)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Disposition", disposition("muniment-log-"+time.Now().UTC().Format("20060102T150405Z")+".txt"))
	}}
	err = h.ExportLog(r.Context(), out)
	switch {
	case err == nil:
	case !out.begun:
		s.fail(w, r, err)
	default:
		if r.Context().Err() == nil {
			s.cfg.Log.Error("download cut", "request", requestOf(r.Context()).id, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// lateHeader sets the header when the first bytes are there.
type lateHeader struct {
	w     io.Writer
	begin func()
	begun bool
}

func (l *lateHeader) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.begin()
	}
	return l.w.Write(b)
}
