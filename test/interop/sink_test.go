package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink is where a mail server under test delivers everything: it keeps what it
// gets byte for byte.
type sink struct {
	addr string
	mu   sync.Mutex
	got  []delivered
}

type delivered struct {
	from string
	to   []string
	data string
}

func openSink(t *testing.T) *sink {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{addr: ln.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.attend(conn) })
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return s
}

// attend speaks as much SMTP as Postfix needs.
func (s *sink) attend(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	reply := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	reply("220 sink.example ESMTP")
	var d delivered
	for {
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimSpace(line), ":")
		path, _, _ := strings.Cut(strings.TrimPrefix(arg, "<"), "> ")
		path = strings.TrimSuffix(path, ">")
		switch strings.ToUpper(strings.Fields(verb + " x")[0]) {
		case "EHLO":
			reply("250-sink.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 SIZE 0")
		case "MAIL":
			d = delivered{from: path}
			reply("250 ok")
		case "RCPT":
			d.to = append(d.to, path)
			reply("250 ok")
		case "DATA":
			reply("354 go on")
			if d.data, err = readData(r); err != nil {
				return
			}
			s.mu.Lock()
			s.got = append(s.got, d)
			s.mu.Unlock()
			reply("250 ok")
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("250 ok")
		}
	}
}

// readData reads up to the line with a dot alone.
func readData(r *bufio.Reader) (string, error) {
	var b bytes.Buffer
	for whole := true; ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return "", err
		}
		if whole && string(line) == ".\r\n" {
			return b.String(), nil
		}
		if whole && line[0] == '.' {
			line = line[1:]
		}
		b.Write(line)
		whole = bytes.HasSuffix(line, []byte("\r\n"))
	}
}

// all returns what came so far.
func (s *sink) all() []delivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]delivered{}, s.got...)
}

// sendRaw offers a message over c exactly as it is, but for dots and a line end
// at its end, and returns the error of the reply.
func sendRaw(c *smtp.Client, from string, to []string, message string) error {
	if err := c.Mail(from); err != nil {
		return err
	}
	for _, a := range to {
		if err := c.Rcpt(a); err != nil {
			return err
		}
	}
	id, err := c.Text.Cmd("DATA")
	if err != nil {
		return err
	}
	c.Text.StartResponse(id)
	_, _, err = c.Text.ReadResponse(354)
	c.Text.EndResponse(id)
	if err != nil {
		return err
	}
	if strings.HasPrefix(message, ".") {
		message = "." + message
	}
	message = strings.ReplaceAll(message, "\r\n.", "\r\n..")
	if message != "" && !strings.HasSuffix(message, "\r\n") {
		message += "\r\n"
	}
	id, err = c.Text.Cmd("%s.", message)
	if err != nil {
		return err
	}
	c.Text.StartResponse(id)
	defer c.Text.EndResponse(id)
	_, _, err = c.Text.ReadResponse(250)
	return err
}
