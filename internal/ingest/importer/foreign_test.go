package importer

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What holds mail and is not read, or only in part, is told with what helps.
func TestForeignFilesAreToldWithTheCure(t *testing.T) {
	t.Parallel()
	utf16 := "\xff\xfe" + strings.Join(strings.Split(mail(1), ""), "\x00") + "\x00"
	files := map[string]string{
		"a.tar.xz": "\xfd7zXZ\x00\x00", "a.rar": "Rar!\x1a\x07", "Inbox.dbx": "\xcf\xad\x12\xfe\xc5", "mail.nsf": "\x1a\x00\x00\x04\x00\x00\x29",
		"RMAIL": "BABYL OPTIONS: -*- rmail -*-\n", "mmdf": "\x01\x01\x01\x01\n" + mail(2), "utf16": utf16,
		"wrong.emlx": "length\n" + mail(3), "late.mbox": "a line\n" + mboxOf(mail(4)),
		"mac.olm": zipOf(t, file{"Local/com.microsoft.__Messages/Inbox/message_00001.xml", "<emails/>"}),
		"in.zip":  zipOf(t, file{"x.7z", "7z\xbc\xaf\x27\x1c"}),
	}
	want := map[string]string{
		"a.tar.xz": "unpack it first", "a.rar": "unpack it first", "Inbox.dbx": "Outlook Express", "mail.nsf": "Lotus Notes", "RMAIL": "convert it to mbox",
		"mmdf": "convert it to mbox", "utf16": "convert it to UTF-8", "wrong.emlx": "first line", "late.mbox": "remove what precedes", "mac.olm": "Outlook for Mac",
		"in.zip#x.7z": "unpack it first",
	}
	rep, err := Run(context.Background(), config(t, newFakeArchive(), tree(t, files)))
	if err != nil || rep.Stored != 0 || rep.Failed != int64(len(want)) {
		t.Fatalf("%+v, %v", rep, err)
	}
	for _, p := range rep.Problems {
		if part := want[p.Origin]; part == "" || !strings.Contains(p.Detail, part) || p.Reason != Unsupported || !p.Failed {
			t.Errorf("%+v; want %q in it", p, part)
		}
	}
}

func TestAppleMailCutShort(t *testing.T) {
	t.Parallel()
	whole := mail(1)
	dir := tree(t, map[string]string{
		"cut.emlx": emlxOf(whole)[:len(whole)-5], "Messages/7.partial.emlx": emlxOf(mail(2)),
		"Attachments/7/2/scan.pdf": "%PDF",
	})
	f := newFakeArchive()
	rep, err := Run(context.Background(), config(t, f, dir))
	if err != nil || rep.Partial != 1 || len(rep.Notices) != 2 {
		t.Fatalf("%+v, %v", rep, err)
	}
	_, rest, _ := strings.Cut(emlxOf(whole)[:len(whole)-5], "\n")
	if d := cmp.Diff(map[string]string{"cut.emlx": rest, "Messages/7.partial.emlx": mail(2)}, f.got()); d != "" {
		t.Error(d)
	}
	if p := rep.Problems; len(p) != 1 || p[0].Origin != "Attachments/7/2/scan.pdf" || !strings.Contains(p[0].Detail, "beside a message") {
		t.Errorf("%+v", p)
	}
}

// Made by bzip2, which the library only reads: a message, and a tar file with it as
// in/1.eml.
const (
	bzippedMail = "QlpoOTFBWSZTWZA1LsQAAAVfgAAQQAEAEEEACAA+HtZgIAAxQAYjTTRoRTTZRmpkYbKjnE+kvOLMlNkq1qoBAzAv2jqp+yFPp/F3JFOFCQkDUuxA"
	bzippedTar  = "QlpoOTFBWSZTWTnFc5MAAHpfgMqQQAH3kEEACEB+P95gCIggAHQaVDMUwj0ymyCPUMTxpQSlABoAAAAAxePkEBxkQEJN43SNTziAgsHmGqmqTKjad8RtYENeZC/o57WZPUkLjA2oHeJpNCoOE/cp17UlNq7BbcaU/m9USYih0ujmREB/F3JFOFCQOcVzkw=="
)

func TestBzip2(t *testing.T) {
	t.Parallel()
	unbase := func(s string) string {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	one, tar := unbase(bzippedMail), unbase(bzippedTar)
	dir := tree(t, map[string]string{"one.eml.bz2": one, "all.tar.bz2": tar, "twice.mbox.bz2": one + one, "cut.tar.bz2": tar[:len(tar)-9], "BZh91.txt": "BZh91 is no bzip2"})
	f := newFakeArchive()
	rep, err := Run(context.Background(), config(t, f, dir))
	if err != nil {
		t.Fatal(err)
	}
	const text = "From: a@example.com\nSubject: packed\n\nbody\n"
	want := map[string]string{"one.eml.bz2": text, "all.tar.bz2#in/1.eml": text, "cut.tar.bz2#in/1.eml": text, "twice.mbox.bz2": text + text}
	if d := cmp.Diff(want, f.got()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]Reason{"cut.tar.bz2": Damaged, "BZh91.txt": NotAMessage}, reasons(rep)); d != "" {
		t.Error(d)
	}
}
