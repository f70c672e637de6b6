package catalog

import (
	"context"
	"fmt"
)

// numbered is a table whose rows the tenant's head has numbered.
type numbered struct {
	table   string
	name    string // column that names the row
	seq     string // what is its number
	outside string // condition on c (the row) and h (the head) that it is not among the numbered
}

// Rows that no head has numbered are left behind when a head is lost and an
// older one takes its place, or were added by somebody else. The next commit
// would fail over them.
func numberedMessages() numbered {
	return numbered{"message", "c.aoid", "c.seq", "c.seq < 1 OR c.seq > h.seq"}
}

func numberedEvents() numbered {
	return numbered{"event", "c.tenant", "c.seq", "c.seq < 0 OR c.seq >= h.events"}
}

func numberedNodes() numbered {
	// CASE, for PostgreSQL may compute the parts of an OR in any order, and
	// refuses to cast a damaged level.
	inside := fmt.Sprintf("CASE WHEN c.level BETWEEN %d AND 62 THEN c.position >= 0 AND c.position < (h.events >> CAST(c.level AS INTEGER)) ELSE FALSE END", storedLevel)
	return numbered{"event_node", "c.tenant", "0", "NOT (" + inside + ")"}
}

// checkNumbered reports the rows of a tenant that its head does not know. Rows
// and head are read by one statement, and so are of one moment.
func (c *Catalog) checkNumbered(ctx context.Context, tenant blob, n numbered, report func(error)) error {
	var rows []struct {
		Name blob `bun:"name"`
		Seq  num  `bun:"seq"`
	}
	// All of it but the tenant is text of this file.
	query := fmt.Sprintf("SELECT %s AS name, %s AS seq FROM %s c JOIN head h ON h.tenant = c.tenant WHERE c.tenant = ? AND (%s) ORDER BY 2 LIMIT %d",
		n.name, n.seq, n.table, n.outside, referenceLimit)
	if err := c.read.NewRaw(query, tenant).Scan(ctx, &rows); err != nil {
		return fmt.Errorf("%s beyond the head: %w", n.table, err)
	}
	for _, r := range rows {
		object := idText(r.Name)
		if n.name == "c.tenant" {
			object = fmt.Sprintf("%d of tenant %s", r.Seq, object)
		}
		report(&RowError{Table: n.table, Object: object, Seq: int64(r.Seq), Group: GroupRow, Reason: "the tenant's head does not know of it"})
	}
	return nil
}
