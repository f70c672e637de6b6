package catalog

import (
	"context"
	"errors"
	"fmt"
)

// referenceLimit bounds how many broken references of a kind are reported.
const referenceLimit = 1000

// reference says that a row of child names a row of parent. The database keeps
// most of them itself, as long as nobody switches that off.
type reference struct {
	child  string
	name   string // column that names the row of child
	parent string
	on     string // condition between c (child) and p (parent)
}

func references() []reference {
	const owner = "p.id = c.tenant"
	const ofTenant = "p.id = c.source AND p.tenant = c.tenant"
	return []reference{
		{"head", "tenant", "tenant", owner},
		{"source", "id", "tenant", owner},
		{"segment", "id", "tenant", owner},
		{"message", "aoid", "tenant", owner},
		{"capture", "id", "tenant", owner},
		{"part", "sha256", "tenant", owner},
		{"account", "tenant", "tenant", owner},
		{"event", "seq", "tenant", owner},
		{"event_node", "position", "tenant", owner},
		{"source_setting", "source", "source", ofTenant},
		{"source_state", "source", "source", ofTenant},
		{"source_item", "source", "source", ofTenant},
		{"source_folder", "source", "source", ofTenant},
		{"outbox_body", "outbox", "outbox", "p.id = c.outbox"},
		{"source_count", "source", "source", ofTenant},
		{"tenant", "id", "head", "p.tenant = c.id"},
		{"user_address", "user_id", `"user"`, "p.id = c.user_id"},
		{"session", "user_id", `"user"`, "p.id = c.user_id AND p.tenant = c.tenant"},
		{"login_link", "user_id", `"user"`, "p.id = c.user_id AND p.tenant = c.tenant"},
		{"factor", "user_id", `"user"`, "p.id = c.user_id AND p.tenant = c.tenant"},
		{"login_policy", "tenant", "tenant", owner},
		{"message", "aoid", "segment", "p.tenant = c.tenant AND p.id = c.segment"},
		{"part", "sha256", "segment", "p.tenant = c.tenant AND p.id = c.segment"},
		{"capture", "id", "segment", "p.tenant = c.tenant AND p.id = c.segment"},
		{"capture", "id", "message", "p.tenant = c.tenant AND p.aoid = c.aoid"},
		{"reindex", "aoid", "message", "p.tenant = c.tenant AND p.aoid = c.aoid"},
		{"domain", "name", "tenant", owner},
		{"reseller_logo", "reseller", "reseller", "p.id = c.reseller"},
		{"reseller_user", "user_id", "reseller", "p.id = c.reseller"},
		{"reseller_user", "user_id", `"user"`, "p.id = c.user_id"},
		{"tenant_care", "tenant", "tenant", owner},
		{"provision", "tenant", "tenant", owner},
		{"usage_month", "tenant", "tenant", owner},
		{"selection", "tenant", "tenant", owner},
		{"quarantine", "aoid", "message", "p.tenant = c.tenant AND p.aoid = c.aoid"},
		{"quarantine", "aoid", "segment", "length(c.segment) = 0 OR (p.tenant = c.tenant AND p.id = c.segment)"},
		{"seal_tree", "batch", "tenant", owner},
		{"seal_tree", "batch", "seal_batch", "p.id = c.batch"},
		{"seal_stamp", "batch", "seal_batch", "p.id = c.batch"},
		{"seal_mark", "tenant", "tenant", owner},
		{"seal_cover", "batch", "seal_batch", "p.id = c.batch"},
		{"seal_cover", "batch", "seal_batch", "p.id = c.covers"},
		{"seal_checkpoint", "batch", "seal_batch", "p.id = c.batch"},
		{"tombstone", "aoid", "tenant", owner},
		{"tombstone", "aoid", "segment", "length(c.segment) = 0 OR (p.tenant = c.tenant AND p.id = c.segment)"},
		{"access_request", "id", "tenant", owner},
		{"access_record", "id", "access_request", "p.tenant = c.tenant AND p.id = c.request"},
		{"access_policy", "tenant", "tenant", owner},
		{"directory", "id", "tenant", owner},
		{"directory_state", "directory", "directory", "p.id = c.directory AND p.tenant = c.tenant"},
		{"user_origin", "user_id", "directory", "p.id = c.directory AND p.tenant = c.tenant"},
		{"user_origin", "user_id", `"user"`, "p.id = c.user_id AND p.tenant = c.tenant"},
		{"event_detail", "seq", "event", "p.tenant = c.tenant AND p.seq = c.seq"},
	}
}

// checkReferences finds rows that name rows which are not there.
func (c *Catalog) checkReferences(ctx context.Context, report func(error)) error {
	var failed []error
	for _, r := range references() {
		if err := c.checkReference(ctx, r, report); err != nil {
			failed = append(failed, fmt.Errorf("%s to %s: %w", r.child, r.parent, err))
		}
	}
	return errors.Join(failed...)
}

func (c *Catalog) checkReference(ctx context.Context, r reference, report func(error)) error {
	// All of it is text of this file.
	query := fmt.Sprintf("SELECT c.%s FROM %s c WHERE NOT EXISTS (SELECT 1 FROM %s p WHERE %s) LIMIT %d", r.name, r.child, r.parent, r.on, referenceLimit)
	rows, err := c.read.DB.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name any
		if err := rows.Scan(&name); err != nil {
			return err
		}
		object := fmt.Sprint(name)
		if b, ok := name.([]byte); ok {
			object = idText(b)
		}
		report(&RowError{Table: r.child, Object: object, Group: GroupRow, Reason: "names a " + r.parent + " that is not there"})
	}
	return rows.Err()
}
