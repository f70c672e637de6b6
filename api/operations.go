package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/muniment/muniment/internal/access"
)

// Search is what a search asks for.
type Search struct {
	Q      string `query:"q" maxLength:"4096" doc:"Query; empty finds everything" example:"from:anna invoice"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"Next of the previous page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"Results on a page"`
	Order  string `query:"order" enum:"newest,oldest" default:"newest"`
	Grant  string `query:"grant" maxLength:"64" doc:"Id of an approved request for access, under which other people's mail is read; what is read is recorded"`
}

// Suggest is what a suggestion is asked for.
type Suggest struct {
	Q     string `query:"q" maxLength:"4096" doc:"Query as far as it is typed"`
	Pos   int    `query:"pos" minimum:"-1" maximum:"4096" default:"-1" doc:"Characters before the cursor; -1: the cursor is at the end"`
	Grant string `query:"grant" maxLength:"64" doc:"Id of an approved request for access, under which other people's mail is read; what is read is recorded"`
}

// Names of the session cookie. The second is used over TLS: browsers take it
// only from this host, for all paths and over TLS (RFC 6265bis §4.1.3.2).
const (
	CookieName       = "muniment_session"
	SecureCookieName = "__Host-muniment_session"
)

// grantDoc describes the parameter grant. The server reads it from the request: it
// decides as whom somebody asks, as the session does.
const grantDoc = "Id of an approved request for access, under which other people's mail is read; what is read is recorded"

type (
	empty         struct{}
	body[T any]   struct{ Body T }
	signed[T any] struct {
		Cookies []http.Cookie `header:"Set-Cookie"`
		Body    T
	}
	cookie struct {
		Cookies []http.Cookie `header:"Set-Cookie"`
	}
	byID struct {
		ID    string `path:"id" doc:"Id of the message"`
		Grant string `query:"grant" maxLength:"64" doc:"Id of an approved request for access, under which other people's mail is read; what is read is recorded"`
	}
	byIDMarked struct { // not by embedding byID: huma passes over embedded types that are not exported
		ID    string `path:"id" doc:"Id of the message"`
		Q     string `query:"q" maxLength:"4096" doc:"Query whose matches are marked"`
		Grant string `query:"grant" maxLength:"64" doc:"Id of an approved request for access, under which other people's mail is read; what is read is recorded"`
	}
	byQuery struct {
		Q     string `query:"q" maxLength:"4096" doc:"Query; empty finds everything"`
		Grant string `query:"grant" maxLength:"64" doc:"Id of an approved request for access, under which other people's mail is read; what is read is recorded"`
	}
)

// maxBody bounds request bodies, in bytes, of operations that do not say more: the
// largest is a log-in.
const maxBody = 16 << 10

// operations registers operations on a huma API.
type operations struct {
	api  huma.API
	door Door
}

// op is how an operation is described.
type op struct {
	id, method, path string
	tag, summary     string
	public           bool          // needs no session
	setup            bool          // may be done before a second factor is set up that has to be
	status           int           // of success; 0: 200
	problems         []Code        // besides those that every operation has
	body             int64         // bound of the request body, in bytes; 0: maxBody
	bodyTime         time.Duration // to send it; 0: huma's
}

// describe registers everything. s may be nil if only the document is wanted.
func describe(o operations, s Service) {
	session(o, s)
	search(o, s)
	message(o, s)
	sources(o, s)
	mailboxLogIns(o, s)
	webhooks(o, s)
	staff(o, s)
	smarthost(o, s)
	setup(o, s)
	evidence(o, s)
	histories(o, s)
	uploads(o, s)
	routing(o, s)
	eventLog(o, s)
	accesses(o, s)
	holds(o, s)
	deletions(o, s)
	logins(o, s)
	users(o, s)
	hierarchy(o, s)
	directories(o, s)
	dashboard(o, s)
	preservation(o, s)
	add(o, op{id: "getStatistics", method: http.MethodGet, path: "/statistics", tag: "administration",
		summary: "Figures of the tenant", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Statistics], error) { return reply(s.Statistics(ctx)) })
	describeDownloads(o)
	polish(o.api.OpenAPI())
}

func session(o operations, s Service) {
	add(o, op{id: "getStatus", method: http.MethodGet, path: "/status", tag: "session", public: true,
		summary: "What anybody may know of the installation"},
		func(ctx context.Context, _ *empty) (*body[Status], error) { return reply(s.Status(ctx)) })
	add(o, op{id: "logIn", method: http.MethodPost, path: "/session", tag: "session", public: true,
		summary: "Log in", problems: []Code{CodeSecondFactor, CodeLogIn, CodeDirectory, CodeOrigin, CodeTimeout, CodeTenantNeeded, CodeTooLarge, CodeMediaType, CodeTooMany}},
		func(ctx context.Context, in *body[LogIn]) (*signed[Account], error) {
			return answered(s.LogIn(ctx, in.Body))
		})
	add(o, op{id: "getAccount", method: http.MethodGet, path: "/session", tag: "session", setup: true, summary: "Who is logged in"},
		func(ctx context.Context, _ *empty) (*body[Account], error) { return reply(s.Account(ctx)) })
	add(o, op{id: "logOut", method: http.MethodDelete, path: "/session", tag: "session", public: true, status: http.StatusNoContent,
		summary: "Log out", problems: []Code{CodeOrigin}},
		func(ctx context.Context, _ *empty) (*cookie, error) {
			c, err := s.LogOut(ctx)
			if err != nil {
				return nil, err
			}
			return &cookie{[]http.Cookie{*c}}, nil
		})
	add(o, op{id: "changeAccount", method: http.MethodPatch, path: "/account", tag: "session", setup: true,
		summary: "Change one's own settings", problems: []Code{CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}},
		func(ctx context.Context, in *body[AccountChange]) (*body[Account], error) {
			return reply(s.ChangeAccount(ctx, in.Body))
		})
}

func search(o operations, s Service) {
	add(o, op{id: "search", method: http.MethodGet, path: "/search", tag: "search",
		summary: "Find messages", problems: []Code{CodeRole, CodeQuery, CodeCursor}},
		func(ctx context.Context, in *Search) (*body[SearchPage], error) { return reply(s.Search(ctx, *in)) })
	add(o, op{id: "getFacets", method: http.MethodGet, path: "/search/facets", tag: "search",
		summary: "How all results are distributed", problems: []Code{CodeRole, CodeQuery}},
		func(ctx context.Context, in *byQuery) (*body[Facets], error) { return reply(s.Facets(ctx, in.Q)) })
	add(o, op{id: "suggest", method: http.MethodGet, path: "/search/suggest", tag: "search",
		summary: "Complete what is being typed", problems: []Code{CodeRole}},
		func(ctx context.Context, in *Suggest) (*body[Suggestions], error) { return reply(s.Suggest(ctx, *in)) })
}

func message(o operations, s Service) {
	add(o, op{id: "getMessage", method: http.MethodGet, path: "/messages/{id}", tag: "message",
		summary: "Read a message", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byIDMarked) (*body[Message], error) {
			return reply(s.Message(ctx, in.ID, in.Q))
		})
	add(o, op{id: "checkMessage", method: http.MethodPost, path: "/messages/{id}/check", tag: "message",
		summary: "Compare what is stored with what arrived", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byID) (*body[Integrity], error) { return reply(s.Check(ctx, in.ID)) })
}

func reply[T any](v *T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{*v}, nil
}

// add registers one operation: it authenticates and checks the right before it
// looks at the request, and reports errors as Door says.
func add[I, O any](o operations, d op, f func(context.Context, *I) (*O, error)) {
	h := d.operation(o.api.OpenAPI().Components.Schemas)
	if !d.public {
		right, _ := d.right()
		h.Middlewares = huma.Middlewares{o.authenticate(right, d)}
	}
	huma.Register(o.api, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, o.door.Problem(ctx, err)
		}
		return out, nil
	})
}

// authenticate lets only those pass who have a session and the right, and whose tenant
// has not ended if d changes anything; d.setup says that the session may be of somebody
// who has to set up a second factor first.
func (o operations) authenticate(right access.Right, d op) func(ctx huma.Context, next func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		find := o.door.Authenticate
		if d.setup {
			find = o.door.AuthenticateSetup
		}
		known, err := find(ctx.Context())
		if err == nil {
			err = o.door.Allow(known, right)
		}
		if err == nil && d.changes() {
			err = o.door.AllowChange(known)
		}
		if err == nil {
			next(huma.WithContext(ctx, known))
			return
		}
		_, w := humago.Unwrap(ctx)
		fault := o.door.Problem(ctx.Context(), err)
		o.door.Say(ctx.Context(), fault.Base())
		WriteProblem(w, o.door.RequestID(ctx.Context()), fault)
	}
}

// operation describes d for huma and the document.
func (d op) operation(schemas huma.Registry) huma.Operation {
	codes := append([]Code{CodeMalformed, CodeInvalid, CodeInternal, CodeBusy}, d.problems...)
	limit := max(d.body, maxBody) + 1 // huma takes less than it says
	h := huma.Operation{OperationID: d.id, Method: d.method, Path: d.path, Tags: []string{d.tag}, Summary: d.summary,
		DefaultStatus: d.status, MaxBodyBytes: limit, BodyReadTimeout: d.bodyTime, Responses: map[string]*huma.Response{}}
	if right, ok := d.right(); ok {
		codes = append(codes, CodeNoSession, CodeRole)
		if !d.setup {
			codes = append(codes, CodeSetupNeeded)
		}
		if d.changes() {
			codes = append(codes, CodeEnded)
		}
		h.Security = []map[string][]string{{sessionScheme: {}}, {tokenScheme: {}}}
		h.Extensions = map[string]any{rightExtension: string(right)}
	}
	for _, k := range Kinds() {
		if !slices.Contains(codes, k.Code) {
			continue
		}
		status := strconv.Itoa(k.Status)
		if h.Responses[status] == nil {
			h.Responses[status] = &huma.Response{Description: http.StatusText(k.Status), Content: map[string]*huma.MediaType{}}
		}
		addProblem(h.Responses[status], k, schemas)
	}
	return h
}
