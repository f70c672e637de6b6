package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/muniment/muniment/internal/access"
)

// Base is the path under which the operations are served.
const Base = "/api/v1"

// Door is what the operations need of the server that they are part of.
type Door interface {
	// Authenticate finds the session of the request that ctx belongs to and
	// returns a context in which the Service knows its user.
	Authenticate(ctx context.Context) (context.Context, error)
	// Allow returns an error unless the user of ctx, which comes from Authenticate, has
	// the right.
	Allow(ctx context.Context, right access.Right) error
	// AllowChange returns an error if the tenant of the user of ctx has ended, so that
	// nothing of it may be changed.
	AllowChange(ctx context.Context) error
	// AuthenticateSetup is Authenticate for operations that somebody may do who has to
	// set up a second factor first. Authenticate lets nobody through who has to.
	AuthenticateSetup(ctx context.Context) (context.Context, error)
	// Problem tells how an error is reported to the client. It writes the cause
	// into the log.
	Problem(ctx context.Context, err error) Fault
	// RequestID returns the id of the request that ctx belongs to.
	RequestID(ctx context.Context) string
	// Say puts the texts of a problem into the language of the request that ctx belongs
	// to, as far as they are not.
	Say(ctx context.Context, p *Problem)
}

// Service carries out the operations. Except for Status, LogIn and LogOut, ctx
// comes from Door.Authenticate. Errors are turned into problems by
// Door.Problem.
type Service interface {
	Status(ctx context.Context) (*Status, error)
	PreservationService
	LogIn(ctx context.Context, in LogIn) (*Account, []http.Cookie, error)
	// LogOut ends the session, if there is one, and returns a cookie that
	// removes the session's.
	LogOut(ctx context.Context) (*http.Cookie, error)
	Account(ctx context.Context) (*Account, error)
	ChangeAccount(ctx context.Context, c AccountChange) (*Account, error)
	Search(ctx context.Context, s Search) (*SearchPage, error)
	Facets(ctx context.Context, q string) (*Facets, error)
	Suggest(ctx context.Context, s Suggest) (*Suggestions, error)
	// Message gets the id as the client sent it: what is no id does not exist.
	Message(ctx context.Context, id, q string) (*Message, error)
	Check(ctx context.Context, id string) (*Integrity, error)
	Statistics(ctx context.Context) (*Statistics, error)
	Sources(ctx context.Context) (*Sources, error)
	Source(ctx context.Context, id string) (*Source, error)
	CreateSource(ctx context.Context, n NewSource) (*Source, error)
	ChangeSource(ctx context.Context, id string, c SourceChange) (*Source, error)
	TestMailbox(ctx context.Context, t MailboxTest) (*MailboxFinding, error)
	BeginMailboxLogIn(ctx context.Context, in MailboxLogIn) (*MailboxLogInState, error)
	MailboxLogIn(ctx context.Context, id string) (*MailboxLogInState, error)
	CancelMailboxLogIn(ctx context.Context, id string) error
	// FetchNow asks for a fetch and does not wait for it.
	FetchNow(ctx context.Context, id string) error
	LeftOnServer(ctx context.Context, id string) (*LeftItems, error)
	// StartHistory asks for a history and does not wait for it.
	StartHistory(ctx context.Context, id string, n NewHistory) error
	History(ctx context.Context, id string) (*History, error)
	CancelHistory(ctx context.Context, id string) error
	Completeness(ctx context.Context, p Period) (*Completeness, error)
	MessageEvidence(ctx context.Context, id string) (*MessageEvidence, error)
	Evidence(ctx context.Context) (*Evidence, error)
	Sealing(ctx context.Context) (*Sealing, error)
	ChangeSealing(ctx context.Context, c SealingChange) (*Sealing, error)
	TestAuthority(ctx context.Context, t SealingTest) (*SealingFinding, error)
	SealNow(ctx context.Context) (*SealingRun, error)
	WebhookService
	StaffService
	Renewals(ctx context.Context) (*EvidenceRenewals, error)
	RenewNow(ctx context.Context, o RenewalOrder) (*RenewalRun, error)
	Smarthost(ctx context.Context) (*SmarthostState, error)
	ChangeSmarthost(ctx context.Context, c SmarthostChange) (*SmarthostState, error)
	RemoveSmarthost(ctx context.Context) error
	TestSmarthost(ctx context.Context, t SmarthostTest) (*SmarthostFinding, error)
	Outbox(ctx context.Context) (*Outbox, error)
	RetryMail(ctx context.Context, id string) error
	DropMail(ctx context.Context, id string) error
	SetupService
	UploadService
	RoutingService
	LogService
	AccessService
	DeletionService
	LoginService
	UserService
	HierarchyService
	DirectoryService
	DashboardService
	HoldService
}

// Register adds the operations to mux, under Base.
func Register(mux *http.ServeMux, d Door, s Service) {
	c := config()
	c.Transformers = []huma.Transformer{func(ctx huma.Context, _ string, v any) (any, error) {
		return finish(ctx.Context(), d, v), nil
	}}
	describe(operations{api: humago.NewWithPrefix(mux, Base, c), door: d}, s)
}

// finish completes problems, whoever made them.
func finish(ctx context.Context, d Door, v any) any {
	switch e := v.(type) {
	case *huma.ErrorModel:
		p := fromModel(e)
		p.RequestID = d.RequestID(ctx)
		d.Say(ctx, p)
		return p
	case Fault:
		e.Base().RequestID = d.RequestID(ctx)
		d.Say(ctx, e.Base())
	}
	return v
}
