package oauthd

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Box is a mailbox as Graph shows it. Fill it before it is used.
type Box struct {
	Address string
	Folders []*Folder
}

// Folder is one of its folders.
type Folder struct {
	ID, Name, WellKnown string
	Hidden, Search      bool
	Folders             []*Folder
	Messages            []*Message
}

// Message is one of its messages.
type Message struct {
	ID       string
	Raw      []byte
	Received time.Time
	Read     bool
	Flagged  bool
}

// Mailbox adds a mailbox with an inbox, sent items, drafts, junk, deleted items and
// a folder in a folder.
func (s *Server) Mailbox(address string) *Box {
	b := &Box{Address: address}
	for _, f := range [][2]string{{"Posteingang", "inbox"}, {"Gesendete Elemente", "sentitems"}, {"Entwürfe", "drafts"}, {"Junk", "junkemail"}, {"Gelöscht", "deleteditems"}} {
		b.Folders = append(b.Folders, &Folder{ID: "f-" + f[1], Name: f[0], WellKnown: f[1]})
	}
	b.Folders[0].Folders = []*Folder{{ID: "f-sub", Name: "Kunden/2024"}}
	b.Folders = append(b.Folders, &Folder{ID: "f-search", Name: "Ungelesen", Search: true}, &Folder{ID: "f-hidden", Name: "Verlauf", Hidden: true})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.boxes = append(s.boxes, b)
	return b
}

// Add puts messages into a folder.
func (b *Box) Add(folder string, raws ...[]byte) {
	f := find(b.Folders, folder)
	for _, raw := range raws {
		n := len(f.Messages)
		f.Messages = append(f.Messages, &Message{ID: fmt.Sprintf("AAkALg=-_%s-%d", f.ID, n), Raw: raw,
			Received: time.Date(2024, 3, 1, 8, n%60, 0, 0, time.UTC), Read: n%2 == 0, Flagged: n%3 == 0})
	}
}

func find(list []*Folder, id string) *Folder {
	for _, f := range list {
		if f.ID == id || f.WellKnown != "" && f.WellKnown == id {
			return f
		}
		if x := find(f.Folders, id); x != nil {
			return x
		}
	}
	return nil
}

func (s *Server) graph(mux *http.ServeMux) {
	for path, h := range map[string]func(http.ResponseWriter, *http.Request, *Box){
		"/v1.0/users":                                      s.users,
		"/v1.0/users/{user}/mailFolders":                   s.folders,
		"/v1.0/users/{user}/mailFolders/{id}":              s.folder,
		"/v1.0/users/{user}/mailFolders/{id}/childFolders": s.folders,
		"/v1.0/users/{user}/mailFolders/{id}/messages":     s.messages,
		"/v1.0/users/{user}/messages/{id}/$value":          s.mime,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { s.guarded(w, r, h) })
	}
}

// fail says no in Graph's way.
func fail(w http.ResponseWriter, status int, code string) {
	answer(w, status, map[string]any{"error": map[string]any{"code": code, "message": "as the test wants it", "innerError": nil}})
}

func (s *Server) guarded(w http.ResponseWriter, r *http.Request, h func(http.ResponseWriter, *http.Request, *Box)) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	_, ok := s.valid[token]
	s.mu.Unlock()
	mime := strings.HasSuffix(r.URL.Path, "$value")
	if mime && s.is(TokenExpires) {
		s.Forget()
		ok = false
	}
	switch {
	case !ok:
		fail(w, http.StatusUnauthorized, "InvalidAuthenticationToken")
		return
	case s.is(Storm429):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusTooManyRequests, "ApplicationThrottled")
		return
	case s.is(Storm503):
		fail(w, http.StatusGatewayTimeout, "serviceNotAvailable")
		return
	case !mime && s.anything(w, r, HugeList, GraphRedirects):
		return
	case !mime && s.is(HTMLForList):
		html(w)
		return
	}
	box := s.boxOf(r.PathValue("user"))
	switch {
	case r.PathValue("user") == "":
	case s.is(NoAccess):
		fail(w, http.StatusForbidden, "ErrorAccessDenied")
		return
	case box == nil || s.is(NoMailbox):
		fail(w, http.StatusNotFound, "MailboxNotEnabledForRESTAPI")
		return
	case r.Header.Get("Prefer") != `IdType="ImmutableId"`:
		fail(w, http.StatusBadRequest, "the test wants immutable ids")
		return
	}
	h(w, r, box)
}

func (s *Server) boxOf(user string) *Box {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.boxes {
		if b.Address == user {
			return b
		}
	}
	return nil
}

// page answers with the part of a list that is asked for, and the way to the next.
func (s *Server) page(w http.ResponseWriter, r *http.Request, all []map[string]any, size int) {
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skip")) // what is no number is the beginning
	end := min(skip+size, len(all))
	out := map[string]any{"@odata.context": "x", "value": all[min(skip, end):end]}
	here := "http://" + r.Host + r.URL.Path + "?$skip="
	switch {
	case s.is(NextElsewhere):
		out["@odata.nextLink"] = "http://localhost:1/v1.0/users?$skip=" + strconv.Itoa(end)
	case end < len(all) || s.is(NextForever):
		out["@odata.nextLink"] = here + strconv.Itoa(end)
		if end >= len(all) {
			out["@odata.nextLink"] = here + strconv.Itoa(skip+size)
		}
	case s.is(NextLoops):
		out["@odata.nextLink"] = here + "0"
	}
	answer(w, http.StatusOK, out)
}

func (s *Server) users(w http.ResponseWriter, r *http.Request, _ *Box) {
	s.mu.Lock()
	all := []map[string]any{{"id": "u-none", "displayName": "Meeting room without a mailbox", "mail": nil, "userPrincipalName": "room@x.example"}}
	for _, b := range s.boxes {
		all = append(all, map[string]any{"id": "u-" + b.Address, "mail": b.Address, "userPrincipalName": b.Address, "displayName": "Ä " + b.Address})
	}
	s.mu.Unlock()
	s.page(w, r, all, 2)
}

func (s *Server) folders(w http.ResponseWriter, r *http.Request, b *Box) {
	list, parent := b.Folders, r.PathValue("id")
	if parent != "" {
		f := find(b.Folders, parent)
		if f == nil {
			fail(w, http.StatusNotFound, "ErrorItemNotFound")
			return
		}
		list = f.Folders
		if s.is(FolderLoop) {
			list = []*Folder{f}
		}
	}
	var all []map[string]any
	for _, f := range list {
		if f.Hidden && r.URL.Query().Get("includeHiddenFolders") != "true" && r.URL.Query().Get("$skip") == "" {
			continue
		}
		all = append(all, s.shown(f))
	}
	s.page(w, r, all, 100)
}

func (s *Server) shown(f *Folder) map[string]any {
	out := map[string]any{"id": f.ID, "displayName": f.Name, "childFolderCount": len(f.Folders), "totalItemCount": len(f.Messages), "isHidden": f.Hidden}
	if f.Search {
		out["@odata.type"] = "#microsoft.graph.mailSearchFolder"
	}
	if s.is(FolderLoop) {
		out["childFolderCount"] = 1
	}
	return out
}

func (s *Server) folder(w http.ResponseWriter, r *http.Request, b *Box) {
	f := find(b.Folders, r.PathValue("id"))
	if f == nil {
		fail(w, http.StatusNotFound, "ErrorItemNotFound")
		return
	}
	answer(w, http.StatusOK, s.shown(f))
}

func (s *Server) messages(w http.ResponseWriter, r *http.Request, b *Box) {
	f := find(b.Folders, r.PathValue("id"))
	if f == nil || s.is(FolderGone) && f.ID == "f-sub" {
		fail(w, http.StatusNotFound, "ErrorItemNotFound")
		return
	}
	var all []map[string]any
	repeats := s.is(Repeats)
	for i, m := range f.Messages {
		flag := "notFlagged"
		if m.Flagged {
			flag = "flagged"
		}
		x := map[string]any{"id": m.ID, "receivedDateTime": m.Received.Format(time.RFC3339), "isRead": m.Read, "flag": map[string]any{"flagStatus": flag}, "@odata.etag": "W/x"}
		if s.is(NullMembers) {
			x = map[string]any{"id": m.ID, "receivedDateTime": nil, "isRead": nil, "flag": nil}
		}
		all = append(all, x)
		if repeats && i%2 == 0 {
			all = append(all, x)
		}
	}
	s.page(w, r, all, s.opts.Page)
}
