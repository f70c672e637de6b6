package httpd

import (
	"context"
	"net/http"
	"strings"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/usercsv"
)

// managesUsers checks the right before the request is judged: whoever lacks it learns
// nothing else.
func (s *Server) managesUsers(ctx context.Context) (*archive.Handle, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.cfg.Archive.As(a.Actor), a.Actor.Check(access.ManageUsers)
}

// userMistakes turns what is wrong with a user into a problem that names the members
// of the body.
func userMistakes(err error) error {
	list := archive.UserErrors(err)
	if len(list) == 0 {
		return err
	}
	errs := make([]api.ProblemError, len(list))
	for i, e := range list {
		errs[i] = api.ProblemError{Location: "body." + e.Field, Message: e.Text, Code: e.Code, Args: e.Args}
	}
	return mistakes(errs...)
}

func describeUser(v *archive.UserView) *api.User {
	out := &api.User{ID: v.ID.String(), Login: v.Login, Name: v.Name, FirstName: v.FirstName, LastName: v.LastName, Role: v.Role, Language: v.Language,
		Addresses: list(v.Addresses), Disabled: v.Disabled, ExpiresOn: v.ExpiresOn, Expired: v.Expired, HasPassword: v.HasPassword,
		CreatedAt: v.CreatedAt, LoggedInAt: moment(v.LoggedInAt)}
	if v.Sees != nil {
		out.Sees = &api.UserSees{Count: v.Sees.N, Exact: v.Sees.Exact}
	}
	return out
}

// userAnswer describes a user, or says what is wrong.
func userAnswer(v *archive.UserView, err error) (*api.User, error) {
	if err != nil {
		return nil, userMistakes(err)
	}
	return describeUser(v), nil
}

// Users implements api.Service.
func (s *Server) Users(ctx context.Context, q api.UserQuery) (*api.Users, error) {
	h, err := s.managesUsers(ctx)
	if err != nil {
		return nil, err
	}
	p, err := h.Users(ctx, archive.UserQuery{Text: q.Q, After: q.After, Limit: q.Limit})
	if err != nil {
		return nil, err
	}
	out := &api.Users{Users: []api.User{}, Next: p.Next, Found: p.Found, All: p.All, AnyDomain: p.AnyDomain, Damaged: p.Damaged}
	for i := range p.Users {
		out.Users = append(out.Users, *describeUser(&p.Users[i]))
	}
	return out, nil
}

// CreateUser implements api.Service.
func (s *Server) CreateUser(ctx context.Context, n api.NewUser) (*api.User, error) {
	h, err := s.managesUsers(ctx)
	if err != nil {
		return nil, err
	}
	return userAnswer(h.CreateUser(ctx, archive.NewUser{Login: n.Login, Name: n.Name, FirstName: n.FirstName, LastName: n.LastName, Role: access.Role(n.Role),
		Language: n.Language, Password: n.Password, ExpiresOn: n.ExpiresOn, Addresses: n.Addresses, Shared: n.Shared}))
}

// ofUser finds the user that a client names.
func (s *Server) ofUser(ctx context.Context, id string) (*archive.Handle, uid.ID, error) {
	h, err := s.managesUsers(ctx)
	if err != nil {
		return nil, uid.ID{}, err
	}
	user, err := uid.Parse(id)
	if err != nil {
		return nil, uid.ID{}, catalog.ErrNotFound
	}
	return h, user, nil
}

// User implements api.Service.
func (s *Server) User(ctx context.Context, id string) (*api.User, error) {
	h, user, err := s.ofUser(ctx, id)
	if err != nil {
		return nil, err
	}
	return userAnswer(h.User(ctx, user))
}

// ChangeUser implements api.Service.
func (s *Server) ChangeUser(ctx context.Context, id string, c api.UserChange) (*api.User, error) {
	h, user, err := s.ofUser(ctx, id)
	if err != nil {
		return nil, err
	}
	change := archive.UserChange{Name: c.Name, FirstName: c.FirstName, LastName: c.LastName, Language: c.Language, Disabled: c.Disabled, ExpiresOn: c.ExpiresOn}
	if c.Role != nil {
		change.Role = new(access.Role(*c.Role))
	}
	return userAnswer(h.ChangeUser(ctx, user, change))
}

// AddUserAddress implements api.Service.
func (s *Server) AddUserAddress(ctx context.Context, id string, a api.UserAddress) (*api.User, error) {
	h, user, err := s.ofUser(ctx, id)
	if err != nil {
		return nil, err
	}
	v, err := h.ChangeUser(ctx, user, archive.UserChange{Add: []string{a.Address}, Shared: a.Shared})
	for _, e := range archive.UserErrors(err) {
		e.Field = "address" // as it is called here
	}
	return userAnswer(v, err)
}

// RemoveUserAddress implements api.Service.
func (s *Server) RemoveUserAddress(ctx context.Context, id, address string) (*api.User, error) {
	h, user, err := s.ofUser(ctx, id)
	if err != nil {
		return nil, err
	}
	if _, err := archive.Addresses([]string{address}); err != nil {
		return nil, catalog.ErrNotFound
	}
	return userAnswer(h.ChangeUser(ctx, user, archive.UserChange{Remove: []string{address}}))
}

// SetUserPassword implements api.Service.
func (s *Server) SetUserPassword(ctx context.Context, id string, p api.UserPassword) error {
	h, user, err := s.ofUser(ctx, id)
	if err != nil {
		return err
	}
	return userMistakes(h.SetUserPassword(ctx, user, p.Password))
}

// usersCSV sends the list of users.
func (s *Server) usersCSV(w http.ResponseWriter, r *http.Request) {
	h, err := s.managesUsers(r.Context())
	q := r.URL.Query()
	comma, ok := map[string]rune{"": ',', "semicolon": ';', "comma": ','}[q.Get("separator")]
	if err == nil && !ok {
		err = mistake("query.separator", "want semicolon or comma")
	}
	var rows []usercsv.Row
	if err == nil {
		rows, _, err = h.ExportUsers(r.Context(), archive.ExportOptions{Passwords: q.Get("passwords") == "true", Disabled: q.Get("disabled") == "true"})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var b strings.Builder
	if comma == ';' {
		b.WriteString(byteOrderMark)
	}
	if err := usercsv.Write(&b, comma, rows); err != nil {
		s.fail(w, r, err)
		return
	}
	head := w.Header()
	head.Set("Content-Security-Policy", sandboxed)
	head.Set("Content-Type", "text/csv; charset=utf-8; header=absent")
	head.Set("Content-Disposition", disposition("users.csv"))
	if _, err := (&patient{w: w, control: http.NewResponseController(w)}).Write([]byte(b.String())); err != nil {
		panic(http.ErrAbortHandler)
	}
}
