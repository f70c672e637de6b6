package archive

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/message"
)

// Roles of parties that come from the envelope, not from the header.
const (
	roleEnvelopeFrom = "envelope-from"
	roleEnvelopeTo   = "envelope-to"

	roleJournalSender  = "journal-sender"
	roleJournalMailbox = "journal-mailbox"
	journalRole        = "journal-" // + "to", "cc", "bcc" or "recipient"
)

// previewRunes is the length of Facts.Preview.
const previewRunes = 160

// headerParties lists everybody whom the header names. Reply-to addresses take no
// part in the message.
func headerParties(f *message.Facts) []catalog.Party {
	var out []catalog.Party
	for _, p := range f.Parties {
		switch p.Role {
		case message.RoleFrom, message.RoleSender, message.RoleTo, message.RoleCc, message.RoleBcc:
			if p.Address != "" || p.Name != "" {
				out = append(out, catalog.Party{Role: string(p.Role), Name: p.Name, Address: p.Address})
			}
		}
	}
	return out
}

// captureParties lists everybody whom an arrival names beyond the header: the
// envelope, or the record of a journal report. A report's own envelope is between
// Exchange and the archive and names nobody.
func captureParties(c *catalog.Capture) []catalog.Party {
	if c.Journal != nil && c.Journal.Problem == "" {
		return journalParties(c.Journal)
	}
	var out []catalog.Party
	if a := message.NormalizeAddress(c.EnvelopeFrom); a != "" {
		out = append(out, catalog.Party{Role: roleEnvelopeFrom, Address: a})
	}
	for _, t := range c.EnvelopeTo {
		if a := message.NormalizeAddress(t); a != "" {
			out = append(out, catalog.Party{Role: roleEnvelopeTo, Address: a})
		}
	}
	return append(out, hintParties(c.Hints)...)
}

// journalParties lists sender, mailbox and recipients (JRN-13): whoever got the
// message through a list is a party, and so is the list.
func journalParties(j *catalog.Journal) []catalog.Party {
	var out []catalog.Party
	add := func(role, address, via string) {
		p := catalog.Party{Role: role, Address: address, Via: via}
		if address != "" && !slices.Contains(out[max(0, len(out)-200):], p) {
			out = append(out, p)
		}
	}
	add(roleJournalSender, j.Sender, "")
	add(roleJournalSender, j.OnBehalfOf, "")
	add(roleJournalMailbox, j.Mailbox, "")
	for _, r := range j.Recipients {
		add(journalRole+r.Role, r.Address, r.Through)
	}
	return out
}

// describe fills what a row says of its message from the parsed facts.
func describe(row *catalog.Message, f *message.Facts) {
	row.Date = plausible(f.Date, row.ReceivedAt)
	row.Facts = catalog.Facts{
		Version: f.Version, MessageID: f.MessageID, Subject: f.Subject, Preview: preview(f.Text),
		Attachments: len(f.Attachments()), HTML: f.HTML, Warnings: f.Warnings,
	}
}

// plausible returns the date that orders a message: its own, unless it lies
// before e-mail or in the future of its receipt (GoBD asks for the archive's own
// time where law counts; this one is only for finding).
func plausible(date, received time.Time) time.Time {
	if date.Year() < 1980 || date.After(received.Add(48*time.Hour)) {
		date = received
	}
	return date.UTC().Truncate(time.Second)
}

func preview(text string) string {
	var b strings.Builder
	space, n := false, 0
	for _, r := range text {
		if unicode.IsSpace(r) {
			space = n > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		b.WriteRune(r)
		if n++; n >= previewRunes {
			break
		}
	}
	return b.String()
}

// document is what the index is told of a message. Its size is that without the
// fields that name blind recipients: searches by size must not tell of them.
func document(row *catalog.Message, f *message.Facts, source string) index.Doc {
	from := map[index.Party]bool{}
	d := index.Doc{
		ID: row.AOID, Date: row.Date, Size: max(0, row.Size-f.Blind), Subject: f.Subject, Body: f.Text,
		Category: row.Category, Class: row.Class, Tags: row.Tags, Source: source,
		Access: accessList(row.Parties), BccAccess: bccAccess(row.Parties),
	}
	for _, p := range row.Parties {
		ip := index.Party{Name: p.Name, Address: p.Address}
		switch p.Role {
		case "from", "sender":
			if !from[ip] {
				from[ip] = true
				d.From = append(d.From, ip)
			}
		case "to":
			d.To = append(d.To, ip)
		case "cc":
			d.Cc = append(d.Cc, ip)
		case "bcc":
			d.Bcc = append(d.Bcc, ip)
		}
	}
	for _, p := range hiddenRecipients(row.Parties) {
		d.Bcc = append(d.Bcc, index.Party{Address: p.Address})
	}
	for _, p := range f.Attachments() {
		d.Files = append(d.Files, index.File{Name: p.Name, Type: p.Type})
	}
	return d
}

// accessList lists the addresses that may see a message with these parties.
func accessList(parties []catalog.Party) []string {
	seen := make(map[string]bool, len(parties))
	var out []string
	for _, p := range parties {
		for _, a := range []string{p.Address, p.Via} {
			if a != "" && !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}

// hiddenRecipients lists the recipients of a journal report whom the header does
// not name: blind copies and members of lists, each once.
func hiddenRecipients(parties []catalog.Party) []catalog.Party {
	named := map[string]bool{}
	for _, p := range parties {
		switch p.Role {
		case "to", "cc", "bcc":
			named[p.Address] = true
		}
	}
	var out []catalog.Party
	for _, p := range parties {
		if recipientOfJournal(p.Role) && !named[p.Address] {
			named[p.Address] = true
			out = append(out, p)
		}
	}
	return out
}

// recipientOfJournal reports whether a role is that of a recipient in a journal
// report. Whether others may know of him, the header alone decides.
func recipientOfJournal(role string) bool {
	return strings.HasPrefix(role, journalRole) && role != roleJournalSender
}

// bccAccess lists the addresses that may search the blind copies: the senders,
// and a blind recipient if he is the only one, so that he learns of nobody else.
func bccAccess(parties []catalog.Party) []string {
	var out, bcc []string
	seen := map[string]bool{}
	for _, p := range parties {
		switch {
		case p.Address == "":
		case access.KnowsBcc(p.Role) && !seen[p.Address]:
			seen[p.Address] = true
			out = append(out, p.Address)
		case p.Role == "bcc":
			bcc = append(bcc, p.Address)
		}
	}
	for _, p := range hiddenRecipients(parties) {
		bcc = append(bcc, p.Address)
	}
	if len(bcc) == 1 {
		out = append(out, bcc[0])
	}
	return out
}
