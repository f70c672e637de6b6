package catalogtest

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// withDirectory gives them a directory that their user comes from.
func (e *env) withDirectory(t *testing.T, of *theirs) {
	t.Helper()
	tenant := of.user.Tenant
	of.directory = directoryOf(tenant, "theirs")
	must(t, e.CreateDirectory(t.Context(), of.directory))
	must(t, e.SetDirectoryState(t.Context(), &catalog.DirectoryState{Directory: of.directory.ID, Tenant: tenant, State: []byte("{}")}))
	must(t, e.ApplyUserChanges(t.Context(), tenant, []catalog.UserChange{{Before: of.user, After: of.user, Origin: originOf(of.user, of.directory, "theirs")}}))
}

// directoryAttempts are the attempts of methods for directories and who comes from them.
func directoryAttempts() map[string]struct {
	answer string
	call   attempt
} {
	type try = struct {
		answer string
		call   attempt
	}
	return map[string]try{
		"ApplyUserChanges": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			mine := *of.user
			mine.Tenant = t
			origin := &catalog.Origin{User: of.user.ID, Tenant: t, Directory: of.directory.ID, External: "mine"}
			err := e.ApplyUserChanges(ctx, t, []catalog.UserChange{{Before: of.user, After: &mine, Origin: origin, EndSessions: true}})
			if errors.Is(err, catalog.ErrChanged) { // there is no such user any more, as far as this tenant can see
				err = catalog.ErrNotFound
			}
			return nil, err
		}},
		"Directory": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Directory(ctx, t, of.directory.ID)
		}},
		"DeleteDirectory": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.DeleteDirectory(ctx, t, of.directory.ID)
		}},
		"Directories":     {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Directories(ctx, t) }},
		"DirectoryStates": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.DirectoryStates(ctx, t) }},
		"OriginOfExternal": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.OriginOfExternal(ctx, t, of.directory.ID, "theirs")
		}},
		"Origins": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Origins(ctx, t) }},
		"OriginsOf": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.OriginsOf(ctx, t, of.user.ID)
		}},
	}
}

// allAttempts are the attempts of all methods.
func allAttempts() map[string]struct {
	answer string
	call   attempt
} {
	all := attempts()
	maps.Copy(all, hierarchyAttempts())
	maps.Copy(all, sealAttempts())
	maps.Copy(all, directoryAttempts())
	maps.Copy(all, webhookAttempts())
	maps.Copy(all, routingAttempts())
	maps.Copy(all, holdAttempts())
	return all
}
