package catalog

import (
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type outboxRow struct {
	bun.BaseModel `bun:"table:outbox,alias:o"`

	ID           blob     `bun:"id"`
	Tenant       blob     `bun:"tenant"`
	Kind         text     `bun:"kind"`
	Key          text     `bun:"item_key"`
	Sender       text     `bun:"sender"`
	Recipients   document `bun:"recipients"`
	Size         num      `bun:"size"`
	State        text     `bun:"state"`
	Attempts     num      `bun:"attempts"`
	NextAt       num      `bun:"next_at"`
	ClaimedUntil num      `bun:"claimed_until"`
	CreatedAt    num      `bun:"created_at"`
	TriedAt      num      `bun:"tried_at"`
	EndedAt      num      `bun:"ended_at"`
	Problem      document `bun:"problem"`
	Checksum     blob     `bun:"checksum"`
}

func newOutboxRow(m *Outgoing) (*outboxRow, error) {
	list, err := toDocument(m.Recipients)
	if err != nil {
		return nil, err
	}
	r := &outboxRow{ID: m.ID[:], Tenant: m.Tenant[:], Kind: text(m.Kind), Key: text(m.Key), Sender: text(m.Sender), Recipients: list, Size: num(m.Size),
		State: text(m.State), Attempts: num(m.Attempts), NextAt: millis(m.NextAt), ClaimedUntil: orZero(m.ClaimedUntil), CreatedAt: millis(m.CreatedAt),
		TriedAt: orZero(m.TriedAt), EndedAt: orZero(m.EndedAt), Problem: document(m.Problem)}
	r.Checksum = r.sum()
	return r, nil
}

// orZero stores the zero time as 0, which a time of mail never is.
func orZero(t time.Time) num {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}

func (n num) orZeroTime() time.Time {
	if n == 0 {
		return time.Time{}
	}
	return n.millis()
}

func (r *outboxRow) sum() blob {
	return newSummer(nil, "outbox", GroupRow).bytes(r.ID, r.Tenant).text(r.Kind, r.Key, r.Sender).document(r.Recipients).num(r.Size).text(r.State).
		num(r.Attempts, r.NextAt, r.ClaimedUntil, r.CreatedAt, r.TriedAt, r.EndedAt).document(r.Problem).sum()
}

func (r *outboxRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "outbox", Object: idText(r.ID)})
}

func (r *outboxRow) model() (*Outgoing, error) {
	m := &Outgoing{ID: toID(r.ID), Tenant: toID(r.Tenant), Kind: string(r.Kind), Key: string(r.Key), Sender: string(r.Sender), Size: int64(r.Size),
		State: OutgoingState(r.State), Attempts: int(r.Attempts), NextAt: r.NextAt.millis(), ClaimedUntil: r.ClaimedUntil.orZeroTime(),
		CreatedAt: r.CreatedAt.millis(), TriedAt: r.TriedAt.orZeroTime(), EndedAt: r.EndedAt.orZeroTime()}
	if r.Problem != "" {
		m.Problem = []byte(r.Problem)
	}
	return m, r.Recipients.into(&m.Recipients)
}

type bodyRow struct {
	bun.BaseModel `bun:"table:outbox_body,alias:ob"`

	Outbox   blob `bun:"outbox"`
	Body     blob `bun:"body"`
	Checksum blob `bun:"checksum"`
}

func newBodyRow(id uid.ID, body []byte) *bodyRow {
	r := &bodyRow{Outbox: id[:], Body: append(blob{}, body...)}
	r.Checksum = r.sum()
	return r
}

func (r *bodyRow) sum() blob {
	return newSummer(nil, "outbox_body", GroupRow).bytes(r.Outbox, r.Body).sum()
}

func (r *bodyRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "outbox_body", Object: idText(r.Outbox)})
}

func (r *bodyRow) model() (*[]byte, error) {
	b := []byte(r.Body)
	return &b, nil
}
