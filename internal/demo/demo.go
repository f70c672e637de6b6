// Package demo is the invented company of the demonstration: its people and its
// mail. It sends the mail to the archive as a mail server would; it knows the
// archive only as an SMTP address.
package demo

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/smtp"
	"os"
	"strings"
	"time"
)

//go:embed samples/*.eml
var samples embed.FS

// Company is the tenant of the demonstration.
type Company struct{ Slug, Name string }

// Tenant returns the company.
func Tenant() Company { return Company{Slug: "nordlicht", Name: "Nordlicht Möbel GmbH"} }

// User is somebody who can log in.
type User struct {
	Login     string
	Name      string
	Addresses []string
	Role      string // of package access
}

// Users returns those who can log in: employees, those who control, and who runs the
// installation.
func Users() []User {
	return []User{
		{Login: "anna", Name: "Anna Petersen", Addresses: []string{"anna.petersen@nordlicht.example", "info@nordlicht.example"}, Role: "tenant-admin"},
		{Login: "bernd", Name: "Bernd Jürgensen", Addresses: []string{"bernd.juergensen@nordlicht.example", "einkauf@nordlicht.example"}, Role: "user"},
		{Login: "carla", Name: "Carla Rossi", Addresses: []string{"carla.rossi@nordlicht.example", "buchhaltung@nordlicht.example"}, Role: "user"},
		{Login: "erik", Name: "Erik Thomsen", Role: "auditor"},
		{Login: "dana", Name: "Dana Vogt", Role: "dpo"},
		{Login: "olaf", Name: "Olaf Behrens", Role: "operator"},
	}
}

// sendTimeout bounds the whole of Send.
const sendTimeout = 2 * time.Minute

// Send hands all samples to the SMTP server at addr for the journal address,
// and returns how many. Lines end in CRLF on the way, whatever the files have.
func Send(ctx context.Context, addr, journal string) (n int, err error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return 0, err
	}
	if err := conn.SetDeadline(time.Now().Add(sendTimeout)); err != nil {
		return 0, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	names, err := fs.Glob(samples, "samples/*.eml")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		raw, err := samples.ReadFile(name)
		if err == nil {
			err = deliver(c, journal, raw)
		}
		if err != nil {
			return n, fmt.Errorf("%s: %w", name, err)
		}
		n++
	}
	return n, c.Quit()
}

func deliver(c *smtp.Client, journal string, raw []byte) error {
	text := strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n", "\r\n")
	if err := c.Mail(sender(text)); err != nil {
		return err
	}
	if err := c.Rcpt(journal); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return w.Close()
}

// sender returns the envelope sender: that of the From field, none for bounces.
func sender(text string) string {
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil || m.Header.Get("Return-Path") == "<>" {
		return ""
	}
	from, err := mail.ParseAddress(m.Header.Get("From"))
	if err != nil {
		return ""
	}
	return from.Address
}
