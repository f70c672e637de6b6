// Package index is the port to full-text search. The index is derived data: it
// can be thrown away and rebuilt from vault and catalog at any time. Drivers
// are index/fts (embedded) and, later, a search cluster.
package index

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// ErrCursor is returned (wrapped) for a cursor that the index did not hand out
// for this query.
var ErrCursor = errors.New("cursor does not belong to this search")

// ErrDamaged is matched by the error of every method that finds what is stored
// damaged. Drop removes it, and the index can be made anew.
var ErrDamaged = errors.New("search index is damaged")

// Party is an address on a message as it is searched: name and address.
type Party struct {
	Name    string
	Address string // lower case
}

// File is an attachment as it is searched.
type File struct {
	Name string // as the sender wrote it, decoded
	Type string // MIME type, lower case
	Text string // text inside the attachment; empty until extraction exists
}

// Doc is what the index knows of one archived message.
type Doc struct {
	ID       uid.ID
	Date     time.Time // the date that orders results, UTC, seconds
	Size     int64     // raw bytes
	From     []Party   // from and sender
	To       []Party
	Cc       []Party
	Bcc      []Party // never matched by words without the field bcc:
	Subject  string
	Body     string // text; HTML already reduced to text
	Files    []File
	Category string
	Class    string
	Tags     []string
	Source   string // name of the source it came from first
	// Document says that it is a file and no mail: Files holds the file itself, which
	// is no attachment.
	Document bool
	// Access lists, in lower case, the addresses that may see the message: all
	// its parties. Matching is exact and inside the query.
	Access []string
	// BccAccess lists the addresses that may know the Bcc parties: the senders
	// and the Bcc recipients themselves.
	BccAccess []string
}

// Scope says for whom a search runs. The zero Scope sees nothing.
type Scope struct {
	All       bool     // sees every message of the tenant
	Addresses []string // sees messages with one of these in Doc.Access; lower case
}

// Request is one search.
type Request struct {
	Query  *query.Query
	Scope  Scope
	Limit  int    // 1 to 500 hits
	Cursor string // empty, or Result.Next of the previous page
	Oldest bool   // oldest first; the default is newest first
	// CountUpTo bounds the count: Total is exact up to it. 0 does not count.
	CountUpTo int
}

// Hit is one result.
type Hit struct {
	ID   uid.ID
	Date time.Time
}

// Result is one page of results.
type Result struct {
	Hits  []Hit
	Next  string // cursor of the following page, empty at the end
	Total int    // number of all matches, if CountUpTo asked for it
	Exact bool   // false: there are more than Total
}

// Bucket is one value of a facet with the number of matching messages.
type Bucket struct {
	Value string
	Label string // of senders: the name they use most, empty if they use none
	Count int
}

// Facets are the distributions of all matches of a request, not of one page.
type Facets struct {
	Years         []Bucket // newest first
	Senders       []Bucket // address, most frequent first, at most n
	Categories    []Bucket // most frequent first
	HasAttachment []Bucket // "yes", "no"
	Exact         bool     // false: counted over the newest matches only
}

// Index finds messages. All methods are safe for concurrent use.
type Index interface {
	// Add makes docs searchable and durable. A document whose ID is known
	// replaces the old one. After an error any subset may have been added;
	// adding again repairs that.
	Add(ctx context.Context, tenant uid.ID, docs []Doc) error
	// Remove forgets documents; unknown IDs are no error.
	Remove(ctx context.Context, tenant uid.ID, ids []uid.ID) error
	// Erase forgets documents so that nothing of what they say is left in what is stored,
	// be it a term, a name or an address. Unknown IDs are no error. It may take minutes;
	// if it was interrupted, it has to be called again.
	Erase(ctx context.Context, tenant uid.ID, ids []uid.ID) error
	// Search returns matches in date order; those of one second in an order that
	// stays the same from page to page.
	Search(ctx context.Context, tenant uid.ID, r Request) (Result, error)
	// Facets counts the matches of r by year, sender (n values at most),
	// category and attachment.
	Facets(ctx context.Context, tenant uid.ID, r Request, n int) (Facets, error)
	// People suggests senders and recipients whose name or address starts with
	// prefix, among messages that scope sees; at most n, most frequent first. An
	// empty prefix means everybody; one without a letter or digit nobody.
	People(ctx context.Context, tenant uid.ID, scope Scope, prefix string, n int) ([]Party, error)
	// Tidy rearranges what was added in many steps so that searches are fast, if
	// that is worth while. It changes no result, and adding and searching go on
	// meanwhile. It can be stopped at any moment.
	Tidy(ctx context.Context, tenant uid.ID) error
	// Check reads all that is stored for the tenant and returns what is wrong with
	// its structure: an error that matches ErrDamaged and names the place. Whether
	// the right documents are in it, IDs tells. Adding and searching go on meanwhile.
	Check(ctx context.Context, tenant uid.ID) error
	// IDs calls fn for every document of the tenant, in no order.
	IDs(ctx context.Context, tenant uid.ID, fn func(uid.ID) error) error
	// Drop removes everything of the tenant.
	Drop(ctx context.Context, tenant uid.ID) error
	// Close ends all use; what Add returned for is durable without it.
	Close() error
}
