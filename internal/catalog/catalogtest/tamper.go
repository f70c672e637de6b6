package catalogtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// eventFindings returns what the verification of a log finds.
func (e *env) eventFindings(t *testing.T, tenant uid.ID) (list []*catalog.RowError) {
	t.Helper()
	err := e.VerifyEvents(t.Context(), tenant, func(err error) { list = append(list, rowError(t, "verification", err)) })
	if err != nil {
		list = append(list, rowError(t, "verification", err))
	}
	return list
}

// names reports whether one of the findings is of that table and number.
func names(list []*catalog.RowError, table string, seq int64) bool {
	for _, bad := range list {
		if bad.Table == table && bad.Seq == seq {
			return true
		}
	}
	return false
}

// restore puts the tables of the log back to what they were.
func (e *env) restore(t *testing.T) (undo func()) {
	t.Helper()
	tables := []string{"event", "event_detail", "event_node", "head"}
	for _, table := range tables {
		_, err := e.sql.ExecContext(t.Context(), fmt.Sprintf("CREATE TABLE kept_%s AS SELECT * FROM %s", table, table))
		must(t, err)
	}
	return func() {
		t.Helper()
		for _, table := range tables {
			_, err := e.sql.ExecContext(t.Context(), "DELETE FROM "+table)
			must(t, err)
			_, err = e.sql.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s SELECT * FROM kept_%s", table, table))
			must(t, err)
		}
	}
}

// testEventsTampered changes every column of an event, its details and the
// nodes over it.
func testEventsTampered(t *testing.T, e *env) {
	tenant := e.tenant(t, "a")
	must(t, e.AppendEvents(t.Context(), tenant, events(0, 70)))
	undo := e.restore(t)
	const seq = 20
	for table, list := range map[string]string{
		"event":        "at actor action object digest details_hash leaf_hash",
		"event_detail": "salt details",
	} {
		for column := range strings.FieldsSeq(list) {
			what := table + "." + column
			var old any
			must(t, e.sql.QueryRowContext(t.Context(), fmt.Sprintf("SELECT %s FROM %s WHERE seq = $1", column, table), seq).Scan(&old))
			value := altered(old)
			if s, ok := value.(string); ok && table == "event" {
				value = strings.TrimSpace(s) + "1" // a text the log would take
			} else if column == "details" {
				value = `{"who":"bernd@example.com"}`
			}
			e.exec(t, 1, fmt.Sprintf("UPDATE %s SET %s = $1 WHERE seq = $2", table, column), value, seq)
			if list := e.eventFindings(t, tenant); !names(list, "event", seq) {
				t.Errorf("verification does not name the event whose %s was changed: %v", what, list)
			}
			list, err := e.Events(t.Context(), tenant, seq-1, 3)
			if bad := rowError(t, "reading after the change of "+what, err); bad.Seq != seq || len(list) != 2 {
				t.Errorf("reading after the change of %s: %d events, %v", what, len(list), bad)
			}
			if table == "event" && column != "leaf_hash" { // the others make the leaf
				if _, err := e.ProveEvent(t.Context(), tenant, seq, 70); err == nil {
					t.Errorf("an event whose %s was changed was proved", column)
				}
			}
			undo()
		}
	}
	for change, value := range map[string]any{"hash = $1": []byte{1}, "position = $1": 1000, "level = $1": 5000000000} {
		e.exec(t, 1, "UPDATE event_node SET "+change+" WHERE level = 4 AND position = 1", value)
		if list := e.eventFindings(t, tenant); !names(list, "event_node", 0) {
			t.Errorf("verification does not name the node after %s: %v", change, list)
		}
		undo()
	}
	if list := e.eventFindings(t, tenant); len(list) != 0 {
		t.Errorf("verification of the restored log: %v", list)
	}
	forge(t, e, tenant)
	undo()
	e.sound(t)
}

// forge rewrites an event with the hash that fits it: then it is the node over
// it that tells, and if that is made to fit, the head.
func forge(t *testing.T, e *env, tenant uid.ID) {
	t.Helper()
	before := got(e.EventHead(t.Context(), tenant))(t)
	leaf := eventlog.Leaf{Seq: 21, Time: at(21).UnixMilli(), Tenant: tenant.String(), Type: "forged", Actor: "cli"}
	hash := eventlog.LeafHash(got(leaf.Encode())(t))
	e.exec(t, 1, "UPDATE event SET action = 'forged', object = '', leaf_hash = $1 WHERE seq = 21", hash[:])
	if list := e.eventFindings(t, tenant); !names(list, "event_node", 0) || !names(list, "head", 0) {
		t.Errorf("verification does not find a forged event: %v", list)
	}
	if _, err := e.ProveEvent(t.Context(), tenant, 21, 70); !errors.Is(err, eventlog.ErrProof) {
		t.Errorf("a forged event was proved: %v", err)
	}
	// Who holds the head of before is not deceived by any tree.
	tree := &eventlog.Frontier{}
	rows, err := e.sql.QueryContext(t.Context(), "SELECT leaf_hash FROM event ORDER BY seq")
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var h []byte
		must(t, rows.Scan(&h))
		tree.Append(eventlog.Hash(h), nil)
	}
	must(t, rows.Err())
	must(t, rows.Close())
	if tree.Head() == before {
		t.Error("the forged log has the head of the true one")
	}
}

// testEventsMissing removes, reorders and adds events.
func testEventsMissing(t *testing.T, e *env) {
	tenant := e.tenant(t, "a")
	must(t, e.AppendEvents(t.Context(), tenant, events(0, 70)))
	handedOut := got(e.EventHead(t.Context(), tenant))(t)
	undo := e.restore(t)
	remove := func(t *testing.T, n int64, where string) {
		_, err := e.sql.ExecContext(t.Context(), "DELETE FROM event_detail WHERE "+where)
		must(t, err)
		e.exec(t, n, "DELETE FROM event WHERE "+where)
	}
	for name, c := range map[string]struct {
		change func()
		table  string
		seq    int64
	}{
		"first":  {func() { remove(t, 1, "seq = 0") }, "event", 0},
		"middle": {func() { remove(t, 3, "seq BETWEEN 30 AND 32") }, "event", 30},
		"last":   {func() { remove(t, 1, "seq = 69") }, "event", 69},
		"all":    {func() { remove(t, 70, "seq >= 0") }, "event", 0},
		"swapped": {func() {
			e.exec(t, 1, "UPDATE event SET seq = 1000 WHERE seq = 41")
			e.exec(t, 1, "UPDATE event SET seq = 41 WHERE seq = 43")
			e.exec(t, 1, "UPDATE event SET seq = 43 WHERE seq = 1000")
		}, "event", 41},
		"moved to the end": {func() { e.exec(t, 1, "UPDATE event SET seq = 70 WHERE seq = 41") }, "event", 70},
		"added": {func() {
			e.exec(t, 1, "INSERT INTO event SELECT tenant, 70, at, actor, action, object, digest, details_hash, leaf_hash FROM event WHERE seq = 69")
		}, "event", 70},
		"before the beginning": {func() {
			e.exec(t, 1, "INSERT INTO event SELECT tenant, -1, at, actor, action, object, digest, details_hash, leaf_hash FROM event WHERE seq = 69")
		}, "event", -1},
		"node removed": {func() { e.exec(t, 1, "DELETE FROM event_node WHERE level = 5 AND position = 1") }, "event_node", 0},
		"node added": {func() {
			e.exec(t, 1, "INSERT INTO event_node SELECT tenant, 5, 2, hash FROM event_node WHERE level = 5 AND position = 1")
		}, "event_node", 0},
	} {
		c.change()
		if list := e.eventFindings(t, tenant); !names(list, c.table, c.seq) {
			t.Errorf("%s: verification does not name %s %d: %v", name, c.table, c.seq, list)
		}
		undo()
	}
	// A log cut off and rewritten altogether is consistent with itself; the head
	// that was handed out tells.
	other := e.tenant(t, "b")
	must(t, e.AppendEvents(t.Context(), other, events(0, 50)))
	_, err := e.EventHeadAt(t.Context(), other, handedOut.Size)
	mustBe(t, "handed out head of a log cut off", err, catalog.ErrNotFound)
	must(t, e.AppendEvents(t.Context(), other, events(50, 20)))
	if got(e.EventHeadAt(t.Context(), other, handedOut.Size))(t) == handedOut {
		t.Error("another log has the head that was handed out")
	}
	e.sound(t)
}
