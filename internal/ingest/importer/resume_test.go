package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/archive"
)

// TestResumeAfterAnyItem cuts a run off after each k-th offer and goes on.
func TestResumeAfterAnyItem(t *testing.T) {
	t.Parallel()
	files := map[string]string{"box": mboxOf(mail(1), mail(2), mail(3), mail(4), mail(5)), "md/cur/": "", "note": "no"}
	for i := range 8 {
		files[fmt.Sprintf("d%d/%d.eml", i%3, i)] = mail(100 + i)
		files[fmt.Sprintf("md/new/%d", i)] = mail(200 + i)
	}
	const total = 5 + 8 + 8
	dir := tree(t, files)
	for k := 1; k <= total; k++ {
		for _, workers := range []int{1, 4} {
			f := newFakeArchive()
			cfg := config(t, f, dir)
			cfg.State, cfg.Workers = filepath.Join(t.TempDir(), "state"), workers
			ctx, cancel := context.WithCancel(context.Background())
			var n atomic.Int64
			f.before = func(context.Context, archive.Submission) error {
				if n.Add(1) == int64(k) {
					cancel()
				}
				return nil
			}
			first, err := Run(ctx, cfg)
			if k < total && (!errors.Is(err, context.Canceled) || first.Finished) {
				t.Fatalf("k %d: first run %+v, %v", k, first, err)
			}
			taken := len(f.captures)
			if int(first.Stored) != taken || taken < k {
				t.Fatalf("k %d: first run says %d, archive has %d", k, first.Stored, taken)
			}
			offered := f.offered
			second, err := Run(context.Background(), cfg)
			if err != nil || !second.Complete() {
				t.Fatalf("k %d: second run %+v, %v", k, second, err)
			}
			if len(f.captures) != total || int(second.Stored) != total-taken {
				t.Errorf("k %d: %d captures, second run %+v", k, len(f.captures), second)
			}
			if !first.Finished && (int(second.DoneBefore) != taken || f.offered-offered != total-taken) {
				t.Errorf("k %d: %d done before, %d offered again, want %d and %d", k, second.DoneBefore, f.offered-offered, taken, total-taken)
			}
			if left, _ := filepath.Glob(filepath.Join(cfg.State, "*")); len(left) != 0 {
				t.Errorf("k %d: checkpoint %v outlives the run that saw everything", k, left)
			}
			cancel()
		}
	}
}

func TestCheckpointSurvivesDamage(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"1.eml": mail(1), "2.eml": mail(2), "3.eml": mail(3), "4.eml": mail(4)})
	f := newFakeArchive()
	cfg := config(t, f, dir)
	cfg.State, cfg.Workers = t.TempDir(), 1
	ctx, cancel := context.WithCancel(context.Background())
	f.before = func(context.Context, archive.Submission) error {
		if f.offered == 3 {
			cancel()
		}
		return nil
	}
	if _, err := Run(ctx, cfg); err == nil {
		t.Fatal("not cancelled")
	}
	name := filepath.Join(cfg.State, "import-"+cfg.Source.String()+".jsonl")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if err := os.WriteFile(name, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		rep, err := Run(context.Background(), cfg)
		if err != nil || rep.Stored+rep.Duplicate+rep.DoneBefore != 4 || len(f.captures) != 4 {
			t.Fatalf("cut at %d: %+v, %v", cut, rep, err)
		}
	}
	// Zeros where lines were: what a system that went down may leave.
	for _, kept := range [][]byte{nil, whole} {
		if err := os.WriteFile(name, append(bytes.Clone(kept), make([]byte, 200_000)...), 0o600); err != nil {
			t.Fatal(err)
		}
		if rep, err := Run(context.Background(), cfg); err != nil || rep.Duplicate != 4 {
			t.Errorf("%d bytes and zeros: %+v, %v", len(kept), rep, err)
		}
	}
	// Of another source: not believed.
	if err := os.WriteFile(name, bytes.Replace(whole, []byte(cfg.Tenant.String()), []byte(cfg.Source.String()), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if rep, err := Run(context.Background(), cfg); err != nil || rep.DoneBefore != 0 || rep.Duplicate != 4 {
		t.Errorf("foreign checkpoint: %+v, %v", rep, err)
	}
}

func TestChangedFileIsOfferedAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, file string){
		"longer": func(t *testing.T, file string) {
			if err := os.WriteFile(file, []byte(mail(3)+"changed"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"another of the same size and time": func(t *testing.T, file string) {
			st, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			err = errors.Join(os.WriteFile(file+"~", []byte(mail(3)), 0o600), os.Chtimes(file+"~", st.ModTime(), st.ModTime()), os.Rename(file+"~", file))
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { offeredAgain(t, change) })
	}
}

// offeredAgain interrupts an import, changes the file that was taken, and goes
// on.
func offeredAgain(t *testing.T, change func(t *testing.T, file string)) {
	dir := tree(t, map[string]string{"1.eml": mail(1), "2.eml": mail(2)})
	f := newFakeArchive()
	cfg := config(t, f, dir)
	cfg.State, cfg.Workers = t.TempDir(), 1
	ctx, cancel := context.WithCancel(context.Background())
	f.before = func(context.Context, archive.Submission) error { cancel(); return nil }
	if _, err := Run(ctx, cfg); err == nil {
		t.Fatal("not cancelled")
	}
	change(t, filepath.Join(dir, f.subs[0].Origin))
	f.before = nil
	if rep, err := Run(context.Background(), cfg); err != nil || rep.DoneBefore != 0 || rep.Stored != 2 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestBusyArchiveIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"1.eml": mail(1), "box": mboxOf(mail(2), mail(3))})
	f := newFakeArchive()
	var n atomic.Int64
	f.before = func(context.Context, archive.Submission) error {
		if n.Add(1) <= 7 {
			return fmt.Errorf("commit: %w", archive.ErrBusy)
		}
		return nil
	}
	rep, err := Run(context.Background(), config(t, f, dir))
	if err != nil || rep.Stored != 3 || rep.Failed != 0 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestArchiveThatTakesNothingEndsTheRun(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for i := range 60 {
		files[fmt.Sprintf("%d.eml", i)] = mail(i)
	}
	dir := tree(t, files)
	for name, fail := range map[string]error{"busy": archive.ErrBusy, "broken": errors.New("no database")} {
		f := newFakeArchive()
		f.before = func(context.Context, archive.Submission) error { return fail }
		cfg := config(t, f, dir)
		cfg.State = t.TempDir()
		rep, err := Run(context.Background(), cfg)
		if !errors.Is(err, ErrArchive) || !errors.Is(err, fail) || rep.Finished || rep.Stored != 0 {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
		f.before = nil
		rep, err = Run(context.Background(), cfg)
		if err != nil || rep.Stored != 60 || !rep.Complete() {
			t.Errorf("%s: after the trouble: %+v, %v", name, rep, err)
		}
	}
}
