package upload

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

var anna, bernd = Owner{uid.ID{1}, uid.ID{2}}, Owner{uid.ID{1}, uid.ID{3}}

type clock struct{ at time.Time }

func open(t *testing.T, dir string, now *clock) *Store {
	t.Helper()
	s, err := NewStore(Config{Dir: dir, MaxSize: 100, PerTenant: 150, Now: func() time.Time { return now.at }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T, s *Store, o Owner, size int64) *Upload {
	t.Helper()
	u, err := s.Create(Upload{Owner: o, Kind: Document, Name: "../a.pdf", Size: size, Identity: "a/1/2"})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPieces(t *testing.T) {
	t.Parallel()
	now := &clock{time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s := open(t, dir, now)
	u := create(t, s, anna, 10)
	if _, err := s.Write(anna, u.ID, 0, []byte("01234")); err != nil {
		t.Fatal(err)
	}
	var off *OffsetError
	for _, at := range []int64{0, 4, 6} {
		if _, err := s.Write(anna, u.ID, at, []byte("x")); !errors.As(err, &off) || off.Want != 5 {
			t.Errorf("at %d: %v", at, err)
		}
	}
	var limit *LimitError
	if _, err := s.Write(anna, u.ID, 5, []byte("567890")); !errors.As(err, &limit) {
		t.Errorf("too much: %v", err)
	}
	if _, err := s.Finish(anna, u.ID, ""); !errors.As(err, &off) {
		t.Errorf("unfinished: %v", err)
	}
	if got, _ := s.Take(t.Context()); got != nil {
		t.Errorf("unfinished, and handed out: %+v", got)
	}
	s = open(t, dir, now) // a restart
	got, err := s.Get(anna, u.ID)
	if err != nil || got.Received != 5 || got.State != Open || got.Name != "../a.pdf" {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := s.Write(anna, u.ID, 5, []byte("56789")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the answer may get lost
		if got, err = s.Finish(anna, u.ID, "ab"); err != nil || got.State != Waiting {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if _, err := s.Write(anna, u.ID, 10, nil); !errors.Is(err, ErrState) {
		t.Errorf("after the end: %v", err)
	}
	for range 2 {
		job, _ := s.Take(t.Context())
		if b, err := os.ReadFile(s.Data(u.ID)); job == nil || err != nil || string(b) != "0123456789" || job.SHA256 != "ab" {
			t.Fatalf("%+v %q %v", job, b, err)
		}
		if again, _ := s.Take(t.Context()); again != nil {
			t.Error("handed out twice")
		}
		s = open(t, dir, now) // a crash at work
	}
	s.Take(t.Context())
	s.Postpone(u.ID)
	s.Take(t.Context())
	if err := s.Finished(u.ID, &Result{Stored: 1, Items: []Item{{Origin: "a"}}}, ""); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, now)
	if got, err = s.Get(anna, u.ID); err != nil || got.State != Done || got.Result.Stored != 1 || len(got.Result.Items) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if l := s.List(anna); len(l) != 1 || l[0].Result.Items != nil {
		t.Errorf("%+v", l)
	}
	if _, err := os.Stat(s.Data(u.ID)); err == nil {
		t.Error("the bytes are still there")
	}
}

func TestNobodyElse(t *testing.T) {
	t.Parallel()
	now := &clock{time.Now()}
	s := open(t, t.TempDir(), now)
	u := create(t, s, anna, 5)
	for _, o := range []Owner{bernd, {uid.ID{9}, uid.ID{2}}, {}} {
		_, get := s.Get(o, u.ID)
		_, write := s.Write(o, u.ID, 0, []byte("x"))
		_, finish := s.Finish(o, u.ID, "")
		for what, err := range map[string]error{"get": get, "write": write, "finish": finish, "cancel": s.Cancel(o, u.ID)} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%s by another: %v", what, err)
			}
		}
		if l := s.List(o); len(l) != 0 {
			t.Errorf("another sees %+v", l)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	now := &clock{time.Now()}
	dir := t.TempDir()
	s := open(t, dir, now)
	var limit *LimitError
	for _, size := range []int64{-1, 0, 101} {
		if _, err := s.Create(Upload{Owner: anna, Size: size}); !errors.As(err, &limit) {
			t.Errorf("size %d: %v", size, err)
		}
	}
	first := create(t, s, anna, 100)
	s = open(t, dir, now)
	if _, err := s.Create(Upload{Owner: bernd, Size: 51}); !errors.As(err, &limit) {
		t.Errorf("more than the tenant may have: %v", err)
	}
	create(t, s, Owner{uid.ID{7}, uid.ID{2}}, 51) // another tenant
	if err := s.Cancel(anna, first.ID); err != nil {
		t.Fatal(err)
	}
	create(t, s, bernd, 51)
	if _, err := os.Stat(filepath.Join(dir, first.ID.String())); err == nil {
		t.Error("what was cancelled is still there")
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	now := &clock{time.Now()}
	s := open(t, t.TempDir(), now)
	u := create(t, s, anna, 5)
	now.at = now.at.Add(23 * time.Hour)
	if _, err := s.Write(anna, u.ID, 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	now.at = now.at.Add(23 * time.Hour)
	if err := s.Sweep(); err != nil || len(s.List(anna)) != 1 {
		t.Fatalf("forgotten too early: %v", err)
	}
	now.at = now.at.Add(2 * time.Hour)
	if err := s.Sweep(); err != nil || len(s.List(anna)) != 0 || s.used[anna.Tenant] != 0 {
		t.Errorf("not forgotten: %v", err)
	}
}

func TestCancelAtWork(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), &clock{time.Now()})
	u := create(t, s, anna, 1)
	if _, err := s.Write(anna, u.ID, 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(anna, u.ID, ""); err != nil {
		t.Fatal(err)
	}
	_, ctx := s.Take(context.Background())
	if err := s.Cancel(anna, u.ID); err != nil || ctx.Err() == nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
	if _, err := s.Get(anna, u.ID); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	s.Postpone(u.ID)
	if len(s.all) != 0 || s.used[anna.Tenant] != 0 {
		t.Errorf("left over: %+v %v", s.all, s.used)
	}
}

// All uploads of a tenant go with it, also those that are at work, and no others.
func TestRemoveTenant(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, &clock{time.Now()})
	work := create(t, s, anna, 1)
	if _, err := s.Write(anna, work.ID, 0, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(anna, work.ID, ""); err != nil {
		t.Fatal(err)
	}
	_, ctx := s.Take(context.Background())
	create(t, s, anna, 5)
	stranger := Owner{uid.ID{9}, uid.ID{2}}
	stays := create(t, s, stranger, 5)
	if err := s.RemoveTenant(anna.Tenant); !errors.Is(err, ErrBusy) || ctx.Err() == nil {
		t.Errorf("at work: %v, %v", err, ctx.Err())
	}
	s.Postpone(work.ID) // the job has ended
	for range 2 {
		if err := s.RemoveTenant(anna.Tenant); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != stays.ID.String() || len(s.all) != 1 || s.used[anna.Tenant] != 0 {
		t.Errorf("left over: %v, %v, %+v", left, err, s.used)
	}
}

// What a crash has left half written is removed, and does no harm.
func TestDamagedUpload(t *testing.T) {
	t.Parallel()
	now := &clock{time.Now()}
	dir := t.TempDir()
	s := open(t, dir, now)
	u := create(t, s, anna, 5)
	if err := os.WriteFile(filepath.Join(dir, u.ID.String(), metaFile), bytes.Repeat([]byte{0}, 9), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := open(t, dir, now).List(anna); len(l) != 0 {
		t.Errorf("%+v", l)
	}
}
