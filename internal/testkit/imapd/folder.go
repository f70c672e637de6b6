package imapd

import (
	"maps"
	"slices"
	"strings"
)

func (c *session) list(cmd *command) {
	if c.s.is(HugeName) {
		c.sayf("* LIST () \"/\" {4000000000}")
	}
	if c.s.is(BrokenFolder) {
		c.sayf("* LIST (\\HasNoChildren) \"/\" \"Entw&APx-rfe &-& kaputt\"")
		c.sayf("* LIST () \"/\" \"Gel\xf6scht\"")
	}
	c.s.mu.Lock()
	names := slices.Sorted(maps.Keys(c.s.folders))
	attributes := map[string]string{}
	for _, n := range names {
		attributes[n] = c.s.folders[n].attributes
	}
	c.s.mu.Unlock()
	slices.Reverse(names)
	if c.s.is(ListTwice) {
		c.sayf("* LIST () \"/\" inbox")
		names = append(names, names...)
	}
	for i, n := range names {
		gap := ""
		if c.s.is(OddSpacing) {
			gap = " "
		}
		delimiter, name := `"/"`, encodeName(n)
		switch {
		case c.s.opts.Polite || i%3 == 0:
			name = quoted(name)
		case i%3 == 1 || strings.ContainsAny(name, ` "\(){%*`):
			c.sayf("* %s (%s) %s {%d}\r\n%s", c.word("LIST"), attributes[n], delimiter, len(name), name)
			continue
		}
		c.sayf("* %s %s(%s%s) %s%s %s", c.word("LIST"), gap, gap, attributes[n], gap, delimiter, name)
	}
	c.done(cmd)
}

func (c *session) status(cmd *command) {
	f, ok := c.find(cmd.arg(0))
	if !ok {
		c.sayf("%s NO [%s] no such folder", cmd.tag, c.word("NONEXISTENT"))
		return
	}
	c.sayf("* %s %s (%s %d %s %d %s %d)", c.word("STATUS"), quoted(cmd.arg(0)), c.word("MESSAGES"), len(f.Messages),
		c.word("UIDNEXT"), f.UIDNext, c.word("UIDVALIDITY"), f.UIDValidity)
	c.done(cmd)
}

// find returns the state of the folder with this name on the wire.
func (c *session) find(name string) (Mailbox, bool) {
	if n, ok := c.named(name); ok {
		return c.s.Mailbox(n), true
	}
	return Mailbox{}, false
}

func (c *session) named(name string) (string, bool) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for n := range c.s.folders {
		if encodeName(n) == name || strings.EqualFold(n, name) && strings.EqualFold(n, "INBOX") {
			return n, true
		}
	}
	return "", false
}

func (c *session) selectFolder(cmd *command) {
	c.folder = ""
	name, ok := c.named(cmd.arg(0))
	if !ok {
		c.sayf("%s NO [%s] no such folder", cmd.tag, c.word("NONEXISTENT"))
		return
	}
	c.s.mu.Lock()
	f := c.s.make(name)
	validity, next := f.UIDValidity, f.UIDNext
	c.view, c.version = f.uids(), f.version
	c.s.mu.Unlock()
	if c.s.is(NewUIDValidity) {
		validity += uint32(c.number)
	}
	if c.s.is(UIDNextTooLow) {
		next = 1
	}
	c.sayf("* %s (\\Answered \\Flagged \\Deleted \\Seen \\Draft $odd]flag)", c.word("FLAGS"))
	exists := len(c.view)
	switch {
	case c.s.is(ExistsTooMany):
		exists += 3
	case c.s.is(ExistsTooFew):
		exists = max(0, exists-1)
	}
	c.sayf("* %d %s", exists, c.word("EXISTS"))
	c.sayf("* 0 %s", c.word("RECENT"))
	if !c.s.is(NoUIDValidity) {
		c.sayf("* OK [%s %d] ", c.word("UIDVALIDITY"), validity)
	}
	if !c.s.is(NoUIDNext) {
		c.sayf("* OK [%s %d] predicted", c.word("UIDNEXT"), next)
	}
	c.sayf("* OK [%s (\\Deleted \\Seen \\*)] limited", c.word("PERMANENTFLAGS"))
	c.folder, c.readOnly = name, cmd.name == "EXAMINE"
	access := "READ-WRITE"
	if c.readOnly {
		access = "READ-ONLY"
	}
	c.sayf("%s OK [%s] selected", cmd.tag, c.word(access))
}

// sync tells the client what has become of the folder.
func (c *session) sync() {
	if c.folder == "" {
		return
	}
	if c.s.is(UIDValidityMoves) {
		c.sayf("* OK [%s 99] everything is new", c.word("UIDVALIDITY"))
	}
	c.s.mu.Lock()
	f := c.s.make(c.folder)
	same := f.version == c.version
	now := f.uids()
	c.version = f.version
	c.s.mu.Unlock()
	if same {
		return
	}
	kept := c.view[:0]
	for i, seq := 0, 1; i < len(c.view); i++ {
		if _, ok := slices.BinarySearch(now, c.view[i]); ok {
			kept = append(kept, c.view[i])
			seq++
			continue
		}
		c.sayf("* %d %s", seq, c.word("EXPUNGE"))
	}
	if len(now) > len(kept) {
		c.sayf("* %d %s", len(now), c.word("EXISTS"))
	}
	c.view = now
}

// seq returns the number of a message in this session, or zero.
func (c *session) seq(uid uint32) int {
	if i, ok := slices.BinarySearch(c.view, uid); ok {
		return i + 1
	}
	return 0
}

func (c *session) idle(cmd *command) {
	c.sayf("+ idling")
	over := make(chan bool, 1)
	go func() {
		line, err := c.in.ReadString('\n')
		over <- err == nil && strings.EqualFold(strings.TrimSpace(line), "DONE")
	}()
	for {
		c.s.mu.Lock()
		changed := c.s.changed
		c.s.mu.Unlock()
		c.sync()
		c.flush()
		select {
		case well := <-over:
			if well {
				c.done(cmd)
				return
			}
			c.over = true
			return
		case <-changed:
		}
	}
}
