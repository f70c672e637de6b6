package catalog

import (
	"bytes"
	"cmp"
	"context"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// walkPage is how many rows a walk reads at a time.
const walkPage = 1000

// walker pages through the rows of a table in the order of a unique key. It
// gets past any damage: only sound rows that advance are used as marks, and what
// was met since the last mark is skipped by counting.
type walker[R, M any, P rowOf[R, M]] struct {
	c     *Catalog
	order []string
	// from restricts q to the rows after mark, which is nil at the beginning.
	from    func(q *bun.SelectQuery, mark P) *bun.SelectQuery
	compare func(a, b P) int // by the key
	do      func(P, *M, error) error

	mark    P
	skipped int
}

func (w *walker[R, M, P]) walk(ctx context.Context) error {
	for {
		n, err := w.page(ctx, walkPage)
		if err != nil && ctx.Err() == nil && n == 0 {
			n, err = w.singly(ctx)
		}
		if err != nil || n < walkPage {
			return err
		}
	}
}

// page reads at most limit rows and returns how many there were; none were
// handed on if the query failed.
func (w *walker[R, M, P]) page(ctx context.Context, limit int) (int, error) {
	n := 0
	q := w.from(w.c.read.NewSelect(), w.mark).Order(w.order...).Limit(int64(limit)).Offset(int64(w.skipped))
	return n, each[R, M, P](ctx, q, func(r P, m *M, err error) error {
		n++
		if err == nil && (w.mark == nil || w.compare(w.mark, r) < 0) {
			w.mark, w.skipped = r, 0
		} else {
			w.skipped++
		}
		return w.do(r, m, err)
	})
}

// singly reads a page of which the database can read only some rows. Unreadable
// neighbours that fail alike are reported once.
func (w *walker[R, M, P]) singly(ctx context.Context) (int, error) {
	var last string
	for n := range walkPage {
		got, err := w.page(ctx, 1)
		switch {
		case err != nil && (got > 0 || ctx.Err() != nil):
			return n, err
		case err != nil:
			// It cannot be known whether there is a row at all: give up when
			// a page's worth of attempts has found nothing.
			w.skipped++
			if text := err.Error(); text != last {
				last = text
				if err := w.do(nil, nil, err); err != nil {
					return n, err
				}
			}
			if w.skipped >= walkPage {
				return n, err
			}
		case got == 0:
			return n, nil
		}
	}
	return walkPage, nil
}

// The walks below select by the tenant as it stands in the column, which may
// have been damaged.

func (c *Catalog) walkMessages(ctx context.Context, tenant blob, do func(*messageRow, *Message, error) error) error {
	w := walker[messageRow, Message, *messageRow]{c: c, order: []string{"seq"}, do: do,
		from: func(q *bun.SelectQuery, mark *messageRow) *bun.SelectQuery {
			if mark != nil {
				q = q.Where("seq > ?", mark.Seq)
			}
			return q.Where("tenant = ?", tenant)
		},
		compare: func(a, b *messageRow) int { return cmp.Compare(a.Seq, b.Seq) }}
	return w.walk(ctx)
}

func (c *Catalog) walkCaptures(ctx context.Context, tenant blob, do func(*captureRow, *Capture, error) error) error {
	w := walker[captureRow, Capture, *captureRow]{c: c, order: []string{"id"}, do: do,
		from: func(q *bun.SelectQuery, mark *captureRow) *bun.SelectQuery {
			if mark != nil {
				q = q.Where("id > ?", mark.ID)
			}
			return q.Where("tenant = ?", tenant)
		},
		compare: func(a, b *captureRow) int { return bytes.Compare(a.ID, b.ID) }}
	return w.walk(ctx)
}

func (c *Catalog) walkParts(ctx context.Context, tenant blob, do func(*partRow, *Part, error) error) error {
	w := walker[partRow, Part, *partRow]{c: c, order: []string{"sha256"}, do: do,
		from: func(q *bun.SelectQuery, mark *partRow) *bun.SelectQuery {
			if mark != nil {
				q = q.Where("sha256 > ?", mark.SHA256)
			}
			return q.Where("tenant = ?", tenant)
		},
		compare: func(a, b *partRow) int { return bytes.Compare(a.SHA256, b.SHA256) }}
	return w.walk(ctx)
}

func (c *Catalog) walkSegments(ctx context.Context, tenant blob, do func(*segmentRow, *Segment, error) error) error {
	w := walker[segmentRow, Segment, *segmentRow]{c: c, order: []string{"id"}, do: do,
		from: func(q *bun.SelectQuery, mark *segmentRow) *bun.SelectQuery {
			if mark != nil {
				q = q.Where("id > ?", mark.ID)
			}
			return q.Where("tenant = ?", tenant)
		},
		compare: func(a, b *segmentRow) int { return bytes.Compare(a.ID, b.ID) }}
	return w.walk(ctx)
}

// WalkMessages calls do for every message of a tenant by Seq: with the message,
// or without it and with what is wrong with its row, a *RowError unless the
// database itself cannot read it. It stops at do's first error and returns it.
// What is committed meanwhile may be met or not.
func (c *Catalog) WalkMessages(ctx context.Context, tenant uid.ID, do func(*Message, error) error) error {
	err := c.walkMessages(ctx, tenant[:], func(_ *messageRow, m *Message, err error) error { return do(m, err) })
	return c.wrap(err, "walk messages")
}

// WalkCaptures is WalkMessages for captures, by ID.
func (c *Catalog) WalkCaptures(ctx context.Context, tenant uid.ID, do func(*Capture, error) error) error {
	err := c.walkCaptures(ctx, tenant[:], func(_ *captureRow, m *Capture, err error) error { return do(m, err) })
	return c.wrap(err, "walk captures")
}

// WalkSourceCaptures is WalkCaptures for those of one source.
func (c *Catalog) WalkSourceCaptures(ctx context.Context, tenant, source uid.ID, do func(*Capture, error) error) error {
	w := walker[captureRow, Capture, *captureRow]{c: c, order: []string{"id"}, do: func(_ *captureRow, m *Capture, err error) error { return do(m, err) },
		from: func(q *bun.SelectQuery, mark *captureRow) *bun.SelectQuery {
			if mark != nil {
				q = q.Where("id > ?", mark.ID)
			}
			return q.Where("tenant = ?", tenant).Where("source = ?", source)
		},
		compare: func(a, b *captureRow) int { return bytes.Compare(a.ID, b.ID) }}
	return c.wrap(w.walk(ctx), "walk captures of source %s", source)
}

// WalkParts is WalkMessages for parts, by SHA-256.
func (c *Catalog) WalkParts(ctx context.Context, tenant uid.ID, do func(*Part, error) error) error {
	err := c.walkParts(ctx, tenant[:], func(_ *partRow, m *Part, err error) error { return do(m, err) })
	return c.wrap(err, "walk parts")
}

// WalkSegments is WalkMessages for segments, by ID.
func (c *Catalog) WalkSegments(ctx context.Context, tenant uid.ID, do func(*Segment, error) error) error {
	err := c.walkSegments(ctx, tenant[:], func(_ *segmentRow, m *Segment, err error) error { return do(m, err) })
	return c.wrap(err, "walk segments")
}
