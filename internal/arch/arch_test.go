package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/muniment/muniment/"

// allowed is the import table, from the top storey down: for every package the
// packages of this module that it may import. Test files may import more.
var allowed = map[string][]string{
	// doors
	"internal/httpd":             {"api", "internal/access", "internal/alarm", "internal/archive", "internal/catalog", "internal/directory", "internal/evidence/algo", "internal/evidence/inspect", "internal/factor", "internal/index", "internal/index/query", "internal/manual", "internal/message", "internal/oauth", "internal/remote", "internal/retention", "internal/seal", "internal/setting", "internal/site", "internal/tresor", "internal/uid", "internal/upload", "internal/usercsv", "internal/vault", "internal/watch", "internal/webhook"},
	"internal/hooks":             {"internal/archive", "internal/catalog", "internal/webhook"},
	"internal/ingest/graph":      {"internal/archive", "internal/catalog", "internal/ingest/checkpoint", "internal/ingest/importer", "internal/oauth", "internal/remote", "internal/spool", "internal/uid"},
	"internal/ingest/folder":     {"internal/archive", "internal/catalog", "internal/ingest/importer", "internal/spool", "internal/uid", "internal/watch"},
	"internal/ingest/checkpoint": {"internal/uid"},
	"internal/ingest/imap":       {},
	"internal/ingest/milter":     {"internal/archive", "internal/catalog", "internal/socket", "internal/ingest/wire", "internal/spool", "internal/uid"},
	"internal/ingest/importer":   {"internal/archive", "internal/catalog", "internal/ingest/checkpoint", "internal/ingest/maildir", "internal/ingest/mbox", "internal/ingest/zipfile", "internal/mapi", "internal/msg", "internal/pst", "internal/spool", "internal/tnef", "internal/uid", "internal/wholefile"},
	"internal/ingest/mailbox":    {"internal/archive", "internal/catalog", "internal/ingest/imap", "internal/ingest/pop3", "internal/oauth", "internal/remote", "internal/spool", "internal/uid", "internal/wholefile"},
	"internal/ingest/smtp":       {"internal/archive", "internal/catalog", "internal/ingest/wire", "internal/spool", "internal/uid", "internal/wholefile"},
	"internal/ingest/maildir":    {},
	"internal/ingest/mbox":       {},
	"internal/ingest/pop3":       {},
	"internal/ingest/uploaded":   {"internal/access", "internal/archive", "internal/catalog", "internal/ingest/importer", "internal/spool", "internal/uid", "internal/upload"},
	"internal/ingest/wire":       {},
	"internal/ingest/zipfile":    {},
	"internal/outbox":            {"internal/archive", "internal/catalog", "internal/mailer", "internal/remote", "internal/uid"},
	"internal/receipts":          {"internal/archive", "internal/catalog", "internal/mailer", "internal/outbox", "internal/uid", "internal/wholefile"},
	"internal/socket":            {},
	"internal/spool":             {},
	// verbs
	"internal/archive": {"internal/access", "internal/alarm", "internal/blob", "internal/catalog", "internal/directory", "internal/eventlog", "internal/evidence", "internal/evidence/algo", "internal/evidence/brainpool", "internal/evidence/ers", "internal/evidence/inspect", "internal/evidence/offline", "internal/evidence/tsp", "internal/factor", "internal/index", "internal/index/query", "internal/journal", "internal/mailer", "internal/message", "internal/password", "internal/remote", "internal/retention", "internal/seal", "internal/setting", "internal/site", "internal/tresor", "internal/uid", "internal/usercsv", "internal/vault", "internal/watch", "internal/webhook"},
	"internal/sealing": {"internal/archive", "internal/catalog", "internal/evidence", "internal/evidence/algo", "internal/evidence/ers", "internal/evidence/tsp", "internal/evidence/tspclient", "internal/remote", "internal/seal"},
	// rules
	"internal/access":    {"internal/uid"},
	"internal/alarm":     {"internal/uid"},
	"internal/eventlog":  {},
	"internal/factor":    {},
	"internal/journal":   {},
	"internal/mailer":    {"internal/remote"},
	"internal/mapi":      {},
	"internal/pst":       {"internal/mapi"},
	"internal/message":   {},
	"internal/msg":       {"internal/mapi"},
	"internal/oauth":     {"internal/remote"},
	"internal/password":  {},
	"internal/remote":    {"internal/setting"},
	"internal/retention": {},
	"internal/site":      {"internal/setting"},
	"internal/seal":      {"internal/evidence/algo", "internal/evidence/brainpool", "internal/evidence/ers", "internal/setting", "internal/uid"},
	"internal/upload":    {"internal/uid", "internal/wholefile"},
	"internal/watch":     {"internal/setting"},
	"internal/webhook":   {"internal/remote"},
	"internal/tnef":      {"internal/mapi"},
	"internal/tresor":    {},
	// rules
	"internal/directory":         {"internal/access", "internal/message", "internal/remote", "internal/setting"},
	"internal/directory/connect": {"internal/directory", "internal/directory/dial", "internal/directory/imap", "internal/directory/ldap", "internal/directory/oidc"},
	"internal/directory/dial":    {"internal/directory", "internal/remote"},
	"internal/directory/imap":    {"internal/directory", "internal/directory/dial", "internal/ingest/imap", "internal/remote"},
	"internal/directory/ldap":    {"internal/directory", "internal/directory/dial", "internal/remote"},
	"internal/directory/oidc":    {"internal/directory", "internal/directory/dial", "internal/remote"},
	// evidence: made and verified without a server, so that an auditor can read
	// it and the offline verifier links nothing else
	"cmd/muniment-verify":         {"internal/evidence", "internal/evidence/offline"},
	"internal/evidence/offline":   {"internal/eventlog", "internal/evidence", "internal/evidence/algo", "internal/evidence/brainpool", "internal/evidence/ers", "internal/evidence/inspect", "internal/evidence/tsp", "internal/trustlist"},
	"internal/evidence":           {},
	"internal/evidence/algo":      {"internal/evidence/brainpool"},
	"internal/evidence/brainpool": {},
	"internal/evidence/der":       {},
	"internal/evidence/ers":       {"internal/evidence", "internal/evidence/algo", "internal/evidence/der", "internal/evidence/tsp"},
	"internal/evidence/inspect":   {"internal/evidence", "internal/evidence/algo", "internal/evidence/ers", "internal/evidence/tsp"},
	"internal/evidence/tsa":       {"internal/evidence/algo", "internal/evidence/tsp"},
	"internal/evidence/tsp":       {"internal/evidence", "internal/evidence/algo", "internal/evidence/brainpool", "internal/evidence/der"},
	"internal/evidence/tspclient": {"internal/evidence/algo", "internal/evidence/tsp"},
	"internal/trustlist":          {"internal/evidence/algo", "internal/evidence/brainpool"},
	// ports
	"internal/catalog":     {"internal/eventlog", "internal/uid"},
	"internal/vault":       {"internal/blob", "internal/uid", "internal/wholefile"},
	"internal/blob":        {},
	"internal/index":       {"internal/index/query", "internal/uid"},
	"internal/index/query": {"internal/index/text", "internal/uid"},
	"internal/index/text":  {},
	// drivers
	"internal/blob/file": {"internal/blob"},
	"internal/index/fts": {"internal/index", "internal/index/query", "internal/index/text", "internal/uid"},
	// beside the storeys
	"internal/arch":      {},
	"internal/config":    {},
	"internal/demo":      {},
	"internal/setting":   {},
	"internal/uid":       {},
	"internal/wholefile": {},
	"api":                {"internal/access"}, // an operation names the right that it needs
	"api/genspec":        {"api"},
	"docs/manual":        {},
	"internal/manual":    {},
	"web":                {},
	"internal/usercsv":   {},
	// for tests of the evidence only
	"internal/evidence/evidencetest": {"internal/evidence", "internal/evidence/algo", "internal/evidence/ers", "internal/evidence/tsa", "internal/evidence/tsp"},
	// for tests only
	"internal/archivetest":         {"internal/access", "internal/archive", "internal/blob", "internal/blob/file", "internal/catalog", "internal/evidence/algo", "internal/index", "internal/index/fts", "internal/password", "internal/vault"},
	"internal/blob/blobtest":       {"internal/blob"},
	"internal/catalog/catalogtest": {"internal/catalog", "internal/eventlog", "internal/uid"},
	"internal/corpustest":          {"internal/testkit/need"},
	"internal/index/indextest":     {"internal/corpustest", "internal/index", "internal/index/query", "internal/message", "internal/uid"},
	"internal/index/naive":         {"internal/index", "internal/index/query", "internal/uid"},
	"internal/journal/journaltest": {},
	"internal/pgtest":              {},
	"internal/testkit/dovecot":     {"internal/testkit/loopback", "internal/testkit/need"},
	"internal/testkit/imapd":       {"internal/testkit/loopback"},
	"internal/testkit/loopback":    {},
	"internal/testkit/pop3d":       {"internal/testkit/loopback"},
	"internal/testkit/need":        {},
	"internal/testkit/oauthd":      {},
	"internal/testkit/oidcd":       {},
	"internal/testkit/slapd":       {"internal/testkit/loopback", "internal/testkit/need"},
	"internal/testkit/smtpd":       {"internal/testkit/loopback"},
}

// free are the packages that may import anything: the composition, and tests.
func free(pkg string) bool { return pkg == "cmd/muniment" || strings.HasPrefix(pkg, "test/") }

// TestImports compares the imports of every package with the table.
func TestImports(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		may, listed := allowed[name]
		if !listed && !free(name) {
			t.Errorf("%s is not in the import table", name)
		}
		for _, i := range p.Imports {
			if i, ours := strings.CutPrefix(i, module); ours && !free(name) && !slices.Contains(may, i) {
				t.Errorf("%s imports %s, which the import table does not allow", name, i)
			}
		}
	}
}
