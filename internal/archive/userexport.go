package archive

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/usercsv"
)

// ExportOptions say what a list of users holds.
type ExportOptions struct {
	Passwords bool // the hashes, so that the same passwords hold after an import
	// Disabled takes those as well who may not log in: an import makes them active.
	Disabled bool
}

// ExportUsers lists the users of the actor's tenant in the form of package usercsv.
// left counts the disabled and expired ones that are not in it.
func (h *Handle) ExportUsers(ctx context.Context, o ExportOptions) (rows []usercsv.Row, left int, err error) {
	d, err := h.userDesk()
	if err != nil {
		return nil, 0, err
	}
	return d.export(ctx, o)
}

// ExportUsers is that of a Handle, for the operator on the command line.
func (a *Archive) ExportUsers(ctx context.Context, tenant uid.ID, o ExportOptions) (rows []usercsv.Row, left int, err error) {
	return a.userDesk(tenant).export(ctx, o)
}

func (d *userDesk) export(ctx context.Context, o ExportOptions) (rows []usercsv.Row, left int, err error) {
	users, err := d.a.catalog.Users(ctx, d.tenant) // damaged rows: half a list would look like a whole one
	if err != nil {
		return nil, 0, err
	}
	now := d.a.now()
	for _, u := range users {
		if !o.Disabled && !mayLogIn(u, now) {
			left++
			continue
		}
		rows = append(rows, exportedRow(u, len(rows)+1, o.Passwords))
	}
	details := map[string]string{"users": fmt.Sprint(len(rows)), "left_out": fmt.Sprint(left), "passwords": map[bool]string{true: "hashes", false: "none"}[o.Passwords]}
	return rows, left, d.a.catalog.AppendEvents(ctx, d.tenant, []*catalog.Event{d.act("users.exported", "", details)})
}

func exportedRow(u *catalog.User, line int, passwords bool) usercsv.Row {
	first, last := exportedNames(u)
	r := usercsv.Row{Line: line, ID: u.Login, First: first, Last: last}
	if passwords {
		r.Password = u.PasswordHash
	}
	for i, a := range u.Addresses {
		r.Addresses = append(r.Addresses, usercsv.Cell{Column: usercsv.ColumnAddress + i, Text: a})
	}
	return r
}

// exportedNames are the names of a user in a list. One who has only a name by which
// people read of him keeps it as the last one.
func exportedNames(u *catalog.User) (first, last string) {
	if u.FirstName == "" && u.LastName == "" && u.Name != u.Login {
		return "", u.Name
	}
	return u.FirstName, u.LastName
}
