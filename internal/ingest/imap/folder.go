package imap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	goimap "github.com/emersion/go-imap/v2"
)

// Folder is a mailbox as LIST tells of it (RFC 9051 §6.3.9).
type Folder struct {
	Name       string   // decoded, parts separated by Delimiter
	Delimiter  string   // usually "/" or "."; empty: the folder is not in a tree
	Attributes []string // all of them, such as "\HasChildren"
	Use        string   // RFC 6154: "\Sent", "\Trash", "\Junk", "\All" …; empty: none told
	NoSelect   bool     // holds no messages, only folders

	// Unreadable says that the name on the server is not proper modified UTF-7.
	// Name is then only for people: the folder cannot be selected.
	Unreadable bool
}

// Folders lists all folders, INBOX first, the others by name.
func (c *Conn) Folders(ctx context.Context) ([]Folder, error) {
	const op = "list folders"
	var options *goimap.ListOptions
	if c.Capability("SPECIAL-USE") && c.Capability("LIST-EXTENDED") {
		options = &goimap.ListOptions{ReturnSpecialUse: true}
	}
	var out []Folder
	err := c.do(ctx, op, ErrRefused, func() error {
		c.guard.mu.Lock()
		c.guard.unreadable = nil
		c.guard.mu.Unlock()
		cmd := c.client.List("", "*", options)
		for data := cmd.Next(); data != nil; data = cmd.Next() {
			if len(out) < maxFolders {
				out = append(out, folder(data))
			}
		}
		return cmd.Close()
	})
	if err != nil {
		return nil, err
	}
	c.guard.mu.Lock()
	for _, raw := range c.guard.unreadable {
		out = append(out, Folder{Name: strings.ToValidUTF8(raw, "\uFFFD"), Unreadable: true})
	}
	c.guard.mu.Unlock()
	if len(out) >= maxFolders {
		return nil, protocolError(op, "there are more than %d folders", maxFolders)
	}
	slices.SortStableFunc(out, func(a, b Folder) int {
		if in := (b.Name == inbox) != (a.Name == inbox); in {
			if a.Name == inbox {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return slices.CompactFunc(out, func(a, b Folder) bool { return a.Name == b.Name && !a.Unreadable && !b.Unreadable }), nil
}

// inbox is the name every account has, in this form whatever the server says.
const inbox = "INBOX"

func folder(data *goimap.ListData) Folder {
	f := Folder{Name: data.Mailbox}
	if data.Delim != 0 {
		f.Delimiter = string(data.Delim)
	}
	for _, a := range data.Attrs {
		f.Attributes = append(f.Attributes, string(a))
		switch a {
		case goimap.MailboxAttrNoSelect, goimap.MailboxAttrNonExistent:
			f.NoSelect = true
		case goimap.MailboxAttrAll, goimap.MailboxAttrArchive, goimap.MailboxAttrDrafts, goimap.MailboxAttrFlagged,
			goimap.MailboxAttrJunk, goimap.MailboxAttrSent, goimap.MailboxAttrTrash, goimap.MailboxAttrImportant:
			f.Use = string(a)
		}
	}
	return f
}

// Mailbox is the state of a folder when it was selected or asked for.
type Mailbox struct {
	Name        string
	UIDValidity uint32 // never zero
	UIDNext     UID    // zero: the server does not say
	Messages    int
	ReadOnly    bool // deleting will not work
}

// Select opens a folder. With readOnly nothing in it can change, by EXAMINE. If
// known is not zero, it is the UIDVALIDITY of an earlier session; should it have
// changed, the folder is not selected and the error matches ErrUIDValidity.
func (c *Conn) Select(ctx context.Context, name string, readOnly bool, known uint32) (*Mailbox, error) {
	op := "open folder " + quote(name)
	c.folder, c.uidNext, c.window = nil, 0, 0
	c.mu.Lock()
	c.exists, c.known = 0, 0
	c.mu.Unlock()
	var m *Mailbox
	err := c.do(ctx, op, ErrRefused, func() error {
		c.guard.mu.Lock()
		c.guard.validity = 0
		c.guard.mu.Unlock()
		data, err := c.client.Select(name, &goimap.SelectOptions{ReadOnly: readOnly}).Wait()
		if err != nil {
			return err
		}
		c.guard.mu.Lock()
		readOnly = readOnly || c.guard.okCode == "READ-ONLY"
		c.guard.mu.Unlock()
		m = &Mailbox{Name: name, UIDValidity: data.UIDValidity, UIDNext: UID(data.UIDNext), Messages: int(data.NumMessages), ReadOnly: readOnly}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case m.UIDValidity == 0:
		return nil, c.end(protocolError(op, "the server names no UIDVALIDITY, so its messages cannot be told apart"))
	case known != 0 && known != m.UIDValidity:
		return nil, uidValidityError(op, known, m.UIDValidity)
	}
	c.mu.Lock()
	c.known = m.Messages // if there are more by now, that is news
	c.mu.Unlock()
	c.folder, c.uidNext = m, m.UIDNext
	return m, nil
}

func uidValidityError(op string, was, is uint32) *Error {
	return &Error{Op: op, Kind: ErrUIDValidity, Text: fmt.Sprintf("it was %d and is %d", was, is)}
}

// Status asks for the state of a folder that is not selected (RFC 9051 §6.3.11).
func (c *Conn) Status(ctx context.Context, name string) (*Mailbox, error) {
	op := "ask about folder " + quote(name)
	if strings.EqualFold(name, inbox) {
		name = inbox
	}
	var data *goimap.StatusData
	err := c.do(ctx, op, ErrRefused, func() (err error) {
		data, err = c.client.Status(name, &goimap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true}).Wait()
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case data.UIDValidity == 0 || data.NumMessages == nil:
		return nil, protocolError(op, "the server does not answer what was asked")
	}
	return &Mailbox{Name: name, UIDValidity: data.UIDValidity, UIDNext: UID(data.UIDNext), Messages: int(*data.NumMessages)}, nil
}
