package mapi

import (
	"fmt"
	"strings"
	"time"
)

// line is one line of the text of an item: a label and where the value is.
type line struct {
	label string
	set   GUID   // of a named property; the zero GUID for one below 0x8000
	id    uint32 // its identifier
}

// item returns what an item of another class than mail says, one line for each
// property that people know from its form; "" for mail and what has none.
func (m *Message) item() string {
	var b strings.Builder
	for _, l := range lines(strings.ToUpper(m.Class())) {
		var v any
		if l.set == (GUID{}) {
			v = m.Get(uint16(l.id))
		} else {
			v = m.Named(l.set, l.id)
		}
		if s := m.readable(v); s != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", l.label, s)
		}
	}
	return b.String()
}

// readable writes a value for people; "" if it says nothing.
func (m *Message) readable(v any) string {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() || v.Year() >= 4500 { // "none" [MS-OXOTASK] §2.2.2.2.4
			return ""
		}
		return v.Format("2006-01-02 15:04 UTC")
	case int64:
		if v == 0 {
			return ""
		}
		return fmt.Sprint(v)
	case float64:
		if !(v > 0 && v <= 1) { // the only ones are parts done
			return ""
		}
		return fmt.Sprintf("%.0f %%", v*100)
	case bool:
		if !v {
			return ""
		}
		return "yes"
	case []string, []ANSI:
		return oneLine(strings.Join(m.texts(v), ", "))
	case [][]byte:
		return members(v)
	}
	return oneLine(m.asText(v))
}

// members reads the members of a distribution list [MS-OXOCNTC] §2.2.2.2.1, as
// far as their entry identifiers hold an address.
func members(list [][]byte) string {
	var out []string
	for _, e := range list {
		if a, ok := oneOff(e); ok {
			out = append(out, strings.TrimSpace(a.name+" <"+a.addr+">"))
		}
	}
	return oneLine(strings.Join(out, ", "))
}

// lines returns what an item of a class shows [MS-OXOCAL], [MS-OXOCNTC],
// [MS-OXOTASK], [MS-OXONOTE], [MS-OXOJRNL]. Notes are nothing but their body.
func lines(class string) []line {
	appointment, task, contact, log := SetAppointment(), SetTask(), SetAddress(), SetLog()
	switch {
	case strings.HasPrefix(class, "IPM.APPOINTMENT"), strings.HasPrefix(class, "IPM.SCHEDULE.MEETING"), strings.HasPrefix(class, "IPM.OLE.CLASS"):
		return []line{
			{"Start", appointment, 0x820D}, {"End", appointment, 0x820E}, {"All day", appointment, 0x8215}, {"Location", appointment, 0x8208},
			{"Recurrence", appointment, 0x8232}, {"Time zone", appointment, 0x8234}, {"Attendees", appointment, 0x8238},
			{"Required attendees", appointment, 0x823B}, {"Optional attendees", appointment, 0x823C},
		}
	case strings.HasPrefix(class, "IPM.TASK"):
		return []line{
			{"Start", task, 0x8104}, {"Due", task, 0x8105}, {"Done", task, 0x8102}, {"Complete", task, 0x811C}, {"Completed", task, 0x810F},
			{"Owner", task, 0x811F}, {"Assigned by", task, 0x8121}, {"Estimated minutes", task, 0x8111}, {"Actual minutes", task, 0x8110},
		}
	case strings.HasPrefix(class, "IPM.CONTACT"):
		return []line{
			{"Name", GUID{}, 0x3001}, {"File as", contact, 0x8005}, {"Title", GUID{}, 0x3A45}, {"First name", GUID{}, 0x3A06}, {"Middle name", GUID{}, 0x3A44},
			{"Last name", GUID{}, 0x3A11}, {"Nickname", GUID{}, 0x3A4F}, {"Job title", GUID{}, 0x3A17}, {"Department", GUID{}, 0x3A18}, {"Company", GUID{}, 0x3A16},
			{"E-mail", contact, 0x8083}, {"E-mail name", contact, 0x8080}, {"E-mail 2", contact, 0x8093}, {"E-mail 3", contact, 0x80A3}, {"IM address", contact, 0x8062},
			{"Business phone", GUID{}, 0x3A08}, {"Business phone 2", GUID{}, 0x3A1B}, {"Home phone", GUID{}, 0x3A09}, {"Mobile phone", GUID{}, 0x3A1C},
			{"Other phone", GUID{}, 0x3A1F}, {"Business fax", GUID{}, 0x3A24}, {"Home fax", GUID{}, 0x3A25}, {"Pager", GUID{}, 0x3A21},
			{"Business address", contact, 0x801B}, {"Home address", contact, 0x801A}, {"Other address", contact, 0x801C}, {"Postal address", GUID{}, 0x3A15},
			{"Web page", contact, 0x802B}, {"Birthday", GUID{}, 0x3A42}, {"Anniversary", GUID{}, 0x3A41}, {"Spouse", GUID{}, 0x3A48},
			{"Manager", GUID{}, 0x3A4E}, {"Assistant", GUID{}, 0x3A30},
		}
	case strings.HasPrefix(class, "IPM.DISTLIST"):
		return []line{{"Name", contact, 0x8053}, {"Members", contact, 0x8054}}
	case strings.HasPrefix(class, "IPM.ACTIVITY"):
		return []line{{"Type", log, 0x8712}, {"Start", log, 0x8706}, {"End", log, 0x8708}, {"Minutes", log, 0x8707}, {"Document", log, 0x870E}}
	}
	return nil
}
