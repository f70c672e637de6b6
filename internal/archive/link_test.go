package archive_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
)

func TestLinksExpire(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	i, err := r.Invite(t.Context(), r.user("anna"))
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(i.URL, "#")
	r.forward(time.Hour - time.Second)
	if _, err := r.Link(t.Context(), token); err != nil {
		t.Error(err)
	}
	r.forward(time.Second)
	if _, err := r.Link(t.Context(), token); !errors.Is(err, archive.ErrLink) {
		t.Errorf("expired: %v", err)
	}
	if _, err := r.UseLink(t.Context(), token, "ein neues langes wort", ""); !errors.Is(err, archive.ErrLink) {
		t.Errorf("expired: %v", err)
	}
	// Many at the same time use a link once.
	if i, err = r.Invite(t.Context(), r.user("anna")); err != nil {
		t.Fatal(err)
	}
	_, token, _ = strings.Cut(i.URL, "#")
	used := make([]error, 6)
	var wg sync.WaitGroup
	for n := range used {
		wg.Go(func() { _, used[n] = r.UseLink(t.Context(), token, fmt.Sprintf("ein neues langes wort %d", n), "") })
	}
	wg.Wait()
	worked := 0
	for _, err := range used {
		if err == nil {
			worked++
		} else if !errors.Is(err, archive.ErrLink) {
			t.Error(err)
		}
	}
	if worked != 1 {
		t.Errorf("used %d times", worked)
	}
}

// TestLinksEndWithTheUser has somebody disabled and enabled again: what was sent before
// opens nothing any more.
func TestLinksEndWithTheUser(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	i := must(r.Invite(t.Context(), r.user("anna")))(t)
	_, token, _ := strings.Cut(i.URL, "#")
	for _, off := range []bool{true, false} {
		u := r.user("anna")
		u.Disabled = off
		if err := r.ChangeUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Link(t.Context(), token); !errors.Is(err, archive.ErrLink) {
			t.Errorf("disabled %v: %v", off, err)
		}
	}
}
