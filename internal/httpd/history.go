package httpd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// Histories archives whole mailboxes in the background.
type Histories interface {
	// StartHistory returns at once; remote.ErrHistoryRuns if one is under way.
	StartHistory(tenant, source uid.ID, asked remote.History) error
	HistoryOf(tenant, source uid.ID) (r remote.HistoryReport, running, ok bool)
	CancelHistory(tenant, source uid.ID)
}

// mailboxOf finds a remote mailbox whose history can be archived here.
func (s *Server) mailboxOf(ctx context.Context, id string) (*archive.SourceView, error) {
	_, v, err := s.sourceOf(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case v.Kind != archive.KindMailbox:
		return nil, mistake("path.id", "only remote mailboxes have a history")
	case s.cfg.Histories == nil:
		return nil, api.NewProblem(api.CodeNotRunning, "")
	}
	return v, nil
}

// StartHistory implements api.Service.
func (s *Server) StartHistory(ctx context.Context, id string, n api.NewHistory) error {
	v, err := s.mailboxOf(ctx, id)
	if err != nil {
		return err
	}
	set, err := remote.Parse(v.Settings)
	if err != nil {
		return fmt.Errorf("settings of source %s: %w", v.ID, err)
	}
	asked := remote.History{DryRun: n.DryRun, RemoveOlderThan: n.RemoveOlderThan, Folders: n.Folders, Drafts: n.Drafts, Spam: n.Spam, Trash: n.Trash}
	switch err := asked.Check(); {
	case err != nil:
		return mistake("body", err.Error())
	case set.Protocol == remote.POP3:
		return mistake("path.id", remote.ErrNoHistory.Error())
	}
	if err := remote.CheckHost(set.Host, !s.cfg.AllowPrivate); err != nil {
		return mistake("path.id", err.Error())
	}
	if n.RemoveOlderThan > 0 && !n.DryRun {
		if err := s.confirmed(v, &asked, n.Confirm); err != nil {
			return err
		}
	}
	err = s.cfg.Histories.StartHistory(v.Tenant, v.ID, asked)
	if errors.Is(err, remote.ErrHistoryRuns) {
		return mistake("path.id", "a history of this mailbox is under way")
	}
	return err
}

// confirmed makes sure that somebody has seen what will be removed: the number is
// that of the last dry run with the same members. The run takes over its date, and
// removes no more.
func (s *Server) confirmed(v *archive.SourceView, asked *remote.History, number int64) error {
	r, running, ok := s.cfg.Histories.HistoryOf(v.Tenant, v.ID)
	same := asked.RemoveOlderThan == r.Asked.RemoveOlderThan && slices.Equal(asked.Folders, r.Asked.Folders) &&
		asked.Drafts == r.Asked.Drafts && asked.Spam == r.Asked.Spam && asked.Trash == r.Asked.Trash
	switch {
	case !ok || running || !r.Asked.DryRun || !r.Complete || !same:
		return mistake("body.confirm", "do a dry run with the same settings first")
	case len(r.Disagreements) > 0:
		return mistake("body.confirm", "the counts of the server do not agree: nothing can be removed")
	case number != r.Sum().Due || number == 0:
		return mistake("body.confirm", "want the number of messages that the dry run would remove")
	}
	asked.RemoveBefore, asked.AtMost = r.RemoveBefore, number
	return nil
}

// History implements api.Service.
func (s *Server) History(ctx context.Context, id string) (*api.History, error) {
	v, err := s.mailboxOf(ctx, id)
	if err != nil {
		return nil, err
	}
	r, running, ok := s.cfg.Histories.HistoryOf(v.Tenant, v.ID)
	out := &api.History{Running: running}
	if ok {
		out.Report = describeHistory(&r)
	}
	return out, nil
}

// CancelHistory implements api.Service.
func (s *Server) CancelHistory(ctx context.Context, id string) error {
	v, err := s.mailboxOf(ctx, id)
	if err != nil {
		return err
	}
	s.cfg.Histories.CancelHistory(v.Tenant, v.ID)
	return nil
}

func describeHistory(r *remote.HistoryReport) *api.HistoryReport {
	out := &api.HistoryReport{DryRun: r.Asked.DryRun, RemoveOlderThan: r.Asked.RemoveOlderThan, StartedAt: r.StartedAt, EndedAt: r.EndedAt,
		Asked:        api.HistoryFolders{Folders: list(r.Asked.Folders), Drafts: r.Asked.Drafts, Spam: r.Asked.Spam, Trash: r.Asked.Trash},
		RemoveBefore: r.RemoveBefore, Folders: []api.HistoryFolder{}, LeftOut: []api.HistoryLeftOut{}, Complete: r.Complete,
		Disagreements: []api.HistoryDisagreement{}, Problem: (*api.MailboxProblem)(r.Problem)}
	for _, f := range r.Folders {
		reasons := []api.HistoryReason{}
		for _, x := range f.Reasons {
			reasons = append(reasons, api.HistoryReason(x))
		}
		out.Folders = append(out.Folders, api.HistoryFolder{Name: f.Name, OnServer: f.OnServer, Bytes: f.Bytes, Listed: f.Listed, Known: f.Known,
			Offered: f.Offered, Stored: f.Stored, Duplicate: f.Duplicate, Left: f.Left, Gone: f.Gone, Arrived: f.Arrived, Due: f.Due,
			Intact: f.Intact, Removed: f.Removed, Remaining: f.Remaining, Reasons: reasons, Done: f.Done})
	}
	for _, l := range r.LeftOut {
		out.LeftOut = append(out.LeftOut, api.HistoryLeftOut(l))
	}
	for _, d := range r.Disagreements {
		out.Disagreements = append(out.Disagreements, api.HistoryDisagreement(d))
	}
	return out
}

func describeFiling(f *catalog.Filing) *api.Filing {
	if f == nil {
		return nil
	}
	return &api.Filing{Folder: f.Folder, Flags: list(f.Flags), Date: f.Date}
}
