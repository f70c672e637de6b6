// Command muniment is the archive: server, import, caretaker and administration
// in one program. This package builds everything by hand and is the only one
// that knows the drivers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/muniment/muniment/internal/archive"
)

// Exit codes, documented in docs/cli.md.
const (
	exitOK       = 0
	exitError    = 1 // it did not work; standard error says why and what to do
	exitUsage    = 2 // wrong arguments or settings; nothing was done
	exitFindings = 3 // it worked and found something: damage (fsck), messages not stored (import)
	exitLocked   = 4 // another process works on the data directory
	exitDisagree = 5 // counts do not agree: nothing more was removed (source history)
)

// exitCode is an error that chooses the exit code.
type exitCode struct {
	code int
	err  error
}

func (e *exitCode) Error() string { return e.err.Error() }
func (e *exitCode) Unwrap() error { return e.err }

func usage(err error) error { return &exitCode{exitUsage, err} }

// cli is the command line.
type cli struct {
	Globals

	Serve       serveCmd       `cmd:"" help:"Run the archive: web interface, REST interface, SMTP and LMTP receivers."`
	Import      importCmd      `cmd:"" help:"Archive messages from files: EML, Maildir, mbox, Apple Mail, Outlook (MSG, TNEF, PST, OST), and archives of them."`
	ImportGraph importGraphCmd `cmd:"" help:"Archive whole mailboxes of Microsoft 365 through Microsoft Graph."`
	Fsck        fsckCmd        `cmd:"" help:"Check everything stored against everything known, both ways."`
	Rebuild     rebuildCmd     `cmd:"" help:"Restore messages, tenants, sources and their journal addresses in the catalog from vault and keys. It says what it cannot restore: users, the event log, passwords of mailboxes, settings of the smarthost, mail that waits."`
	Reindex     reindexCmd     `cmd:"" help:"Build the search index anew."`
	Compact     compactCmd     `cmd:"" help:"Merge small segments into large, smaller ones, and tidy the index."`
	Tenant      tenantCmd      `cmd:"" help:"Create, list, suspend, end and delete tenants (customers)."`
	Provision   provisionCmd   `cmd:"" help:"Create a tenant with all that it begins with, as a shop orders it: the same reference makes it once."`
	Reseller    resellerCmd    `cmd:"" help:"Create, list and change resellers, who look after tenants and see nobody's mail."`
	User        userCmd        `cmd:"" help:"Create, list and change users."`
	Source      sourceCmd      `cmd:"" help:"Create and list sources: journal addresses, remote mailboxes."`
	Hold        holdCmd        `cmd:"" help:"Keep messages from being deleted."`
	Retention   retentionCmd   `cmd:"" help:"Show how long mail is kept."`
	Domain      domainCmd      `cmd:"" help:"Say which mail domains are a tenant's."`
	MailRules   mailRulesCmd   `cmd:"" help:"Say what holds for the domains of all tenants: new journal addresses, proof."`
	Selection   selectionCmd   `cmd:"" help:"Say which addresses of a tenant are archived."`
	Quarantine  quarantineCmd  `cmd:"" help:"See and decide what becomes of mail that was not known to be the tenant's."`
	Operator    operatorCmd    `cmd:"" help:"Create, list and change operators, who run the installation and see nobody's mail."`
	Site        siteCmd        `cmd:"" help:"Show and set by which name and certificate the installation is reached."`
	Directory   directoryCmd   `cmd:"" help:"Say where users come from: LDAP, Active Directory, OpenID Connect, a mail server."`
	Backup      backupCmd      `cmd:"" help:"Report a backup that your script has made, or show what was reported."`
	Smarthost   smarthostCmd   `cmd:"" help:"Show, set and test how mail of the archive leaves."`
	Outbox      outboxCmd      `cmd:"" help:"List mail that is to be sent; try again or remove it."`
	Log         logCmd         `cmd:"" help:"Prove what is in the event logs: receipts, proofs, exports, keys."`
	Audit       auditCmd       `cmd:"" help:"Compare all messages of a tenant with its event log, both ways."`
	VerifyLog   verifyLogCmd   `cmd:"" help:"Check receipts of an event log against each other, without the archive. Exit codes: 0 valid, 1 invalid, 2 indeterminate."`
	Seal        sealCmd        `cmd:"" help:"Show what has no time stamp yet, or get one now."`
	Authority   authorityCmd   `cmd:"" help:"Say which authorities give time stamps, and how often."`
	Evidence    evidenceCmd    `cmd:"" help:"Issue what proves a message to others."`
	Delete      deleteCmd      `cmd:"" help:"Delete messages for good, which somebody has asked for and somebody else has approved."`
	Export      exportCmd      `cmd:"" help:"Write a proof bundle of many messages, which somebody has asked for and somebody else has approved."`
	XAIP        xaipCmd        `cmd:"" name:"xaip" help:"Hand objects over by BSI TR-03125 (TR-ESOR), and take them."`
	Config      configCmd      `cmd:"" help:"Show the settings in force."`
	Demo        demoCmd        `cmd:"" help:"Run a demonstration with sample mail."`
	Verify      verifyCmd      `cmd:"" help:"Verify an evidence record offline. Exit codes: 0 valid, 1 invalid, 2 indeterminate or nothing verified."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// Globals are the flags of every command.
type Globals struct {
	ConfigFile string            `name:"config" short:"c" type:"existingfile" help:"Settings (YAML)." env:"MUNIMENT_CONFIG"`
	Data       string            `short:"d" help:"Data directory; overrides the setting data." placeholder:"DIR"`
	Set        map[string]string `help:"Override a setting, e.g. --set http.listen=:8443." placeholder:"KEY=VALUE" mapsep:"none"`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parser, err := kong.New(&c, kong.Name("muniment"), kong.Writers(stdout, stderr), kong.UsageOnError(),
		kong.Description("An audit-proof archive for e-mail. Exit codes: 0 done, 1 error, 2 wrong use, 3 findings, 4 data directory in use, 5 counts disagree."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		fmt.Fprintln(stderr, "muniment:", err)
		return exitError
	}
	code := -1
	parser.Exit = func(n int) { code = n }
	k, err := parser.Parse(args)
	if code >= 0 { // help was asked for
		return code
	}
	if err != nil {
		fmt.Fprintf(stderr, "muniment: %v\nTry: muniment --help\n", err)
		return exitUsage
	}
	k.BindTo(ctx, (*context.Context)(nil))
	err = k.Run(&c.Globals, &streams{out: stdout, err: stderr})
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "muniment:", err)
	var e *exitCode
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, archive.ErrInvalid):
		return exitUsage
	}
	return exitError
}

// streams are where commands write.
type streams struct{ out, err io.Writer }
