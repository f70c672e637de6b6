package api

import (
	"context"
	"net/http"
	"time"
)

// Names of the other cookies of a log-in, without TLS; over TLS they have
// SecurePrefix before them.
const (
	StepCookieName    = "muniment_step"    // of a log-in whose second step is to follow
	PasskeyCookieName = "muniment_passkey" // what a passkey is to sign
	DeviceCookieName  = "muniment_device"  // of a browser that somebody has logged in with
	SecurePrefix      = "__Host-"
)

// StepProblem is a problem of code "second-factor": the password was right, and the log-in
// goes on with one of the factors. The step is in a cookie.
type StepProblem struct {
	Problem
	Factors   []string       `json:"factors" enum:"totp,passkey,recovery" doc:"Of which one is enough"`
	ExpiresAt time.Time      `json:"expires_at" doc:"When the log-in has to begin again"`
	Cookies   []*http.Cookie `json:"-"`
}

// GetHeaders returns the header fields that belong to the problem.
func (p *StepProblem) GetHeaders() http.Header {
	h := http.Header{}
	for _, c := range p.Cookies {
		h.Add("Set-Cookie", c.String())
	}
	return h
}

// SecondStep is the second step of a log-in: one of the members.
type SecondStep struct {
	Code     string         `json:"code,omitempty" maxLength:"16" doc:"Of an authenticator application"`
	Recovery string         `json:"recovery,omitempty" maxLength:"64" doc:"A recovery code"`
	Passkey  map[string]any `json:"passkey,omitempty" doc:"The browser's answer, as PublicKeyCredential.toJSON writes it"`
}

// PasskeyOptions are what a browser needs to make or use a passkey.
type PasskeyOptions struct {
	Options map[string]any `json:"options" doc:"For PublicKeyCredential.parseCreationOptionsFromJSON or parseRequestOptionsFromJSON"`
}

// PasskeyQuestion says what a passkey is to be used for.
type PasskeyQuestion struct {
	Step bool `json:"step,omitempty" doc:"As the second step of the log-in that has begun; else by itself"`
}

// PasskeyAnswer is what a browser answers with a passkey.
type PasskeyAnswer struct {
	Passkey map[string]any `json:"passkey" doc:"As PublicKeyCredential.toJSON writes it"`
}

// ForgottenPassword asks for a link to set a new password with.
type ForgottenPassword struct {
	Login    string `json:"login" minLength:"1" maxLength:"320" doc:"User name or mail address"`
	Tenant   string `json:"tenant,omitempty" maxLength:"64" doc:"Short name of the customer"`
	Operator bool   `json:"operator,omitempty"`
}

// LinkToken is what follows # in a one-time link.
type LinkToken struct {
	Token string `json:"token" minLength:"1" maxLength:"128"`
}

// LinkUse sets a password by a one-time link.
type LinkUse struct {
	Token    string `json:"token" minLength:"1" maxLength:"128"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// Link is what the holder of a one-time link may know.
type Link struct {
	Purpose   string    `json:"purpose" enum:"welcome,reset"`
	Login     string    `json:"login"`
	Name      string    `json:"name"`
	Tenant    *Tenant   `json:"tenant,omitempty"`
	Language  string    `json:"language" enum:",de,en"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Security is how a user logs in, and where the user is logged in.
type Security struct {
	HasPassword   bool          `json:"has_password"`
	Required      bool          `json:"required" doc:"A second factor has to be there"`
	Confirmed     bool          `json:"confirmed" doc:"Factors can be changed without confirming with the password"`
	TOTP          *Factor       `json:"totp,omitempty" doc:"Authenticator application"`
	Passkeys      []Factor      `json:"passkeys"`
	RecoveryCodes int           `json:"recovery_codes" doc:"That are left"`
	Sessions      []Session     `json:"sessions"`
	Links         []PendingLink `json:"links" doc:"One-time links that can be used"`
}

// Factor is an authenticator application or a passkey.
type Factor struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
}

// Session is a place where a user is logged in.
type Session struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at" doc:"To the minute"`
	EndsAt    time.Time `json:"ends_at" doc:"At the latest"`
	Peer      string    `json:"peer" doc:"Network address it was opened from"`
	UserAgent string    `json:"user_agent"`
	Method    string    `json:"method" enum:"password,passkey,totp,recovery" doc:"What it was opened with, in the end"`
	Current   bool      `json:"current" doc:"This one"`
}

// PendingLink is a one-time link that can be used. The link itself is nowhere.
type PendingLink struct {
	Purpose   string    `json:"purpose" enum:"welcome,reset"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// PasswordConfirmation proves that the user is still there.
type PasswordConfirmation struct {
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// PasswordChange changes one's own password.
type PasswordChange struct {
	Old string `json:"old" minLength:"1" maxLength:"1024"`
	New string `json:"new" minLength:"1" maxLength:"1024"`
}

// TOTPSetup is a new secret for an authenticator application. It is shown this once.
type TOTPSetup struct {
	Secret string `json:"secret" doc:"Base 32, for typing"`
	URI    string `json:"uri"`
	QR     string `json:"qr" doc:"The URI as a picture: a data URI"`
}

// TOTPCode is a code of an authenticator application.
type TOTPCode struct {
	Code string `json:"code" minLength:"1" maxLength:"16"`
}

// FactorAdded is what comes of setting up a factor.
type FactorAdded struct {
	RecoveryCodes []string `json:"recovery_codes" doc:"New ones, if there were none. They are shown this once"`
}

// NewPasskey is a passkey that a browser has made.
type NewPasskey struct {
	Name    string         `json:"name" maxLength:"200"`
	Passkey map[string]any `json:"passkey" doc:"As PublicKeyCredential.toJSON writes it"`
}

// PasskeyName is what a user calls a passkey.
type PasskeyName struct {
	Name string `json:"name" minLength:"1" maxLength:"200"`
}

// RecoveryCodes let a user in without the second factor, each once.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// Welcome asks for a one-time link for a user.
type Welcome struct {
	Show bool `json:"show,omitempty" doc:"Answer with the link as well, if the user has no password yet"`
}

// Invitation is a one-time link that was made.
type Invitation struct {
	Purpose   string    `json:"purpose" enum:"welcome,reset"`
	ExpiresAt time.Time `json:"expires_at"`
	MailedTo  string    `json:"mailed_to,omitempty" doc:"Absent: no mail could be sent, and link is to be handed over"`
	Link      string    `json:"link,omitempty" doc:"Whoever has it can become the user"`
}

// LoginPolicy is what is asked of log-ins.
type LoginPolicy struct {
	SecondFactor []string `json:"second_factor" maxItems:"10" doc:"Roles that have to have a second factor"`
}

// LoginService carries out the operations about log-ins.
type LoginService interface {
	FinishLogIn(ctx context.Context, in SecondStep) (*Account, []http.Cookie, error)
	BeginPasskey(ctx context.Context, q PasskeyQuestion) (*PasskeyOptions, []http.Cookie, error)
	LogInByPasskey(ctx context.Context, a PasskeyAnswer) (*Account, []http.Cookie, error)
	// ForgotPassword answers alike whoever is meant.
	ForgotPassword(ctx context.Context, f ForgottenPassword) error
	LookAtLink(ctx context.Context, t LinkToken) (*Link, error)
	UseLink(ctx context.Context, u LinkUse) (*Link, error)
	Security(ctx context.Context) (*Security, error)
	ConfirmPassword(ctx context.Context, c PasswordConfirmation) error
	ChangePassword(ctx context.Context, c PasswordChange) ([]http.Cookie, error)
	BeginTOTP(ctx context.Context) (*TOTPSetup, error)
	ConfirmTOTP(ctx context.Context, c TOTPCode) (*FactorAdded, []http.Cookie, error)
	BeginAddPasskey(ctx context.Context) (*PasskeyOptions, error)
	AddPasskey(ctx context.Context, n NewPasskey) (*FactorAdded, []http.Cookie, error)
	RenamePasskey(ctx context.Context, id string, n PasskeyName) error
	RemoveFactor(ctx context.Context, id string) error
	NewRecoveryCodes(ctx context.Context) (*RecoveryCodes, error)
	EndSession(ctx context.Context, id string) error
	EndOtherSessions(ctx context.Context) error
	UserSecurity(ctx context.Context, user string) (*Security, error)
	WelcomeUser(ctx context.Context, user string, w Welcome) (*Invitation, error)
	ResetFactors(ctx context.Context, user string) error
	EndUserSession(ctx context.Context, user, session string) error
	EndUserSessions(ctx context.Context, user string) error
	LoginPolicy(ctx context.Context) (*LoginPolicy, error)
	ChangeLoginPolicy(ctx context.Context, p LoginPolicy) (*LoginPolicy, error)
}

type (
	byFactor struct {
		ID string `path:"id" doc:"Id of the factor"`
	}
	byFactorName struct {
		ID   string `path:"id" doc:"Id of the passkey"`
		Body PasskeyName
	}
	bySession struct {
		ID string `path:"id" doc:"Id of the session"`
	}
	byUserWelcome struct {
		ID   string `path:"id" doc:"Id of the user"`
		Body Welcome
	}
	byUserSession struct {
		ID      string `path:"id" doc:"Id of the user"`
		Session string `path:"session" doc:"Id of the session"`
	}
)

// passkeyBody bounds the answer of a passkey, in bytes.
const passkeyBody = 32 << 10

// sending are the problems of operations with a body that anybody may send.
func sending(more ...Code) []Code {
	return append([]Code{CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType, CodeTooMany}, more...)
}

func logins(o operations, s LoginService) {
	loginSteps(o, s)
	loginLinks(o, s)
	ownFactors(o, s)
	ownPasskeys(o, s)
	usersLogins(o, s)
	usersSessions(o, s)
}

func answered[T any](v *T, cookies []http.Cookie, err error) (*signed[T], error) {
	if err != nil {
		return nil, err
	}
	return &signed[T]{Cookies: cookies, Body: *v}, nil
}

func loginSteps(o operations, s LoginService) {
	add(o, op{id: "finishLogIn", method: http.MethodPost, path: "/session/step", tag: "session", public: true, body: passkeyBody,
		summary: "Second step of a log-in", problems: sending(CodeFactor, CodeStepEnded)},
		func(ctx context.Context, in *body[SecondStep]) (*signed[Account], error) {
			return answered(s.FinishLogIn(ctx, in.Body))
		})
	add(o, op{id: "beginPasskey", method: http.MethodPost, path: "/session/passkey-options", tag: "session", public: true,
		summary: "Ask what a passkey is to sign", problems: sending(CodeFactor, CodeStepEnded, CodeNoPasskeys)},
		func(ctx context.Context, in *body[PasskeyQuestion]) (*signed[PasskeyOptions], error) {
			return answered(s.BeginPasskey(ctx, in.Body))
		})
	add(o, op{id: "logInByPasskey", method: http.MethodPost, path: "/session/passkey", tag: "session", public: true, body: passkeyBody,
		summary: "Log in with a passkey alone", problems: sending(CodeLogIn, CodeStepEnded, CodeNoPasskeys)},
		func(ctx context.Context, in *body[PasskeyAnswer]) (*signed[Account], error) {
			return answered(s.LogInByPasskey(ctx, in.Body))
		})
	add(o, op{id: "confirmPassword", method: http.MethodPost, path: "/account/confirmation", tag: "session", status: http.StatusNoContent, setup: true,
		summary: "Prove to be there still, before factors are changed", problems: sending(CodePassword)},
		func(ctx context.Context, in *body[PasswordConfirmation]) (*empty, error) {
			return nil, s.ConfirmPassword(ctx, in.Body)
		})
	add(o, op{id: "changePassword", method: http.MethodPut, path: "/account/password", tag: "session", status: http.StatusNoContent,
		summary: "Change one's own password; all other sessions end", problems: sending(CodePassword)},
		func(ctx context.Context, in *body[PasswordChange]) (*cookie, error) {
			cookies, err := s.ChangePassword(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			return &cookie{cookies}, nil
		})
}

func loginLinks(o operations, s LoginService) {
	add(o, op{id: "forgotPassword", method: http.MethodPost, path: "/forgotten-passwords", tag: "session", public: true, status: http.StatusAccepted,
		summary: "Have a link mailed to set a new password with; the answer is the same for everybody", problems: sending()},
		func(ctx context.Context, in *body[ForgottenPassword]) (*empty, error) {
			return nil, s.ForgotPassword(ctx, in.Body)
		})
	add(o, op{id: "lookAtLink", method: http.MethodPost, path: "/links/look", tag: "session", public: true,
		summary: "Whose a one-time link is; it stays as it is", problems: sending(CodeLink)},
		func(ctx context.Context, in *body[LinkToken]) (*body[Link], error) {
			return reply(s.LookAtLink(ctx, in.Body))
		})
	add(o, op{id: "useLink", method: http.MethodPost, path: "/links/use", tag: "session", public: true,
		summary: "Set a password by a one-time link; it opens no session", problems: sending(CodeLink)},
		func(ctx context.Context, in *body[LinkUse]) (*body[Link], error) {
			return reply(s.UseLink(ctx, in.Body))
		})
}

func ownFactors(o operations, s LoginService) {
	add(o, op{id: "getSecurity", method: http.MethodGet, path: "/account/security", tag: "session", setup: true,
		summary: "One's own factors and sessions"},
		func(ctx context.Context, _ *empty) (*body[Security], error) { return reply(s.Security(ctx)) })
	add(o, op{id: "beginTotp", method: http.MethodPost, path: "/account/totp", tag: "session", setup: true,
		summary: "Begin to set up an authenticator application", problems: sending(CodeConfirm)},
		func(ctx context.Context, _ *empty) (*body[TOTPSetup], error) { return reply(s.BeginTOTP(ctx)) })
	add(o, op{id: "confirmTotp", method: http.MethodPost, path: "/account/totp/confirmation", tag: "session", setup: true,
		summary: "Take the first code of an authenticator application", problems: sending(CodeConfirm, CodeFactor)},
		func(ctx context.Context, in *body[TOTPCode]) (*signed[FactorAdded], error) {
			return answered(s.ConfirmTOTP(ctx, in.Body))
		})
	add(o, op{id: "removeFactor", method: http.MethodDelete, path: "/account/factors/{id}", tag: "session", status: http.StatusNoContent,
		summary: "Remove one's own authenticator application or a passkey", problems: []Code{CodeOrigin, CodeConfirm, CodeNotFound}},
		func(ctx context.Context, in *byFactor) (*empty, error) { return nil, s.RemoveFactor(ctx, in.ID) })
	add(o, op{id: "newRecoveryCodes", method: http.MethodPost, path: "/account/recovery-codes", tag: "session",
		summary: "Make recovery codes in place of those that are left", problems: sending(CodeConfirm)},
		func(ctx context.Context, _ *empty) (*body[RecoveryCodes], error) {
			return reply(s.NewRecoveryCodes(ctx))
		})
	add(o, op{id: "endSession", method: http.MethodDelete, path: "/account/sessions/{id}", tag: "session", status: http.StatusNoContent,
		summary: "End another of one's own sessions", problems: []Code{CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *bySession) (*empty, error) { return nil, s.EndSession(ctx, in.ID) })
	add(o, op{id: "endOtherSessions", method: http.MethodDelete, path: "/account/sessions", tag: "session", status: http.StatusNoContent,
		summary: "End all of one's own sessions but this one", problems: []Code{CodeOrigin}},
		func(ctx context.Context, _ *empty) (*empty, error) { return nil, s.EndOtherSessions(ctx) })
}

func ownPasskeys(o operations, s LoginService) {
	add(o, op{id: "beginAddPasskey", method: http.MethodPost, path: "/account/passkey-options", tag: "session", setup: true,
		summary: "Begin to make a passkey", problems: sending(CodeConfirm, CodeNoPasskeys)},
		func(ctx context.Context, _ *empty) (*body[PasskeyOptions], error) {
			return reply(s.BeginAddPasskey(ctx))
		})
	add(o, op{id: "addPasskey", method: http.MethodPost, path: "/account/passkeys", tag: "session", setup: true, body: passkeyBody,
		summary: "Keep the passkey that a browser has made", problems: sending(CodeConfirm, CodeFactor, CodeNoPasskeys)},
		func(ctx context.Context, in *body[NewPasskey]) (*signed[FactorAdded], error) {
			return answered(s.AddPasskey(ctx, in.Body))
		})
	add(o, op{id: "renamePasskey", method: http.MethodPatch, path: "/account/passkeys/{id}", tag: "session", status: http.StatusNoContent,
		summary: "Call one's own passkey something else", problems: sending(CodeNotFound)},
		func(ctx context.Context, in *byFactorName) (*empty, error) {
			return nil, s.RenamePasskey(ctx, in.ID, in.Body)
		})
}

func usersLogins(o operations, s LoginService) {
	add(o, op{id: "getUserSecurity", method: http.MethodGet, path: "/users/{id}/security", tag: "administration",
		summary: "A user's factors and sessions", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byUser) (*body[Security], error) {
			return reply(s.UserSecurity(ctx, in.ID))
		})
	add(o, op{id: "welcomeUser", method: http.MethodPost, path: "/users/{id}/welcome", tag: "administration", status: http.StatusCreated,
		summary: "Mail a user a one-time link to set a password with", problems: sending(CodeRole, CodeNotFound)},
		func(ctx context.Context, in *byUserWelcome) (*body[Invitation], error) {
			return reply(s.WelcomeUser(ctx, in.ID, in.Body))
		})
	add(o, op{id: "resetFactors", method: http.MethodDelete, path: "/users/{id}/factors", tag: "administration", status: http.StatusNoContent,
		summary: "Remove all factors of a user; the user's sessions end and the user is told", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byUser) (*empty, error) { return nil, s.ResetFactors(ctx, in.ID) })
	add(o, op{id: "getLoginPolicy", method: http.MethodGet, path: "/login-policy", tag: "administration",
		summary: "What is asked of log-ins of the tenant, or of the installation", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[LoginPolicy], error) { return reply(s.LoginPolicy(ctx)) })
	add(o, op{id: "changeLoginPolicy", method: http.MethodPut, path: "/login-policy", tag: "administration",
		summary: "Say what is asked of log-ins", problems: sending(CodeRole)},
		func(ctx context.Context, in *body[LoginPolicy]) (*body[LoginPolicy], error) {
			return reply(s.ChangeLoginPolicy(ctx, in.Body))
		})
}

func usersSessions(o operations, s LoginService) {
	add(o, op{id: "endUserSession", method: http.MethodDelete, path: "/users/{id}/sessions/{session}", tag: "administration", status: http.StatusNoContent,
		summary: "End one of a user's sessions", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byUserSession) (*empty, error) {
			return nil, s.EndUserSession(ctx, in.ID, in.Session)
		})
	add(o, op{id: "endUserSessions", method: http.MethodDelete, path: "/users/{id}/sessions", tag: "administration", status: http.StatusNoContent,
		summary: "End all of a user's sessions", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byUser) (*empty, error) { return nil, s.EndUserSessions(ctx, in.ID) })
}
