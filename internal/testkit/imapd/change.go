package imapd

import (
	"slices"
	"strings"
)

func (c *session) store(cmd *command) {
	flags := strings.Fields(strings.Trim(cmd.arg(2), "()"))
	action := strings.ToUpper(cmd.arg(1))
	switch {
	case c.readOnly || c.s.is(StoreRefused):
		c.sayf("%s NO nothing can be changed here", cmd.tag)
		return
	case !strings.HasPrefix(action, "+FLAGS"):
		c.sayf("%s BAD only +FLAGS is known", cmd.tag)
		return
	case !c.s.is(StoreLies):
		c.s.mu.Lock()
		f := c.s.make(c.folder)
		for _, m := range f.within(parseSet(cmd.arg(0), f.UIDNext-1)) {
			for _, flag := range flags {
				if p := f.find(m.UID); !p.has(flag) {
					p.Flags = append(p.Flags, flag)
				}
			}
		}
		c.s.mu.Unlock()
	}
	c.done(cmd)
}

func (c *session) expunge(cmd *command) {
	switch {
	case c.readOnly || c.s.is(ExpungeFails):
		c.sayf("%s NO [%s] nothing can be expunged here", cmd.tag, c.word("CANNOT"))
		return
	case !c.s.is(ExpungeLies):
		c.s.mu.Lock()
		f := c.s.make(c.folder)
		set := []span{{1, ^uint32(0)}}
		if cmd.name == "UID EXPUNGE" {
			set = parseSet(cmd.arg(0), f.UIDNext-1)
		}
		f.Messages = slices.DeleteFunc(f.Messages, func(m Message) bool {
			gone := m.has(`\Deleted`) && contains(set, m.UID)
			if gone {
				f.deleted = append(f.deleted, m.UID)
			}
			return gone
		})
		c.s.notify(f)
		c.s.mu.Unlock()
	}
	c.sync()
	c.done(cmd)
}

// search knows ALL, DELETED, UID and NOT UID.
func (c *session) search(cmd *command) {
	c.s.mu.Lock()
	f := c.s.make(c.folder)
	last := f.UIDNext - 1
	all := slices.Clone(f.Messages)
	c.s.mu.Unlock()
	var not []span
	only := []span{{1, ^uint32(0)}}
	deleted := false
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(strings.Join(cmd.args, " ")))
	for i, w := range words {
		switch strings.ToUpper(w) {
		case "DELETED":
			deleted = true
		case "UID":
			switch {
			case i+1 == len(words):
			case i > 0 && strings.EqualFold(words[i-1], "NOT"):
				not = parseSet(words[i+1], last)
			default:
				only = parseSet(words[i+1], last)
			}
		}
	}
	var out strings.Builder
	for i, m := range all {
		if c.s.is(SearchIncomplete) && i%3 == 1 {
			continue
		}
		if contains(only, m.UID) && (!deleted || m.has(`\Deleted`)) && !contains(not, m.UID) {
			out.WriteString(" " + uint32String(m.UID))
		}
	}
	if c.s.is(SearchOdd) {
		found := strings.Fields(out.String())
		slices.Reverse(found)
		for _, uid := range append(slices.Clone(found), "4000000000", uint32String(last+7)) {
			out.WriteString(" " + uid)
		}
	}
	c.sayf("* %s%s", c.word("SEARCH"), out.String())
	c.done(cmd)
}
