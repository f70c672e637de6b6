package sealing_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/testkit/need"
)

// Every command of the instructions in a bundle does what they say, in both languages,
// with nothing but openssl and xxd: for a new object, and for one that was renewed by
// time stamp and by tree, each together with others.
func TestBundleInstructions(t *testing.T) {
	t.Parallel()
	needOpenSSL(t)
	w, tenant, aoid, list := sealedMail(t, []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: S\r\n\r\nB\r\n"))
	instructions(t, put(t, t.TempDir(), list), 15+checkpointCommands)
	if slices.ContainsFunc(list, func(f entry) bool { return strings.HasPrefix(f.name, "log-token") }) {
		t.Error("the time stamp of message and checkpoint is there twice")
	}
	other, source := w.Tenant(t, "b")
	w.ingest(t, other, source, 10, 1) // a second batch, so that renewals have a tree
	w.now(t)
	for _, hand := range []ers.Action{ers.RenewStamp, ers.RenewTree, ers.RenewStamp, ers.RenewTree} {
		w.renew(t, sealing.RenewOptions{Hand: hand})
	}
	list = w.bundle(t, tenant, aoid)
	dir := put(t, t.TempDir(), list)
	instructions(t, dir, 15+checkpointCommands+2*4*3) // each renewal has three commands at least
	readme := string(find(t, list, "README.txt"))
	if n := strings.Count(readme, "-attime"); n != 2*4 {
		t.Errorf("%d time stamps of message and checkpoint are verified as of their renewal, want 8", n)
	}
	x, err := w.verify(t, offline.Request{Files: []string{dir}})
	if err != nil || x.Verdict != evidence.Valid {
		t.Errorf("renewed bundle: %+v, %v", x, err)
	}
	if x.Bundles[0].Log.Stamped.IsZero() {
		t.Error("the verifier finds no time stamp on the checkpoint")
	}
	if page := string(find(t, list, "inspection-report.html")); !strings.Contains(page, ">Valid<") {
		t.Error("the report of a renewed bundle does not say that it is valid")
	}
}

// checkpointCommands is how many commands the time stamp on the checkpoint has at least.
const checkpointCommands = 5

// A checkpoint may be sealed later than the message: then its time stamps are in the bundle
// beside those of the message.
func TestBundleOfOldLog(t *testing.T) {
	t.Parallel()
	needOpenSSL(t)
	w := newWorld(t, archivetest.Options{})
	tenant, source := w.Tenant(t, "a")
	aoid := w.ingest(t, tenant, source, 0, 1)[0]
	w.now(t)
	db, err := sql.Open("sqlite", filepath.Join(w.Dir, "catalog.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "DELETE FROM seal_checkpoint"); err != nil { // as if it had been sealed by an early release
		t.Fatal(err)
	}
	list := w.bundle(t, tenant, aoid)
	if strings.Contains(string(find(t, list, "log.json")), `"evidence_record": "`) {
		t.Error("a checkpoint without a time stamp has a record")
	}
	instructions(t, put(t, t.TempDir(), list), 15)
	w.ingest(t, tenant, source, 1, 1)
	w.now(t)
	list = w.bundle(t, tenant, aoid)
	find(t, list, "log-token-1.tst")
	dir := put(t, t.TempDir(), list)
	instructions(t, dir, 15+checkpointCommands)
	if x, err := w.verify(t, offline.Request{Files: []string{dir}}); err != nil || x.Verdict != evidence.Valid || x.Bundles[0].Log.Stamped.IsZero() {
		t.Errorf("bundle: %+v, %v", x, err)
	}
}

// instructions runs all commands of a bundle, or of a folder in a bundle of many, at
// least so many.
func instructions(t *testing.T, dir string, least int) {
	t.Helper()
	for _, name := range []string{"README.txt", "LIESMICH.txt"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		commands, last := 0, ""
		for _, x := range commandsOf(string(text)) {
			cmd := exec.Command("bash", "-c", x.text)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), x.want) {
				t.Errorf("%s: %s\nprints %s (%v), want %s", name, x.text, out, err, x.want)
			}
			if strings.Contains(x.text, "ts -verify") && !strings.Contains(x.text, last) {
				t.Errorf("%s: the commands lead to %s, and the time stamp is verified by %s", name, last, x.text)
			}
			if x.want != "" {
				last = x.want
			}
			commands++
		}
		if commands < least {
			t.Errorf("%s has only %d commands", name, commands)
		}
	}
}

func needOpenSSL(t *testing.T) {
	t.Helper()
	for _, program := range []string{"bash", "openssl", "xxd"} {
		need.Program(t, program)
	}
}

// The instructions of an object in a bundle of many find what the objects share, after
// renewals as well.
func TestExportInstructions(t *testing.T) {
	t.Parallel()
	needOpenSSL(t)
	w := newWorld(t, archivetest.Options{})
	tenant, source := w.Tenant(t, "a")
	anna := w.User(t, tenant, "anna", access.RoleUser, "anna@example.com")
	ids := w.ingest(t, tenant, source, 0, 2)
	w.now(t)
	for _, hand := range []ers.Action{ers.RenewTree, ers.RenewStamp} {
		w.renew(t, sealing.RenewOptions{Hand: hand})
	}
	_, list, _ := export(t, w.As(anna), archive.ExportRequest{IDs: ids})
	dir := put(t, t.TempDir(), list)
	folders := 0
	for _, f := range list {
		if path.Base(f.name) == "README.txt" && path.Dir(f.name) != "." {
			instructions(t, filepath.Join(dir, path.Dir(f.name)), 15+checkpointCommands+2*2*3)
			folders++
		}
	}
	if folders != 2 {
		t.Errorf("%d folders of objects, want 2", folders)
	}
}

// instruction is one command, and what stands below it.
type instruction struct{ text, want string }

func commandsOf(text string) (list []instruction) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !command(lines[i]) {
			continue
		}
		x := instruction{text: lines[i]}
		for strings.HasSuffix(x.text, `\`) {
			i++
			x.text += "\n" + lines[i]
		}
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "      ") {
			x.want = strings.TrimSpace(lines[i+1])
		}
		list = append(list, x)
	}
	return list
}

// command reports whether a line of the instructions begins a command.
func command(line string) bool {
	for _, begin := range []string{"   openssl ", "   printf ", "   (printf "} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}
