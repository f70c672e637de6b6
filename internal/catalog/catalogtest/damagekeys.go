package catalogtest

import (
	"fmt"
	"strings"
	"testing"
)

// keys lists the columns by which rows are found, or which a read selects by.
func keys() map[string]string {
	return map[string]string{
		"tenant": "id", "user": "id tenant", "user_address": "user_id position", "session": "token_hash user_id tenant", "source": "id tenant",
		"login_link": "token_hash user_id tenant purpose", "factor": "id user_id tenant", "login_policy": "tenant",
		"source_setting": "source tenant", "source_state": "source tenant", "source_item": "source tenant folder item", "source_folder": "source tenant folder",
		"smarthost": "tenant", "instance_setting": "name", "outbox": "id", "outbox_body": "outbox", "source_count": "source tenant folder day",
		"log_key": "number", "receipt": "tenant day", "receipt_setting": "tenant",
		"seal_batch": "id", "seal_tree": "tenant batch", "seal_stamp": "batch number", "seal_mark": "tenant", "seal_setting": "tenant",
		"seal_cover": "batch position", "seal_checkpoint": "batch position", "seal_authority": "name",
		"segment": "tenant id", "message": "tenant aoid segment", "part": "tenant sha256 segment", "capture": "tenant id aoid segment",
		"account": "tenant day outcome", "domain": "name tenant", "selection": "tenant",
		"access_request": "tenant id", "access_record": "tenant id request", "access_policy": "tenant", "tombstone": "tenant aoid seq segment", "quarantine": "tenant aoid segment state", "head": "tenant", "event": "tenant seq", "event_detail": "tenant seq", "event_node": "tenant level position",
		"reseller": "id", "reseller_logo": "reseller hash", "reseller_user": "user_id", "tenant_care": "tenant", "provision": "owner reference", "usage_month": "tenant month", "growth": "tenant unit period",
		"deletion": "subject", "api_token": "id hash",
		"directory": "id tenant", "directory_state": "directory tenant", "user_origin": "user_id tenant directory",
		"webhook": "id tenant", "webhook_delivery": "id webhook tenant", "webhook_mark": "tenant", "trouble": "tenant kind object",
		"domain_proof": "name tenant", "hold": "id tenant", "retention_setting": "id tenant",
	}
}

// testDamagedKeys changes the keys of rows: nobody may find them any more, but
// the check does, and it gets to its end.
func testDamagedKeys(t *testing.T, e *env) {
	d := newDamaged(t, e)
	must(t, e.AppendEvents(t.Context(), d.tenant, events(0, 30))) // enough for a node
	for table, list := range keys() {
		name := table
		if table == "user" {
			name = `"user"`
		}
		for column := range strings.FieldsSeq(list) {
			var old any
			must(t, e.sql.QueryRowContext(t.Context(), fmt.Sprintf("SELECT %s FROM %s ORDER BY 1 DESC LIMIT 1", column, name)).Scan(&old))
			value := altered(old)
			if n, ok := old.(int64); ok {
				value = n + 1000
			}
			query := fmt.Sprintf("UPDATE %s SET %s = $2 WHERE %s = $1", name, column, column)
			res, err := e.sql.ExecContext(t.Context(), query, old, value)
			must(t, err)
			n, err := res.RowsAffected()
			must(t, err)
			found := 0
			err = e.Check(t.Context(), func(err error) {
				found++
				isDamaged(t, "check", err)
			})
			if found == 0 {
				t.Errorf("the check does not find the change of %s.%s: %v", table, column, err)
			}
			e.exec(t, n, query, value, old)
		}
	}
	e.sound(t)
}
