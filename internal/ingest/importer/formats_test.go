package importer

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/semaphore"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/spool"
)

// file is a file in an archive of a test; they come in the order given.
type file struct{ name, text string }

func zipOf(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		out, err := w.Create(f.name)
		if err == nil {
			_, err = io.WriteString(out, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarOf(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o600, Size: int64(len(f.text))}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if to, is := strings.CutPrefix(f.text, "-> "); is {
			h.Typeflag, h.Linkname, h.Size, f.text = tar.TypeSymlink, to, 0, ""
		}
		if f.text == "| " {
			h.Typeflag, h.Size, f.text = tar.TypeFifo, 0, ""
		}
		err := w.WriteHeader(h)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func packed(t testing.TB, text string, open func(io.Writer) io.WriteCloser) string {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipOf(t testing.TB, text string) string {
	return packed(t, text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zstdOf(t testing.TB, text string) string {
	return packed(t, text, func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return z
	})
}

// tnefOf makes a winmail.dat with a subject [MS-OXTNEF] §2.1.3.
func tnefOf(subject string) string {
	b := []byte("\x78\x9f\x3e\x22\x01\x00\x01\x04\x80\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(subject)+1))
	b = append(b, subject...)
	var sum uint16
	for _, c := range []byte(subject) {
		sum += uint16(c)
	}
	return string(binary.LittleEndian.AppendUint16(append(b, 0), sum))
}

// compoundOf makes a compound file [MS-CFB] with one stream in it.
func compoundOf(name string, data []byte) string {
	const sector, entry, free, end = 512, 128, 0xFFFFFFFF, 0xFFFFFFFE
	data = append(data, make([]byte, max(4096-len(data), 0))...) // below it would be a mini stream
	data = append(data, make([]byte, -len(data)&(sector-1))...)
	le := binary.LittleEndian
	h := make([]byte, sector)
	copy(h, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for at, v := range map[int]uint16{24: 0x3E, 26: 3, 28: 0xFFFE, 30: 9, 32: 6} {
		le.PutUint16(h[at:], v)
	}
	for at, v := range map[int]uint32{44: 1, 48: 1, 56: 4096, 60: end, 68: end} {
		le.PutUint32(h[at:], v)
	}
	for at := 80; at < sector; at += 4 {
		le.PutUint32(h[at:], free)
	}
	fat := bytes.Repeat([]byte{0xff}, sector)
	le.PutUint32(fat, 0xFFFFFFFD)
	le.PutUint32(fat[4:], end)
	for i := range len(data) / sector {
		next := uint32(i + 3)
		if (i+1)*sector == len(data) {
			next = end
		}
		le.PutUint32(fat[4*(i+2):], next)
	}
	dir := make([]byte, sector)
	for i, e := range []struct {
		name         string
		kind         byte
		child, start uint32
		size         int
	}{{"Root Entry", 5, 1, end, 0}, {name, 2, free, 2, len(data)}, {"", 0, free, 0, 0}, {"", 0, free, 0, 0}} {
		b := dir[i*entry:]
		wide := utf16.Encode([]rune(e.name))
		for j, u := range wide {
			le.PutUint16(b[2*j:], u)
		}
		if e.name != "" {
			le.PutUint16(b[64:], uint16(2*len(wide)+2))
		}
		b[66], b[67] = e.kind, 1
		for at, v := range map[int]uint32{68: free, 72: free, 76: e.child, 116: e.start, 120: uint32(e.size)} {
			le.PutUint32(b[at:], v)
		}
	}
	return string(slices.Concat(h, fat, dir, data))
}

// msgOf makes an Outlook message with a text.
func msgOf(text string) string {
	return compoundOf("__substg1.0_1000001E", []byte(text+strings.Repeat(".", 4096)))
}

func emlxOf(message string) string {
	return fmt.Sprintf("%-10d\n%s<?xml version=\"1.0\"?>\n<plist><dict/></plist>\n", len(message), message)
}

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
		"z.zip#inner.zip#deep.eml": "=" + mail(40), "z.zip#inner.zip#deep.msg": "text of Outlook", "z.zip#inner.zip#deep.msg#original": "=" + outlook,
		"t.tar#1.eml": "=" + mail(30), "t.tar#in.tar.gz#2.eml": "=" + mail(31), "t.tgz#3": "=" + mail(32), "t.tar.zst#4": "=" + mail(33),
		"t.tar.zst#w": "Subject: subject of winmail", "t.tar.zst#w#original": "=" + winmail,
	}
	reason = map[string]Reason{
		"c.doc": NotAMessage, "cut.msg": Damaged, "short.emlx": NotAMessage, "Apple.mbox/table_of_contents": NotAMessage, "o.docx": NotAMessage, "x.7z": NotAMessage,
		"z.zip#photo.jpg": NotAMessage, "z.zip#empty": Empty, "z.zip#md/tmp/2": Unfinished, "z.zip#md/cur/.x": NotAMessage, "z.zip#no/new/3": NotAMessage, "none.zip": Empty, "none.tgz": Empty, "z.zip#._x.eml": NotAMessage, "t.tar#link.eml": Link, "t.tar#pipe": SpecialFile,
		"bad.pst": Unreadable, "broken.zip": Damaged, "broken.gz": Damaged, "note.gz": NotAMessage,
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
	if rep.Stored != int64(len(f.bytes)) || rep.Offered() != int64(len(want)+1) || rep.Failed != 4 || rep.Skipped != int64(len(reason)-4) || rep.Originals != 6 {
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
	for format, want := range map[Format]int{EMLX: 2, MSG: 3, TNEF: 4, PST: 0, Packed: 18, Mbox: 3} {
		cfg := config(t, newFakeArchive(), dir)
		cfg.Format = format
		rep, err := Run(context.Background(), cfg)
		if err != nil || int(rep.Offered()) != want {
			t.Errorf("%s: %d messages, want %d, %v", format, rep.Offered(), want, err)
		}
	}
}

func TestLimitsOfArchives(t *testing.T) {
	t.Parallel()
	nested := mail(1)
	for range maxNesting + 1 {
		nested = zipOf(t, file{"x", nested})
	}
	dir := tree(t, map[string]string{"deep.zip": nested, "good.zip": zipOf(t, file{"x", mail(2)})})
	f := newFakeArchive()
	rep, err := Run(context.Background(), config(t, f, dir))
	want := "deep.zip" + strings.Repeat("#x", maxNesting)
	if err != nil || rep.Stored != 1 || rep.Failed != 1 || reasons(rep)[want] != Limit {
		t.Errorf("%+v, %v", rep, err)
	}

	run := &run{cfg: Config{DryRun: true, Format: Auto, MaxMessage: 1 << 20, Spool: config(t, f, dir).Spool}, ctx: context.Background(), checkpoint: &checkpoint{}, memory: semaphore.NewWeighted(bytesInFlight)}
	bomb := zipOf(t, file{"1", mail(1)}, file{"2", "Subject: bomb\n\n" + strings.Repeat("0", 1<<20)}, file{"3", mail(3)})
	for name, b := range map[string]*budget{"bytes": {bytes: 1 << 19, entries: 100}, "entries": {bytes: 1 << 30, entries: 1}} {
		run.account = account{}
		s := &source{found: found{origin: "bomb", size: int64(len(bomb))}, raw: inBytes{bytes.NewReader([]byte(bomb))}, budget: b}
		err := feeder{run}.takeApart(s, kindZIP)
		if rep := run.account.report(); err != nil || rep.Stored != 1 || rep.Failed != 1 || reasons(rep)["bomb"] != Limit {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
	}
	if b := newBudget(1 << 20); b.bytes != freeBytes {
		t.Errorf("a small file may unpack to %d bytes", b.bytes)
	}
	if b := newBudget(1 << 50); b.bytes != maxUnpacked {
		t.Errorf("a large file may unpack to %d bytes", b.bytes)
	}
}

// An archive that is broken in its middle gives what comes before.
func TestDamagedArchives(t *testing.T) {
	t.Parallel()
	files := []file{{"1", mail(1)}, {"2", strings.Repeat("Subject: x\n", 3000)}, {"3", mail(3)}}
	inZip := []byte(zipOf(t, files...))
	inZip[45] ^= 0xff // within the contents of an entry
	cut := tarOf(t, files...)
	sum := []byte(gzipOf(t, tarOf(t, files...)))
	sum[len(sum)-6] ^= 1 // the checksum
	dir := tree(t, map[string]string{"z.zip": string(inZip), "t.tar": cut[:3000], "s.tgz": string(sum)})
	f := newFakeArchive()
	rep, err := Run(context.Background(), config(t, f, dir))
	if err != nil || !rep.Finished {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(f.got()))
	if d := cmp.Diff([]string{"s.tgz#1", "s.tgz#2", "s.tgz#3", "t.tar#1", "z.zip#2", "z.zip#3"}, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]Reason{"z.zip#1": Damaged, "t.tar#2": Damaged, "t.tar": Damaged, "s.tgz": Damaged}, reasons(rep)); d != "" {
		t.Error(d)
	}
}

// Trouble with the spool is not the file's fault: the run ends, and the next one
// goes on.
func TestSpoolTroubleEndsTheRun(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"t.tar": tarOf(t, file{"box", mboxOf(strings.Repeat("Subject: x\n", 1<<18))})})
	cfg := config(t, newFakeArchive(), dir)
	name := filepath.Join(t.TempDir(), "spool")
	var err error
	if cfg.Spool, err = spool.Open(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if rep, err := Run(context.Background(), cfg); err == nil || rep.Finished || rep.NotStored() != 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	if cfg.Spool, err = spool.Open(name); err != nil {
		t.Fatal(err)
	}
	if rep, err := Run(context.Background(), cfg); err != nil || rep.Stored != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

// FuzzUnpack takes apart what is no archive, or one made to do harm.
func FuzzUnpack(f *testing.F) {
	files, _, _ := all(f)
	for name, text := range files {
		f.Add(name, []byte(text))
	}
	cfg := config(f, newFakeArchive(), "x")
	cfg.DryRun, cfg.Format = true, Auto
	cfg, err := cfg.withDefaults()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		r := &run{cfg: cfg, ctx: t.Context(), checkpoint: &checkpoint{}, memory: semaphore.NewWeighted(bytesInFlight)}
		size := int64(len(data))
		k := kindOf(data[:min(len(data), sniffed)], size)
		if k == kindOther || k == kindCompound || k == kindTNEF {
			return // the file would be read from the disk, or nothing is taken apart
		}
		s := &source{found: found{name: name, origin: "f", size: size}, raw: inBytes{bytes.NewReader(data)}, budget: &budget{bytes: 1 << 24, entries: 1000}}
		start := time.Now()
		if err := (feeder{r}).takeApart(s, k); err != nil {
			t.Errorf("ended with %v", err)
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%d bytes took %v", size, d)
		}
		if n := cfg.Spool.InMemory(); n != 0 {
			t.Errorf("%d bytes of the spool were not given back", n)
		}
		if rep := r.account.report(); rep.Bytes > 1<<24+size {
			t.Errorf("%d bytes of messages", rep.Bytes)
		}
	})
}
