package catalogtest

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// env is what a case works with.
type env struct {
	*catalog.Catalog
	sql *sql.DB
}

// updateUser writes one user. catalog.ErrNotFound, also if its row is damaged.
func (e *env) updateUser(ctx context.Context, u *catalog.User) error {
	return e.EditUsers(ctx, u.Tenant, func([]*catalog.User) (*catalog.UserEdit, error) {
		return &catalog.UserEdit{Update: []*catalog.User{u}}, nil
	})
}

// at is the time of all that is made here: whole milliseconds of a day.
func at(minutes int) time.Time {
	return time.Date(2026, time.March, 2, 10, 0, 0, 123_000_000, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

// sound requires that the check of the whole database finds nothing.
func (e *env) sound(t *testing.T) {
	t.Helper()
	if err := e.Check(context.WithoutCancel(t.Context()), func(err error) { t.Errorf("check finds %v", err) }); err != nil {
		t.Errorf("check: %v", err)
	}
}

// findings returns what the check of the whole database finds, as text.
func (e *env) findings(t *testing.T) (list []error) {
	t.Helper()
	if err := e.Check(t.Context(), func(err error) { list = append(list, err) }); err != nil {
		list = append(list, err)
	}
	return list
}

func (e *env) tenant(t *testing.T, slug string) uid.ID {
	t.Helper()
	tenant := &catalog.Tenant{ID: uid.New(at(0)), Slug: slug, Name: "The " + slug, Zone: "Europe/Berlin", State: catalog.TenantActive, CreatedAt: at(0)}
	must(t, e.CreateTenant(t.Context(), tenant))
	return tenant.ID
}

func (e *env) user(t *testing.T, tenant uid.ID, login string, addresses ...string) *catalog.User {
	t.Helper()
	u := &catalog.User{ID: uid.New(at(0)), Tenant: tenant, Login: login, Name: "Name of " + login, Role: "user",
		PasswordHash: "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", Language: "de", CreatedAt: at(1), Addresses: addresses}
	must(t, e.CreateUser(t.Context(), u))
	return u
}

func (e *env) source(t *testing.T, tenant uid.ID, name string) *catalog.Source {
	t.Helper()
	s := &catalog.Source{ID: uid.New(at(0)), Tenant: tenant, Kind: "import", Name: name, Category: "mail", CreatedAt: at(2)}
	must(t, e.CreateSource(t.Context(), s))
	return s
}

// content makes the message number i of a batch: the same name and number are
// the same content.
func content(name string, i int) *catalog.Message {
	raw := fmt.Appendf(nil, "%s %d", name, i)
	return &catalog.Message{AOID: uid.New(at(i)), SHA256: sha256.Sum256(raw), SHA512: sha512.Sum512(raw), Size: int64(1000 + i), Frame: uint32(2 * i),
		ReceivedAt: at(i), Date: at(-i).Truncate(time.Second), Source: uid.New(at(0)), Class: "mail10", Category: "mail", Tags: []string{"a", name},
		Parties: []catalog.Party{{Role: "from", Name: "Anna", Address: "anna@example.com"}, {Role: "to", Address: "bernd@example.com"}},
		Facts:   catalog.Facts{Version: 1, MessageID: fmt.Sprintf("%d@example.com", i), Subject: name, Preview: "Text", Attachments: i % 3, HTML: i%2 == 0}}
}

// batch makes n messages, each with a capture, a part and an event, in a
// segment of their own.
func batch(name string, n int) *catalog.Batch {
	segment := &catalog.Segment{ID: uid.New(at(0)), Size: int64(700 * n), RawSize: int64(1000 * n), Frames: 3 * n, CreatedAt: at(3)}
	b := &catalog.Batch{Segment: segment}
	for i := range n {
		m := content(name, i)
		m.Segment = segment.ID
		b.Messages = append(b.Messages, m)
		b.Captures = append(b.Captures, &catalog.Capture{ID: uid.New(at(i)), AOID: m.AOID, Source: m.Source, ReceivedAt: m.ReceivedAt,
			EnvelopeFrom: "anna@example.com", EnvelopeTo: []string{"bernd@example.com", "carla@example.com"}, Peer: "192.0.2.1:25",
			Origin: fmt.Sprintf("%s/%d.eml", name, i), Key: sha256.Sum256(fmt.Appendf(nil, "key %s %d", name, i)), Segment: segment.ID, Frame: uint32(2*i + 1)})
		b.Parts = append(b.Parts, &catalog.Part{SHA256: sha256.Sum256(fmt.Appendf(nil, "part %s %d", name, i)), Size: int64(20000 + i),
			Segment: segment.ID, Frame: uint32(2*n + i)})
		b.Events = append(b.Events, &catalog.Event{At: at(i), Actor: "source:" + m.Source.String(), Action: "message.stored", Object: m.AOID.String(),
			Digest: "00ff", Details: map[string]string{"origin": fmt.Sprint(i)}})
	}
	b.Accounts = []catalog.Account{{Source: b.Messages[0].Source, Day: "2026-03-02", Outcome: catalog.Stored, Count: int64(n), Bytes: int64(1000 * n)}}
	return b
}

func (e *env) commit(t *testing.T, tenant uid.ID, b *catalog.Batch) *catalog.Batch {
	t.Helper()
	must(t, e.Commit(t.Context(), tenant, b))
	return b
}

// exec changes the tables behind the catalog's back, and requires that it hit
// want rows.
func (e *env) exec(t *testing.T, want int64, query string, args ...any) {
	t.Helper()
	res, err := e.sql.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if n, err := res.RowsAffected(); err != nil || n != want {
		t.Fatalf("%s: %d rows, %v, want %d", query, n, err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustBe requires an error that is want.
func mustBe(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", what, err, want)
	}
}

// rowError requires that err holds the error of a damaged row.
func rowError(t *testing.T, what string, err error) *catalog.RowError {
	t.Helper()
	var bad *catalog.RowError
	if !errors.As(err, &bad) {
		t.Errorf("%s: error is %v, want that of a row", what, err)
		return &catalog.RowError{}
	}
	return bad
}

// isDamaged fails unless err is that of a row.
func isDamaged(t *testing.T, what string, err error) {
	t.Helper()
	if bad := rowError(t, what, err); bad.Table == "" {
		t.Errorf("%s: the error names no table: %v", what, err)
	}
}

// same compares what was read with what was written.
func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%.4000s", what, diff)
	}
}

// got unpacks a call that must succeed.
func got[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// counts is what can be counted of a tenant.
type counts struct {
	Head, Events                         int64
	Messages, Captures, Parts, Segments  int
	StatMessages, StatSegments, RawBytes int64
	AccountRows                          int
	AccountCount                         int64
}

func (e *env) counts(t *testing.T, tenant uid.ID) (n counts) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	n.Head = got(e.Head(ctx, tenant))(t)
	n.Events = got(e.EventHead(ctx, tenant))(t).Size
	must(t, e.WalkMessages(ctx, tenant, func(_ *catalog.Message, err error) error { n.Messages++; return err }))
	must(t, e.WalkCaptures(ctx, tenant, func(_ *catalog.Capture, err error) error { n.Captures++; return err }))
	must(t, e.WalkParts(ctx, tenant, func(_ *catalog.Part, err error) error { n.Parts++; return err }))
	must(t, e.WalkSegments(ctx, tenant, func(_ *catalog.Segment, err error) error { n.Segments++; return err }))
	s := got(e.Statistics(ctx, tenant, at(0)))(t)
	n.StatMessages, n.StatSegments, n.RawBytes = s.Messages, s.Segments, s.RawBytes
	for _, a := range got(e.Accounts(ctx, tenant, "", ""))(t) {
		n.AccountRows++
		n.AccountCount += a.Count
	}
	return n
}
