package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
)

// Rows of a group commit are inserted by statements for several rows at once,
// which on SQLite are prepared once. bun would format every value into the text
// of the statement, and parsing that costs more than inserting.

// insertSizes are the numbers of rows an insert statement takes, descending.
// The largest keeps below the number of parameters PostgreSQL allows (65535).
var insertSizes = [...]int{32, 8, 1}

// listSize bounds the values of an IN (…) list.
const listSize = 256

// table names the columns of a table in the order of its args method.
type table struct {
	name    string
	columns string
}

// tables of the hot path.
var (
	messageTable = table{"message", "tenant, seq, aoid, sha256, sha512, size, segment, frame, received_at, date, source, class, checksum, category, tags, parties, facts, facts_checksum, document, members"}
	captureTable = table{"capture", "tenant, id, aoid, source, received_at, envelope_from, envelope_to, peer, origin, item_key, segment, frame, checksum, journal, filing, hints"}
	partTable    = table{"part", "tenant, sha256, size, segment, frame, checksum"}
	eventTable   = table{"event", "tenant, seq, at, actor, action, object, digest, details_hash, leaf_hash"}
	detailTable  = table{"event_detail", "tenant, seq, salt, details"}
	nodeTable    = table{"event_node", "tenant, level, position, hash"}
)

// insert returns the statement that inserts n rows. PostgreSQL wants numbered
// parameters; SQLite would look each of their names up in a list.
func (t table) insert(n int, numbered bool) string {
	width := strings.Count(t.columns, ",") + 1
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", t.name, t.columns)
	for p := range n * width {
		switch {
		case p == 0:
			b.WriteString("(")
		case p%width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		if numbered {
			b.WriteString("$" + strconv.Itoa(p+1))
		} else {
			b.WriteString("?")
		}
	}
	b.WriteString(")")
	return b.String()
}

// inserts are the prepared statements by text, on SQLite; PostgreSQL's driver
// keeps its own.
type inserts map[string]*sql.Stmt

func (c *Catalog) prepareInserts(ctx context.Context) error {
	if c.dialect.rowLocks {
		return nil
	}
	c.inserts = inserts{}
	for _, t := range []table{messageTable, captureTable, partTable, eventTable, detailTable, nodeTable} {
		for _, n := range insertSizes {
			text := t.insert(n, false)
			// DB.DB: the statement is to be as it is, not formatted by bun.
			stmt, err := c.write.DB.PrepareContext(ctx, text) //nolint:sqlclosecheck // it lives as long as the database
			if err != nil {
				return fmt.Errorf("prepare insert into %s: %w", t.name, err)
			}
			c.inserts[text] = stmt
		}
	}
	return nil
}

// insertable is a row of the hot path.
type insertable interface {
	// args appends the columns in the order of the table.
	args(to []any) []any
}

// insertRows inserts rows into t.
func insertRows[R insertable](ctx context.Context, c *Catalog, tx bun.Tx, t table, rows []R) error {
	var args []any
	for len(rows) > 0 {
		n := 1
		for _, size := range insertSizes {
			if size <= len(rows) {
				n = size
				break
			}
		}
		args = args[:0]
		for _, r := range rows[:n] {
			args = r.args(args)
		}
		text := t.insert(n, c.dialect.rowLocks)
		var err error
		if stmt := c.inserts[text]; stmt != nil {
			_, err = tx.Tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // the end of the transaction closes it
		} else {
			_, err = tx.Tx.ExecContext(ctx, text, args...)
		}
		if err != nil {
			return fmt.Errorf("insert into %s: %w", t.name, err)
		}
		rows = rows[n:]
	}
	return nil
}
