package mailer

import (
	"errors"
	"fmt"
	"net/textproto"
	"strconv"

	"github.com/muniment/muniment/internal/remote"
)

// deliver sends one message in one transaction (RFC 5321 §3.3).
func (d *dialogue) deliver(env Envelope, message []byte) {
	if _, param := d.client.Extension("SIZE"); param != "" {
		if most, err := strconv.ParseInt(param, 10, 64); err == nil && most > 0 && int64(len(message)) > most {
			d.refuseAll("sender", remote.CodeSize, fmt.Errorf("the mail has %d bytes, the server takes %d", len(message), most))
			return
		}
	}
	d.within(d.s.timings.command)
	if err := d.client.Mail("<" + env.From + ">"); err != nil {
		d.refusedSender(err)
		return
	}
	d.ok("sender", env.From)
	accepted := d.recipients(env.To)
	if len(accepted) == 0 {
		return
	}
	d.data(message, accepted)
}

// refuseAll settles for good whatever is not settled.
func (d *dialogue) refuseAll(what, c string, err error) {
	d.fail(what, &coded{c, err})
	for i := range d.out.Answers {
		if a := &d.out.Answers[i]; a.Outcome == Later {
			a.Outcome, a.Text = Refused, d.clean(err.Error())
		}
	}
}

func (d *dialogue) refusedSender(err error) {
	answer, final := permanent(err)
	switch {
	case !final:
		d.broken("sender", err)
	case wantsLogIn(answer):
		d.out.Reached = false // the next mail would not fare better
		d.fail("sender", &coded{remote.CodeAuth, err})
	case tooLarge(answer):
		d.refuseAll("sender", remote.CodeSize, err)
	default:
		d.refuseAll("sender", remote.CodeSender, err)
	}
}

// broken is fail for what need not be the message's fault: a connection that broke.
func (d *dialogue) broken(what string, err error) {
	var answer *textproto.Error
	if !errors.As(err, &answer) || answer.Code == 421 {
		d.out.Reached = false
	}
	d.fail(what, err)
}

// recipients names all of them and returns which were accepted.
func (d *dialogue) recipients(to []string) []int {
	var accepted []int
	var worst error
	for i, address := range to {
		d.within(d.s.timings.command)
		err := d.client.Rcpt("<" + address + ">")
		a := &d.out.Answers[i]
		if err == nil {
			accepted = append(accepted, i)
			d.ok("recipient", address)
			continue
		}
		var answer *textproto.Error
		if !errors.As(err, &answer) || answer.Code == 421 {
			d.broken("recipient", err)
			return nil
		}
		a.Text = d.clean(err.Error())
		// RFC 5321 §4.5.3.1.10: 552 may mean too many recipients, and that later
		// ones are welcome.
		if _, final := permanent(err); final && answer.Code != 552 {
			a.Outcome = Refused
			err = &coded{remote.CodeRecipient, err}
		}
		d.fail("recipient", fmt.Errorf("%s: %w", address, err))
		if worst == nil || a.Outcome == Refused {
			worst = err
		}
	}
	if len(accepted) == 0 && worst != nil {
		d.out.Reached = true
	}
	return accepted
}

// data sends the message to those that were accepted.
func (d *dialogue) data(message []byte, accepted []int) {
	before := d.out.Problem // of recipients that were not accepted
	d.within(d.s.timings.message)
	w, err := d.client.Data()
	if err == nil {
		_, err = w.Write(message)
		// An answer that was on its way before does not make up for a message that
		// never left.
		err = errors.Join(err, w.Close(), d.conn.lost)
	}
	if err != nil {
		answer, final := permanent(err)
		if !final {
			d.broken("message", err)
			return
		}
		c := remote.CodeContent
		if tooLarge(answer) {
			c = remote.CodeSize
		}
		d.fail("message", &coded{c, err})
		for _, i := range accepted {
			d.out.Answers[i].Outcome, d.out.Answers[i].Text = Refused, d.clean(err.Error())
		}
		return
	}
	for _, i := range accepted {
		d.out.Answers[i].Outcome, d.out.Answers[i].Text = Taken, d.taken(w)
	}
	d.ok("message", d.taken(w))
	d.out.Problem = before
}

// taken is what the server said when it took the message: often the name under
// which it can be followed there.
func (d *dialogue) taken(w any) string {
	if r, ok := w.(interface{ ServerResponse() string }); ok {
		return d.clean(r.ServerResponse())
	}
	return ""
}
