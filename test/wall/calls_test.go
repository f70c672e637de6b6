package wall

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

// operation is an endpoint of the OpenAPI document.
type operation struct{ id, method, path string }

func operations(t *testing.T) []operation {
	t.Helper()
	raw, err := api.Spec()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var out []operation
	for path, methods := range doc.Paths {
		for method, o := range methods {
			out = append(out, operation{o.OperationID, strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return out
}

// queries would find the secret.
var queries = []string{"", "walnuss", "Geheimplan", "from:zacharias@geheim.example", "von:zacharias", "subject:Geheimplan", "filename:walnuss", "type:pdf",
	"has:attachment", "date:2015", "before:2016", "larger:1", "wal*", "-gemeinsame", "NOT gemeinsame", "id:%s", "body:walnuss OR id:%s", `"wird verkauft"`}

// calls lists the requests of an operation that aim at a message.
func calls(t *testing.T, o operation, id string) []string {
	t.Helper()
	path := strings.NewReplacer("{id}", id, "{no}", "1").Replace(o.path)
	ask := func(param string, more string) (out []string) {
		for _, q := range queries {
			out = append(out, path+"?"+param+"="+url.QueryEscape(strings.ReplaceAll(q, "%s", id))+more)
		}
		return out
	}
	switch o.id {
	case "search":
		return append(ask("q", ""), ask("q", "&order=oldest&limit=1")...)
	case "getFacets":
		return ask("q", "")
	case "suggest":
		return []string{path + "?q=from:zach", path + "?q=zach", path + "?q=walnuss", path + "?q=category:", path + "?q=date:", path + "?q=source:", path + "?q="}
	case "getMessage":
		return append(ask("q", ""), path)
	case "getMessageHtml":
		return []string{path, path + "?remote=true"}
	case "getMessageRaw":
		return []string{path, path + "?inline=true"}
	case "getAttachment":
		return []string{path, strings.Replace(path, "/1", "/0", 1), strings.Replace(path, "/1", "/2", 1)}
	case "getReport":
		return []string{strings.Replace(path, "{capture}", id, 1), strings.Replace(path, "{capture}", "x", 1)}
	case "getCompleteness", "getCompletenessCsv":
		return []string{path, path + "?from=2015-01-01&to=2015-12-31"}
	case "listUploads", "createUpload", "getUpload", "finishUpload", "cancelUpload", "getUploadCsv":
		return []string{path}
	case "writeUpload":
		return []string{path + "?offset=0"}
	case "listSources", "createSource", "getSource", "changeSource", "testMailbox", "fetchNow", "listLeft", "beginMailboxLogIn", "getMailboxLogIn", "cancelMailboxLogIn",
		"startHistory", "getHistory", "cancelHistory":
		return []string{path}
	case "getSmarthost", "changeSmarthost", "removeSmarthost", "testSmarthost", "getOutbox", "retryMail", "dropMail":
		return []string{path} // the operator's
	case "listDirectories", "createDirectory", "changeDirectory", "removeDirectory", "testDirectory", "previewDirectory", "syncDirectory", "listLogInOffers":
		return []string{path}
	case "listDomains", "addDomain", "removeDomain", "getSelection", "changeSelection", "proposeAddresses", "countQuarantine", "decideQuarantine":
		return []string{strings.Replace(path, "{name}", "geheim.example", 1)}
	case "listQuarantine":
		return []string{path, path + "?state=all", path + "?state=all&q=walnuss", path + "?cursor=" + id, path + "?source=" + id}
	case "checkMessage", "getStatistics", "getStatus", "getAccount", "logIn", "logOut", "changeAccount":
		return []string{path}
	}
	t.Fatalf("operation %s is new: say here how to walk it", o.id)
	return nil
}

func body(o operation, id string) string {
	switch o.id {
	case "logIn":
		return `{"login":"anna@firma.example","tenant":"alpha","password":"wrong"}`
	case "changeAccount":
		return `{"language":"de"}`
	case "createSource":
		return `{"kind":"mailbox","name":"Wand"}` // lacks its settings: nothing is made
	case "createUpload":
		return `{"kind":"document","name":"Wand.eml","size":10,"date":"gestern"}` // not valid: nothing is made
	case "finishUpload":
		return `{}`
	case "writeUpload":
		return "Wand"
	case "changeSource":
		return `{"category":"Wand"}`
	case "beginMailboxLogIn":
		return `{"mailbox":{"protocol":"imap","host":"mail.example","tls":"auto","user":"x"}}` // by no code: nobody is asked
	case "changeSmarthost", "testSmarthost":
		return `{"smarthost":{"host":"127.0.0.1","tls":"starttls","from":"a@firma.example"}}`
	case "startHistory":
		return `{"dry_run":true}`
	case "createDirectory", "changeDirectory":
		return `{"name":"Wand","settings":{}}` // of no kind: nothing is made
	case "testDirectory":
		return `{"settings":{"imap":{"host":"127.0.0.1","port":1,"tls":"implicit"}}}`
	case "syncDirectory":
		return `{}`
	case "addDomain":
		return `{"name":"keine domain"}`
	case "changeSelection":
		return `{"enabled":true,"addresses":["keine adresse"]}`
	case "decideQuarantine":
		return `{"state":"released","ids":["` + id + `"]}`
	case "testMailbox":
		return `{"mailbox":{"protocol":"imap","host":"127.0.0.1","tls":"auto","user":"x"},"password":"x"}`
	}
	return ""
}
