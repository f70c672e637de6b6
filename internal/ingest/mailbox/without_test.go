package mailbox

import (
	"slices"
	"testing"

	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
)

// What is left out is so with all that lies below it, and nothing else is.
func TestWithout(t *testing.T) {
	t.Parallel()
	var all []imap.Folder
	for _, n := range []string{"INBOX", "INBOX/Private", "INBOXES", "Private", "Private/Doctor", "Privately", "Work", "private"} {
		all = append(all, imap.Folder{Name: n, Delimiter: "/"})
	}
	for without, want := range map[string][]string{
		"Private":        {"INBOX", "INBOX/Private", "INBOXES", "Privately", "Work", "private"},
		"Private/Doctor": {"INBOX", "INBOX/Private", "INBOXES", "Private", "Privately", "Work", "private"},
		"inbox":          {"INBOXES", "Private", "Private/Doctor", "Privately", "Work", "private"},
		"Nowhere":        {"INBOX", "INBOX/Private", "INBOXES", "Private", "Private/Doctor", "Privately", "Work", "private"},
	} {
		got := wanted(remote.Settings{Folders: remote.All, Without: []string{without}}, all)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("without %s: %q, want %q", without, got, want)
		}
	}
	flat := imap.Folder{Name: "Private/Doctor"}
	if excluded([]string{"Private"}, flat) {
		t.Error("a folder that is in no tree is left out")
	}
}

// The history of a mailbox leaves them out as well, and says so.
func TestHistoryWithout(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	fill(s, "INBOX", 0, 2)
	fill(s, "Private", 10, 2)
	set := imapSettings(s)
	set.Folders, set.Without = remote.All, []string{"Private"}
	id := r.add("box", set, s.Password)
	rep := r.history(id, remote.History{})
	left := slices.ContainsFunc(rep.LeftOut, func(f remote.FolderLeftOut) bool { return f.Name == "Private" && !f.Missing })
	if !rep.Complete || !left || r.messages() != 2 {
		t.Errorf("%d archived, %+v", r.messages(), rep)
	}
	well(t, r.fetch(id))
	if len(s.UIDs("Private")) != 2 || r.messages() != 2 {
		t.Errorf("%d on the server, %d archived", len(s.UIDs("Private")), r.messages())
	}
}
