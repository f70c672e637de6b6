package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// DefaultDeleteAfter is how long a tenant has to have ended before it may be deleted:
// the time for the hand-over.
const DefaultDeleteAfter = 30 * 24 * time.Hour

// ErrNotDeletable is matched by the refusal to delete a tenant, which says why.
var ErrNotDeletable = errors.New("the customer cannot be deleted")

// Certificate says that a tenant was deleted, and what it was.
type Certificate struct {
	Tenant   uid.ID    `json:"tenant"`
	Slug     string    `json:"slug"`
	Name     string    `json:"name"`
	Reseller string    `json:"reseller,omitempty"` // name
	Made     time.Time `json:"created_at"`
	Ended    time.Time `json:"ended_at"`

	Asked  time.Time `json:"requested_at"`
	By     string    `json:"requested_by"`      // as in the event log
	ByName string    `json:"requested_by_name"` // name of the user
	Peer   string    `json:"requested_from,omitempty"`

	Messages    int64 `json:"messages"`
	RawBytes    int64 `json:"raw_bytes"`
	StoredBytes int64 `json:"stored_bytes"`
	Segments    int64 `json:"segments"`
	Users       int   `json:"users"`
	Sources     int   `json:"sources"`
	Domains     int   `json:"domains"`

	// The event log as it was at last: whoever has a receipt of it can tell that it is
	// the one that was deleted.
	Events  int64  `json:"log_size"`
	LogRoot string `json:"log_root"` // SHA-256, hexadecimal

	KeyDestroyed time.Time `json:"key_destroyed_at,omitzero"`
	Done         time.Time `json:"completed_at,omitzero"` // zero: under way
	Objects      int       `json:"objects_removed"`
}

// DeleteTenant deletes a tenant that has ended, for good: its key, without which
// nothing of it can be read any more, then its rows, its index and its objects. name
// has to be the tenant's name. It returns the certificate. ErrNotDeletable, wrapped,
// says why it does not; a *FieldError that the name differs.
func (h *Handle) DeleteTenant(ctx context.Context, id uid.ID, name string) (*Certificate, error) {
	if err := h.mine(ctx, access.DeleteTenants, id); err != nil {
		return nil, err
	}
	h.a.hierarchy.deleting.Lock()
	defer h.a.hierarchy.deleting.Unlock()
	d, err := h.Tenant(ctx, id)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(name) != d.Name {
		return nil, wrongField("name", "is not the name of the customer")
	}
	record, err := h.a.catalog.Deletion(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		if err := h.a.deletable(ctx, d); err != nil {
			return nil, err
		}
		record, err = h.beginDeletion(ctx, d)
	}
	if err != nil {
		return nil, err
	}
	return h.a.carryOut(ctx, record)
}

// deletable returns ErrNotDeletable, wrapped, if a tenant must stay.
func (a *Archive) deletable(ctx context.Context, d *TenantDetail) error {
	if d.State != catalog.TenantEnded {
		return fmt.Errorf("%w: it has not ended; end it first", ErrNotDeletable)
	}
	if now := a.now(); now.Before(d.DeletableAt) {
		return fmt.Errorf("%w before %s: the time for the hand-over runs", ErrNotDeletable, d.DeletableAt.UTC().Format("2006-01-02 15:04 MST"))
	}
	return a.kept(ctx, d.ID)
}

// beginDeletion records what is about to be deleted, before anything is.
func (h *Handle) beginDeletion(ctx context.Context, d *TenantDetail) (*catalog.Deletion, error) {
	now := h.a.now().UTC().Truncate(time.Millisecond)
	c := &Certificate{Tenant: d.ID, Slug: d.Slug, Name: d.Name, Made: d.CreatedAt, Ended: d.Care.Since, Asked: now, By: h.who(), Peer: h.actor.Peer,
		Users: d.Users, Sources: d.Sources, Domains: len(d.Domains)}
	if d.Reseller != nil {
		c.Reseller = d.Reseller.Name
	}
	if u, err := h.a.catalog.User(ctx, uid.ID{}, h.actor.User); err == nil {
		c.ByName = u.Name
	} else if !errors.Is(err, catalog.ErrNotFound) && len(rowErrors(err)) == 0 {
		return nil, err
	}
	s, err := h.a.catalog.Statistics(ctx, d.ID, now)
	if err := h.a.sound("accounts", err); err != nil {
		return nil, err
	}
	if s != nil {
		c.Messages, c.RawBytes, c.StoredBytes, c.Segments = s.Messages, s.RawBytes, s.StoredBytes, s.Segments
	}
	head, err := h.a.catalog.EventHead(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	c.Events, c.LogRoot = head.Size, fmt.Sprintf("%x", head.Root[:])
	record := &catalog.Deletion{Tenant: d.ID, Reseller: d.Care.Reseller, State: catalog.Deleting, CreatedAt: now}
	if record.Document, err = json.Marshal(c); err != nil {
		return nil, err
	}
	details := map[string]string{"name": c.Name, "slug": c.Slug, "messages": fmt.Sprint(c.Messages), "log_root": c.LogRoot}
	err = h.a.catalog.BeginDeletion(ctx, record, h.event("tenant.deleting", d.ID.String(), details))
	if errors.Is(err, catalog.ErrHeld) {
		err = fmt.Errorf("%w: %w", ErrNotDeletable, err)
	}
	return record, err
}

// carryOut deletes, or goes on deleting, what record says. It can be stopped at any
// moment and called again.
func (a *Archive) carryOut(ctx context.Context, record *catalog.Deletion) (*Certificate, error) {
	c := &Certificate{}
	if err := json.Unmarshal(record.Document, c); err != nil {
		return nil, fmt.Errorf("certificate of tenant %s: %w", record.Tenant, err)
	}
	if record.State == catalog.Deleted {
		return c, nil
	}
	rest, err := a.rest(ctx, record.Tenant)
	if err != nil {
		return nil, err
	}
	defer rest()
	if err := a.vault.DestroyTenant(ctx, record.Tenant); err != nil {
		return nil, err
	}
	if c.KeyDestroyed.IsZero() {
		c.KeyDestroyed = a.now().UTC().Truncate(time.Millisecond)
		if record.Document, err = json.Marshal(c); err != nil {
			return nil, err
		}
		if err := a.catalog.EndDeletion(ctx, record); err != nil {
			return nil, err
		}
	}
	if err := a.catalog.DeleteTenant(ctx, record.Tenant); err != nil {
		return nil, err
	}
	a.rerouted()
	a.hierarchy.states.forget()
	if err := a.index.Drop(ctx, record.Tenant); err != nil {
		return nil, err
	}
	if err := a.deleteBeside(ctx, record.Tenant); err != nil {
		return nil, err
	}
	n, err := a.vault.RemoveTenant(ctx, record.Tenant)
	if err != nil {
		return nil, err
	}
	c.Objects += n
	c.Done = a.now().UTC().Truncate(time.Millisecond)
	record.State = catalog.Deleted
	if record.Document, err = json.Marshal(c); err != nil {
		return nil, err
	}
	e := &catalog.Event{At: c.Done, Actor: c.By, Action: "tenant.deleted", Object: record.Tenant.String(), Details: map[string]string{"name": c.Name, "slug": c.Slug}}
	return c, a.catalog.EndDeletion(ctx, record, e)
}

// AlsoDelete has remove called for every tenant that is deleted, before the certificate
// says that nothing is left: for what others keep of tenants, such as unfinished uploads.
// It may be called again for the same tenant.
func (a *Archive) AlsoDelete(remove func(ctx context.Context, tenant uid.ID) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.beside = append(a.beside, remove)
}

func (a *Archive) deleteBeside(ctx context.Context, tenant uid.ID) error {
	a.mu.Lock()
	list := slices.Clone(a.beside)
	a.mu.Unlock()
	for _, remove := range list {
		if err := remove(ctx, tenant); err != nil {
			return err
		}
	}
	return nil
}

// rest ends the work in the background for a tenant that is deleted, and returns what
// lets others go on. Meanwhile nothing is sealed: a tree would come after the tenant's
// objects are gone.
func (a *Archive) rest(ctx context.Context, tenant uid.ID) (func(), error) {
	a.mu.Lock()
	w := a.tenants[tenant]
	a.mu.Unlock()
	if w == nil {
		a.sealing.Lock()
		return a.sealing.Unlock, nil
	}
	select { // nobody compacts
	case w.compacting <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w.gone.Store(true)
	a.sealing.Lock()
	w.indexing.Lock()
	return func() { w.indexing.Unlock(); a.sealing.Unlock(); <-w.compacting }, nil
}

// FinishDeletions goes on with deletions that were interrupted.
func (a *Archive) FinishDeletions(ctx context.Context) error {
	a.hierarchy.deleting.Lock()
	defer a.hierarchy.deleting.Unlock()
	list, err := a.catalog.Deletions(ctx)
	if err := a.sound("deletions", err); err != nil {
		return err
	}
	var errs []error
	for _, d := range list {
		if d.State == catalog.Deleting {
			_, err := a.carryOut(ctx, d)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Certificates lists the certificates of tenants that the actor looked after, the
// youngest first.
func (h *Handle) Certificates(ctx context.Context) ([]*Certificate, error) {
	if err := h.actor.Check(access.DeleteTenants); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Deletions(ctx)
	if err := h.a.sound("deletions", err); err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(d *catalog.Deletion) bool { return !h.looksAfter(d.Reseller) })
	out := make([]*Certificate, len(list))
	for i, d := range list {
		out[i] = &Certificate{}
		if err := json.Unmarshal(d.Document, out[i]); err != nil {
			return nil, fmt.Errorf("certificate of tenant %s: %w", d.Tenant, err)
		}
	}
	return out, nil
}

// Text is the certificate as people read it, in English or, with "de", German.
func (c *Certificate) Text(lang string) string {
	words := map[bool][]string{
		false: {"Certificate of deletion", "Customer", "Short name", "Id", "Reseller", "Created", "Ended", "Deletion requested", "by", "Messages", "Bytes of the originals",
			"Bytes stored", "Users", "Sources", "Domains", "Event log: entries", "Event log: root (SHA-256)", "Key destroyed", "Completed", "Objects removed",
			"The key was destroyed, without which nothing that was stored for this customer can be read. Then the rows, the search index and the stored objects were removed. Copies in backups cannot be read without the key either, as long as no backup holds the key: delete those backups as well.", "under way"},
		true: {"Löschbescheinigung", "Mandant", "Kurzname", "Kennung", "Reseller", "Angelegt", "Beendet", "Löschung beauftragt", "durch", "Nachrichten", "Bytes der Originale",
			"Gespeicherte Bytes", "Benutzer", "Quellen", "Domains", "Ereignisprotokoll: Einträge", "Ereignisprotokoll: Wurzel (SHA-256)", "Schlüssel vernichtet", "Abgeschlossen", "Entfernte Objekte",
			"Der Schlüssel wurde vernichtet, ohne den nichts mehr gelesen werden kann, was für diesen Mandanten gespeichert war. Danach wurden die Zeilen, der Suchindex und die gespeicherten Objekte entfernt. Auch Kopien in Sicherungen sind ohne den Schlüssel nicht lesbar, solange keine Sicherung den Schlüssel enthält: Löschen Sie auch diese Sicherungen.", "läuft noch"},
	}[lang == "de"]
	when := func(t time.Time) string {
		if t.IsZero() {
			return words[21]
		}
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	by := strings.TrimSpace(c.ByName + " (" + c.By + ")")
	values := []string{c.Name, c.Slug, c.Tenant.String(), c.Reseller, when(c.Made), when(c.Ended), when(c.Asked), by, fmt.Sprint(c.Messages), fmt.Sprint(c.RawBytes),
		fmt.Sprint(c.StoredBytes), fmt.Sprint(c.Users), fmt.Sprint(c.Sources), fmt.Sprint(c.Domains), fmt.Sprint(c.Events), c.LogRoot, when(c.KeyDestroyed), when(c.Done), fmt.Sprint(c.Objects)}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", words[0])
	for i, v := range values {
		if v != "" {
			fmt.Fprintf(&b, "%s: %s\n", words[i+1], v)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", words[20])
	return b.String()
}
