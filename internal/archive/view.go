package archive

import (
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// SearchRequest asks for one page of messages the actor may see.
type SearchRequest struct {
	Query  string // the query language of docs/search.md
	Cursor string
	Limit  int // 1 to 200
	Oldest bool
}

// SearchPage is one page of results, in order.
type SearchPage struct {
	Hits   []Hit
	Next   string
	Total  int  // of the first page; 0 on all others
	Exact  bool // false: there are more than Total
	Parsed *query.Query
}

// Hit is one line of a result list.
type Hit struct {
	ID          uid.ID
	Date        time.Time
	ReceivedAt  time.Time
	Parties     []catalog.Party // as the actor may see them
	Subject     string
	Snippet     query.Snippet
	Size        int64 // 0 if it would tell of blind copies that the actor may not see
	Attachments int
	Category    string
	Tags        []string
	File        *catalog.File // nil: it is mail
}

// Integrity is the result of comparing what is stored with what arrived.
type Integrity struct {
	Intact    bool
	CheckedAt time.Time
	Problem   string // what is wrong and which object
}

// MessageView is an archived message as the actor may see it. BCC parties,
// header fields and captures that the actor may not know of are left out.
type MessageView struct {
	Row       *catalog.Message // without what the actor may not see
	Facts     *message.Facts   // parsed now from the stored bytes; nil if they are damaged
	Headers   []message.Header // decoded now from the stored bytes; empty if they are damaged
	Captures  []CaptureView
	BccHidden bool
	Why       []string // the actor's addresses that are parties
	Retention *RetentionOf
	Integrity Integrity
}

// CaptureView is a capture with the name of its source.
type CaptureView struct {
	catalog.Capture
	SourceName string
	SourceKind string
	// FromHeaders says that the arrival tells nothing of the recipients: only the
	// header does, and blind copies cannot be known (CAP-1).
	FromHeaders bool
	Workspace   bool // its source is marked as Google Workspace
}

// Download is the bytes of a message or of an attachment.
type Download struct {
	Name     string // proposal for a file name
	Type     string
	Size     int64 // bytes, or -1 if unknown
	SHA256   [32]byte
	Redacted bool // header fields with blind copies were left out
}

// Facets are counts over all matches.
type Facets = index.Facets
