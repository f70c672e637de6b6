package archive

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// sourceInfo is a source with what an ingest needs of its settings.
type sourceInfo struct {
	*catalog.Source
	reports bool           // unwraps journal reports
	peers   []netip.Prefix // whose hints are believed
	// workspace says that Google Workspace sends here
	workspace bool
}

type sourceKey struct{ tenant, id uid.ID }

// CommonSettings are the settings that sources of all kinds have, members of the
// JSON of catalog.SourceSetting.
type CommonSettings struct {
	// JournalReports says whether journal reports are unwrapped. Absent: they
	// are in journals and remote mailboxes, which exist for them, and not in
	// imports, where anybody may have written one.
	JournalReports *bool `json:"journal_reports,omitempty"`
	// HintPeers are networks of mail servers whose header fields with envelope
	// addresses are believed (CAP-3); of journal addresses only.
	HintPeers []string `json:"hint_peers,omitempty"`
	// Workspace says that Google Workspace sends here: its copies carry no envelope
	// (CAP-1).
	Workspace bool `json:"google_workspace,omitempty"`
}

// source returns a source; sources change rarely and are asked for with every
// message.
func (a *Archive) source(ctx context.Context, tenant, id uid.ID) (*sourceInfo, error) {
	key := sourceKey{tenant, id}
	if s, ok := a.sources.Load(key); ok {
		return s.(*sourceInfo), nil
	}
	s, err := a.catalog.Source(ctx, tenant, id)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", id, err)
	}
	info := &sourceInfo{Source: s, reports: s.Kind == KindJournal || s.Kind == KindMailbox}
	set, err := a.catalog.SourceSetting(ctx, tenant, id)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
	case err != nil:
		return nil, err
	default:
		var common CommonSettings
		if err := json.Unmarshal(set.Settings, &common); err != nil {
			return nil, fmt.Errorf("settings of source %s: %w", id, err)
		}
		if common.JournalReports != nil {
			info.reports = *common.JournalReports
		}
		info.workspace = common.Workspace
		if info.peers, err = HintPeers(common.HintPeers); err != nil {
			return nil, fmt.Errorf("settings of source %s: %w", id, err)
		}
	}
	a.sources.Store(key, info)
	return info, nil
}

// BelieveReports lets a source that takes mail from files unwrap the journal reports
// in it, from now on.
func (a *Archive) BelieveReports(ctx context.Context, s *catalog.Source) error {
	yes := true
	b, err := json.Marshal(CommonSettings{JournalReports: &yes})
	if err != nil {
		return err
	}
	d := SourceDraft{Name: s.Name, Category: s.Category, Disabled: s.Disabled, Settings: b}
	if err := a.configure(ctx, &catalog.SourceEdit{Source: s}, d, a.cliEvent); err != nil {
		return err
	}
	return a.describeTenant(ctx, s.Tenant)
}

// captureMeta reads what the vault keeps of an arrival.
func (a *Archive) captureMeta(ctx context.Context, c *catalog.Capture) (*record, error) {
	b, err := a.vault.Meta(ctx, c.Tenant, vault.Ref{Segment: c.Segment, Frame: c.Frame})
	if err != nil {
		return nil, fmt.Errorf("record of capture %s: %w", c.ID, err)
	}
	rec, err := decodeRecord(b)
	if err != nil {
		return nil, fmt.Errorf("record of capture %s: %w", c.ID, err)
	}
	if rec.Capture.ID != c.ID {
		return nil, fmt.Errorf("record of capture %s is that of %s", c.ID, rec.Capture.ID)
	}
	return rec, nil
}

// rowBySum finds the archived message with a content.
func (a *Archive) rowBySum(ctx context.Context, tenant uid.ID, sum string) (*catalog.Message, error) {
	b, err := hex.DecodeString(sum)
	if err != nil || len(b) != 32 {
		return nil, fmt.Errorf("%.70q is no SHA-256", sum)
	}
	known, err := a.catalog.Known(ctx, tenant, [][32]byte{[32]byte(b)})
	if err != nil {
		return nil, err
	}
	aoid, ok := known[[32]byte(b)]
	if !ok {
		return nil, fmt.Errorf("message with SHA-256 %s: %w", sum, catalog.ErrNotFound)
	}
	return a.catalog.Message(ctx, tenant, aoid)
}
