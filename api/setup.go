package api

import (
	"context"
	"net/http"
	"time"
)

// FirstOperator makes the first operator of an installation.
type FirstOperator struct {
	Code     string `json:"code" maxLength:"100" doc:"What the server has printed at its start"`
	Login    string `json:"login" maxLength:"128" doc:"Cannot be changed later"`
	Name     string `json:"name,omitempty" maxLength:"200" doc:"As people read it"`
	Password string `json:"password" maxLength:"1024"`
	Language string `json:"language,omitempty" enum:"de,en" doc:"Absent: the browser's"`
}

// Site is how people reach the installation. The key of the certificate goes in and
// never comes out.
type Site struct {
	Host        string `json:"host,omitempty" maxLength:"253" doc:"Name in the address of the web interface; empty: nobody has said"`
	TLS         string `json:"tls" enum:"off,proxy,own,acme" doc:"off: plain HTTP, for this machine only; proxy: a proxy in front of the server speaks TLS at port 443; own: a certificate that you bring; acme: one that the server gets by itself"`
	Certificate string `json:"certificate,omitempty" maxLength:"65536" doc:"Of own: the chain, PEM, the host's certificate first"`
	Directory   string `json:"directory,omitempty" maxLength:"500" doc:"Of acme: address of the certificate authority; empty: Let's Encrypt"`
	Email       string `json:"email,omitempty" maxLength:"254" doc:"Of acme: who is warned by the certificate authority"`
	Agreed      bool   `json:"agreed,omitempty" doc:"Of acme: its terms are agreed to"`
}

// SiteState is how people reach the installation, and how the certificate fares.
type SiteState struct {
	Site    Site   `json:"site"`
	HasKey  bool   `json:"has_key"`
	Fixed   bool   `json:"fixed" doc:"The configuration file sets the certificate; it cannot be changed here"`
	Address string `json:"address,omitempty" doc:"Where people find the web interface"`
	// The certificate in force.
	Names     []string   `json:"names,omitempty" doc:"Whom the certificate in force is for"`
	Issuer    string     `json:"issuer,omitempty"`
	NotAfter  *time.Time `json:"not_after,omitempty"`
	Obtaining bool       `json:"obtaining" doc:"A certificate is being asked for at the moment"`
	Problem   string     `json:"problem,omitempty" doc:"Why the last attempt to get one failed, as the certificate authority says it"`
}

// SiteChange replaces all settings.
type SiteChange struct {
	Site Site    `json:"site"`
	Key  *string `json:"key,omitempty" maxLength:"65536" doc:"Of own: the key, PEM; absent: stays"`
}

// SetupService is the first start and how the installation is reached.
type SetupService interface {
	// Found makes the first operator and logs in.
	Found(ctx context.Context, in FirstOperator) (*Account, []http.Cookie, error)
	Site(ctx context.Context) (*SiteState, error)
	ChangeSite(ctx context.Context, c SiteChange) (*SiteState, error)
	// ObtainCertificate asks for a certificate and does not wait for it.
	ObtainCertificate(ctx context.Context) error
}

func setup(o operations, s Service) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "found", method: http.MethodPost, path: "/setup", tag: "installation", public: true,
		summary:  "Make the first operator, with the code that the server has printed, and log in",
		problems: []Code{CodeLogIn, CodeOrigin, CodeTimeout, CodeFounded, CodeTooLarge, CodeMediaType, CodeTooMany}},
		func(ctx context.Context, in *body[FirstOperator]) (*signed[Account], error) {
			return answered(s.Found(ctx, in.Body))
		})
	add(o, op{id: "getSite", method: http.MethodGet, path: "/site", tag: "installation",
		summary: "How people reach the installation", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[SiteState], error) { return reply(s.Site(ctx)) })
	add(o, op{id: "changeSite", method: http.MethodPatch, path: "/site", tag: "installation", body: 256 << 10,
		summary: "Set how people reach the installation; it holds at once", problems: append([]Code{CodeNotRunning}, changing...)},
		func(ctx context.Context, in *body[SiteChange]) (*body[SiteState], error) {
			return reply(s.ChangeSite(ctx, in.Body))
		})
	add(o, op{id: "obtainCertificate", method: http.MethodPost, path: "/site/certificate", tag: "installation", status: http.StatusNoContent,
		summary: "Ask the certificate authority for a certificate now", problems: []Code{CodeRole, CodeOrigin, CodeNotRunning}},
		func(ctx context.Context, _ *empty) (*empty, error) { return nil, s.ObtainCertificate(ctx) })
}
