package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// damaged is a database with a row in every table, and how each is read.
type damaged struct {
	*env
	tenant uid.ID
	batch  *catalog.Batch
	user   *catalog.User
	source *catalog.Source
	mail   *catalog.Outgoing
	sealed uid.ID
	access *catalog.AccessRequest
	resale *catalog.Reseller
	staff  *catalog.User

	directory *catalog.Directory
	webhook   *catalog.Webhook
	hold      *catalog.Hold
}

func newDamaged(t *testing.T, e *env) *damaged {
	t.Helper()
	d := &damaged{env: e}
	d.hierarchy(t)
	d.user = e.user(t, d.tenant, "anna", "anna@example.com", "info@example.com")
	d.source = e.source(t, d.tenant, "files")
	must(t, e.CreateSession(t.Context(), &catalog.Session{TokenHash: [32]byte{1}, User: d.user.ID, Tenant: d.tenant, ExpiresAt: at(9)}))
	d.loginRows(t)
	must(t, e.SetSourceSetting(t.Context(), &catalog.SourceSetting{Source: d.source.ID, Tenant: d.tenant, Settings: []byte(`{"host":"mail"}`), Secret: []byte{1, 2}}))
	must(t, e.SetSourceState(t.Context(), &catalog.SourceState{Source: d.source.ID, Tenant: d.tenant, State: []byte(`{"error":""}`)}))
	must(t, e.SettleItems(t.Context(), d.tenant, d.source.ID, "INBOX;1", []*catalog.SourceItem{{Item: "7", Outcome: catalog.Left, Bytes: 9, At: at(1), Detail: "too large"}}, nil))
	must(t, e.SetSourceFolder(t.Context(), d.tenant, d.source.ID, catalog.SourceFolder{Folder: "INBOX", Validity: 1, Next: 8}))
	must(t, e.SetInstanceSetting(t.Context(), &catalog.InstanceSetting{Name: "site", Settings: []byte(`{"host":"archive"}`), Secret: []byte{1, 2}}))
	must(t, e.SetSmarthost(t.Context(), &catalog.Smarthost{Tenant: d.tenant, Settings: []byte(`{"host":"mail"}`), Secret: []byte{1, 2}}))
	d.withReceipt(t)
	d.mail = outgoing("key", 0)
	must(t, e.Enqueue(t.Context(), d.mail, []byte("body")))
	must(t, e.SetSourceCount(t.Context(), d.tenant, catalog.SourceCount{Source: d.source.ID, Folder: "INBOX", Day: "2026-01-02", Came: 7, Held: 9, Rest: 2}))
	b := batch("first", 3)
	b.Captures[1].Journal = &catalog.Journal{Form: "m365", Sender: "anna@example.com", Recipients: []catalog.Recipient{{Role: "bcc", Address: "bernd@example.com"}}}
	b.Captures[1].Filing = &catalog.Filing{Folder: "Archiv/2012", Flags: []string{`\Seen`}, Date: new(at(5))}
	b.Captures[1].Hints = &catalog.Hints{To: []string{"carla@example.com"}}
	b.Messages[1].Class = catalog.ClassQuarantine
	b.Quarantine = []*catalog.QuarantineEntry{entry(d.tenant, b.Messages[1])}
	b.Quarantine[0].Decision = catalog.Loc{Segment: b.Segment.ID, Frame: 2}
	must(t, e.AddDomain(t.Context(), &catalog.Domain{Name: "example.com", Tenant: d.tenant, CreatedAt: at(1)}))
	must(t, e.SetDomainProof(t.Context(), &catalog.DomainProof{Name: "example.com", Tenant: d.tenant, ProvenAt: at(1), CheckedAt: at(2)}))
	must(t, e.SetSelection(t.Context(), &catalog.Selection{Tenant: d.tenant, Enabled: true, Addresses: []string{"anna@example.com"}, ChangedAt: at(1), ChangedBy: "cli"},
		events(0, 1)[0]))
	d.batch = e.commit(t, d.tenant, b)
	d.seal(t)
	d.access = e.access(t, d.tenant, d.user.ID)
	must(t, e.RestoreTombstones(t.Context(), d.tenant, nil, []*catalog.Tombstone{tombstone(d.tenant, d.access.ID, b.Segment.ID)}))
	d.directory = directoryOf(d.tenant, "ldap")
	must(t, e.CreateDirectory(t.Context(), d.directory))
	must(t, e.SetDirectoryState(t.Context(), &catalog.DirectoryState{Directory: d.directory.ID, Tenant: d.tenant, State: []byte(`{"problem":""}`)}))
	must(t, e.ApplyUserChanges(t.Context(), d.tenant, []catalog.UserChange{{Before: d.user, After: d.user, Origin: originOf(d.user, d.directory, "x1")}}))
	d.webhooks(t)
	d.holds(t)
	return d
}

// loginRows fills the tables of log-ins.
func (d *damaged) loginRows(t *testing.T) {
	t.Helper()
	must(t, d.SetLink(t.Context(), &catalog.Link{TokenHash: [32]byte{2}, User: d.user.ID, Tenant: d.tenant, Purpose: catalog.LinkReset, CreatedAt: at(1), ExpiresAt: at(9)}))
	must(t, d.ChangeFactors(t.Context(), d.tenant, d.user.ID, func([]*catalog.Factor) (catalog.FactorChange, error) {
		return catalog.FactorChange{Put: []*catalog.Factor{{ID: uid.New(at(1)), User: d.user.ID, Tenant: d.tenant, Kind: catalog.FactorTOTP, Secret: []byte{1}, CreatedAt: at(1)}}}, nil
	}))
	must(t, d.SetLoginPolicy(t.Context(), &catalog.LoginPolicy{Tenant: d.tenant, Settings: []byte(`{"roles":["user"]}`)}, nil))
}

// columns lists the guarded columns that are not the key a row is found by.
// What a changed key does is seen by the check, not on reading.
func columns() map[string]string {
	return map[string]string{
		"tenant":            "slug name zone state created_at checksum",
		"user":              "login name role password_hash language disabled created_at checksum first_name last_name expires_at logged_in_at",
		"user_address":      "address",
		"session":           "created_at seen_at expires_at peer user_agent checksum id confirmed_at stage method tries challenge",
		"source":            "kind name journal_address category disabled created_at checksum",
		"source_setting":    "settings secret checksum",
		"source_state":      "state checksum",
		"source_item":       "item outcome bytes at detail checksum",
		"source_folder":     "validity next checksum",
		"smarthost":         "settings secret checksum",
		"instance_setting":  "settings secret checksum",
		"outbox":            "tenant kind item_key sender recipients size state attempts next_at claimed_until created_at tried_at ended_at problem checksum",
		"outbox_body":       "body checksum",
		"source_count":      "came held rest checksum",
		"segment":           "size raw_size frames compacted created_at checksum",
		"message":           "seq sha256 sha512 size frame received_at date source class checksum category tags parties facts facts_checksum document members",
		"part":              "size frame checksum",
		"capture":           "source received_at envelope_from envelope_to peer origin item_key frame checksum journal filing hints",
		"domain":            "name main created_at checksum",
		"selection":         "enabled addresses changed_at changed_by checksum",
		"quarantine":        "source received_at size counted reason subject parties state decided_at decided_by note segment frame checksum",
		"account":           "source count bytes checksum",
		"head":              "seq raw_bytes first_received last_received events peaks indexed checksum erased erased_bytes",
		"log_key":           "number instance public secret change_note created_at checksum",
		"receipt":           "made_at size key_number body filed mailed checksum",
		"receipt_setting":   "settings checksum",
		"seal_batch":        "state algorithm created_at oldest trees leaves root attempts next_at problem checksum kind renews head left_out",
		"seal_cover":        "covers role checksum",
		"seal_checkpoint":   "tenant day size attached checksum",
		"seal_authority":    "state checksum",
		"seal_tree":         "position leaves first_aoid last_aoid root checksum",
		"seal_stamp":        "authority gen_time until policy test qualified reason sum checksum",
		"seal_mark":         "seq checksum",
		"seal_setting":      "settings secret checksum",
		"access_request":    "kind addresses query mail_from mail_to reason covert requested_by requested_role requested_at valid_until state decided_by decided_role decided_at note ended_by ended_at about checksum",
		"access_record":     "request user_id at act object query addresses peer checksum",
		"hold":              "name reason scope placed_by placed_role placed_at lifted_at lifted_by approved_by lift_reason checksum",
		"retention_setting": "valid_from years jurisdiction year_end zone reason set_by approved_by checksum",
		"access_policy":     "silent changed_at changed_by checksum",
		"login_link":        "purpose created_at expires_at checksum",
		"factor":            "kind name secret counter confirmed created_at used_at checksum",
		"login_policy":      "settings checksum",
		"reseller":          "slug name host settings created_at checksum",
		"reseller_logo":     "png checksum",
		"reseller_user":     "reseller checksum",
		"tenant_care":       "reseller settings checksum",
		"provision":         "tenant request answer created_at checksum",
		"usage_month":       "counted figures addresses checksum",
		"growth":            "messages bytes stored checksum",
		"deletion":          "reseller state document created_at checksum",
		"api_token":         "tenant reseller settings created_at expires_at used checksum",
		"directory":         "kind name settings secret position disabled created_at checksum",
		"directory_state":   "state checksum",
		"user_origin":       "external details checksum",
		"webhook":           "reseller settings secret state next_at created_at checksum",
		"webhook_delivery":  "log seq kind body state attempts next_at claimed_until created_at tried_at ended_at result checksum",
		"webhook_mark":      "seq checksum",
		"trouble":           "since checksum",
		"domain_proof":      "proven_at checked_at problem checksum",
		"tombstone":         "size received_at source class due deleted_at asked_by asked_role approved_by approved_role carried_by reason request arrivals frame rest checksum",
	}
}

// read reads a row of the table the way it is read.
func (d *damaged) read(ctx context.Context, table string) error {
	switch table {
	case "tenant":
		return second(d.Tenant(ctx, d.tenant))
	case "user", "user_address":
		return second(d.User(ctx, d.tenant, d.user.ID))
	case "session":
		return second(d.Session(ctx, [32]byte{1}))
	case "login_link":
		return second(d.Link(ctx, [32]byte{2}))
	case "factor":
		return second(d.Factors(ctx, d.tenant, d.user.ID))
	case "login_policy":
		return second(d.LoginPolicy(ctx, d.tenant))
	case "source":
		return second(d.Source(ctx, d.tenant, d.source.ID))
	case "source_setting":
		return second(d.SourceSetting(ctx, d.tenant, d.source.ID))
	case "source_state":
		return second(d.SourceStates(ctx, d.tenant))
	case "source_item":
		return second(d.SourceItems(ctx, d.tenant, d.source.ID, ""))
	case "source_folder":
		return second(d.SourceFolders(ctx, d.tenant, d.source.ID))
	case "seal_batch", "seal_tree", "seal_stamp", "seal_mark", "seal_setting", "seal_cover", "seal_checkpoint", "seal_authority":
		return d.readSeal(ctx, table)
	case "smarthost":
		return second(d.Smarthost(ctx, d.tenant))
	case "instance_setting":
		return second(d.InstanceSetting(ctx, "site"))
	case "log_key":
		return second(d.LogKeys(ctx))
	case "receipt":
		return second(d.Receipts(ctx, d.tenant, "", 9))
	case "receipt_setting":
		return second(d.ReceiptSetting(ctx, d.tenant))
	case "outbox":
		return second(d.Outgoing(ctx, d.mail.ID))
	case "outbox_body":
		return d.claimAndForget(ctx)
	case "source_count":
		return second(d.SourceCounts(ctx, d.tenant, "", ""))
	case "segment":
		return second(d.Segment(ctx, d.tenant, d.batch.Segment.ID))
	case "message":
		return second(d.Message(ctx, d.tenant, d.batch.Messages[1].AOID))
	case "part":
		return second(d.Parts(ctx, d.tenant, [][32]byte{d.batch.Parts[1].SHA256}))
	case "capture":
		return second(d.Captures(ctx, d.tenant, d.batch.Messages[1].AOID))
	case "account":
		return second(d.Accounts(ctx, d.tenant, "", ""))
	case "domain":
		return second(d.Domains(ctx))
	case "selection":
		return second(d.Selection(ctx, d.tenant))
	case "access_request":
		return second(d.AccessRequest(ctx, d.tenant, d.access.ID))
	case "tombstone":
		return second(d.Tombstone(ctx, d.tenant, d.access.ID))
	case "access_record":
		return second(d.AccessRecords(ctx, d.tenant, catalog.RecordFilter{}, 9))
	case "access_policy":
		return second(d.AccessPolicy(ctx, d.tenant))
	case "hold", "retention_setting":
		return d.readHolds(ctx, table)
	case "quarantine":
		return second(d.QuarantinedMessage(ctx, d.tenant, d.batch.Messages[1].AOID))
	case "directory":
		return second(d.Directory(ctx, d.tenant, d.directory.ID))
	case "directory_state":
		return second(d.DirectoryStates(ctx, d.tenant))
	case "user_origin":
		return second(d.OriginsOf(ctx, d.tenant, d.user.ID))
	case "head":
		return second(d.Head(ctx, d.tenant))
	case "domain_proof":
		return second(d.DomainProofs(ctx, d.tenant))
	case "webhook", "webhook_delivery", "webhook_mark", "trouble":
		return d.readWebhooks(ctx, table)
	}
	return d.readHierarchy(ctx, table)
}

// key selects the row that is damaged.
func (d *damaged) key(table string) (where string, args []any) {
	switch table {
	case "message":
		return "aoid = $1", []any{d.batch.Messages[1].AOID[:]}
	case "capture":
		return "id = $1", []any{d.batch.Captures[1].ID[:]}
	case "part":
		return "sha256 = $1", []any{d.batch.Parts[1].SHA256[:]}
	case "tenant":
		return "id = $1", []any{d.tenant[:]}
	case "user":
		return "id = $1", []any{d.user.ID[:]}
	case "head":
		return "tenant = $1", []any{d.tenant[:]}
	case "user_address":
		return "position = $1", []any{1}
	case "growth":
		return "unit = $1", []any{"week"}
	}
	return "1 = $1", []any{1}
}

// change is a column of a row that was changed.
type change struct {
	table, column string
	update        string
	args          []any // of the row
	old           any
}

func (c *change) String() string { return c.table + "." + c.column }

// blamed is the table that is named.
func (c *change) blamed() string { return strings.TrimSuffix(c.table, "_address") }

// rounds puts the columns of all tables into few rounds, with one of each table at most,
// and without two that are read together.
func rounds() (list [][]*change) {
	all := columns()
	after := map[string]int{"user_address": len(strings.Fields(all["user"])), "outbox_body": len(strings.Fields(all["outbox"]))}
	for table, names := range all {
		for i, column := range strings.Fields(names) {
			i += after[table]
			for len(list) <= i {
				list = append(list, nil)
			}
			list[i] = append(list[i], &change{table: table, column: column})
		}
	}
	return list
}

// alter changes a column by the smallest step.
func (d *damaged) alter(t *testing.T, c *change) {
	t.Helper()
	name, where := c.table, ""
	if name == "user" {
		name = `"user"`
	}
	where, c.args = d.key(c.table)
	must(t, d.sql.QueryRowContext(t.Context(), fmt.Sprintf("SELECT %s FROM %s WHERE %s", c.column, name, where), c.args...).Scan(&c.old))
	if b, ok := c.old.([]byte); ok && len(b) == 0 {
		c.old = []byte{} // nil would be written as NULL
	}
	c.update = fmt.Sprintf("UPDATE %s SET %s = $2 WHERE %s", name, c.column, where)
	value := altered(c.old)
	if c.column == "seq" {
		value = int64(1 << 20) // its neighbours' are taken
	}
	d.exec(t, 1, c.update, append(c.args, value)...)
}

// testDamagedColumns changes one column of each table after the other, and requires that
// reading and check name the rows. Then it puts the columns right again, and all is well.
func testDamagedColumns(t *testing.T, e *env) {
	d := newDamaged(t, e)
	for _, round := range rounds() {
		for _, c := range round {
			d.alter(t, c)
		}
		for _, c := range round {
			if bad := rowError(t, "reading "+c.String(), d.read(t.Context(), c.table)); bad.Table != c.blamed() {
				t.Errorf("reading %s blames %s", c, bad.Table)
			}
		}
		named := map[string]bool{}
		for _, err := range e.findings(t) {
			if bad := (*catalog.RowError)(nil); errors.As(err, &bad) {
				named[bad.Table] = true
			}
		}
		for _, c := range round {
			if !named[c.blamed()] {
				t.Errorf("the check does not find the change of %s", c)
			}
			e.exec(t, 1, c.update, append(c.args, c.old)...)
		}
		for _, c := range round {
			must(t, d.read(t.Context(), c.table))
		}
	}
	e.sound(t)
}

// altered returns a value of the same type that differs as little as possible.
func altered(v any) any {
	switch v := v.(type) {
	case int64:
		return v ^ 1
	case string:
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			return v[:1] + " " + v[1:] // the same JSON, other bytes
		}
		return v + " "
	case []byte:
		if len(v) == 0 {
			return []byte{0}
		}
		changed := append([]byte(nil), v...)
		changed[len(changed)-1] ^= 1
		return changed
	}
	return nil
}
