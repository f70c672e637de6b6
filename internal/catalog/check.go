package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Check verifies the whole database, all tenants: the database's own integrity
// check, references between tables, gapless Seq, the totals, every check sum and
// the event logs. report is called for each thing wrong, with a *RowError where a
// row is to blame. The error returned means that the check itself could not be
// completed. What is committed meanwhile does no harm.
func (c *Catalog) Check(ctx context.Context, report func(error)) error {
	// One failing step must not hide what the others would find.
	var failed []error
	step := func(name string, err error) {
		if damage := (*RowError)(nil); errors.As(err, &damage) {
			report(err)
		} else if err != nil {
			failed = append(failed, fmt.Errorf("check %s: %w", name, err))
		}
	}
	step("integrity", c.dialect.integrity(ctx, c, report))
	step("references", c.checkReferences(ctx, report))
	step("users", c.checkUsers(ctx, report))
	step("bytes of the outbox", c.checkBodies(ctx, report))
	step("quarantine", c.checkQuarantine(ctx, report))
	step("hierarchy", c.checkHierarchy(ctx, report))
	for _, t := range smallTables() {
		step(t.name, t.check(ctx, c, report))
	}
	tenants, err := c.tenantColumns(ctx)
	step("tenants", err)
	for _, t := range tenants {
		name := "tenant " + idText(t)
		step(name, c.checkMessages(ctx, t, report))
		step(name, c.walkCaptures(ctx, t, reporter[captureRow, Capture](report)))
		step(name, c.walkParts(ctx, t, reporter[partRow, Part](report)))
		step(name, c.walkSegments(ctx, t, reporter[segmentRow, Segment](report)))
		if len(t) == len(uid.ID{}) {
			step(name, c.VerifyEvents(ctx, toID(t), report))
		}
	}
	return errors.Join(failed...)
}

// tableCheck verifies every row of one small table.
type tableCheck struct {
	name  string // as errors have it
	check func(ctx context.Context, c *Catalog, report func(error)) error
}

// smallTables are the tables whose rows stand by themselves.
func smallTables() []tableCheck {
	return []tableCheck{
		{"tenants", checkTable[tenantRow, Tenant]},
		{"sessions", checkTable[sessionRow, Session]},
		{"links", checkTable[linkRow, Link]},
		{"factors", checkTable[factorRow, Factor]},
		{"policies of log-ins", checkTable[loginPolicyRow, LoginPolicy]},
		{"sources", checkTable[sourceRow, Source]},
		{"settings of sources", checkTable[settingRow, SourceSetting]},
		{"states of sources", checkTable[stateRow, SourceState]},
		{"items of sources", checkTable[itemRow, SourceItem]},
		{"folders of sources", checkTable[folderRow, SourceFolder]},
		{"smarthosts", checkTable[smarthostRow, Smarthost]},
		{"settings of the installation", checkTable[instanceSettingRow, InstanceSetting]},
		{"keys of the event logs", checkTable[logKeyRow, LogKey]},
		{"receipts", checkTable[receiptRow, Receipt]},
		{"settings of receipts", checkTable[receiptSettingRow, ReceiptSetting]},
		{"outbox", checkTable[outboxRow, Outgoing]},
		{"counts of sources", checkTable[countRow, SourceCount]},
		{"domains", checkTable[domainRow, Domain]},
		{"selections", checkTable[selectionRow, Selection]},
		{"tombstones", checkTable[tombstoneRow, Tombstone]},
		{"requests for access", checkTable[accessRow, AccessRequest]},
		{"records of access", checkTable[recordRow, AccessRecord]},
		{"access policies", checkTable[accessPolicyRow, AccessPolicy]},
		{"holds", checkTable[holdRow, Hold]},
		{"settings of retention", checkTable[retentionRow, RetentionSetting]},
		{"settings of sealing", checkTable[sealSettingRow, SealSetting]},
		{"batches", checkTable[sealBatchRow, SealBatch]},
		{"trees", checkTable[sealTreeRow, SealTree]},
		{"stamps", checkTable[sealStampRow, SealStamp]},
		{"marks of sealing", checkTable[sealMarkRow, int64]},
		{"what renewals cover", checkTable[sealCoverRow, SealCover]},
		{"checkpoints in batches", checkTable[sealCheckpointRow, SealCheckpoint]},
		{"states of authorities", checkTable[authorityRow, AuthorityState]},
		{"directories", checkTable[directoryRow, Directory]},
		{"states of directories", checkTable[directoryStateRow, DirectoryState]},
		{"origins of users", checkTable[originRow, Origin]},
		{"accounts", checkTable[accountRow, Account]},
		{"proofs of domains", checkTable[domainProofRow, DomainProof]},
		{"webhooks", checkTable[webhookRow, Webhook]},
		{"deliveries", checkTable[deliveryRow, Delivery]},
		{"marks of webhooks", checkTable[webhookMarkRow, int64]},
		{"troubles", checkTable[troubleRow, Trouble]},
	}
}

func reporter[R, M any](report func(error)) func(*R, *M, error) error {
	return func(_ *R, _ *M, err error) error {
		if err != nil {
			report(err)
		}
		return nil
	}
}

// checkTable verifies every row of a small table.
func checkTable[R, M any, P rowOf[R, M]](ctx context.Context, c *Catalog, report func(error)) error {
	return each[R, M, P](ctx, c.read.NewSelect(), func(_ P, _ *M, err error) error {
		if err != nil {
			report(err)
		}
		return nil
	})
}

func (c *Catalog) checkUsers(ctx context.Context, report func(error)) error {
	var rows []userRow
	err := c.snapshot(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		rows, err = userRows(ctx, tx, tx.NewSelect())
		return err
	})
	if err != nil {
		return err
	}
	for i := range rows {
		if bad := rows[i].verify(); bad != nil {
			report(bad)
		}
	}
	return nil
}

// tenantTables are the tables whose rows belong to a tenant and are many.
func tenantTables() []string {
	return []string{"head", "segment", "message", "capture", "part", "event"}
}

// tenantColumns returns every value in a column tenant, those that name no
// tenant included.
func (c *Catalog) tenantColumns(ctx context.Context) ([]blob, error) {
	var list []blob
	if err := c.read.NewSelect().Table("tenant").Column("id").Scan(ctx, &list); err != nil {
		return nil, err
	}
	for _, table := range tenantTables() {
		var more []blob
		if err := c.read.NewSelect().Table(table).ColumnExpr("DISTINCT tenant").Scan(ctx, &more); err != nil {
			return list, err
		}
		list = append(list, more...)
	}
	slices.SortFunc(list, func(a, b blob) int { return bytes.Compare(a, b) })
	return slices.CompactFunc(list, func(a, b blob) bool { return bytes.Equal(a, b) }), nil
}

// checkMessages verifies the messages of a tenant against their check sums,
// their numbering and the tenant's totals.
func (c *Catalog) checkMessages(ctx context.Context, tenant blob, report func(error)) error {
	h := new(headRow)
	err := c.read.NewSelect().Model(h).Where("tenant = ?", tenant).Scan(ctx)
	headBad := h.verify()
	if errors.Is(err, sql.ErrNoRows) {
		headBad = &RowError{Table: "head", Object: idText(tenant), Group: GroupRow, Reason: "missing"}
	} else if err != nil {
		return fmt.Errorf("head: %w", err)
	}
	if headBad != nil {
		report(headBad)
	}
	var last num
	total := headRow{}
	err = c.walkMessages(ctx, tenant, func(r *messageRow, m *Message, err error) error {
		if err != nil {
			report(err)
		}
		if r == nil || (headBad == nil && r.Seq > h.Seq) {
			return nil // unreadable, or committed after the head was read
		}
		if r.Seq > last+1 {
			if err := c.reportGaps(ctx, tenant, last+1, r.Seq-1, report); err != nil {
				return err
			}
		}
		last = max(last, r.Seq)
		total.count(r)
		return nil
	})
	if err != nil || headBad != nil {
		return err
	}
	if err := c.checkNumbered(ctx, tenant, numberedMessages(), report); err != nil {
		return err
	}
	if last < h.Seq {
		if err := c.reportGaps(ctx, tenant, last+1, h.Seq, report); err != nil {
			return err
		}
	}
	return c.checkTotals(ctx, h, total, report)
}

// reportGaps reports the numbers from and to and between that no message has, unless a
// tombstone has them.
func (c *Catalog) reportGaps(ctx context.Context, tenant blob, from, to num, report func(error)) error {
	for from <= to {
		var seqs []num
		err := c.read.NewSelect().Table("tombstone").Column("seq").Where("tenant = ?", tenant).Where("seq >= ?", from).Where("seq <= ?", to).
			Order("seq").Limit(walkPage).Scan(ctx, &seqs)
		if err != nil {
			return fmt.Errorf("tombstones: %w", err)
		}
		for _, s := range seqs {
			if s > from {
				report(gap(tenant, from, s-1))
			}
			from = s + 1
		}
		if len(seqs) < walkPage && from <= to {
			report(gap(tenant, from, to))
			return nil
		}
	}
	return nil
}

// checkTotals compares the head of a tenant with its messages, whose totals are given,
// and its tombstones.
func (c *Catalog) checkTotals(ctx context.Context, h *headRow, total headRow, report func(error)) error {
	var stones struct {
		N     num `bun:"n"`
		Bytes num `bun:"bytes"`
		First num `bun:"first"`
		Last  num `bun:"last"`
	}
	err := c.read.NewSelect().Table("tombstone").ColumnExpr("COUNT(*) AS n, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes").
		ColumnExpr("COALESCE(MIN(received_at), 0) AS first, COALESCE(MAX(received_at), 0) AS last").Where("tenant = ?", h.Tenant).Where("seq <= ?", h.Seq).Scan(ctx, &stones)
	if err != nil {
		return fmt.Errorf("tombstones: %w", err)
	}
	now := new(headRow)
	if err := c.read.NewSelect().Model(now).Where("tenant = ?", h.Tenant).Scan(ctx); err != nil {
		return fmt.Errorf("head: %w", err)
	}
	if now.Erased != h.Erased {
		return nil // messages were deleted meanwhile: they may have been counted twice
	}
	if stones.N > 0 {
		if total.Seq == 0 || stones.First < total.FirstReceived {
			total.FirstReceived = stones.First
		}
		total.LastReceived = max(total.LastReceived, stones.Last)
	}
	if total.RawBytes+stones.Bytes != h.RawBytes || total.Seq+stones.N != h.Seq || total.FirstReceived != h.FirstReceived || total.LastReceived != h.LastReceived ||
		stones.N != h.Erased || stones.Bytes != h.ErasedBytes {
		report(&RowError{Table: "head", Object: idText(h.Tenant), Group: GroupRow, Reason: "totals differ from the messages"})
	}
	return nil
}

func gap(tenant blob, from, to num) error {
	return &RowError{Table: "message", Object: fmt.Sprintf("number %d to %d of tenant %s", from, to, idText(tenant)), Seq: int64(from),
		Group: GroupRow, Reason: "missing"}
}
