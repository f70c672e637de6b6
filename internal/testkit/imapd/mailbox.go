package imapd

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"
	"time"
)

// Message is a message on the server.
type Message struct {
	UID   uint32
	Size  int64
	Date  time.Time
	Flags []string // "\Deleted" and the like, as clients wrote them
	Open  func() io.Reader
}

// Raw returns the bytes of the message.
func (m *Message) Raw() []byte {
	b, _ := io.ReadAll(m.Open()) // from memory
	return b
}

func (m *Message) has(flag string) bool {
	return slices.ContainsFunc(m.Flags, func(f string) bool { return strings.EqualFold(f, flag) })
}

// Mailbox is the state of a folder.
type Mailbox struct {
	UIDValidity, UIDNext uint32
	Messages             []Message // by UID
}

// folder needs the lock of its server.
type folder struct {
	Mailbox
	attributes string
	deleted    []uint32 // by clients
	version    int
}

// folder returns one, which it makes if there is none. It needs no lock and is
// for names as people write them.
func (s *Server) folder(name string) *folder {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.make(name)
}

func (s *Server) make(name string) *folder {
	f := s.folders[name]
	if f == nil {
		f = &folder{Mailbox: Mailbox{UIDValidity: 1_000_000 + uint32(len(s.folders)), UIDNext: 1}, attributes: `\HasNoChildren`}
		s.folders[name] = f
	}
	return f
}

// notify needs the lock.
func (s *Server) notify(f *folder) {
	f.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// Add puts a message into a folder, which is made if need be, and returns its
// UID. Its INTERNALDATE is 2 January 2026 and as many seconds as its UID says.
func (s *Server) Add(folder string, raw []byte) uint32 {
	raw = bytes.Clone(raw)
	return s.AddLarge(folder, int64(len(raw)), func() io.Reader { return bytes.NewReader(raw) })
}

// AddLarge is Add for a message that is made while it is sent. Open must give
// the same size bytes every time.
func (s *Server) AddLarge(folder string, size int64, open func() io.Reader) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.make(folder)
	uid := f.UIDNext
	f.UIDNext++
	f.Messages = append(f.Messages, Message{
		UID: uid, Size: size, Open: open, Date: time.Date(2026, 1, 2, 0, 0, int(uid), 0, time.UTC),
	})
	s.notify(f)
	return uid
}

// Skip raises UIDNEXT, as if messages had come and gone.
func (s *Server) Skip(folder string, by uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.make(folder).UIDNext += by
}

// AddFolder makes a folder with attributes, such as `\Sent \HasNoChildren`.
func (s *Server) AddFolder(name, attributes string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.make(name).attributes = attributes
}

// SetUIDValidity gives a folder another, as after a repair.
func (s *Server) SetUIDValidity(folder string, v uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.make(folder).UIDValidity = v
}

// Mark sets a flag, as somebody else does.
func (s *Server) Mark(folder string, uid uint32, flag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.make(folder).find(uid); m != nil {
		m.Flags = append(m.Flags, flag)
	}
}

// Dated gives a message another INTERNALDATE.
func (s *Server) Dated(folder string, uid uint32, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.make(folder).find(uid); m != nil {
		m.Date = at
	}
}

// Remove expunges a message, as somebody else does.
func (s *Server) Remove(folder string, uid uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.make(folder)
	f.Messages = slices.DeleteFunc(f.Messages, func(m Message) bool { return m.UID == uid })
	s.notify(f)
}

// Mailbox returns the present state of a folder.
func (s *Server) Mailbox(folder string) Mailbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.make(folder).Mailbox
	m.Messages = slices.Clone(m.Messages)
	for i := range m.Messages {
		m.Messages[i].Flags = slices.Clone(m.Messages[i].Flags)
	}
	return m
}

// UIDs returns those of the messages in a folder.
func (s *Server) UIDs(folder string) []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.make(folder).uids()
}

// Deleted returns the UIDs that clients have expunged from a folder, in order.
func (s *Server) Deleted(folder string) []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.make(folder).deleted)
}

func (f *folder) uids() []uint32 {
	out := make([]uint32, len(f.Messages))
	for i := range f.Messages {
		out[i] = f.Messages[i].UID
	}
	return out
}

func (f *folder) at(uid uint32) (int, bool) {
	return slices.BinarySearchFunc(f.Messages, uid, func(m Message, u uint32) int { return cmp.Compare(m.UID, u) })
}

func (f *folder) find(uid uint32) *Message {
	if i, ok := f.at(uid); ok {
		return &f.Messages[i]
	}
	return nil
}

// within returns copies of the messages in a set.
func (f *folder) within(set []span) (out []Message) {
	for _, r := range set {
		i, _ := f.at(r.low)
		for ; i < len(f.Messages) && f.Messages[i].UID <= r.high; i++ {
			out = append(out, f.Messages[i])
		}
	}
	slices.SortFunc(out, func(a, b Message) int { return cmp.Compare(a.UID, b.UID) })
	return slices.CompactFunc(out, func(a, b Message) bool { return a.UID == b.UID })
}
