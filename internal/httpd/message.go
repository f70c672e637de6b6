package httpd

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// parseID reads the id of a message. What is no id does not exist.
func parseID(s string) (uid.ID, error) {
	id, err := uid.Parse(s)
	if err != nil {
		return uid.ID{}, fmt.Errorf("message %w", catalog.ErrNotFound)
	}
	return id, nil
}

// Message implements api.Service.
func (s *Server) Message(ctx context.Context, id, q string) (*api.Message, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	aoid, err := parseID(id)
	if err != nil {
		return nil, err
	}
	v, err := h.Message(ctx, aoid)
	if err != nil {
		return nil, err
	}
	m := describeRow(v)
	if v.Facts == nil { // damaged; Integrity tells
		return m, nil
	}
	describeFacts(m, v.Facts)
	for _, h := range v.Headers {
		m.Headers = append(m.Headers, api.Header(h))
	}
	// A query that cannot be understood marks nothing; the search has said so.
	if found, err := h.Marks(ctx, q, v.Facts.Text); err == nil {
		m.TextMarks = marks(found)
	}
	if v.Facts.HTML {
		blocked, err := h.Blocked(ctx, aoid)
		switch {
		case errors.Is(err, message.ErrNoHTML): // an HTML part with nothing in it
			m.HasHTML = false
		case err != nil:
			return nil, err
		}
		m.Remote = blocked
	}
	return m, nil
}

// describeRow takes what the catalog knows.
func describeRow(v *archive.MessageView) *api.Message {
	r := v.Row
	m := &api.Message{
		ID: r.AOID.String(), Subject: r.Facts.Subject, Date: r.Date, ReceivedAt: r.ReceivedAt, Size: r.Size,
		MessageID: r.Facts.MessageID, Class: r.Class, Category: r.Category, Tags: list(r.Tags), Parties: parties(r.Parties, ""),
		BccHidden: v.BccHidden, Headers: []api.Header{}, TextMarks: []api.Mark{}, Attachments: []api.Attachment{}, Captures: []api.Capture{},
		Why: list(v.Why), Warnings: list(r.Facts.Warnings), Integrity: api.Integrity(v.Integrity), File: (*api.File)(r.Facts.File),
	}
	if r.SHA256 != [32]byte{} {
		m.SHA256 = hex.EncodeToString(r.SHA256[:])
	}
	if v.Retention != nil {
		m.Retention = describeMessageRetention(v.Retention)
	}
	for _, c := range v.Captures {
		m.Captures = append(m.Captures, api.Capture{ID: c.ID.String(), Journal: describeJournal(c.Journal), ReceivedAt: c.ReceivedAt, Source: c.SourceName, Kind: c.SourceKind,
			EnvelopeFrom: c.EnvelopeFrom, EnvelopeTo: list(c.EnvelopeTo), Peer: c.Peer, Origin: c.Origin, Filing: describeFiling(c.Filing),
			HintFrom: hintsFrom(c.Hints), HintTo: hintsTo(c.Hints), FromHeaders: c.FromHeaders, Workspace: c.Workspace})
	}
	return m
}

func hintsFrom(h *catalog.Hints) []string {
	if h == nil {
		return nil
	}
	return h.From
}

func hintsTo(h *catalog.Hints) []string {
	if h == nil {
		return nil
	}
	return h.To
}

// describeJournal takes what a journal report said, as the archive lets the reader
// know it: the hash of the report is left to those who may read it.
func describeJournal(j *catalog.Journal) *api.JournalRecord {
	if j == nil {
		return nil
	}
	out := &api.JournalRecord{Form: j.Form, Sender: j.Sender, OnBehalfOf: j.OnBehalfOf, Mailbox: j.Mailbox, Label: j.Label,
		Recipients: []api.JournalRecipient{}, NDR: j.NDR, Decrypted: j.Decrypted, Problem: j.Problem, HasReport: j.SHA256 != ""}
	for _, r := range j.Recipients {
		out.Recipients = append(out.Recipients, api.JournalRecipient(r))
	}
	return out
}

// describeFacts takes what is parsed from the stored bytes.
func describeFacts(m *api.Message, f *message.Facts) {
	if !f.Date.IsZero() {
		m.DateClaimed = &f.Date
	}
	m.Text, m.HasHTML, m.Warnings = f.Text, f.HTML, list(f.Warnings)
	for _, p := range f.Parties {
		if p.Role == message.RoleReplyTo {
			m.Parties = append(m.Parties, api.Party{Role: string(p.Role), Name: p.Name, Address: p.Address})
		}
	}
	for _, p := range f.Files() {
		m.Attachments = append(m.Attachments, api.Attachment{No: p.No, Name: p.Name, Type: p.Type, Size: p.Size, Inline: p.Inline})
	}
}

// Check implements api.Service.
func (s *Server) Check(ctx context.Context, id string) (*api.Integrity, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	aoid, err := parseID(id)
	if err != nil {
		return nil, err
	}
	r, err := h.Check(ctx, aoid)
	if err != nil {
		return nil, err
	}
	out := api.Integrity(r)
	return &out, nil
}

// Statistics implements api.Service.
func (s *Server) Statistics(ctx context.Context) (*api.Statistics, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	st, err := h.Statistics(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Statistics{Messages: st.Messages, RawBytes: st.RawBytes, StoredBytes: st.StoredBytes, Users: st.Users, Unindexed: st.Unindexed, Days: []api.Day{}}
	if st.Messages > 0 {
		out.FirstAt, out.LastAt = &st.FirstReceived, &st.LastReceived
	}
	for _, d := range st.Days {
		out.Days = append(out.Days, api.Day{Day: d.Day, Count: d.Count})
	}
	return out, nil
}
