// Package outbox sends the mail of the archive: everything that wants to tell
// people something queues a letter here, and a worker hands it to the smarthost and
// comes again until the server has taken it.
//
// A mail is sent at least once. It is marked as sent after the server has taken it:
// if the program ends between the two, it is sent once more, with the same bytes
// and the same Message-ID, so that mail programs show it once or as a repetition.
// Several processes may send from the same outbox: each mail is claimed by one, and
// by another only when the claim has expired.
//
//	outbox.go   queueing, tests     worker.go   sending
package outbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/mailer"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// Config says what an Outbox stands on. Archive is required.
type Config struct {
	Archive *archive.Archive
	Log     *slog.Logger
	Hello   string // name of this machine, for servers
	Now     func() time.Time
}

// Outbox queues and sends mail. Its methods may be called concurrently.
type Outbox struct {
	cfg     Config
	sender  *mailer.Sender
	timings timings
	wake    chan struct{} // capacity 1: look for mail at once
}

// timings of the worker.
type timings struct {
	look  time.Duration // between two looks for mail that is due
	rest  time.Duration // after a server could not be reached: the next mail would not fare better
	lease time.Duration // how long a mail is claimed; more than a dialogue may take
	tidy  time.Duration // between two times of forgetting old mail
}

// New makes an outbox that sends nothing before Run.
func New(c Config) (*Outbox, error) {
	if c.Archive == nil {
		return nil, errors.New("outbox: no archive")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Outbox{cfg: c, sender: mailer.New(c.Hello), wake: make(chan struct{}, 1),
		timings: timings{look: 10 * time.Second, rest: time.Minute, lease: mailer.SendTime + 5*time.Minute, tidy: time.Hour}}, nil
}

// Letter is what people are to read.
type Letter = archive.Letter

// Queue makes a letter durable, to be sent: see archive.Post.
func (o *Outbox) Queue(ctx context.Context, l Letter) (uid.ID, error) {
	return o.cfg.Archive.Post(ctx, l)
}

// Wake has the worker look for mail at once.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Test tries settings of a smarthost and, if to is not empty, sends a test mail
// there, in the language. Nothing is queued.
func (o *Outbox) Test(ctx context.Context, set remote.Smarthost, secret []byte, to, language string) remote.TestResult {
	now := o.cfg.Now()
	return o.sender.Test(ctx, mailer.Trial{Set: set, Secret: secret, To: to, Language: language, ID: uid.New(now).String(), At: now})
}
