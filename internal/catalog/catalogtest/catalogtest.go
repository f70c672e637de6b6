// Package catalogtest is the conformance suite of the catalog: what has to hold
// on every database it runs on. It looks at the catalog from outside, and at
// its tables only to damage them.
//
// It must not know which database it has before it: what differs between them
// is tested in package catalog.
//
//	catalogtest.go   Run and its cases        fixture.go   tenants, batches, comparisons
//	one file for each group of cases
package catalogtest

import (
	"database/sql"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
)

// Database is a fresh catalog without a tenant, and a way around it.
type Database struct {
	Catalog *catalog.Catalog
	// SQL is a connection of its own to the same database, on which no
	// reference is enforced: for damage. Its placeholders are $1, $2 …
	SQL *sql.DB
}

// Run runs every case on a database of its own. open is called from the test
// of the case, in parallel with others, and has to close what it opens with
// Cleanup.
func Run(t *testing.T, open func(t *testing.T) Database) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			e := &env{Catalog: db.Catalog, sql: db.SQL}
			c.run(t, e)
			if c.damages {
				return
			}
			e.sound(t)
		})
	}
}

// testCase is one case. After it the whole database is checked, unless the
// case damages it.
type testCase struct {
	name    string
	run     func(t *testing.T, e *env)
	damages bool
}

func cases() []testCase {
	return []testCase{
		{name: "Tenants", run: testTenants},
		{name: "Growth", run: testGrowth},
		{name: "Periods", run: testPeriods},
		{name: "PasswordHash", run: testPasswordHash},
		{name: "Users", run: testUsers},
		{name: "UsersOfAllTenants", run: testUsersOfAllTenants},
		{name: "EditUsers", run: testEditUsers},
		{name: "Sessions", run: testSessions},
		{name: "SessionList", run: testSessionList},
		{name: "Links", run: testLinks},
		{name: "Factors", run: testFactors},
		{name: "LoginPolicy", run: testLoginPolicy},
		{name: "Sources", run: testSources},
		{name: "Access", run: testAccess},
		{name: "Holds", run: testHolds},
		{name: "Retention", run: testRetention},
		{name: "Erase", run: testErase},
		{name: "Documents", run: testDocuments},
		{name: "SourceSettings", run: testSourceSettings},
		{name: "SourceItems", run: testSourceItems},
		{name: "Smarthost", run: testSmarthost},
		{name: "DomainProofs", run: testDomainProofs},
		{name: "Webhooks", run: testWebhooks},
		{name: "Deliveries", run: testDeliveries},
		{name: "Troubles", run: testTroubles},
		{name: "InstanceSetting", run: testInstanceSetting},
		{name: "Seal", run: testSeal},
		{name: "SealRenewal", run: testSealRenewal},
		{name: "InstanceLogTogether", run: testInstanceLogTogether},
		{name: "Outbox", run: testOutbox},
		{name: "OutboxCare", run: testOutboxCare},
		{name: "OutboxTogether", run: testOutboxTogether},
		{name: "OutboxFull", run: testOutboxFull},
		{name: "OutboxDamaged", run: testOutboxDamaged, damages: true},
		{name: "Domains", run: testDomains},
		{name: "EditedSources", run: testEditedSources},
		{name: "Resellers", run: testResellers},
		{name: "Provision", run: testProvision},
		{name: "ProvisionTogether", run: testProvisionTogether},
		{name: "ChangeTenant", run: testChangeTenant},
		{name: "Usage", run: testUsage},
		{name: "Tokens", run: testTokens},
		{name: "DeleteTenant", run: testDeleteTenant},
		{name: "Directories", run: testDirectories},
		{name: "UserChanges", run: testUserChanges},
		{name: "LinksOfChanged", run: testLinksOfChanged},
		{name: "Selection", run: testSelection},
		{name: "Quarantine", run: testQuarantine},
		{name: "CommitRoundTrip", run: testCommitRoundTrip},
		{name: "CommitConcurrently", run: testCommitConcurrently},
		{name: "CommitAllOrNothing", run: testCommitAllOrNothing},
		{name: "CommitLarge", run: testCommitLarge},
		{name: "CommitTaken", run: testCommitTaken},
		{name: "CommitParties", run: testCommitParties},
		{name: "CapturesAndParts", run: testCapturesAndParts},
		{name: "ReadersAndWriters", run: testReadersAndWriters},
		{name: "Wall", run: testWall},
		{name: "Pages", run: testPages},
		{name: "Walk", run: testWalk},
		{name: "WalkStops", run: testWalkStops},
		{name: "Indexed", run: testIndexed},
		{name: "Reindex", run: testReindex},
		{name: "Resting", run: testResting, damages: true},
		{name: "Relocate", run: testRelocate},
		{name: "RelocateRefuses", run: testRelocateRefuses},
		{name: "ClearMessages", run: testClearMessages},
		{name: "Accounts", run: testAccounts},
		{name: "Statistics", run: testStatistics},
		{name: "StrangeText", run: testStrangeText},
		{name: "StrangeNames", run: testStrangeNames},
		{name: "LongNames", run: testLongNames},
		{name: "Times", run: testTimes},
		{name: "Cancelled", run: testCancelled},
		{name: "CancelledMidway", run: testCancelledMidway},
		{name: "Events", run: testEvents},
		{name: "EventProofs", run: testEventProofs},
		{name: "EventDetails", run: testEventDetails},
		{name: "EventsFound", run: testEventsFound},
		{name: "LogKeys", run: testLogKeys},
		{name: "Receipts", run: testReceipts},
		{name: "EventsConcurrently", run: testEventsConcurrently},
		{name: "DamagedColumns", run: testDamagedColumns, damages: true},
		{name: "DamagedKeys", run: testDamagedKeys, damages: true},
		{name: "DamagedNeighbours", run: testDamagedNeighbours, damages: true},
		{name: "DamageStaysDamage", run: testDamageStaysDamage, damages: true},
		{name: "StaleHead", run: testStaleHead, damages: true},
		{name: "EventsTampered", run: testEventsTampered, damages: true},
		{name: "EventsMissing", run: testEventsMissing, damages: true},
	}
}
