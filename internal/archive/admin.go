package archive

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// ErrInvalid is matched by errors about what somebody has typed: nothing was done.
var ErrInvalid = errors.New("invalid")

// invalidError is an ErrInvalid that says everything itself.
type invalidError struct{ text string }

func (e *invalidError) Error() string        { return e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(format string, args ...any) error {
	return &invalidError{fmt.Sprintf(format, args...)}
}

var slugForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// NewTenant describes a tenant to be created.
type NewTenant struct {
	Slug string // [a-z0-9-], at most 63
	Name string
	Zone string // IANA; empty: Europe/Berlin
}

// CreateTenant makes a tenant with its key and its first journal address.
// catalog.ErrTaken if the slug is in use.
func (a *Archive) CreateTenant(ctx context.Context, n NewTenant) (*catalog.Tenant, error) {
	if !slugForm.MatchString(n.Slug) {
		return nil, invalid("slug %q: want 1 to 63 of a-z, 0-9 and -, not at the ends", n.Slug)
	}
	if strings.TrimSpace(n.Name) == "" {
		n.Name = n.Slug
	}
	if err := checkName(n.Name); err != nil {
		return nil, err
	}
	if n.Zone == "" {
		n.Zone = "Europe/Berlin"
	}
	if err := checkZone(n.Zone); err != nil {
		return nil, invalid("zone %q: is no IANA time zone such as Europe/Berlin", n.Zone)
	}
	if _, err := a.catalog.TenantBySlug(ctx, n.Slug); !errors.Is(err, catalog.ErrNotFound) {
		if err == nil {
			err = fmt.Errorf("slug %q: %w", n.Slug, catalog.ErrTaken)
		}
		return nil, err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	t := &catalog.Tenant{ID: uid.New(now), Slug: n.Slug, Name: n.Name, Zone: n.Zone, State: catalog.TenantActive, CreatedAt: now}
	data, err := tenantDescription(t, nil, tenantData{})
	if err != nil {
		return nil, err
	}
	// The key first: a key without a tenant does no harm, a tenant without a
	// key could not keep anything.
	if err := a.vault.CreateTenant(ctx, vault.TenantInfo{ID: t.ID, Data: data}); err != nil && !errors.Is(err, blob.ErrExists) {
		return nil, err
	}
	e := a.cliEvent("tenant.created", t.ID.String(), map[string]string{"slug": t.Slug, "name": t.Name, "zone": t.Zone})
	return t, a.catalog.CreateTenant(ctx, t, e)
}

// maxName bounds the names that people read, in bytes.
const maxName = 200

// checkName refuses names that would break a line or a list, or that nobody sees.
func checkName(name string) error {
	if invisible(name) {
		return invalid("name %.40q: has no character that can be seen", name)
	}
	if len(name) > maxName || strings.ContainsFunc(name, breaking) || !utf8.ValidString(name) {
		return invalid("name %.40q: want at most %d bytes of text in one line", name, maxName)
	}
	return nil
}

// TenantBySlug finds a tenant by its short name. catalog.ErrNotFound.
func (a *Archive) TenantBySlug(ctx context.Context, slug string) (*catalog.Tenant, error) {
	return a.catalog.TenantBySlug(ctx, strings.ToLower(slug))
}

// invisible reports whether a name has characters, and nobody sees any of them: spaces
// and what Unicode calls default-ignorable (UAX #44).
func invisible(name string) bool {
	unseen := []*unicode.RangeTable{unicode.White_Space, unicode.Z, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point}
	return strings.TrimSpace(name) != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '\u2800' && !unicode.In(r, unseen...) // an empty pattern of Braille
	})
}

// breaking reports whether a character ends a line, or turns what stands around it in
// a list into the other direction.
func breaking(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// checkZone refuses what is no IANA time zone. "Local" is none: it is what the machine is
// set to.
func checkZone(name string) error {
	if name == "Local" {
		return fmt.Errorf("%s is no time zone", name)
	}
	_, err := time.LoadLocation(name)
	return err
}

// Tenants lists all tenants; a damaged row is left out and logged, for the others
// must go on.
func (a *Archive) Tenants(ctx context.Context) ([]*catalog.Tenant, error) {
	list, err := a.catalog.Tenants(ctx)
	if bad := rowErrors(err); len(bad) > 0 {
		a.log.Error("rows of tenants are damaged; muniment fsck tells more", "error", err)
		return list, nil
	}
	return list, err
}

// act records what somebody did on the command line.
func (a *Archive) act(ctx context.Context, tenant uid.ID, action string, object uid.ID) error {
	return a.catalog.AppendEvents(ctx, tenant, []*catalog.Event{{At: a.now().UTC(), Actor: "cli", Action: action, Object: object.String()}})
}

// Kinds of sources.
const (
	KindJournal = "journal"
	KindImport  = "import"
	KindMailbox = "mailbox" // a remote one, IMAP or POP3
	KindMilter  = "milter"
	KindFolder  = "folder" // watched
	KindUpload  = "upload" // files given in the web interface
)

// newJournalAddress makes an unguessable address: 100 random bits.
func (a *Archive) newJournalAddress(ctx context.Context) (string, error) {
	rules, err := a.MailRules(ctx)
	if err != nil {
		return "", err
	}
	b := make([]byte, 13)
	rand.Read(b)
	local := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))[:20]
	return "j-" + local + "@" + rules.JournalDomain, nil
}

// CreateJournal makes a journal source with an unguessable address.
func (a *Archive) CreateJournal(ctx context.Context, tenant uid.ID, name, category string) (*catalog.Source, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	address, err := a.newJournalAddress(ctx)
	if err != nil {
		return nil, err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	s := &catalog.Source{ID: uid.New(now), Tenant: tenant, Kind: KindJournal, Name: name, JournalAddress: address,
		Category: category, CreatedAt: now}
	if err := a.catalog.CreateSource(ctx, s, a.cliEvent("source.created", s.ID.String(), sourceDetails(nil, sourceFacts(s, nil)))); err != nil {
		return nil, err
	}
	// Before anybody learns of the address: from then on it must not get lost.
	return s, a.describeTenant(ctx, tenant)
}

// journalForm is the form of what stands before the @ of our journal addresses.
var journalForm = regexp.MustCompile(`^j-[a-z2-7]{20}$`)

// ErrAddressLost is returned (wrapped) for an address that may be one of those that
// the catalog has lost: whoever sends there must come again.
var ErrAddressLost = errors.New("journal address is not known any more")

// JournalSource finds the source of a journal address. catalog.ErrNotFound. As
// long as there are journals whose address was lost with the catalog, an address
// that may have been theirs is ErrAddressLost. That of a tenant that has ended is
// ErrTenantEnded.
func (a *Archive) JournalSource(ctx context.Context, address string) (*catalog.Source, error) {
	address = message.NormalizeAddress(address)
	s, err := a.catalog.SourceByJournalAddress(ctx, address)
	if errors.Is(err, catalog.ErrNotFound) && a.journalLike(ctx, address) {
		if lost, trouble := a.catalog.AddresslessSource(ctx, KindJournal); trouble != nil {
			return nil, trouble
		} else if lost {
			return nil, fmt.Errorf("%w: a rebuild has restored journals without their addresses", ErrAddressLost)
		}
	}
	if err != nil {
		return nil, err
	}
	if s.Disabled {
		return nil, fmt.Errorf("journal address: %w", catalog.ErrNotFound)
	}
	if err := a.Takes(ctx, s.Tenant); err != nil {
		return nil, fmt.Errorf("journal address: %w", err)
	}
	return s, nil
}

// journalLike reports whether an address looks like a journal address of ours.
func (a *Archive) journalLike(ctx context.Context, address string) bool {
	local, _, ok := strings.Cut(address, "@")
	return ok && a.ofJournals(ctx, message.DomainOf(address)) && journalForm.MatchString(local)
}

// ImportSource finds or makes the import source called name.
func (a *Archive) ImportSource(ctx context.Context, tenant uid.ID, name, category string) (*catalog.Source, error) {
	return a.namedSource(ctx, &catalog.Source{Tenant: tenant, Kind: KindImport, Name: name, Category: category})
}

// MilterSource finds or makes the source called name for what a mail server lets
// a filter see.
func (a *Archive) MilterSource(ctx context.Context, tenant uid.ID, name, category string) (*catalog.Source, error) {
	return a.namedSource(ctx, &catalog.Source{Tenant: tenant, Kind: KindMilter, Name: name, Category: category})
}

// namedSource finds the source of s's tenant, kind and name, or makes s.
func (a *Archive) namedSource(ctx context.Context, s *catalog.Source) (*catalog.Source, error) {
	if err := checkName(s.Name); err != nil {
		return nil, err
	}
	found, err := a.catalog.SourceByName(ctx, s.Tenant, s.Kind, s.Name)
	if !errors.Is(err, catalog.ErrNotFound) {
		return found, err
	}
	s.CreatedAt = a.now().UTC().Truncate(time.Millisecond)
	s.ID = uid.New(s.CreatedAt)
	if err := a.catalog.CreateSource(ctx, s, a.cliEvent("source.created", s.ID.String(), sourceDetails(nil, sourceFacts(s, nil)))); err != nil {
		return nil, err
	}
	return s, a.describeTenant(ctx, s.Tenant)
}

// Sources lists the sources of a tenant.
func (a *Archive) Sources(ctx context.Context, tenant uid.ID) ([]*catalog.Source, error) {
	return a.catalog.Sources(ctx, tenant)
}

// Refused counts a message that a source offered and the archive refused for
// good, e.g. because of its size. The count is for the completeness account only:
// if it cannot be written, the refusal stands and the log tells.
func (a *Archive) Refused(ctx context.Context, tenant, source uid.ID, bytes int64) {
	err := a.catalog.AddAccount(ctx, tenant, catalog.Account{Source: source, Day: a.now().UTC().Format(time.DateOnly), Outcome: catalog.Refused, Count: 1, Bytes: bytes})
	if err != nil {
		a.log.Error("refused message not counted", "tenant", tenant, "source", source, "error", err)
	}
}
