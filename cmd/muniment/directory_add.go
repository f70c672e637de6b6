package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
)

type directoryAddCmd struct {
	LDAP directoryLDAPCmd `cmd:"" name:"ldap" help:"LDAP or Active Directory: users are read there, and log in with their password there."`
	OIDC directoryOIDCCmd `cmd:"" name:"oidc" help:"OpenID Connect: Entra ID, Google, Keycloak and others. Users log in there."`
	IMAP directoryIMAPCmd `cmd:"" name:"imap" help:"A mail server that checks passwords."`
}

// directoryName is what all of them have.
type directoryName struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Name   string `arg:"" help:"Name of the directory, as people read it."`
}

// groupRoles are roles by group.
type groupRoles struct {
	Role []string `help:"ROLE=GROUP: members of the group get the role; may be repeated, the first that fits counts." placeholder:"ROLE=GROUP" sep:"none"`
}

func (r groupRoles) rules() (out []directory.RoleRule, err error) {
	for _, s := range r.Role {
		role, group, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usage(fmt.Errorf("role %q: want ROLE=GROUP", s))
		}
		out = append(out, directory.RoleRule{Role: role, Group: group})
	}
	return out, nil
}

type directoryLDAPCmd struct {
	directoryName
	Flavour string `help:"${enum}: Active Directory or Samba; everything else." enum:"ad,generic" default:"ad"`
	Host    string `required:"" help:"Server."`
	Port    int    `help:"Port; 0 is the usual one: 636 (implicit) or 389." default:"0"`
	TLS     string `name:"tls" help:"${enum}; none lets everybody on the way read passwords." enum:"implicit,starttls,none" default:"implicit"`
	CA      string `name:"ca" help:"File with the certificate authorities to trust for this server (PEM)." type:"existingfile"`
	Pin     string `help:"SHA-256 of the only certificate to accept, hexadecimal; muniment directory test shows it."`
	Bind    string `required:"" help:"User that reads: its DN, or name@domain for Active Directory."`
	Base    string `required:"" help:"DN below which users are."`
	Groups  string `help:"DN below which groups are; empty: as for users."`
	Filter  string `help:"Filter that narrows who is a user, in brackets."`
	Member  string `help:"DN of the group that users have to be in, however nested."`
	Login   string `help:"Attribute of the user name; empty: sAMAccountName or uid."`
	Shared  bool   `help:"Let members of groups with a mail address see its mail."`
	Public  string `help:"DN of the group whose members see the mail of public folders."`
	Every   string `help:"Time from one synchronisation to the next, such as 1h; never: only by muniment directory sync." default:"1h"`
	groupRoles
	secret
}

func (c *directoryLDAPCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	ca, err := pemFile(c.CA)
	if err != nil {
		return err
	}
	every := -1
	if c.Every != "never" {
		d, err := time.ParseDuration(c.Every)
		if err != nil {
			return usage(fmt.Errorf("every: %w", err))
		}
		every = int(d.Seconds())
	}
	rules, err := c.rules()
	if err != nil {
		return err
	}
	return addDirectory(ctx, g, s, c.directoryName, &c.secret, directory.Settings{Roles: rules, LDAP: &directory.LDAP{Flavour: c.Flavour, Host: c.Host, Port: c.Port, TLS: c.TLS, CA: ca, Pin: c.Pin,
		BindDN: c.Bind, BaseDN: c.Base, GroupDN: c.Groups, Filter: c.Filter, Member: c.Member, Login: c.Login, Shared: c.Shared, Public: c.Public, Interval: every}})
}

type directoryOIDCCmd struct {
	directoryName
	Issuer     string `required:"" help:"Address that the provider calls itself by, to the letter."`
	ClientID   string `required:"" name:"client-id" help:"Of the application that is registered there."`
	URL        string `required:"" name:"url" help:"Address of this archive's web interface, such as https://archive.example.com; people are sent back there."`
	GroupClaim string `help:"Claim with the groups; empty: groups."`
	Hosted     string `help:"Google Workspace domain that people have to be of."`
	TrustEmail bool   `help:"Take addresses for verified where the provider does not say so, as Entra ID never does."`
	Create     bool   `help:"Make a user at the first log-in of an address in the tenant's domains."`
	Offer      bool   `help:"Show the button before the customer is named."`
	CA         string `name:"ca" help:"File with the certificate authorities to trust for the provider (PEM)." type:"existingfile"`
	groupRoles
	secret
}

func (c *directoryOIDCCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	ca, err := pemFile(c.CA)
	if err != nil {
		return err
	}
	rules, err := c.rules()
	if err != nil {
		return err
	}
	return addDirectory(ctx, g, s, c.directoryName, &c.secret, directory.Settings{Roles: rules, OIDC: &directory.OIDC{Issuer: c.Issuer, ClientID: c.ClientID,
		Redirect: strings.TrimSuffix(c.URL, "/") + directory.CallbackPath, GroupClaim: c.GroupClaim, Hosted: c.Hosted, TrustEmail: c.TrustEmail, Create: c.Create, Offered: c.Offer, CA: ca}})
}

type directoryIMAPCmd struct {
	directoryName
	Host   string   `required:"" help:"Mail server."`
	Port   int      `help:"Port; 0 is the usual one: 993 (implicit) or 143." default:"0"`
	TLS    string   `name:"tls" help:"${enum}; none lets everybody on the way read passwords." enum:"implicit,starttls,none" default:"implicit"`
	CA     string   `name:"ca" help:"File with the certificate authorities to trust for this server (PEM)." type:"existingfile"`
	Pin    string   `help:"SHA-256 of the only certificate to accept, hexadecimal."`
	User   string   `help:"${enum}: the name there is the whole address, or what is before the @." enum:"address,local" default:"address"`
	Domain []string `help:"Domain whose addresses are asked there; may be repeated. Without, all of the tenant's."`
	Create bool     `help:"Make a user at the first log-in of an address in the tenant's domains."`
}

func (c *directoryIMAPCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	ca, err := pemFile(c.CA)
	if err != nil {
		return err
	}
	return addDirectory(ctx, g, s, c.directoryName, nil, directory.Settings{IMAP: &directory.IMAP{Host: c.Host, Port: c.Port, TLS: c.TLS, CA: ca, Pin: c.Pin, User: c.User, Domains: c.Domain, Create: c.Create}})
}

// pemFile reads a file of certificates; no name is none.
func pemFile(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	b, err := os.ReadFile(name)
	return string(b), err
}

func addDirectory(ctx context.Context, g *Globals, s *streams, n directoryName, from *secret, set directory.Settings) error {
	if err := set.Check(archive.GivenRoles()); err != nil {
		return usage(err)
	}
	a, t, err := g.tenantOf(ctx, s, n.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	d := archive.DirectoryDraft{Name: n.Name, Settings: set}
	if from != nil {
		pw, err := from.read(s)
		if err != nil {
			return err
		}
		d.Secret = []byte(pw)
	}
	_, err = a.archive.DirectoriesOf(t.ID).Create(ctx, d)
	if errors.Is(err, catalog.ErrTaken) {
		return fmt.Errorf("tenant %s has a directory %q already", t.Slug, n.Name)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "added %s; muniment directory test %s %q tests it\n", n.Name, t.Slug, n.Name)
	return nil
}
