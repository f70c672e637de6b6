package importer

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archive"
)

// all is a file of every format, and what is expected of it: origin → a part of
// the bytes, or the bytes after "=".
func all(t testing.TB) (files, want map[string]string, reason map[string]Reason) {
	outlook, winmail := msgOf("text of Outlook"), tnefOf("subject of winmail")
	inner := zipOf(t, file{"deep.eml", mail(40)}, file{"deep.msg", outlook})
	pipermail := "From anna at example.org  Mon Jan  2 15:04:05 2012\nFrom: anna at example.org (Anna)\nSubject: one\n\nbody\n\nFrom ben at example.org  Tue Jan  3 15:04:05 2012\nSubject: two\n\nbody\n"
	files = map[string]string{
		"a.msg": outlook, "b.dat": winmail, "no-name-at-all": winmail,
		"c.doc": compoundOf("WordDocument", []byte("x")), "cut.msg": outlook[:700],
		"d.emlx": emlxOf(mail(1)), "e.partial.emlx": emlxOf(mail(2)), "short.emlx": "99999\n" + mail(3) + "<plist/>",
		"Apple.mbox/mbox": mboxOf(mail(4)), "Apple.mbox/table_of_contents": "\x00\x01\x02",
		"2012-January.txt": pipermail, "2012-February.txt.gz": gzipOf(t, mboxOf(mail(5), mail(6))), "one.eml.zst": zstdOf(t, mail(7)),
		"z.zip": zipOf(t, file{"x/1.eml", mail(20)}, file{"../../etc/2", mail(21)}, file{"same", mail(22)}, file{"same", mail(23)}, file{"box", mboxOf(mail(24))},
			file{"md/cur/1:2,S", "From a Maildir"}, file{"md/new/", ""}, file{"md/tmp/2", mail(25)}, file{"md/cur/.x", "no"}, file{"no/new/3", "no"}, file{"inner.zip", inner}, file{"photo.jpg", "\xff\xd8"}, file{"empty", ""}, file{"._x.eml", "\x00\x05\x16\x07\x00"}),
		"t.tar":     tarOf(t, file{"1.eml", mail(30)}, file{"link.eml", "-> 1.eml"}, file{"pipe", "| "}, file{"in.tar.gz", gzipOf(t, tarOf(t, file{"2.eml", mail(31)}))}),
		"t.tgz":     gzipOf(t, tarOf(t, file{"3", mail(32)})),
		"t.tar.zst": zstdOf(t, tarOf(t, file{"4", mail(33)}, file{"w", winmail})),
		"none.zip":  zipOf(t), "none.tgz": gzipOf(t, tarOf(t, file{"dir/", ""})),
		"o.docx": zipOf(t, file{"[Content_Types].xml", "<x/>"}, file{"word/document.xml", "<x/>"}),
		"x.7z":   "7z\xbc\xaf\x27\x1c", "bad.pst": "!BDN" + strings.Repeat("\x00", 600),
		"broken.zip": zipOf(t, file{"1.eml", mail(50)})[:60], "broken.gz": gzipOf(t, mail(51))[:60], "note.gz": gzipOf(t, "no mail, and cut short")[:30],
	}
	want = map[string]string{
		"a.msg": "text of Outlook", "a.msg#original": "=" + outlook, "b.dat": "Subject: subject of winmail", "b.dat#original": "=" + winmail,
		"no-name-at-all": "Subject: subject of winmail", "no-name-at-all#original": "=" + winmail, "cut.msg#original": "=" + outlook[:700],
		"d.emlx": "=" + mail(1), "e.partial.emlx": "=" + mail(2), "Apple.mbox/mbox#1@0": "=" + mail(4),
		"2012-January.txt#1@0": "Subject: one", "2012-January.txt#2@" + fmt.Sprint(strings.Index(pipermail, "From ben")): "Subject: two",
		"2012-February.txt.gz#1@0": "=" + mail(5), "2012-February.txt.gz#2@" + fmt.Sprint(len(mboxOf(mail(5)))): "=" + mail(6), "one.eml.zst": "=" + mail(7),
		"z.zip#x/1.eml": "=" + mail(20), "z.zip#../../etc/2": "=" + mail(21), "z.zip#same": "=", "z.zip#box#1@0": "=" + mail(24), "z.zip#md/cur/1:2,S": "=From a Maildir",
		"short.emlx": "=" + mail(3) + "<plist/>", "z.zip#inner.zip#deep.eml": "=" + mail(40), "z.zip#inner.zip#deep.msg": "text of Outlook", "z.zip#inner.zip#deep.msg#original": "=" + outlook,
		"t.tar#1.eml": "=" + mail(30), "t.tar#in.tar.gz#2.eml": "=" + mail(31), "t.tgz#3": "=" + mail(32), "t.tar.zst#4": "=" + mail(33),
		"t.tar.zst#w": "Subject: subject of winmail", "t.tar.zst#w#original": "=" + winmail,
	}
	reason = map[string]Reason{
		"c.doc": NotAMessage, "cut.msg": Damaged, "Apple.mbox/table_of_contents": NotAMessage, "o.docx": NotAMessage, "x.7z": Unsupported,
		"z.zip#photo.jpg": NotAMessage, "z.zip#empty": Empty, "z.zip#md/tmp/2": Unfinished, "z.zip#md/cur/.x": NotAMessage, "z.zip#no/new/3": NotAMessage, "none.zip": Empty, "none.tgz": Empty, "z.zip#._x.eml": NotAMessage, "t.tar#link.eml": Link, "t.tar#pipe": SpecialFile,
		"bad.pst": Unsupported, "broken.zip": Damaged, "broken.gz": Damaged, "note.gz": NotAMessage,
	}
	return files, want, reason
}

func TestEveryFormat(t *testing.T) {
	t.Parallel()
	files, want, reason := all(t)
	dir := tree(t, files)
	f := newFakeArchive()
	cfg := config(t, f, dir)
	var size int64
	for _, text := range files {
		size += int64(len(text))
	}
	var last Progress
	cfg.Progress = func(p Progress) { last = p }
	rep, err := Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	got := f.got()
	if d := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); d != "" {
		t.Errorf("archived: %s", d)
	}
	for origin, text := range want {
		exact, is := strings.CutPrefix(text, "=")
		if is && text != "=" && got[origin] != exact || !strings.Contains(got[origin], exact) {
			t.Errorf("%s: %.300q, want %.300q", origin, got[origin], text)
		}
	}
	if d := cmp.Diff(reason, reasons(rep)); d != "" {
		t.Errorf("not stored: %s", d)
	}
	// Two entries are called "same"; winmail.dat and the .msg file come several times.
	if rep.Stored != int64(len(f.bytes)) || rep.Offered() != int64(len(want)+1) || rep.Failed != 5 || rep.Skipped != int64(len(reason)-5) || rep.Originals != 6 {
		t.Errorf("report %+v", rep)
	}
	if last.Bytes != size {
		t.Errorf("progress ends at %d of %d bytes", last.Bytes, size)
	}
	for _, s := range f.subs {
		original := strings.HasSuffix(s.Origin, "#original")
		_, made := want[s.Origin+"#original"]
		if original != slices.Contains(s.Tags, TagOriginal) || made != slices.Contains(s.Tags, TagConverted) {
			t.Errorf("%s has tags %q", s.Origin, s.Tags)
		}
	}

	again, err := Run(context.Background(), cfg)
	if err != nil || again.Stored != 0 || again.Duplicate != rep.Offered() {
		t.Errorf("second run: %+v, %v", again, err)
	}
	dry, err := Run(context.Background(), Config{Paths: []string{dir}, DryRun: true})
	if err != nil || dry.Stored != rep.Offered() || dry.Bytes != rep.Bytes || !cmp.Equal(reasons(dry), reasons(rep)) {
		t.Errorf("dry run: %+v, %v", dry, err)
	}
}

// An import is cut off after each k-th offer and goes on: each item is offered
// again only if it was not taken.
func TestResumeWithinArchives(t *testing.T) {
	t.Parallel()
	files, want, _ := all(t)
	dir := tree(t, files)
	for k := 1; k <= len(want); k++ {
		f := newFakeArchive()
		cfg := config(t, f, dir)
		cfg.State, cfg.Workers = filepath.Join(t.TempDir(), "state"), 1+k%3
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		n := 0
		f.before = func(context.Context, archive.Submission) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if n++; n == k {
				cancel()
			}
			return nil
		}
		first, err := Run(ctx, cfg)
		if err == nil && k < len(want) {
			t.Fatalf("k %d: not cancelled: %+v", k, first)
		}
		second, err := Run(context.Background(), cfg)
		if err != nil || second.Offered() != int64(len(want)+1) || len(f.got()) != len(want) {
			t.Fatalf("k %d: %+v, %v; %d captures", k, second, err, len(f.got()))
		}
		if !first.Finished && second.DoneBefore != first.Offered() {
			t.Errorf("k %d: %d done before, %d were taken", k, second.DoneBefore, first.Offered())
		}
	}
}

func TestOnlyOneFormat(t *testing.T) {
	t.Parallel()
	files, _, _ := all(t)
	dir := tree(t, files)
	for format, want := range map[Format]int{EMLX: 3, MSG: 3, TNEF: 4, PST: 0, Packed: 18, Mbox: 3} {
		cfg := config(t, newFakeArchive(), dir)
		cfg.Format = format
		rep, err := Run(context.Background(), cfg)
		if err != nil || int(rep.Offered()) != want {
			t.Errorf("%s: %d messages, want %d, %v", format, rep.Offered(), want, err)
		}
	}
}
