package imapd

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

func uint32String(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// absurd is a size that nothing has.
const absurd = int64(1) << 61

func (c *session) fetch(cmd *command) {
	items := strings.ToUpper(cmd.arg(1))
	body := strings.Contains(items, "BODY")
	if body && c.s.is(FetchRefused) {
		c.sayf("%s NO the messages cannot be read", cmd.tag)
		return
	}
	c.s.mu.Lock()
	f := c.s.make(c.folder)
	messages := f.within(parseSet(cmd.arg(0), f.UIDNext-1))
	all := slices.Clone(f.Messages[:min(len(f.Messages), 3)])
	c.s.mu.Unlock()
	switch {
	case c.s.is(ListIncomplete) && !body && len(messages) > 1:
		messages = slices.Delete(messages, 1, 2)
	case c.s.is(FetchNothing), c.s.is(BodyWithheld) && body:
		messages = nil
	case c.s.is(Unordered):
		slices.Reverse(messages)
	}
	for i, m := range messages {
		if body {
			c.chatter()
			if c.breaksOff(cmd, i) {
				return
			}
			if c.s.is(ShrinksInFetch) {
				c.sayf("* %d EXISTS", max(len(f.Messages)-1-i, 0))
			}
			if c.s.is(ExpungeDuringFetch) && m.UID%2 == 0 {
				c.s.Remove(c.folder, m.UID)
				continue
			}
			if c.s.is(ForeignFetch) {
				for _, other := range all {
					if other.UID != m.UID {
						c.answer(other, "(UID BODY.PEEK[])")
					}
				}
			}
		}
		if key := fmt.Sprint(c.folder, m.UID, body); c.s.is(FlagsFirst) && !c.told[key] {
			c.told[key] = true // as a server tells of a change once
			c.sayf("* %d FETCH (UID %d FLAGS (\\Seen))", c.seq(m.UID), m.UID)
		}
		c.answer(m, items)
		if c.s.is(Twice) {
			c.answer(m, items)
		}
		if c.over {
			return
		}
	}
	if c.s.is(ExpungeDuringFetch) && body {
		c.sync() // UID FETCH may (RFC 9051 §7.5.1)
	}
	c.done(cmd)
}

// breaksOff ends an answer before its ith message.
func (c *session) breaksOff(cmd *command, i int) bool {
	switch {
	case i == 0:
		return false
	case c.s.is(ThrottledInFetch):
		c.sayf("%s NO [THROTTLED] too many requests", cmd.tag)
		return true
	case c.s.is(ByeInFetch):
		c.sayf("* BYE server is going down")
		c.over = true
		return true
	}
	return false
}

// answer is one FETCH response.
func (c *session) answer(m Message, items string) {
	seq := c.seq(m.UID)
	if seq == 0 {
		return
	}
	gap := ""
	if c.s.is(OddSpacing) {
		gap = "  "
	}
	var parts []string
	add := func(name, value string) {
		if strings.Contains(items, name) {
			parts = append(parts, c.word(name)+" "+gap+value)
		}
	}
	uid := m.UID
	if c.s.is(WrongMessage) {
		uid += 1000
	}
	late := c.s.is(UIDAfterBody) || c.s.is(UIDMissing) || c.s.is(WrongMessage)
	if body := strings.Contains(items, "BODY"); !late || !body {
		add("UID", uint32String(m.UID))
	}
	add("FLAGS", c.flags(m))
	size := m.Size
	switch {
	case c.s.is(SizeTooSmall):
		size = 1
	case c.s.is(SizeTooLarge):
		size = absurd
	}
	add("RFC822.SIZE", strconv.FormatInt(size, 10))
	add("INTERNALDATE", c.date(m))
	fmt.Fprintf(c.out, "* %d %s (%s%s", seq, c.word("FETCH"), gap, strings.Join(parts, " "+gap))
	if strings.Contains(items, "BODY") {
		if len(parts) > 0 {
			fmt.Fprint(c.out, " ")
		}
		c.body(m)
		if late && !c.s.is(UIDMissing) {
			fmt.Fprintf(c.out, " UID %d", uid)
		}
	}
	c.sayf("%s)", gap)
}

func (c *session) flags(m Message) string {
	if c.s.is(BadFlags) {
		return `(\Seen $odd]one [two] ` + "f\x90x)"
	}
	return "(" + strings.Join(m.Flags, " ") + ")"
}

func (c *session) date(m Message) string {
	if c.s.is(BadDates) {
		return []string{`"0-Foo-0000 99:99:99 +9999"`, `""`, "nil", `"01-Jan-0001 00:00:00 +0000"`}[m.UID%4]
	}
	return m.Date.Format(`"_2-Jan-2006 15:04:05 -0700"`)
}

// body writes BODY[] and its value, with what is wrong with it.
func (c *session) body(m Message) {
	declared, sent := m.Size, m.Size
	is := c.s.is
	name, mark, plus := c.word("BODY")+"[]", "", ""
	switch {
	case is(Literal8):
		mark = "~"
	case is(LiteralPlus):
		plus = "+"
	case is(OldBodyName):
		name = "RFC822"
	case is(PartialBody):
		name += "<0>"
		declared, sent = declared/2, sent/2
	}
	fmt.Fprintf(c.out, "%s ", name)
	switch {
	case is(NilBody):
		fmt.Fprint(c.out, c.word("NIL"))
		return
	case is(EmptyBody):
		fmt.Fprint(c.out, `""`)
		return
	case is(QuotedBody):
		fmt.Fprint(c.out, quoted(string(m.Raw())))
		return
	case is(LiteralLonger):
		declared -= 5
	case is(LiteralShorter):
		declared += 5
	case is(LiteralAbsurd):
		declared = absurd
	case is(CutInLiteral):
		sent /= 2
	}
	fmt.Fprintf(c.out, "%s{%d%s}%s", mark, declared, plus, c.eol())
	if _, err := io.CopyN(c.out, m.Open(), sent); err != nil {
		c.over = true
	}
	if is(CutInLiteral) || is(CutAfterLiteral) {
		c.flush()
		c.over = true
		c.wire.Close()
	}
}
