package archive

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// Acts of records, and of events, besides the downloads.
const (
	actSearched = "mail.searched" // a page of results
	actCounted  = "mail.counted"  // the distribution of results
	actRead     = "message.read"
	actShown    = "message.shown" // its HTML
	actProof    = "evidence.downloaded"
	actExport   = "mail.exported" // a bundle of many messages is begun
	actExported = "message.exported"
)

// Bounds of lists of records.
const (
	recordPage  = 200
	readersPage = 500
)

// Granted reports whether the handle reads under a request for access.
func (h *Handle) Granted() bool { return h.actor.Grant != nil }

// record writes what is about to be read under a grant into its records and into the
// event log, in one transaction; without a grant it does nothing. Nobody may get what
// could not be recorded: ErrAccessOver if the access has ended meanwhile.
func (h *Handle) record(ctx context.Context, act string, row *catalog.Message, query string) error {
	g := h.actor.Grant
	if g == nil {
		return nil
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	r := &catalog.AccessRecord{Tenant: h.actor.Tenant, ID: uid.New(now), Request: g.Request, User: h.actor.User, At: now, Act: act, Query: query,
		Addresses: h.actor.Addresses, Peer: h.actor.Peer}
	details := map[string]string{"request": g.Request.String()}
	if query != "" {
		details["query"] = query
	}
	object := g.Request.String()
	if row != nil {
		r.Object, r.Addresses = row.AOID.String(), h.actor.Why(accessParties(row.Parties))
		if g.All {
			r.Addresses = partyAddresses(row)
		}
		object = r.Object
	}
	err := h.a.catalog.AddAccessRecord(ctx, r, h.event(act, object, details))
	if errors.Is(err, catalog.ErrAccessState) {
		return ErrAccessOver
	}
	return err
}

// maxRecorded bounds the addresses of a record.
const maxRecorded = 100

// partyAddresses are whose mail a message is, each once.
func partyAddresses(row *catalog.Message) []string {
	var list []string
	for _, p := range row.Parties {
		if len(list) < maxRecorded && !slices.Contains(list, p.Address) {
			list = append(list, p.Address)
		}
	}
	return list
}

// RecordRequest chooses records. Zero members choose all; days are those of the
// tenant's time zone, both inclusive.
type RecordRequest struct {
	Request  uid.ID
	User     uid.ID
	Address  string
	From, To string
	Before   uid.ID // of the previous page
}

// RecordView is a record with the names and the reason that belong to it.
type RecordView struct {
	catalog.AccessRecord
	UserName string
	Reason   string
	Covert   bool
}

// RecordPage is a page of records, the newest first.
type RecordPage struct {
	Records []RecordView
	Next    uid.ID // zero: the end
}

// AccessRecords lists what was read under requests, for the data-protection officer.
func (h *Handle) AccessRecords(ctx context.Context, r RecordRequest) (*RecordPage, error) {
	if err := h.actor.Check(access.SeeAccessRecords); err != nil {
		return nil, err
	}
	q, err := h.parse(ctx, "")
	if err != nil {
		return nil, err
	}
	f := catalog.RecordFilter{User: r.User, Before: r.Before}
	if f.From, f.To, err = days(r.From, r.To, q.Zone()); err != nil {
		return nil, err
	}
	if !r.Request.IsZero() {
		f.Requests = []uid.ID{r.Request}
	}
	about, err := h.requestsByID(ctx)
	if err != nil {
		return nil, err
	}
	names, err := h.names(ctx)
	if err != nil {
		return nil, err
	}
	address := message.NormalizeAddress(r.Address)
	list, err := h.a.catalog.AccessRecords(ctx, h.actor.Tenant, f, recordPage)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	page := &RecordPage{}
	for _, x := range list {
		if r.Address == "" || slices.Contains(x.Addresses, address) {
			of := about[x.Request]
			page.Records = append(page.Records, RecordView{AccessRecord: *x, UserName: names[x.User], Reason: of.Reason, Covert: of.Covert != ""})
		}
	}
	if len(list) == recordPage {
		page.Next = list[len(list)-1].ID
	}
	return page, nil
}

// requestsByID are all requests of the tenant.
func (h *Handle) requestsByID(ctx context.Context) (map[uid.ID]catalog.AccessRequest, error) {
	list, err := h.a.catalog.AccessRequests(ctx, h.actor.Tenant, catalog.AccessFilter{}, maxRequestRows)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	out := make(map[uid.ID]catalog.AccessRequest, len(list))
	for _, r := range list {
		out[r.ID] = *r
	}
	return out, nil
}

// maxRequestRows bounds how many requests are read to explain records.
const maxRequestRows = 100_000

// Readers is who has read mail of the actor's own addresses, the newest first.
type Readers struct {
	Told    bool // false: the tenant does not tell
	Records []RecordView
}

// Readers tells the actor who has read its mail under requests that are not covert, if
// the tenant tells. Of each record only the actor's own addresses are named.
func (h *Handle) Readers(ctx context.Context) (*Readers, error) {
	if err := h.actor.Check(access.SeeReaders); err != nil {
		return nil, err
	}
	silent, err := h.a.silent(ctx, h.actor.Tenant)
	if err != nil || silent {
		return &Readers{}, err
	}
	about, err := h.requestsByID(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := h.a.routing(ctx, h.actor.Tenant)
	if err != nil {
		return nil, err
	}
	out := &Readers{Told: true}
	var mine []uid.ID
	for id, r := range about {
		all := r.Kind == string(access.Export) && len(r.Addresses) == 0
		if r.Covert == "" && (all || len(common(rules.mailboxAddresses(r.Addresses), h.actor.Addresses)) > 0) {
			mine = append(mine, id)
		}
	}
	if len(mine) == 0 {
		return out, nil
	}
	names, err := h.names(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.a.catalog.AccessRecords(ctx, h.actor.Tenant, catalog.RecordFilter{Requests: mine}, readersPage)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	for _, x := range list {
		if own := common(x.Addresses, h.actor.Addresses); len(own) > 0 {
			x.Addresses, x.Query, x.Peer = own, "", "" // what was looked for may tell of others
			out.Records = append(out.Records, RecordView{AccessRecord: *x, UserName: names[x.User], Reason: about[x.Request].Reason})
		}
	}
	return out, nil
}

// common lists what is in both, in the order of list.
func common(list, other []string) []string {
	var out []string
	for _, s := range list {
		if slices.Contains(other, s) {
			out = append(out, s)
		}
	}
	return out
}

// silent reports whether the people of a tenant are not told who has read their mail.
func (a *Archive) silent(ctx context.Context, tenant uid.ID) (bool, error) {
	p, err := a.catalog.AccessPolicy(ctx, tenant)
	if errors.Is(err, catalog.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return p.Silent, nil
}

// TellsPeople reports whether the people of the tenant learn who has read their mail.
func (h *Handle) TellsPeople(ctx context.Context) (bool, error) {
	if err := h.actor.Check(access.SeeAccessRecords); err != nil {
		return false, err
	}
	silent, err := h.a.silent(ctx, h.actor.Tenant)
	return !silent, err
}

// TellPeople says whether the people of the tenant learn who has read their mail.
func (h *Handle) TellPeople(ctx context.Context, tell bool) error {
	if err := h.actor.Check(access.SeeAccessRecords); err != nil {
		return err
	}
	silent, err := h.a.silent(ctx, h.actor.Tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return err
	}
	e := h.event("access.policy-changed", "", map[string]string{"before": onOff(!silent), "after": onOff(tell)})
	err = h.a.catalog.SetAccessPolicy(ctx, &catalog.AccessPolicy{Tenant: h.actor.Tenant, Silent: !tell, ChangedAt: h.a.now().UTC().Truncate(time.Millisecond),
		ChangedBy: "user:" + h.actor.User.String()}, e)
	if err != nil {
		return err
	}
	return h.a.describeTenant(ctx, h.actor.Tenant)
}
