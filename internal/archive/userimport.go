package archive

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/usercsv"
)

// ErrImport is returned (wrapped) when a list of users has problems: nothing was
// changed.
var ErrImport = errors.New("the list has problems, and nothing was changed")

// PreviewUsers says what an import of a list in the form of package usercsv would do
// with the actor's tenant. It changes nothing.
func (h *Handle) PreviewUsers(ctx context.Context, content []byte, o ImportOptions) (*ImportPlan, error) {
	d, err := h.userDesk()
	if err != nil {
		return nil, err
	}
	return d.preview(ctx, usercsv.Read(content), o)
}

// PreviewUsers is that of a Handle, for the operator on the command line.
func (a *Archive) PreviewUsers(ctx context.Context, tenant uid.ID, content []byte, o ImportOptions) (*ImportPlan, error) {
	return a.userDesk(tenant).preview(ctx, usercsv.Read(content), o)
}

func (d *userDesk) preview(ctx context.Context, f *usercsv.File, o ImportOptions) (*ImportPlan, error) {
	r, err := d.a.importRules(ctx, d.tenant)
	if err != nil {
		return nil, err
	}
	users, err := d.a.catalog.Users(ctx, d.tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	return d.a.plan(r, f, users, o, false)
}

// ImportUsers imports a list into the actor's tenant: all of it in one transaction,
// or, with ErrImport, nothing. progress, which may be nil, is told how many of the
// passwords are hashed; nothing is locked meanwhile. The plan says what was done, or
// what is wrong.
func (h *Handle) ImportUsers(ctx context.Context, content []byte, o ImportOptions, progress func(done, all int)) (*ImportPlan, error) {
	d, err := h.userDesk()
	if err != nil {
		return nil, err
	}
	return d.importList(ctx, usercsv.Read(content), o, progress)
}

// ImportUsers is that of a Handle, for the operator on the command line.
func (a *Archive) ImportUsers(ctx context.Context, tenant uid.ID, content []byte, o ImportOptions, progress func(done, all int)) (*ImportPlan, error) {
	return a.userDesk(tenant).importList(ctx, usercsv.Read(content), o, progress)
}

func (d *userDesk) importList(ctx context.Context, f *usercsv.File, o ImportOptions, progress func(done, all int)) (*ImportPlan, error) {
	plan, err := d.preview(ctx, f, o)
	if err != nil {
		return nil, err
	}
	if len(plan.Problems) > 0 {
		return plan, ErrImport
	}
	hashes, err := d.a.hashAll(ctx, plan, progress)
	if err != nil {
		return nil, err
	}
	err = d.edit(ctx, func(users []*catalog.User) (*catalog.UserEdit, error) {
		if err := d.stillMay(users); err != nil {
			return nil, err
		}
		// Again, with the users and the rules as they are now.
		r, err := d.a.importRules(ctx, d.tenant)
		if err != nil {
			return nil, err
		}
		if plan, err = d.a.plan(r, f, users, o, true); err != nil {
			return nil, err
		}
		if len(plan.Problems) > 0 {
			return nil, ErrImport
		}
		return d.importEdit(plan, hashes), nil
	})
	return plan, err
}

// importEdit is the change that carries out a plan.
func (d *userDesk) importEdit(plan *ImportPlan, hashes map[int]string) *catalog.UserEdit {
	e := &catalog.UserEdit{}
	for _, u := range plan.Users {
		if u.plain != "" {
			u.after.PasswordHash = hashes[u.Line]
		}
		action := "user.created"
		switch u.Act {
		case ImportSame:
			continue
		case ImportCreate:
			e.Create = append(e.Create, u.after)
		case ImportUpdate:
			action = "user.changed"
			e.Update = append(e.Update, u.after)
			if u.after.PasswordHash != u.before.PasswordHash {
				e.End = append(e.End, u.after.ID)
			}
		}
		e.Events = append(e.Events, d.act(action, u.after.ID.String(), userDetails(u.before, u.after)))
	}
	e.Events = append(e.Events, d.act("users.imported", "", map[string]string{
		"created": fmt.Sprint(plan.Create), "changed": fmt.Sprint(plan.Update), "same": fmt.Sprint(plan.Same)}))
	return e
}

// hashAll hashes the passwords of a plan, as many at a time as memory is meant for,
// and returns the hashes by line.
func (a *Archive) hashAll(ctx context.Context, plan *ImportPlan, progress func(done, all int)) (map[int]string, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	progress(0, plan.Hashing)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		hashes = make(map[int]string, plan.Hashing)
		next   = make(chan PlannedUser)
	)
	for range hashers {
		wg.Go(func() {
			for u := range next {
				hash, err := a.hasher.Hash(ctx, u.plain)
				if err != nil {
					stop(err)
					return
				}
				mu.Lock()
				hashes[u.Line] = hash
				progress(len(hashes), plan.Hashing)
				mu.Unlock()
			}
		})
	}
	for _, u := range plan.Users {
		if u.plain == "" {
			continue
		}
		select {
		case next <- u:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	if len(hashes) < plan.Hashing {
		return nil, fmt.Errorf("hash passwords: %w", context.Cause(ctx))
	}
	return hashes, nil
}
