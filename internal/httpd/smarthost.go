package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// Mailer sends mail of the archive.
type Mailer interface {
	// Test tries settings and sends a test mail if to is not empty; it ends when
	// ctx does.
	Test(ctx context.Context, set remote.Smarthost, secret []byte, to, language string) remote.TestResult
	// Wake has what waits sent at once, and does not wait for it.
	Wake()
}

// managesMail checks the right before the request is judged: whoever lacks it
// learns nothing else.
func (s *Server) managesMail(ctx context.Context) (*archive.Handle, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.cfg.Archive.As(a.Actor), a.Actor.Check(access.ManageMail)
}

func (s *Server) wakeMailer() {
	if s.cfg.Mailer != nil {
		s.cfg.Mailer.Wake()
	}
}

// Smarthost implements api.Service.
func (s *Server) Smarthost(ctx context.Context) (*api.SmarthostState, error) {
	h, err := s.managesMail(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.SmarthostState{Sends: s.cfg.Mailer != nil}
	v, err := h.Smarthost(ctx)
	var damage *catalog.RowError
	switch {
	case errors.Is(err, archive.ErrNoSmarthost):
	case errors.As(err, &damage): // the page with which it is set right must open
		s.cfg.Log.Error("settings of the smarthost are damaged", "error", err)
	case err != nil:
		return nil, err
	default:
		set := api.Smarthost(v.Smarthost)
		out.Smarthost, out.HasPassword = &set, v.HasSecret
	}
	return out, nil
}

// smarthostErrors lists what is wrong with settings.
func smarthostErrors(set remote.Smarthost) []api.ProblemError {
	errs := fieldErrors(set.Check())
	for i := range errs {
		errs[i].Location = strings.Replace(errs[i].Location, "body.mailbox.", "body.smarthost.", 1)
	}
	return errs
}

// sameSmarthost reports whether settings lead the stored password to the server
// that it was given for. To another one, it would come out.
func sameSmarthost(old *archive.SmarthostView, set remote.Smarthost) bool {
	return strings.EqualFold(old.Host, set.Host) && old.User == set.User && (set.TLS != remote.NoTLS || old.TLS == remote.NoTLS)
}

// storedPassword reports whether the stored password may be used with settings.
// needed says that they need one and have none.
func storedPassword(ctx context.Context, h *archive.Handle, set remote.Smarthost) (use bool, needed []api.ProblemError, err error) {
	old, err := h.Smarthost(ctx)
	var damage *catalog.RowError
	if errors.Is(err, archive.ErrNoSmarthost) || errors.As(err, &damage) { // as if none were set
		old, err = &archive.SmarthostView{}, nil
	}
	switch {
	case err != nil:
		return false, nil, err
	case set.User == "":
		return false, nil, nil
	case !old.HasSecret:
		return false, []api.ProblemError{{Location: "body.password", Message: "is needed to log in"}}, nil
	case !sameSmarthost(old, set):
		return false, []api.ProblemError{needPassword()}, nil
	}
	return true, nil, nil
}

// ChangeSmarthost implements api.Service.
func (s *Server) ChangeSmarthost(ctx context.Context, c api.SmarthostChange) (*api.SmarthostState, error) {
	h, err := s.managesMail(ctx)
	if err != nil {
		return nil, err
	}
	d := archive.SmarthostDraft{Smarthost: remote.Smarthost(c.Smarthost).Normal(), Secret: secret(c.Password)}
	errs := smarthostErrors(d.Smarthost)
	if d.User == "" {
		d.Secret = []byte{} // nobody would use it
	} else if c.Password == nil {
		_, needed, err := storedPassword(ctx, h, d.Smarthost)
		if err != nil {
			return nil, err
		}
		errs = append(errs, needed...)
	} else if *c.Password == "" {
		errs = append(errs, api.ProblemError{Location: "body.password", Message: "is needed to log in"})
	}
	if len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	if err := h.SetSmarthost(ctx, d); err != nil {
		return nil, err
	}
	s.wakeMailer()
	return s.Smarthost(ctx)
}

// RemoveSmarthost implements api.Service.
func (s *Server) RemoveSmarthost(ctx context.Context) error {
	h, err := s.managesMail(ctx)
	if err != nil {
		return err
	}
	return h.RemoveSmarthost(ctx)
}

// TestSmarthost implements api.Service.
func (s *Server) TestSmarthost(ctx context.Context, t api.SmarthostTest) (*api.SmarthostFinding, error) {
	h, err := s.managesMail(ctx)
	if err != nil {
		return nil, err
	}
	set := remote.Smarthost(t.Smarthost).Normal()
	errs := smarthostErrors(set)
	to := strings.TrimSpace(t.To)
	if err := remote.MailAddress(to); to != "" && err != nil {
		errs = append(errs, api.ProblemError{Location: "body.to", Message: err.Error()})
	}
	password := secret(t.Password)
	if len(password) == 0 {
		use, needed, err := storedPassword(ctx, h, set)
		if err != nil {
			return nil, err
		}
		if use {
			if password, err = s.cfg.Archive.SmarthostSecret(ctx, uid.ID{}); err != nil {
				return nil, err
			}
		}
		errs = append(errs, needed...)
	}
	if len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	if s.cfg.Mailer == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "This server sends no mail.")
	}
	ctx, done := context.WithTimeout(ctx, testTime)
	defer done()
	r := s.cfg.Mailer.Test(ctx, set, password, to, requestOf(ctx).language)
	out := &api.SmarthostFinding{OK: r.OK, Problem: (*api.SendingProblem)(r.Problem), Steps: []api.SendingStep{}, Certificate: r.Certificate}
	for _, x := range r.Steps {
		out.Steps = append(out.Steps, api.SendingStep{What: x.What, OK: x.OK, Text: x.Text})
	}
	return out, nil
}

// Outbox implements api.Service.
func (s *Server) Outbox(ctx context.Context) (*api.Outbox, error) {
	h, err := s.managesMail(ctx)
	if err != nil {
		return nil, err
	}
	o, err := h.Outbox(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Outbox{Waiting: o.Waiting, Sent: o.Sent, Failed: o.Failed, Mails: []api.OutboxMail{}}
	for _, m := range o.Mails {
		out.Mails = append(out.Mails, s.describeMail(m))
	}
	return out, nil
}

func (s *Server) describeMail(m *catalog.Outgoing) api.OutboxMail {
	out := api.OutboxMail{ID: m.ID.String(), Kind: m.Kind, Sender: m.Sender, Recipients: []api.OutboxPerson{}, Size: m.Size, State: string(m.State),
		Attempts: m.Attempts, CreatedAt: m.CreatedAt, TriedAt: known(m.TriedAt), EndedAt: known(m.EndedAt)}
	if m.State == catalog.OutgoingWaiting {
		out.NextAt = known(m.NextAt)
	}
	for _, r := range m.Recipients {
		out.Recipients = append(out.Recipients, api.OutboxPerson{Address: r.Address, State: string(r.State), Answer: r.Answer})
	}
	if m.Problem != nil {
		var p remote.Problem
		if err := json.Unmarshal(m.Problem, &p); err == nil {
			out.Problem = (*api.SendingProblem)(&p)
		} else {
			s.cfg.Log.Error("problem of a mail cannot be read", "mail", m.ID, "error", err)
		}
	}
	return out
}

// known returns nil for the zero time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ofMail carries out an act on a mail that a client names.
func (s *Server) ofMail(ctx context.Context, id string, act func(*archive.Handle, context.Context, uid.ID) error) error {
	h, err := s.managesMail(ctx)
	if err != nil {
		return err
	}
	mail, err := uid.Parse(id)
	if err != nil { // is nobody's
		mail = uid.ID{}
	}
	return act(h, ctx, mail)
}

// RetryMail implements api.Service.
func (s *Server) RetryMail(ctx context.Context, id string) error {
	defer s.wakeMailer()
	return s.ofMail(ctx, id, (*archive.Handle).RetryMail)
}

// DropMail implements api.Service.
func (s *Server) DropMail(ctx context.Context, id string) error {
	return s.ofMail(ctx, id, (*archive.Handle).DropMail)
}
