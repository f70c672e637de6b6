package archive

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/usercsv"
)

// Codes of problems and notices of a list of users, besides those of UserError and of
// package usercsv.
const (
	CodeHash       = "hash"        // no argon2id hash that is taken
	CodeHashKind   = "hash-kind"   // a hash of another kind
	CodeNoAddress  = "no-address"  // notice: sees no mail
	CodeNoPassword = "no-password" // notice: cannot log in with one
	CodeNoDomains  = "no-domains"  // notice: addresses are not checked
	CodeSharedWith = "shared-with" // notice
	CodeLoses      = "address-removed"
)

// maxListed bounds the problems, and the notices, that a plan lists.
const maxListed = 1000

// ImportAct is what an import does with a line.
type ImportAct string

// Acts.
const (
	ImportCreate ImportAct = "create"
	ImportUpdate ImportAct = "update"
	ImportSame   ImportAct = "same" // the user is as the line says already
)

// ImportOptions say what an import may do.
type ImportOptions struct {
	Update bool // change users who exist already; else they are a problem
	Shared bool // addresses may belong to several users
}

// ImportPlan is what an import would do, or why it cannot.
type ImportPlan struct {
	Delimiter            rune
	Users                []PlannedUser // by line
	Create, Update, Same int
	Hashing              int // passwords that have to be hashed: a fraction of a second each
	Problems             []usercsv.Problem
	Notices              []usercsv.Problem
	More                 int // problems and notices that are not listed
}

// PlannedUser is what an import does with one line.
type PlannedUser struct {
	Line      int
	Login     string
	Name      string
	Addresses []string
	Act       ImportAct
	Password  string // "clear", "hash", "none" or "kept"

	before, after *catalog.User
	plain         string // to be hashed
}

// foreignHash matches hashes that other systems write; taken for a password, they
// would be one that nobody knows.
var foreignHash = regexp.MustCompile(`(?i)^(\$(1|2[abxy]?|5|6|7|y|gy|apr1|argon2(i|d|id)?|scrypt|pbkdf2[^$]*|bcrypt[^$]*)\$|\{[a-z0-9.-]{3,20}\}.{8})`)

// planner plans an import.
type planner struct {
	a       *Archive
	r       *userRules
	o       ImportOptions
	checked bool // passwords were judged before
	// elsewhere are users who come from a directory.
	elsewhere map[uid.ID]bool
	byLogin   map[string]*catalog.User
	lines     map[string]int   // of user names, as they are compared
	owners    map[string]owner // of addresses, by main address, after the import
	out       *ImportPlan
}

type owner struct {
	login string
	line  int // 0: not in the file
}

// plan judges the lines of a file against the users that there are.
func (a *Archive) plan(r *userRules, f *usercsv.File, users []*catalog.User, o ImportOptions, checked bool) (*ImportPlan, error) {
	p := &planner{a: a, r: r, o: o, checked: checked, elsewhere: r.elsewhere, byLogin: make(map[string]*catalog.User, len(users)), lines: map[string]int{}, owners: map[string]owner{},
		out: &ImportPlan{Delimiter: f.Delimiter, Problems: slices.Clone(f.Problems), More: f.Left}}
	for _, u := range users {
		p.byLogin[u.Login] = u
	}
	listed := make(map[string]bool, len(f.Rows))
	for _, row := range f.Rows {
		listed[normalLogin(row.ID)] = true
	}
	for _, u := range users {
		if o.Update && listed[u.Login] {
			continue // gets those of the file
		}
		for _, s := range u.Addresses {
			p.owners[r.mainAddress(s)] = owner{login: u.Login}
		}
	}
	if len(r.domains) == 0 && len(f.Rows) > 0 {
		p.notice(0, 0, CodeNoDomains, nil, "the customer has no domains yet, so addresses of all domains are taken; add the domains, and whoever has addresses elsewhere will be found")
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	for _, row := range f.Rows {
		if err := p.row(row, now); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(p.out.Problems, func(x, y usercsv.Problem) int { return cmp.Or(x.Line-y.Line, x.Column-y.Column) })
	return p.out, nil
}

func (p *planner) problem(line, column int, code string, args map[string]string, text string) {
	if len(p.out.Problems) >= maxListed {
		p.out.More++
		return
	}
	p.out.Problems = append(p.out.Problems, usercsv.Problem{Line: line, Column: column, Code: code, Args: args, Text: text})
}

func (p *planner) notice(line, column int, code string, args map[string]string, text string) {
	if len(p.out.Notices) >= maxListed {
		p.out.More++
		return
	}
	p.out.Notices = append(p.out.Notices, usercsv.Problem{Line: line, Column: column, Code: code, Args: args, Text: text})
}

// refuse tells what is wrong as a problem of a line.
func (p *planner) refuse(line, column int, err error) {
	for _, e := range UserErrors(err) {
		at := column
		switch e.Field {
		case "first_name":
			at = usercsv.ColumnFirst
		case "last_name", "name":
			at = usercsv.ColumnLast
		}
		p.problem(line, at, e.Code, e.Args, e.Text)
	}
}

// row plans one line.
func (p *planner) row(row usercsv.Row, now time.Time) error {
	u := PlannedUser{Line: row.Line, Login: normalLogin(row.ID), Act: ImportCreate}
	if first := p.lines[u.Login]; first > 0 { // what is written otherwise may be the same
		p.problem(row.Line, usercsv.ColumnID, usercsv.CodeTwice, map[string]string{"line": fmt.Sprint(first), "value": clip(u.Login, 80)},
			fmt.Sprintf("user id %.80q stands in line %d already", u.Login, first))
		return nil
	}
	p.lines[u.Login] = row.Line
	u.before = p.byLogin[u.Login]
	switch {
	case u.before == nil:
		u.after = &catalog.User{ID: uid.New(now), Tenant: p.r.tenant.ID, Login: u.Login, Role: string(access.RoleUser), CreatedAt: now, FirstName: row.First, LastName: row.Last}
		u.after.Name = displayName(u.after)
		p.refuse(row.Line, usercsv.ColumnID, checkLogin(row.ID))
	case !p.o.Update:
		p.problem(row.Line, usercsv.ColumnID, CodeLoginTaken, map[string]string{"value": u.Login}, fmt.Sprintf("user %q exists already; delete the line, or choose that existing users are changed", u.Login))
		after := *u.before
		u.after = &after
	default:
		u.after = renamed(u.before, row)
		u.Act = ImportUpdate
	}
	p.refuse(row.Line, 0, checkPerson(u.after))
	p.addresses(row, &u)
	if err := p.password(row, &u); err != nil {
		return err
	}
	if u.before != nil && len(userDetails(u.before, u.after)) == 1 && u.plain == "" {
		u.Act = ImportSame
	}
	u.Name, u.Addresses = u.after.Name, u.after.Addresses
	p.out.Users = append(p.out.Users, u)
	switch u.Act {
	case ImportCreate:
		p.out.Create++
	case ImportUpdate:
		p.out.Update++
	case ImportSame:
		p.out.Same++
	}
	return nil
}

// renamed is u with the names of a line; one without names leaves them.
func renamed(u *catalog.User, row usercsv.Row) *catalog.User {
	after := *u
	first, last := exportedNames(u)
	if row.First == first && row.Last == last || row.First == "" && row.Last == "" {
		return &after
	}
	derived := u.Name == displayName(u) || u.Name == u.Login || u.FirstName == "" && u.LastName == ""
	after.FirstName, after.LastName = row.First, row.Last
	if derived {
		after.Name = displayName(&after)
	}
	return &after
}

// addresses judges the addresses of a line.
func (p *planner) addresses(row usercsv.Row, u *PlannedUser) {
	var list []string
	for _, c := range row.Addresses {
		s, err := p.r.address(c.Text)
		if err != nil {
			p.refuse(row.Line, c.Column, err)
			continue
		}
		if slices.Contains(list, s) {
			continue
		}
		list = append(list, s)
		main := p.r.mainAddress(s)
		if o, taken := p.owners[main]; taken && o.login != u.Login {
			p.taken(row.Line, c.Column, s, o)
		} else {
			p.owners[main] = owner{u.Login, row.Line}
		}
	}
	p.refuse(row.Line, usercsv.ColumnAddress, manyAddresses(list))
	if u.before != nil {
		for _, s := range u.before.Addresses {
			if p.o.Update && !slices.Contains(list, s) {
				p.notice(row.Line, 0, CodeLoses, map[string]string{"value": s, "user": u.Login}, fmt.Sprintf("%s is not in the file: user %s will not see its mail any more", s, u.Login))
			}
		}
	}
	if len(list) == 0 {
		p.notice(row.Line, usercsv.ColumnAddress, CodeNoAddress, map[string]string{"user": u.Login}, "without an address the user sees no mail")
	}
	u.after.Addresses = list
}

func (p *planner) taken(line, column int, address string, o owner) {
	args := map[string]string{"value": address, "user": o.login}
	where := ""
	if o.line > 0 {
		args["line"] = fmt.Sprint(o.line)
		where = fmt.Sprintf(" (line %d)", o.line)
	}
	if p.o.Shared {
		p.notice(line, column, CodeSharedWith, args, fmt.Sprintf("%s belongs to user %s%s as well: both see its mail", address, o.login, where))
		return
	}
	p.problem(line, column, CodeAddressTaken, args, fmt.Sprintf("%s belongs to user %s%s; delete it here, or choose that addresses may be shared", address, o.login, where))
}

// password judges the password of a line, or its hash. Other errors than those of the
// line say that it cannot be judged.
func (p *planner) password(row usercsv.Row, u *PlannedUser) error {
	if row.Password != "" && u.before != nil && u.before.PasswordHash == "" && p.elsewhere[u.before.ID] {
		u.Password = "none"
		p.refuse(row.Line, usercsv.ColumnPassword, errDirectoryPassword(u.Login))
		return nil
	}
	switch s := row.Password; {
	case s == "" && u.before != nil:
		u.Password = "kept"
	case s == "":
		u.Password = "none"
		p.notice(row.Line, usercsv.ColumnPassword, CodeNoPassword, map[string]string{"user": u.Login}, "without a password the user cannot log in until one is set")
	case strings.HasPrefix(s, "$argon2id$"):
		u.Password = "hash"
		if err := CheckPasswordHash(s); err != nil {
			p.problem(row.Line, usercsv.ColumnPassword, CodeHash, nil, fmt.Sprintf("is no argon2id hash that is taken: %v; use one from an export, a password, or nothing", err))
		}
		u.after.PasswordHash = s
	case foreignHash.MatchString(s):
		u.Password = "hash"
		p.problem(row.Line, usercsv.ColumnPassword, CodeHashKind, nil, "is a hash of another kind; only argon2id is taken. Use a password, or nothing")
	default:
		u.Password, u.plain = "clear", s
		p.out.Hashing++
		if p.checked {
			return nil
		}
		err := p.a.checkPassword(u.after, p.r.tenant, s)
		if err != nil && !errors.Is(err, ErrInvalid) {
			return err
		}
		p.refuse(row.Line, usercsv.ColumnPassword, err)
	}
	return nil
}
