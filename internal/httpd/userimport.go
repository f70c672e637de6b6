package httpd

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/usercsv"
)

const (
	// importTime bounds an import: 10,000 passwords on a slow machine.
	importTime = 2 * time.Hour
	// importKept is how long one that has ended can be looked at.
	importKept = time.Hour
	// maxImportLines bounds the lines that a plan shows.
	maxImportLines = 1000
	// maxEndedImports bounds how many of a tenant that have ended can be looked at.
	maxEndedImports = 3
)

// userImport is an import of users: under way, or ended.
type userImport struct {
	id     string
	tenant uid.ID
	began  time.Time
	stop   context.CancelFunc

	mu            sync.Mutex
	state         string
	hashed, total int
	plan          *api.UserImportPlan // nil while it runs; without passwords
}

// userImports remembers them, in memory only: one that is lost has changed nothing.
type userImports struct {
	mu   sync.Mutex
	list []*userImport
}

// begin adds an import unless the tenant has one under way.
func (l *userImports) begin(n *userImport) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = slices.DeleteFunc(l.list, func(old *userImport) bool { return old.ended() && n.began.Sub(old.began) > importKept })
	if slices.ContainsFunc(l.list, func(old *userImport) bool { return old.tenant == n.tenant && !old.ended() }) {
		return mistakes(api.ProblemError{Location: "body", Code: "import-running", Message: "another import is under way; wait until it has ended"})
	}
	l.list = append(l.list, n)
	ended := 0
	for i := len(l.list) - 1; i >= 0; i-- { // the youngest is the last
		if old := l.list[i]; old.tenant == n.tenant && old.ended() {
			if ended++; ended > maxEndedImports {
				l.list = slices.Delete(l.list, i, i+1)
			}
		}
	}
	return nil
}

func (l *userImports) find(id string, tenant uid.ID) (*userImport, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.list {
		if n.id == id && n.tenant == tenant {
			return n, nil
		}
	}
	return nil, catalog.ErrNotFound
}

func (n *userImport) ended() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state != "running"
}

func (n *userImport) progress(done, all int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hashed, n.total = done, all
}

func (n *userImport) end(plan *archive.ImportPlan, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err == nil:
		n.state, n.plan = "done", describePlan(plan)
	case errors.Is(err, archive.ErrImport):
		n.state, n.plan = "problems", describePlan(plan)
	default:
		n.state = "failed"
	}
}

func (n *userImport) describe() *api.UserImport {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &api.UserImport{ID: n.id, State: n.state, Hashed: n.hashed, Hashing: n.total, BeganAt: n.began.UTC(), Plan: n.plan}
}

func describePlan(p *archive.ImportPlan) *api.UserImportPlan {
	out := &api.UserImportPlan{Separator: "comma", Create: p.Create, Update: p.Update, Same: p.Same, Hashing: p.Hashing, More: p.More,
		Users: []api.UserImportLine{}, Problems: describeListProblems(p.Problems), Notices: describeListProblems(p.Notices)}
	if p.Delimiter == ';' {
		out.Separator = "semicolon"
	}
	for _, u := range p.Users[:min(len(p.Users), maxImportLines)] {
		out.Users = append(out.Users, api.UserImportLine{Line: u.Line, Login: u.Login, Name: u.Name, Addresses: list(u.Addresses), Act: string(u.Act), Password: u.Password})
	}
	return out
}

func describeListProblems(problems []usercsv.Problem) []api.UserImportProblem {
	out := make([]api.UserImportProblem, len(problems))
	for i, p := range problems {
		out[i] = api.UserImportProblem{Line: p.Line, Column: p.Column, Code: p.Code, Args: p.Args, Text: p.Text}
	}
	return out
}

// PreviewUsers implements api.Service.
func (s *Server) PreviewUsers(ctx context.Context, l api.UserList) (*api.UserImportPlan, error) {
	h, err := s.managesUsers(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := h.PreviewUsers(ctx, l.Content, archive.ImportOptions{Update: l.Update, Shared: l.Shared})
	if err != nil {
		return nil, err
	}
	return describePlan(plan), nil
}

// ImportUsers implements api.Service.
func (s *Server) ImportUsers(ctx context.Context, l api.UserList) (*api.UserImport, error) {
	h, err := s.managesUsers(ctx)
	if err != nil {
		return nil, err
	}
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	// It goes on when this request is over.
	work, stop := context.WithTimeout(context.WithoutCancel(ctx), importTime)
	n := &userImport{id: rand.Text(), tenant: a.Actor.Tenant, began: time.Now(), stop: stop, state: "running"}
	if err := s.userImports.begin(n); err != nil {
		stop()
		return nil, err
	}
	go func() {
		defer stop()
		plan, err := h.ImportUsers(work, l.Content, archive.ImportOptions{Update: l.Update, Shared: l.Shared}, n.progress)
		if err != nil && !errors.Is(err, archive.ErrImport) {
			s.cfg.Log.Error("import of users failed; nothing was changed", "tenant", n.tenant, "error", err)
		}
		n.end(plan, err)
	}()
	return n.describe(), nil
}

// importOf finds an import of the tenant of who asks.
func (s *Server) importOf(ctx context.Context, id string) (*userImport, error) {
	if _, err := s.managesUsers(ctx); err != nil {
		return nil, err
	}
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.userImports.find(id, a.Actor.Tenant)
}

// UserImport implements api.Service.
func (s *Server) UserImport(ctx context.Context, id string) (*api.UserImport, error) {
	n, err := s.importOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return n.describe(), nil
}

// CancelUserImport implements api.Service.
func (s *Server) CancelUserImport(ctx context.Context, id string) error {
	n, err := s.importOf(ctx, id)
	if err == nil {
		n.stop()
	}
	return err
}
