package httpd

import (
	"context"
	"errors"
	"net/http"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/factor"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/vault"
)

// RequestID implements api.Door.
func (s *Server) RequestID(ctx context.Context) string { return requestOf(ctx).id }

// Say implements api.Door.
func (s *Server) Say(ctx context.Context, p *api.Problem) {
	if requestOf(ctx).language != "de" {
		return
	}
	g, err := loadGerman()
	if err != nil {
		s.cfg.Log.Error("texts cannot be said in German", "error", err)
		return
	}
	p.Detail, _ = g.say(p.Detail)
	for i := range p.Errors {
		p.Errors[i].Message, _ = g.say(p.Errors[i].Message)
	}
}

// Problem implements api.Door.
func (s *Server) Problem(ctx context.Context, err error) api.Fault {
	var fault api.Fault
	if errors.As(err, &fault) {
		return fault
	}
	var mistake *query.Error
	if errors.As(err, &mistake) {
		p := api.NewProblem(api.CodeQuery, mistake.Message(requestOf(ctx).language))
		return &api.SearchProblem{Problem: *p, Start: mistake.Pos, End: mistake.Pos + mistake.Len, Proposal: mistake.Proposal}
	}
	var often *archive.TooManyError
	if errors.As(err, &often) {
		return tooMany(often.Wait)
	}
	if p := deletionProblem(err); p != nil {
		return p
	}
	code := codeOf(err)
	if errors.Is(err, context.Canceled) {
		return api.NewProblem(code, "") // the client is gone; nobody reads it
	}
	if code == api.CodeInternal || code == api.CodeCorrupt || code == api.CodeBusy {
		s.cfg.Log.Error("request failed", "request", requestOf(ctx).id, "error", err)
	}
	if errors.Is(err, index.ErrDamaged) {
		return api.NewProblem(code, "The search index is damaged; the mail is not. Whoever runs the archive builds the index anew: muniment reindex.")
	}
	return api.NewProblem(code, "")
}

// codeOf finds the kind of problem that an error of the archive is.
func codeOf(err error) api.Code {
	for _, k := range []struct {
		err  error
		code api.Code
	}{
		{archive.ErrTenantNeeded, api.CodeTenantNeeded}, {archive.ErrDirectory, api.CodeDirectory}, {archive.ErrLogIn, api.CodeLogIn}, {archive.ErrNoSession, api.CodeNoSession},
		{archive.ErrFactor, api.CodeFactor}, {archive.ErrStepEnded, api.CodeStepEnded}, {archive.ErrSetupNeeded, api.CodeSetupNeeded},
		{archive.ErrConfirm, api.CodeConfirm}, {archive.ErrPassword, api.CodePassword}, {archive.ErrLink, api.CodeLink}, {factor.ErrNoPasskeys, api.CodeNoPasskeys},
		{access.ErrForbidden, api.CodeRole}, {archive.ErrAccessOver, api.CodeAccessOver}, {catalog.ErrNotFound, api.CodeNotFound}, {index.ErrCursor, api.CodeCursor},
		{message.ErrNoHTML, api.CodeNoHTML}, {archive.ErrNoSmarthost, api.CodeNotFound}, {archive.ErrTenantEnded, api.CodeEnded}, {archive.ErrShortens, api.CodeShortens}, {catalog.ErrManyHolds, api.CodeManyHolds},
		{vault.ErrCorrupt, api.CodeCorrupt}, {vault.ErrNotFound, api.CodeCorrupt}, {vault.ErrErased, api.CodeCorrupt},
		{archive.ErrBusy, api.CodeBusy}, {context.DeadlineExceeded, api.CodeBusy}, {context.Canceled, api.CodeBusy},
	} {
		if errors.Is(err, k.err) {
			return k.code
		}
	}
	return api.CodeInternal
}

// refuse answers a request of a plain handler with a problem.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, f api.Fault) {
	s.Say(r.Context(), f.Base())
	api.WriteProblem(w, requestOf(r.Context()).id, f)
}

// fail answers a request of a plain handler with the problem that err is.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.refuse(w, r, s.Problem(r.Context(), err))
}

// mistakes is a problem that names what is wrong with a request.
func mistakes(errs ...api.ProblemError) error {
	p := api.NewProblem(api.CodeInvalid, "")
	p.Errors = errs
	return p
}

func mistake(location, text string) error {
	return mistakes(api.ProblemError{Location: location, Message: text})
}

// mistakesIn lists the mistakes of settings that a check has joined, each as told by
// tell. E is how the check names a setting.
func mistakesIn[E error](err error, tell func(E) api.ProblemError) []api.ProblemError {
	if many, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // each of them is looked at
		var out []api.ProblemError
		for _, e := range many.Unwrap() {
			out = append(out, mistakesIn(e, tell)...)
		}
		return out
	}
	if field, ok := errors.AsType[E](err); ok {
		return []api.ProblemError{tell(field)}
	}
	return nil
}
