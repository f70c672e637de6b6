package smtp

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/wire"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

// transaction is one message on its way, from MAIL to the reply to its data.
type transaction struct {
	from     string
	declared int64 // SIZE parameter; 0: not told
	binary   bool  // BODY=BINARYMIME: only BDAT can carry it
	rcpts    []recipient
	body     *spool.Buffer // data that has come so far; nil before the data
	chunked  bool          // BDAT is under way
	slots    []uid.ID      // tenants for whom a message being received is counted
}

type recipient struct {
	address string // as the peer wrote it
	source  *catalog.Source
}

// sources returns the distinct sources of the recipients, in their order.
func (tx *transaction) sources() []*catalog.Source {
	var list []*catalog.Source
	seen := map[uid.ID]bool{}
	for _, r := range tx.rcpts {
		if !seen[r.source.ID] {
			seen[r.source.ID] = true
			list = append(list, r.source)
		}
	}
	return list
}

// isFor reports whether a recipient is the tenant's: further ones do not make
// another message of it.
func (tx *transaction) isFor(tenant uid.ID) bool {
	return slices.ContainsFunc(tx.rcpts, func(r recipient) bool { return r.source.Tenant == tenant })
}

// reset drops the transaction.
func (c *session) reset() {
	tx := c.tx
	if tx == nil {
		return
	}
	c.tx = nil
	c.s.limiter.received(tx.slots)
	if tx.body != nil {
		if err := tx.body.Close(); err != nil {
			c.log.Warn("smtp: release spool", "error", err)
		}
	}
}

// mail is MAIL FROM.
func (c *session) mail(arg string) {
	switch {
	case !c.greeted:
		c.complain("503 5.5.1 say hello first")
		return
	case c.tx != nil:
		c.complain("503 5.5.1 there is a message under way")
		return
	case c.s.cfg.RequireTLS && !c.tls:
		c.complain("530 5.7.0 say STARTTLS first")
		return
	case c.s.cfg.Authenticate != nil && c.user == "":
		c.complain("530 5.7.0 authenticate first")
		return
	}
	p, ok := parsePath(arg, "FROM:")
	if !ok {
		c.complain("501 5.5.4 cannot read that: MAIL FROM:<address>")
		return
	}
	tx := &transaction{from: p.address}
	if problem := tx.mailParameters(p.params); problem != "" {
		c.complain(problem)
		return
	}
	if !c.s.limiter.messageFrom(c.peer) {
		c.s.stats.throttled.Add(1)
		c.reply("451 4.7.1 too many messages from your network, try again later")
		return
	}
	c.tx = tx
	c.reply("250 2.1.0 ok")
}

// mailParameters reads the parameters of MAIL and returns a reply if one is
// wrong. A SIZE above the limit is answered at RCPT (RFC 1870 §6.1 leaves the
// choice), because only the recipient tells whose message is refused.
func (tx *transaction) mailParameters(params map[string]string) string {
	for name, value := range params {
		switch name {
		case "SIZE":
			n, err := strconv.ParseUint(value, 10, 62)
			if err != nil {
				return "501 5.5.4 cannot read SIZE"
			}
			tx.declared = int64(n)
		case "BODY":
			switch strings.ToUpper(value) {
			case "7BIT", "8BITMIME":
			case "BINARYMIME":
				tx.binary = true
			default:
				return "501 5.5.4 cannot read BODY"
			}
		case "SMTPUTF8", "AUTH", "RET", "ENVID":
			// Taken and of no effect: bytes are kept as they come, nothing is
			// relayed, and no delivery notice is ever sent.
		default:
			return "555 5.5.4 unknown parameter"
		}
	}
	return ""
}

// rcpt is RCPT TO. Whether an address is unknown, or was shut, or belongs to a
// tenant that was deleted makes no difference in the reply.
func (c *session) rcpt(arg string) {
	if c.tx == nil {
		c.complain("503 5.5.1 MAIL comes first")
		return
	}
	if c.tx.chunked {
		c.complain("503 5.5.1 the data has begun")
		return
	}
	p, ok := parsePath(arg, "TO:")
	if !ok || p.address == "" {
		c.complain("501 5.5.4 cannot read that: RCPT TO:<address>")
		return
	}
	for name := range p.params {
		if name != "NOTIFY" && name != "ORCPT" { // RFC 3461; of no effect here
			c.complain("555 5.5.4 unknown parameter")
			return
		}
	}
	if !wire.Within(len(c.tx.rcpts), c.s.cfg.Limits.Recipients) {
		c.reply("452 4.5.3 too many recipients")
		return
	}
	ctx, cancel := c.context()
	defer cancel()
	source, err := c.s.cfg.Archive.JournalSource(ctx, strings.ToLower(p.address))
	switch {
	case errors.Is(err, catalog.ErrNotFound), err == nil && source.Disabled:
		c.s.stats.unknownAddress.Add(1)
		c.complain("550 5.1.1 no such recipient here")
	case errors.Is(err, archive.ErrTenantEnded): // nobody will ever take it: who sends it shall know now
		c.s.stats.unknownAddress.Add(1)
		c.complain("550 5.7.1 the archive of this recipient has ended and takes no more mail")
	case errors.Is(err, archive.ErrAddressLost):
		c.s.stats.unknownAddress.Add(1)
		c.complain("450 4.1.1 no such recipient here at present")
	case err != nil:
		c.s.stats.deferred.Add(1)
		c.trouble("look-up of a recipient", err)
	case c.tx.declared > c.s.cfg.MaxMessage:
		c.tooLarge([]*catalog.Source{source}, c.tx.declared)
		c.reply(c.tooLargeReply())
	case !c.tx.isFor(source.Tenant) && !c.s.limiter.messageFor(source.Tenant):
		c.s.stats.throttled.Add(1)
		c.reply("451 4.7.1 too many messages for this recipient, try again later")
	default:
		c.tx.rcpts = append(c.tx.rcpts, recipient{p.address, source})
		c.reply("250 2.1.5 ok")
	}
}

func (c *session) tooLargeReply() string {
	return fmt.Sprintf("552 5.3.4 message is larger than %d bytes", c.s.cfg.MaxMessage)
}
