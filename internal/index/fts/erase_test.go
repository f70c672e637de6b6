package fts_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/fts"
	"github.com/muniment/muniment/internal/uid"
)

// Of what was erased nothing is left in the files: no word, no beginning of one, no
// name, no address, and not in what was free before either.
func TestEraseLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x, err := fts.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	tenant := uid.New(time.Now())
	at := time.Date(2025, 5, 5, 12, 0, 0, 0, time.UTC)
	doc := func(n int, canary string) index.Doc {
		return index.Doc{ID: uid.New(at.Add(time.Duration(n) * time.Minute)), Date: at.Add(time.Duration(n) * time.Minute), Subject: "offer " + canary,
			From: []index.Party{{Name: canary + " person", Address: canary + "@example.com"}}, To: []index.Party{{Address: "info@example.com"}},
			Body: fmt.Sprintf("text %d of many words %s ", n, canary) + strings.Repeat("filler words here ", 30), Files: []index.File{{Name: canary + ".pdf", Type: "application/pdf"}},
			Category: "cat" + canary, Access: []string{"info@example.com"}}
	}
	var gone []uid.ID
	for n := range 60 { // in several commits, so that there are segments that are merged
		d := doc(n, fmt.Sprintf("keepword%d", n))
		if n%7 == 3 {
			d = doc(n, fmt.Sprintf("zzcanary%d", n))
			gone = append(gone, d.ID)
		}
		if err := x.Add(t.Context(), tenant, []index.Doc{d, doc(100+n, "common")}); err != nil {
			t.Fatal(err)
		}
	}
	if !found(t, dir, "zzcanary3") {
		t.Fatal("the canary is not found before: the test finds nothing")
	}
	for range 2 { // again is no error
		if err := x.Erase(t.Context(), tenant, gone); err != nil {
			t.Fatal(err)
		}
	}
	if found(t, dir, "zzcanary") || found(t, dir, "canary") {
		t.Error("the canary is left in the files")
	}
	if !found(t, dir, "keepword5") {
		t.Error("what stays is gone")
	}
	if err := x.Check(t.Context(), tenant); err != nil {
		t.Error(err)
	}
	n := 0
	if err := x.IDs(t.Context(), tenant, func(uid.ID) error { n++; return nil }); err != nil || n != 120-len(gone) {
		t.Errorf("%d documents, %v; want %d", n, err, 120-len(gone))
	}
}

// A search that goes on keeps the log written ahead: Erase says so soon, the search is not
// disturbed, and another Erase does what is left.
func TestEraseDuringSearch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x, err := fts.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	tenant, at := uid.New(time.Now()), time.Date(2025, 5, 5, 12, 0, 0, 0, time.UTC)
	var docs []index.Doc
	for n, word := range []string{"keepword", "zzcanary"} {
		docs = append(docs, index.Doc{ID: uid.New(at.Add(time.Duration(n) * time.Minute)), Date: at, Subject: word, From: []index.Party{{Address: word + "@example.com"}}, Access: []string{"info@example.com"}})
	}
	if err := x.Add(t.Context(), tenant, docs); err != nil {
		t.Fatal(err)
	}
	gone, n := []uid.ID{docs[1].ID}, 0
	err = x.IDs(t.Context(), tenant, func(uid.ID) error {
		if n++; n == 1 {
			if err := x.Erase(t.Context(), tenant, gone); err == nil || !strings.Contains(err.Error(), "search") {
				t.Errorf("during a search: %v", err)
			}
		}
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("the search found %d, %v", n, err)
	}
	if err := x.Erase(t.Context(), tenant, gone); err != nil {
		t.Fatal(err)
	}
	if found(t, dir, "canary") || !found(t, dir, "keepword") {
		t.Error("the canary is left in the files, or what stays is gone")
	}
}

func found(t *testing.T, dir, word string) bool {
	t.Helper()
	hit := false
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		hit = hit || bytes.Contains(b, []byte(word))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hit
}
