package httpd

import (
	"context"
	"strings"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
)

// newSecret is the password or log-in of a new mailbox.
func (s *Server) newSecret(ctx context.Context, n api.NewSource) ([]byte, []api.ProblemError) {
	if n.LogIn != "" {
		return s.grant(ctx, n.LogIn, n.Mailbox)
	}
	typed := n.Mailbox.OAuth == "" || n.Mailbox.Method == remote.ByClient
	switch {
	case n.Mailbox.Method == remote.ByDevice:
		return nil, []api.ProblemError{{Location: "body.log_in", Message: "is needed: log in by a code"}}
	case typed && value(n.Password) == "":
		return nil, []api.ProblemError{{Location: "body.password", Message: "is needed"}}
	}
	return secret(n.Password), nil
}

// grant is what a finished log-in leaves behind.
func (s *Server) grant(ctx context.Context, id string, m *api.Mailbox) ([]byte, []api.ProblemError) {
	store, wrong := s.finishedLogIn(ctx, id, m)
	if len(wrong) > 0 {
		return nil, wrong
	}
	b, err := store.Load(ctx)
	if err != nil { // it is in memory
		return nil, []api.ProblemError{{Location: "body.log_in", Message: "log in again"}}
	}
	return b, nil
}

// sameLogIn reports whether settings lead the stored password to the server that
// it was given for. To another one, it would come out.
func sameLogIn(v *archive.SourceView, m *api.Mailbox) bool {
	old, err := remote.Parse(v.Settings)
	set := normal(m)
	return err == nil && sameApplication(old, set) && strings.EqualFold(old.Host, set.Host) && old.User == set.User && (set.TLS != remote.NoTLS || old.TLS == remote.NoTLS)
}

func needPassword() api.ProblemError {
	return api.ProblemError{Location: "body.password", Message: "give it again: the stored one is for another server, user or protection"}
}

// needSecret asks for the password of a mailbox, or for a log-in.
func needSecret(m *api.Mailbox) api.ProblemError {
	if m.Method == remote.ByDevice {
		return api.ProblemError{Location: "body.log_in", Message: "log in again: the stored log-in is for another server, user or application"}
	}
	return needPassword()
}

// testSecret is what a test logs in with.
func (s *Server) testSecret(ctx context.Context, t api.MailboxTest) (oauth.Store, []api.ProblemError, error) {
	pass := secret(t.Password)
	switch {
	case t.LogIn != "":
		store, wrong := s.finishedLogIn(ctx, t.LogIn, &t.Mailbox)
		return store, wrong, nil
	case t.ID == "" || len(pass) > 0:
		return oauth.NewMemory(pass), nil, nil
	}
	_, v, err := s.sourceOf(ctx, t.ID)
	switch {
	case err != nil:
		return nil, nil, err
	case !v.HasSecret: // the server will say what it thinks of that
		return oauth.NewMemory(nil), nil, nil
	case !sameLogIn(v, &t.Mailbox):
		return nil, []api.ProblemError{needSecret(&t.Mailbox)}, nil
	}
	return s.storeOf(v.Tenant, v.ID), nil, nil
}
