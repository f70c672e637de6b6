package archive

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/password"
	"github.com/muniment/muniment/internal/uid"
)

// loginForm is the form of user names; nothing that a spreadsheet program would take
// for a formula fits it.
var loginForm = regexp.MustCompile(`^[\p{Ll}\p{N}][\p{Ll}\p{N}._@+-]{0,127}$`)

// UserError says what is wrong with one member of a user. It matches ErrInvalid.
type UserError struct {
	Field string // as the REST interface names it, e.g. "addresses"
	Code  string // stable, for texts in other languages
	Args  map[string]string
	Text  string // English, with the cure
}

// Error implements error.
func (e *UserError) Error() string {
	if e.Code == CodeLastAdmin {
		return e.Text
	}
	return e.Field + " " + e.Text
}

// Is makes it an ErrInvalid.
func (e *UserError) Is(target error) bool { return target == ErrInvalid }

// UserErrors lists the UserErrors that are in err.
func UserErrors(err error) []*UserError {
	switch e := err.(type) { //nolint:errorlint // looks at each of them
	case *UserError:
		return []*UserError{e}
	case interface{ Unwrap() error }:
		return UserErrors(e.Unwrap())
	case interface{ Unwrap() []error }:
		var list []*UserError
		for _, one := range e.Unwrap() {
			list = append(list, UserErrors(one)...)
		}
		return list
	}
	return nil
}

// Codes of UserErrors, besides those of passwords.
const (
	CodeLogin         = "login-form"
	CodeLoginTaken    = "login-taken"
	CodeName          = "name-form"
	CodeInvisible     = "name-invisible"
	CodeRole          = "role"
	CodeLanguage      = "language"
	CodeExpiry        = "expiry"
	CodeLastAdmin     = "last-admin"
	CodeAddress       = "address-form"
	CodeAddressDomain = "address-domain"
	CodeAddressTaken  = "address-taken"
	CodeAddressMany   = "address-many"
	CodeDirectory     = "password-directory" // a directory checks the user's password
	// CodePassword and a password code, e.g. "password-common".
	CodePassword = "password-"
)

// NewUser describes a user to be created.
type NewUser struct {
	Tenant    uid.ID
	Login     string
	Name      string // empty: first and last name, or else the login
	FirstName string
	LastName  string
	Role      access.Role
	// Password may be empty: then nobody logs in with one.
	Password  string
	Language  string
	Addresses []string
	// ExpiresOn is the last day on which the user may log in, 2006-01-02 in the
	// tenant's zone; empty: for ever.
	ExpiresOn string
	// Shared lets addresses be those of other users of the tenant as well.
	Shared bool
	// Demo takes any password: the log-ins of a demonstration are public.
	Demo bool
}

// CreateUser makes a user, for the operator on the command line and for tests.
// *UserErrors joined, catalog.ErrTaken if the login is in use.
func (a *Archive) CreateUser(ctx context.Context, n NewUser) (*catalog.User, error) {
	return a.userDesk(n.Tenant).create(ctx, n)
}

// CreateUser makes a user of the actor's tenant, as Archive.CreateUser does.
func (h *Handle) CreateUser(ctx context.Context, n NewUser) (*UserView, error) {
	d, err := h.userDesk()
	if err != nil {
		return nil, err
	}
	n.Tenant, n.Demo = h.actor.Tenant, false
	u, err := d.create(ctx, n)
	if err != nil {
		return nil, err
	}
	return d.view(ctx, u)
}

func (d *userDesk) create(ctx context.Context, n NewUser) (*catalog.User, error) {
	r, err := d.a.userRules(ctx, d.tenant)
	if err != nil {
		return nil, err
	}
	now := d.a.now().UTC().Truncate(time.Millisecond)
	u := &catalog.User{ID: uid.New(now), Tenant: d.tenant, Login: normalLogin(n.Login), Name: strings.TrimSpace(n.Name), FirstName: strings.TrimSpace(n.FirstName),
		LastName: strings.TrimSpace(n.LastName), Role: string(n.Role), Language: n.Language, CreatedAt: now}
	if u.Name == "" {
		u.Name = displayName(u)
	}
	u.ExpiresAt, err = r.expiry(n.ExpiresOn)
	addresses, wrong := r.addresses(n.Addresses)
	u.Addresses = addresses
	if err := errors.Join(err, checkLogin(n.Login), checkPerson(u), wrong); err != nil {
		return nil, err
	}
	if n.Password != "" {
		if !n.Demo {
			if err := d.a.checkPassword(u, r.tenant, n.Password); err != nil {
				return nil, err
			}
		}
		if u.PasswordHash, err = d.a.hasher.Hash(ctx, n.Password); err != nil {
			return nil, err
		}
	}
	return u, d.edit(ctx, func(users []*catalog.User) (*catalog.UserEdit, error) {
		for _, have := range users {
			if have.Login == u.Login {
				return nil, errors.Join(&UserError{Field: "login", Code: CodeLoginTaken, Args: map[string]string{"value": u.Login},
					Text: fmt.Sprintf("%q is in use already; choose another", u.Login)}, catalog.ErrTaken)
			}
		}
		if !n.Shared {
			if err := r.unshared(users, u, u.Addresses); err != nil {
				return nil, err
			}
		}
		return &catalog.UserEdit{Create: []*catalog.User{u}, Events: []*catalog.Event{d.act("user.created", u.ID.String(), userDetails(nil, u))}}, nil
	})
}

// User finds a user by login. catalog.ErrNotFound.
func (a *Archive) User(ctx context.Context, tenant uid.ID, login string) (*catalog.User, error) {
	return a.catalog.UserByLogin(ctx, tenant, normalLogin(login))
}

// mayLogIn reports whether a user may log in, or stay logged in, at a time.
func mayLogIn(u *catalog.User, now time.Time) bool {
	return !u.Disabled && (u.ExpiresAt.IsZero() || now.Before(u.ExpiresAt))
}

// normalLogin is a user name as it is stored and compared: what looks alike because of
// letter case, of accents in two characters, or of wide letters, is the same.
func normalLogin(s string) string {
	return norm.NFC.String(strings.ToLower(norm.NFKC.String(strings.TrimSpace(s))))
}

func checkLogin(login string) error {
	if loginForm.MatchString(normalLogin(login)) {
		return nil
	}
	return &UserError{Field: "login", Code: CodeLogin, Text: fmt.Sprintf("%.130q: want up to 128 letters, digits and . _ @ + -, starting with a letter or digit", login)}
}

// displayName is the name by which people read of a user who was given none.
func displayName(u *catalog.User) string {
	if n := strings.TrimSpace(u.FirstName + " " + u.LastName); n != "" {
		return n
	}
	return u.Login
}

// checkPerson checks what has nothing to do with other users.
func checkPerson(u *catalog.User) error {
	var errs []error
	for _, n := range []struct{ field, text string }{{"name", u.Name}, {"first_name", u.FirstName}, {"last_name", u.LastName}} {
		if n.field == "name" && n.text == displayName(u) && len(n.text) <= 2*maxName {
			continue // of the two that are checked
		}
		if invisible(n.text) {
			errs = append(errs, &UserError{Field: n.field, Code: CodeInvisible, Text: fmt.Sprintf("%.40q: has no character that can be seen", n.text)})
		} else if checkName(n.text) != nil {
			errs = append(errs, &UserError{Field: n.field, Code: CodeName, Args: map[string]string{"limit": fmt.Sprint(maxName)},
				Text: fmt.Sprintf("%.40q: want at most %d bytes of text in one line", n.text, maxName)})
		}
	}
	if r, err := access.ParseRole(u.Role); err != nil || !r.OfTenant() {
		errs = append(errs, &UserError{Field: "role", Code: CodeRole, Text: fmt.Sprintf("%.20q does not belong to a tenant; want user, tenant-admin, auditor or dpo", u.Role)})
	}
	if !slices.Contains([]string{"", "de", "en"}, u.Language) {
		errs = append(errs, &UserError{Field: "language", Code: CodeLanguage, Text: fmt.Sprintf("%.20q: want de, en or nothing", u.Language)})
	}
	return errors.Join(errs...)
}

// checkPassword checks a new password of a user.
func (a *Archive) checkPassword(u *catalog.User, t *catalog.Tenant, plain string) error {
	return passwordError(a.passwords.Check(plain, personal(u, t)...))
}

// passwordError turns what is wrong with a password into a UserError.
func passwordError(err error) error {
	if w, ok := password.AsWeak(err); ok {
		return &UserError{Field: "password", Code: CodePassword + w.Code, Args: map[string]string{"limit": fmt.Sprint(password.MinLength)}, Text: w.Text}
	}
	return err
}

// personal are the words that an attacker tries first for a user; t may be nil.
func personal(u *catalog.User, t *catalog.Tenant) []string {
	words := append([]string{u.Login, u.Name, u.FirstName, u.LastName}, u.Addresses...)
	if t != nil {
		words = append(words, t.Name, t.Slug)
	}
	return words
}

// userDetails describes a user, or what was changed of one, for the event log. All
// of it can be deleted there; passwords are not among it.
func userDetails(before, after *catalog.User) map[string]string {
	d := map[string]string{"login": after.Login}
	if before == nil {
		before = &catalog.User{}
	}
	old, now := userFacts(before), userFacts(after)
	for _, k := range []string{"name", "first_name", "last_name", "role", "language", "disabled", "expires_at", "addresses"} {
		if old[k] == now[k] {
			continue
		}
		if old[k] != "" {
			d["before."+k] = old[k]
		}
		d["after."+k] = now[k]
	}
	if before.PasswordHash != after.PasswordHash {
		d["password"] = "changed"
	}
	return d
}

func userFacts(u *catalog.User) map[string]string {
	f := map[string]string{"name": u.Name, "first_name": u.FirstName, "last_name": u.LastName, "role": u.Role, "language": u.Language, "addresses": bounded(u.Addresses)}
	if u.Disabled {
		f["disabled"] = "yes"
	}
	if !u.ExpiresAt.IsZero() {
		f["expires_at"] = u.ExpiresAt.UTC().Format(time.RFC3339)
	}
	for k, v := range f {
		f[k] = strings.ToValidUTF8(v, "�")
	}
	return f
}

// fold is text as it is compared when people look for something.
func fold(s string) string {
	if utf8.ValidString(s) {
		return strings.ToLower(s)
	}
	return ""
}
