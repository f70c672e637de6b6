package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/mailer"
	"github.com/muniment/muniment/internal/uid"
)

// Letter is what people are to read.
type Letter struct {
	Tenant uid.ID // on whose behalf; zero: the installation's
	Kind   string // what it is: a short word for operators, such as "alert"
	// Key makes the letter unique within the tenant: who queues the same twice, for
	// instance a job that runs again, queues it once. Empty: it is not compared.
	Key     string
	To      []string
	Subject string
	Text    string
	Files   []mailer.File // attachments
}

// Post makes a letter durable, to be sent from the address that is set now. It
// returns the id of the mail, that of the first if the key has been used.
// ErrNoSmarthost if nobody has set how mail leaves, catalog.ErrOutboxFull if too much
// waits.
func (a *Archive) Post(ctx context.Context, l Letter) (uid.ID, error) {
	set, err := a.Smarthost(ctx, l.Tenant)
	if err != nil {
		return uid.ID{}, fmt.Errorf("queue mail: %w", err)
	}
	reply, err := a.replyTo(ctx, l.Tenant)
	if err != nil {
		return uid.ID{}, fmt.Errorf("queue mail: %w", err)
	}
	l.To = slices.Compact(slices.Sorted(slices.Values(l.To)))
	now := a.now()
	id := uid.New(now)
	body, err := mailer.Compose(set.Smarthost, mailer.Letter{ID: id.String(), Date: now, To: l.To, ReplyTo: reply, Subject: l.Subject, Text: l.Text, Files: l.Files})
	if err != nil {
		return uid.ID{}, err
	}
	m, err := a.QueueMail(ctx, NewMail{ID: id, Tenant: l.Tenant, Kind: l.Kind, Key: l.Key, Sender: set.From, To: l.To, Body: body})
	if err != nil {
		return uid.ID{}, err
	}
	select {
	case a.mail <- struct{}{}:
	default: // nobody has looked since the last one
	}
	return m.ID, nil
}

// replyTo is where answers to mail on behalf of a tenant go: to the reseller who looks
// after it, if it has said so. Empty: to nobody.
func (a *Archive) replyTo(ctx context.Context, tenant uid.ID) (string, error) {
	if tenant.IsZero() {
		return "", nil
	}
	k, err := a.catalog.Care(ctx, tenant)
	if err := a.sound("care of tenants", err); err != nil || k == nil || k.Reseller.IsZero() {
		return "", err
	}
	r, err := a.catalog.Reseller(ctx, k.Reseller)
	if errors.Is(err, catalog.ErrNotFound) {
		return "", nil
	}
	if err := a.sound("resellers", err); err != nil || r == nil {
		return "", err
	}
	return r.Branding.ReplyTo, nil
}

// Posted has a value when a letter was posted since somebody last took one.
func (a *Archive) Posted() <-chan struct{} { return a.mail }

// mailbox is the address that mail about a user's log-in goes to: the first one. Others
// may be shared with people who must not have the log-in. Empty: none.
func mailbox(u *catalog.User) string {
	if len(u.Addresses) == 0 {
		return ""
	}
	return u.Addresses[0]
}

// Kinds of letters about log-ins.
const (
	letterWelcome  = "welcome"
	letterReset    = "password-reset"
	letterPassword = "password-changed"
	letterFactors  = "factors-reset"
	letterFactor   = "factor-changed"
)

// letterFacts are what the texts are filled with.
type letterFacts struct {
	Name, Login, Tenant string
	URL                 string // of the link, or of the web interface
	Until               time.Time
	Zone                string
	Peer                string
	Answered            bool // somebody reads answers
}

// tell posts a letter about a log-in to its user. That there is no smarthost or no
// address, and that the mail cannot be queued, changes nothing of what was done: the
// log tells.
func (a *Archive) tell(ctx context.Context, u *catalog.User, kind string, f letterFacts) {
	if err := a.writeTo(ctx, u, kind, f); err != nil && !errors.Is(err, ErrNoSmarthost) && !errors.Is(err, errNoAddress) {
		a.log.Error("mail about a log-in was not queued", "kind", kind, "user", u.ID, "error", err)
	}
}

var errNoAddress = errors.New("the user has no mail address")

// writeTo posts a letter to a user, in the user's language, or in both.
func (a *Archive) writeTo(ctx context.Context, u *catalog.User, kind string, f letterFacts) error {
	to := mailbox(u)
	if to == "" {
		return errNoAddress
	}
	f.Name, f.Login = u.Name, u.Login
	if !u.Tenant.IsZero() {
		t, err := a.catalog.Tenant(ctx, u.Tenant)
		if err != nil {
			return err
		}
		f.Tenant, f.Zone = t.Slug, t.Zone
	}
	if f.URL == "" {
		f.URL = a.URL() + "/"
	}
	reply, err := a.replyTo(ctx, u.Tenant)
	if err != nil {
		return err
	}
	f.Answered = reply != ""
	subject, text := letterTexts(u.Language, kind, f)
	_, err = a.Post(ctx, Letter{Tenant: u.Tenant, Kind: kind, To: []string{to}, Subject: subject, Text: text})
	return err
}

// letterTexts returns subject and text in a language; in German and English if it is
// neither.
func letterTexts(language, kind string, f letterFacts) (subject, text string) {
	switch language {
	case "de":
		return germanLetter(kind, f)
	case "en":
		return englishLetter(kind, f)
	}
	s1, t1 := germanLetter(kind, f)
	s2, t2 := englishLetter(kind, f)
	return s1 + " / " + s2, t1 + "\n\n" + strings.Repeat("-", 20) + "\n\n" + t2
}

// when writes a time as people of a zone read it.
func when(t time.Time, zone, layout string) string {
	if l, err := time.LoadLocation(zone); err == nil && zone != "" {
		t = t.In(l)
	}
	return t.Format(layout)
}

func germanLetter(kind string, f letterFacts) (subject, text string) {
	until := when(f.Until, f.Zone, "02.01.2006, 15:04 MST")
	login := "Benutzername: " + f.Login
	if f.Tenant != "" {
		login += "\nMandant: " + f.Tenant
	}
	head, foot := "Guten Tag "+f.Name+",\n\n", "\n\nDiese Nachricht schreibt Ihr E-Mail-Archiv selbst; bitte antworten Sie nicht darauf.\n"
	if f.Answered {
		foot = "\n\nDiese Nachricht schreibt Ihr E-Mail-Archiv selbst. Antworten liest, wer es für Sie betreut.\n"
	}
	switch kind {
	case letterWelcome:
		return "Ihr Zugang zum E-Mail-Archiv", head + "für Sie ist ein Zugang zum E-Mail-Archiv eingerichtet. Mit diesem Link legen Sie Ihr Passwort fest:\n\n" + f.URL +
			"\n\nEr gilt einmal und bis " + until + ".\n\nDanach melden Sie sich so an:\n" + login + foot
	case letterReset:
		return "Passwort für das E-Mail-Archiv zurücksetzen", head + "jemand, wohl Sie selbst, hat gesagt, dass das Passwort vergessen ist. Mit diesem Link legen Sie ein neues fest:\n\n" + f.URL +
			"\n\nEr gilt einmal und bis " + until + ".\n\n" + login + "\n\nWaren Sie es nicht, brauchen Sie nichts zu tun: Ihr Passwort ist unverändert." + foot
	case letterPassword:
		return "Ihr Passwort wurde geändert", head + "das Passwort Ihres Zugangs zum E-Mail-Archiv wurde geändert" + fromGerman(f.Peer) + ".\n\n" + login +
			"\n\nWaren Sie es nicht, wenden Sie sich sofort an Ihren Administrator." + foot
	case letterFactor:
		return "Anmeldung in zwei Schritten geändert", head + "bei Ihrem Zugang zum E-Mail-Archiv wurde geändert, womit Sie sich anmelden (Authenticator-App, Passkey oder Wiederherstellungscodes)" + fromGerman(f.Peer) + ".\n\n" + login +
			"\n\nWaren Sie es nicht, wenden Sie sich sofort an Ihren Administrator." + foot
	}
	return "Ihr zweiter Faktor wurde entfernt", head + "ein Administrator hat Authenticator-App, Passkeys und Wiederherstellungscodes Ihres Zugangs zum E-Mail-Archiv entfernt. Ihr Passwort gilt weiter.\n\n" + login +
		"\n\nBei der nächsten Anmeldung können Sie einen neuen zweiten Faktor einrichten: " + f.URL + "\n\nHaben Sie nicht darum gebeten, fragen Sie Ihren Administrator." + foot
}

func fromGerman(peer string) string {
	if peer == "" {
		return ""
	}
	return " (von der Adresse " + peer + " aus)"
}

func englishLetter(kind string, f letterFacts) (subject, text string) {
	until := when(f.Until, f.Zone, "2 January 2006, 15:04 MST")
	login := "User name: " + f.Login
	if f.Tenant != "" {
		login += "\nCustomer: " + f.Tenant
	}
	head, foot := "Hello "+f.Name+",\n\n", "\n\nYour mail archive writes this by itself; please do not reply.\n"
	if f.Answered {
		foot = "\n\nYour mail archive writes this by itself. Answers are read by those who look after it for you.\n"
	}
	switch kind {
	case letterWelcome:
		return "Your access to the mail archive", head + "you have been given access to the mail archive. With this link you set your password:\n\n" + f.URL +
			"\n\nIt works once, until " + until + ".\n\nThen log in with:\n" + login + foot
	case letterReset:
		return "Reset the password for the mail archive", head + "somebody, probably you, said that the password is forgotten. With this link you set a new one:\n\n" + f.URL +
			"\n\nIt works once, until " + until + ".\n\n" + login + "\n\nIf it was not you, there is nothing to do: your password is unchanged." + foot
	case letterPassword:
		return "Your password was changed", head + "the password of your access to the mail archive was changed" + fromEnglish(f.Peer) + ".\n\n" + login +
			"\n\nIf it was not you, tell your administrator at once." + foot
	case letterFactor:
		return "Two-step log-in was changed", head + "what you log in with at the mail archive was changed (authenticator app, passkey or recovery codes)" + fromEnglish(f.Peer) + ".\n\n" + login +
			"\n\nIf it was not you, tell your administrator at once." + foot
	}
	return "Your second factor was removed", head + "an administrator has removed authenticator app, passkeys and recovery codes of your access to the mail archive. Your password stays as it is.\n\n" + login +
		"\n\nWhen you log in next, you can set up a new second factor: " + f.URL + "\n\nIf you did not ask for this, ask your administrator." + foot
}

func fromEnglish(peer string) string {
	if peer == "" {
		return ""
	}
	return " (from the address " + peer + ")"
}
