package oauth

import (
	"net/url"
	"strings"

	"github.com/muniment/muniment/internal/remote"
)

// provider is what is known of one.
type provider struct {
	authority     string // URL
	device, token string // paths below it; {directory} is replaced
	anybody       string // directory if none is named
	clouds        map[string]cloud
}

// cloud is one of the separate worlds of a provider, by the host of its log-in
// server; "" is the usual one.
type cloud struct {
	app    string   // scope of applications that log in by themselves, for mail
	graph  string   // URL of Graph
	imap   []string // scopes of people
	pop3   []string
	always []string
}

// providers are Microsoft (learn.microsoft.com: "Authenticate an IMAP, POP or SMTP
// connection using OAuth", "National cloud deployments") and Google
// (developers.google.com: "OAuth 2.0 for TV and limited-input devices", "XOAUTH2").
func providers(name string) provider {
	if name == remote.Google {
		all := []string{"https://mail.google.com/"}
		return provider{authority: "https://oauth2.googleapis.com", device: "/device/code", token: "/token",
			clouds: map[string]cloud{"": {app: all[0], imap: all, pop3: all}}}
	}
	people := func(base string) cloud {
		return cloud{imap: []string{base + "/IMAP.AccessAsUser.All"}, pop3: []string{base + "/POP.AccessAsUser.All"}, always: []string{"offline_access"}}
	}
	world := people("https://outlook.office.com")
	world.app, world.graph = "https://outlook.office365.com/.default", "https://graph.microsoft.com"
	us := people("https://outlook.office365.us")
	us.app, us.graph = "https://outlook.office365.us/.default", "https://graph.microsoft.us"
	china := people("https://partner.outlook.cn")
	china.app, china.graph = "https://partner.outlook.cn/.default", "https://microsoftgraph.chinacloudapi.cn"
	return provider{
		authority: "https://login.microsoftonline.com", anybody: "organizations",
		device: "/{directory}/oauth2/v2.0/devicecode", token: "/{directory}/oauth2/v2.0/token",
		clouds: map[string]cloud{"": world, "login.microsoftonline.us": us, "login.partner.microsoftonline.cn": china},
	}
}

// cloudOf finds the world of a log-in server.
func cloudOf(name, authority string) cloud {
	p := providers(name)
	if u, err := url.Parse(authority); err == nil {
		if c, ok := p.clouds[strings.ToLower(u.Hostname())]; ok {
			return c
		}
	}
	return p.clouds[""]
}

// mailScopes are what a mailbox needs.
func mailScopes(s remote.Settings) []string {
	c := cloudOf(s.OAuth, s.Authority)
	if s.Method == remote.ByClient {
		return []string{c.app}
	}
	var out []string
	if s.Protocol != remote.POP3 {
		out = append(out, c.imap...)
	}
	if s.Protocol == remote.POP3 || s.Protocol == remote.Auto && c.imap[0] != c.pop3[0] {
		out = append(out, c.pop3...)
	}
	return append(out, c.always...)
}

// GraphURL is where Microsoft Graph is in the world of a log-in server.
func GraphURL(authority string) string { return cloudOf(remote.Microsoft, authority).graph }

// GraphScopes are what an application needs for Graph.
func GraphScopes(authority string) []string { return []string{GraphURL(authority) + "/.default"} }

// urls are the addresses of an application's log-in server.
func (a App) urls() (device, token string) {
	p := providers(a.Provider)
	base := strings.TrimRight(a.Authority, "/")
	if base == "" {
		base = p.authority
	}
	directory := a.Directory
	if directory == "" {
		directory = p.anybody
	}
	fill := func(path string) string {
		return base + strings.ReplaceAll(path, "{directory}", url.PathEscape(directory))
	}
	return fill(p.device), fill(p.token)
}
