package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// A deletion that a crash has interrupted goes on as soon as the server runs, which
// has the caretaker run all the time.
func TestServeFinishesErasures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mail := filepath.Join(dir, "mail.eml")
	write(t, mail, "Subject: gut\r\n\r\nText\r\n")
	g := Globals{Data: filepath.Join(dir, "data")}
	want(t, exitOK, "", "--data", g.Data, "tenant", "create", "acme")
	want(t, exitOK, "", "--data", g.Data, "import", "acme", mail, "--quiet")
	a, err := g.open(t.Context(), &streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}}, shared)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	tenant, message := interruptedErasure(t, a)
	ctx, stop := context.WithCancel(t.Context())
	ended := background(func() { a.caretaker(ctx) })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		s, err := a.catalog.Tombstone(t.Context(), tenant, message)
		if err != nil || time.Now().After(deadline) {
			t.Errorf("the deletion does not go on: %v", err)
			break
		}
		if len(s.Rest) == 0 {
			break
		}
	}
	stop()
	<-ended
}

// interruptedErasure leaves a deletion as a crash right after its transaction does.
func interruptedErasure(t *testing.T, a *app) (tenant, message uid.ID) {
	t.Helper()
	acme, err := a.tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	list, err := a.catalog.MessagesAfter(t.Context(), acme.ID, 0, 2)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d messages, %v", len(list), err)
	}
	m := list[0]
	s := &catalog.Tombstone{Tenant: acme.ID, AOID: m.AOID, Size: m.Size, ReceivedAt: m.ReceivedAt, Source: m.Source, Class: m.Class, DeletedAt: time.Now(), CarriedBy: "cli",
		Rest: fmt.Appendf(nil, `{"frames":[{"Segment":%q,"Frame":%d}]}`, m.Segment, m.Frame)}
	if err := a.catalog.Erase(t.Context(), acme.ID, catalog.Erasure{Tombstones: []*catalog.Tombstone{s}}); err != nil {
		t.Fatal(err)
	}
	return acme.ID, m.AOID
}
