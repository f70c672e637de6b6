package mailer

import (
	"context"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/remote"
)

// Trial is a test of settings.
type Trial struct {
	Set      remote.Smarthost
	Secret   []byte
	To       string    // who gets the test mail; empty: none is sent, the test ends with the log-in
	Language string    // of the mail: "de", else English
	ID       string    // of the mail, as in Letter
	At       time.Time // of the mail
}

// Test tries settings and tells what it finds. Nothing is queued or repeated.
func (s *Sender) Test(ctx context.Context, t Trial) remote.TestResult {
	var to []string
	if t.To != "" {
		to = append(to, t.To)
	}
	d := s.begin(t.Set, t.Secret, to)
	message, err := t.prepare()
	if err != nil {
		d.fail("settings", &coded{remote.CodeInternal, err})
		d.out.Problem.Text = "The settings are not complete or not right."
	} else if d.connect(ctx) {
		if message != nil {
			d.deliver(Envelope{From: t.Set.From, To: to}, message)
		}
		d.close()
	}
	return remote.TestResult{OK: d.out.Problem == nil, Problem: d.out.Problem, Steps: d.out.Steps, Certificate: d.out.Certificate}
}

// prepare checks the settings and makes the mail, if one is to be sent.
func (t Trial) prepare() ([]byte, error) {
	if err := t.Set.Check(); err != nil || t.To == "" {
		return nil, err
	}
	l := Letter{ID: t.ID, Date: t.At, To: []string{t.To}, Subject: "Test mail of Muniment",
		Text: fmt.Sprintf("This mail shows that the archive can send mail by %s.\n\nNobody needs to answer it.\n", t.Set.Host)}
	if t.Language == "de" {
		l.Subject = "Testnachricht von Muniment"
		l.Text = fmt.Sprintf("Diese Nachricht zeigt, dass das Archiv E-Mails über %s versenden kann.\n\nEine Antwort ist nicht nötig.\n", t.Set.Host)
	}
	return Compose(t.Set, l)
}
