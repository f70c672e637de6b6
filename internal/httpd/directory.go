package httpd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// maxShown bounds the changes that a plan shows.
const maxShown = 1000

// directoriesOf returns the verbs of who is logged in; whoever lacks the right learns
// nothing else.
func (s *Server) directoriesOf(ctx context.Context) (*archive.TenantDirectories, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	return h.Directories()
}

// theDirectory is directoriesOf with the id that a client names.
func (s *Server) theDirectory(ctx context.Context, id string) (*archive.TenantDirectories, uid.ID, error) {
	t, err := s.directoriesOf(ctx)
	if err != nil {
		return nil, uid.ID{}, err
	}
	d, err := uid.Parse(id)
	if err != nil { // is nobody's
		return nil, uid.ID{}, fmt.Errorf("directory: %w", catalog.ErrNotFound)
	}
	return t, d, nil
}

// Directories implements api.Service.
func (s *Server) Directories(ctx context.Context) (*api.Directories, error) {
	t, err := s.directoriesOf(ctx)
	if err != nil {
		return nil, err
	}
	all, err := t.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Directories{Directories: []api.Directory{}, Roles: archive.GivenRoles()}
	for _, v := range all {
		out.Directories = append(out.Directories, *describeDirectory(&v))
	}
	return out, nil
}

func describeDirectory(v *archive.DirectoryView) *api.Directory {
	out := &api.Directory{ID: v.ID.String(), Kind: v.Kind, Name: v.Name, HasSecret: v.HasSecret, Position: v.Position, Disabled: v.Disabled, Users: v.Users,
		LastAt: v.State.LastAt, LastOKAt: v.State.LastOKAt, Problem: (*api.DirectoryProblem)(v.State.Problem),
		Settings: api.DirectorySettings{LDAP: (*api.DirectoryLDAP)(v.Settings.LDAP), OIDC: (*api.DirectoryOIDC)(v.Settings.OIDC), IMAP: (*api.DirectoryIMAP)(v.Settings.IMAP)}}
	for _, r := range v.Settings.Roles {
		out.Settings.Roles = append(out.Settings.Roles, api.DirectoryRole(r))
	}
	return out
}

// directorySettings reads settings as clients send them, and lists what is wrong.
func (s *Server) directorySettings(in api.DirectorySettings) (directory.Settings, []api.ProblemError) {
	set := directory.Settings{LDAP: (*directory.LDAP)(in.LDAP), OIDC: (*directory.OIDC)(in.OIDC), IMAP: (*directory.IMAP)(in.IMAP)}
	for _, r := range in.Roles {
		set.Roles = append(set.Roles, directory.RoleRule(r))
	}
	errs := directoryErrors(set.Check(archive.GivenRoles()))
	host, field := "", "host"
	switch {
	case set.LDAP != nil:
		host = set.LDAP.Host
	case set.IMAP != nil:
		host = set.IMAP.Host
	case set.OIDC != nil:
		field = "issuer"
		if u, err := url.Parse(set.OIDC.Issuer); err == nil {
			host = u.Hostname()
		}
	}
	if err := remote.CheckHost(host, !s.cfg.AllowPrivate); err != nil {
		errs = append(errs, api.ProblemError{Location: "body.settings." + field, Message: "no such server can be there"})
	}
	return set, errs
}

// directoryErrors lists the mistakes of settings.
func directoryErrors(err error) []api.ProblemError {
	errs := fieldErrors(err)
	for i := range errs {
		field := strings.TrimPrefix(errs[i].Location, "body.mailbox.")
		errs[i].Location = "body.settings." + field
		if field == "name" || field == "secret" {
			errs[i].Location = "body." + field
		}
	}
	return errs
}

func (s *Server) directoryDraft(in api.DirectoryDraft) (archive.DirectoryDraft, error) {
	set, errs := s.directorySettings(in.Settings)
	if strings.TrimSpace(in.Name) == "" { // the rest of a name is judged by the archive
		errs = append(errs, api.ProblemError{Location: "body.name", Message: "is needed"})
	}
	if len(errs) > 0 {
		return archive.DirectoryDraft{}, mistakes(errs...)
	}
	return archive.DirectoryDraft{Name: in.Name, Settings: set, Secret: secret(in.Secret), Position: in.Position, Disabled: in.Disabled}, nil
}

// judgedDirectory turns mistakes of settings into problems.
func judgedDirectory(err error) error {
	if errors.Is(err, catalog.ErrTaken) {
		return mistake("body.name", "another directory has this name")
	}
	if errs := directoryErrors(err); len(errs) > 0 {
		return mistakes(errs...)
	}
	return typed("body", err)
}

// CreateDirectory implements api.Service.
func (s *Server) CreateDirectory(ctx context.Context, in api.DirectoryDraft) (*api.Directory, error) {
	t, err := s.directoriesOf(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.directoryDraft(in)
	if err != nil {
		return nil, err
	}
	v, err := t.Create(ctx, d)
	if err != nil {
		return nil, judgedDirectory(err)
	}
	return describeDirectory(v), nil
}

// ChangeDirectory implements api.Service.
func (s *Server) ChangeDirectory(ctx context.Context, id string, in api.DirectoryDraft) (*api.Directory, error) {
	t, d, err := s.theDirectory(ctx, id)
	if err != nil {
		return nil, err
	}
	draft, err := s.directoryDraft(in)
	if err != nil {
		return nil, err
	}
	if _, err := t.Change(ctx, d, draft); err != nil {
		return nil, judgedDirectory(err)
	}
	v, err := t.Get(ctx, d)
	if err != nil {
		return nil, err
	}
	return describeDirectory(v), nil
}

// RemoveDirectory implements api.Service.
func (s *Server) RemoveDirectory(ctx context.Context, id string) error {
	t, d, err := s.theDirectory(ctx, id)
	if err != nil {
		return err
	}
	return t.Remove(ctx, d)
}

// TestDirectory implements api.Service.
func (s *Server) TestDirectory(ctx context.Context, in api.DirectoryTest) (*api.DirectoryFinding, error) {
	t, err := s.directoriesOf(ctx)
	if err != nil {
		return nil, err
	}
	set, errs := s.directorySettings(in.Settings)
	if len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	var of uid.ID
	if in.ID != "" {
		if of, err = uid.Parse(in.ID); err != nil {
			return nil, fmt.Errorf("directory: %w", catalog.ErrNotFound)
		}
	}
	f, err := t.Test(ctx, of, archive.DirectoryDraft{Settings: set, Secret: secret(in.Secret)})
	if err != nil {
		return nil, judgedDirectory(err)
	}
	out := &api.DirectoryFinding{OK: f.OK, Problem: (*api.DirectoryProblem)(f.Problem), Steps: []api.DirectoryStep{}, Certificate: f.Certificate, People: f.People,
		Shared: f.Shared, First: []api.DirectoryPerson{}, Notes: directoryNotes(f.Notes)}
	for _, x := range f.Steps {
		out.Steps = append(out.Steps, api.DirectoryStep(x))
	}
	for _, p := range f.First {
		out.First = append(out.First, api.DirectoryPerson{Login: p.Login, Name: p.Name, FirstName: p.First, LastName: p.Last, Role: p.Role, Addresses: list(p.Addresses), Disabled: p.Disabled})
	}
	return out, nil
}

func directoryNotes(notes []directory.Note) []api.DirectoryNote {
	out := []api.DirectoryNote{}
	for _, n := range notes {
		out = append(out, api.DirectoryNote(n))
	}
	return out
}

// PreviewDirectory implements api.Service.
func (s *Server) PreviewDirectory(ctx context.Context, id string) (*api.DirectoryPlan, error) {
	t, d, err := s.theDirectory(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := t.Preview(ctx, d)
	return planned(p, err, false)
}

// SyncDirectory implements api.Service.
func (s *Server) SyncDirectory(ctx context.Context, id string, in api.DirectorySync) (*api.DirectoryPlan, error) {
	t, d, err := s.theDirectory(ctx, id)
	if err != nil {
		return nil, err
	}
	var decisions []directory.Decision
	for _, x := range in.Decisions {
		decisions = append(decisions, directory.Decision(x))
	}
	p, err := t.Sync(ctx, d, in.Digest, decisions...)
	if errs := decisionErrors(err); len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	return planned(p, err, true)
}

// decisionErrors lists the decisions that cannot be carried out.
func decisionErrors(err error) (out []api.ProblemError) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			out = append(out, decisionErrors(e)...)
		}
		return out
	}
	var e *directory.DecisionError
	if errors.As(err, &e) {
		field := "user"
		switch e.Code {
		case directory.DecisionNobody:
			field = "person"
		case directory.DecisionRole:
			field = "role"
		}
		out = append(out, api.ProblemError{Location: fmt.Sprintf("body.decisions[%d].%s", e.Index, field), Message: e.Error()})
	}
	return out
}

// planned describes a plan, or why there is none. What is no error of the directory is
// an error of the request.
func planned(p *directory.Plan, err error, done bool) (*api.DirectoryPlan, error) {
	out := &api.DirectoryPlan{Done: done && err == nil, Changes: []api.DirectoryChange{}, Counts: map[string]int{}, Notes: []api.DirectoryNote{}}
	var known *directory.Error
	switch {
	case errors.As(err, &known):
		out.Problem = (*api.DirectoryProblem)(directory.Explain(err, "", nil))
	case errors.Is(err, archive.ErrSyncing):
		return nil, api.NewProblem(api.CodeBusy, "The directory is being synchronised already.")
	case err != nil:
		return nil, typed("path.id", err)
	}
	if p == nil {
		return out, nil
	}
	out.Counts, out.Same, out.Guard, out.Digest, out.Notes = p.Counts, p.Same, p.Guard, p.Digest, directoryNotes(p.Notes)
	changes := slices.Clone(p.Changes)
	slices.SortStableFunc(changes, func(a, b directory.Change) int { return cmp.Compare(weight(a.Kind), weight(b.Kind)) })
	for _, c := range changes[:min(len(changes), maxShown)] {
		out.Changes = append(out.Changes, describeChange(c))
	}
	return out, nil
}

func describeChange(c directory.Change) api.DirectoryChange {
	out := api.DirectoryChange{Kind: c.Kind, Reason: c.Reason, Who: c.Who, Before: describePerson(c.Before), After: describePerson(c.After), Refused: c.Refused}
	if c.Kind != directory.Matched {
		return out
	}
	out.Person = c.Origin.External
	for _, m := range c.Matches {
		out.Matches = append(out.Matches, api.DirectoryMatch{User: m.User.ID, Now: *describePerson(&m.User), After: *describePerson(&m.After), Login: m.Login,
			Addresses: m.Addresses, Password: m.Password, Higher: m.Higher, Last: m.Last})
	}
	return out
}

// weight sorts what people have to look at before the rest.
func weight(kind string) int {
	return slices.Index([]string{directory.Matched, directory.Conflict, directory.Gone, directory.Disabled, directory.Renamed, directory.Changed, directory.Enabled, directory.Adopted, directory.New}, kind)
}

func describePerson(u *directory.User) *api.DirectoryPerson {
	if u == nil {
		return nil
	}
	return &api.DirectoryPerson{Login: u.Login, Name: u.Name, FirstName: u.First, LastName: u.Last, Role: u.Role, Addresses: list(u.Addresses), Disabled: u.Disabled}
}
