package archive_test

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
)

// Everything that is read is recorded, told to the dpo, and to whom it concerns.
func TestReadingIsRecorded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	v := o.approved(o.wants("anna@acme.example"))
	h := o.within(v)
	id := o.mails["offer"]
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	o.finds(h, "walnuesse")
	must(second(h.Facets(ctx, "walnuesse")))
	must(second(h.Message(ctx, id)))
	body, _, err := h.Raw(ctx, id)
	must(err)
	must(second(io.ReadAll(body)))
	must(body.Close())
	if _, err := h.Blocked(ctx, id); err == nil {
		t.Error("a text has HTML")
	}
	page, err := o.as("dpo").AccessRecords(ctx, archive.RecordRequest{})
	must(err)
	var acts []string
	for _, r := range page.Records {
		acts = append(acts, r.Act)
		if r.UserName != "auditor" || r.Reason != "Verdacht auf Betrug" || !slices.Equal(r.Addresses, []string{"anna@acme.example"}) {
			t.Errorf("%+v", r)
		}
	}
	slices.Sort(acts)
	if want := []string{"mail.counted", "mail.searched", "message.downloaded", "message.read"}; !slices.Equal(acts, want) {
		t.Errorf("recorded %v, want %v", acts, want)
	}
	for name, r := range map[string]archive.RecordRequest{"another request": {Request: id}, "another user": {User: id}, "another address": {Address: "bernd@acme.example"}, "another day": {To: "2026-05-03"}} {
		if page, err := o.as("dpo").AccessRecords(ctx, r); err != nil || len(page.Records) != 0 {
			t.Errorf("%s: %v %v", name, page, err)
		}
	}
	for _, who := range []string{"admin", "auditor", "anna"} {
		if _, err := o.as(who).AccessRecords(ctx, archive.RecordRequest{}); !errors.Is(err, access.ErrForbidden) {
			t.Errorf("%s sees the records: %v", who, err)
		}
	}
	// The event log has them as well, in the same order and number.
	events, err := o.Catalog.Events(ctx, o.tenant.ID, 0, 500)
	must(err)
	logged := 0
	for _, e := range events {
		if e.Details["request"] == v.ID.String() {
			logged++
		}
	}
	if logged != 4 {
		t.Errorf("the log has %d of 4 acts", logged)
	}
	readers := func(who string) *archive.Readers {
		t.Helper()
		r, err := o.as(who).Readers(ctx)
		must(err)
		return r
	}
	if r := readers("anna"); !r.Told || len(r.Records) != 4 || r.Records[0].Query != "" || r.Records[3].UserName != "auditor" {
		t.Errorf("anna learns %+v", r)
	}
	if r := readers("bernd"); len(r.Records) != 0 {
		t.Errorf("bernd, whose mailbox nobody asked for, learns %+v", r)
	}
	// A covert request is told to the dpo alone.
	covert := o.wants("carla@acme.example")
	covert.Covert = "§ 100a StPO, Beschluss vom 1. Mai"
	must(second(o.within(o.approved(covert)).Message(ctx, id)))
	if r := readers("carla"); len(r.Records) != 0 {
		t.Errorf("carla learns %+v", r)
	}
	if page, err := o.as("dpo").AccessRecords(ctx, archive.RecordRequest{Address: "Carla@acme.example"}); err != nil || len(page.Records) != 1 || !page.Records[0].Covert {
		t.Errorf("the dpo sees %+v %v", page, err)
	}
	must(o.as("dpo").TellPeople(ctx, false))
	if r := readers("anna"); r.Told || len(r.Records) != 0 {
		t.Errorf("anna is told %+v", r)
	}
	if err := o.as("admin").TellPeople(ctx, true); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("the administrator changes the policy: %v", err)
	}
}
