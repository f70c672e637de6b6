package factor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// ErrPasskey is returned (wrapped) for an answer of a passkey that proves nothing.
var ErrPasskey = errors.New("the passkey's answer is not valid")

// ErrNoPasskeys is returned (wrapped) where passkeys cannot be used.
var ErrNoPasskeys = errors.New("passkeys need a host name and TLS")

// ceremonyTime is how long a browser may take to answer.
const ceremonyTime = 5 * time.Minute

// maxAnswer bounds the answer of a passkey, in bytes; without attestation it has about 2000.
const maxAnswer = 16 << 10

// Party is the archive as passkeys know it. It is safe for concurrent use.
type Party struct {
	ID  string // the host name
	web *webauthn.WebAuthn
}

// NewParty makes the party of the web interface's address, such as
// https://archive.example. ErrNoPasskeys (wrapped) where browsers allow none: at IP
// addresses, and without TLS but on localhost.
func NewParty(name, address string) (*Party, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPasskeys, err)
	}
	host := u.Hostname()
	if host == "" || net.ParseIP(host) != nil || u.Scheme != "https" && host != "localhost" {
		return nil, fmt.Errorf("%w: %s", ErrNoPasskeys, address)
	}
	w, err := webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: name, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyTime, TimeoutUVD: ceremonyTime},
			Registration: webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyTime, TimeoutUVD: ceremonyTime},
		}})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPasskeys, err)
	}
	return &Party{ID: host, web: w}, nil
}

// Holder is a user with passkeys.
type Holder struct {
	ID          []byte // the user's id: what a passkey keeps of its user
	Login, Name string
	Passkeys    [][]byte // as Register made them
}

type holder struct {
	Holder
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (h *holder) WebAuthnID() []byte { return h.ID }

// WebAuthnName implements webauthn.User.
func (h *holder) WebAuthnName() string { return h.Login }

// WebAuthnDisplayName implements webauthn.User.
func (h *holder) WebAuthnDisplayName() string { return h.Name }

// WebAuthnCredentials implements webauthn.User.
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

func newHolder(h Holder) (*holder, error) {
	out := &holder{Holder: h}
	for _, b := range h.Passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal(b, &c); err != nil {
			return nil, fmt.Errorf("stored passkey: %w", err)
		}
		out.credentials = append(out.credentials, c)
	}
	return out, nil
}

// BeginRegister returns what a browser needs to make a passkey, and the challenge that
// Register is to be given.
func (p *Party) BeginRegister(h Holder) (options, challenge []byte, err error) {
	u, err := newHolder(h)
	if err != nil {
		return nil, nil, err
	}
	o, s, err := p.web.BeginRegistration(u,
		webauthn.WithExclusions(webauthn.Credentials(u.credentials).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred}))
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	return both(o.Response, s)
}

// Register checks a browser's answer and returns the passkey, to be kept.
func (p *Party) Register(h Holder, challenge, answer []byte) ([]byte, error) {
	u, s, err := p.ceremony(h, challenge, answer)
	if err != nil {
		return nil, err
	}
	a, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	c, err := p.web.CreateCredential(u, *s, a)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	return json.Marshal(c)
}

// BeginLogIn returns what a browser needs to answer with one of h's passkeys; with one
// of anybody's, by itself enough to log in, if h is nil.
func (p *Party) BeginLogIn(h *Holder) (options, challenge []byte, err error) {
	var o *protocol.CredentialAssertion
	var s *webauthn.SessionData
	if h == nil {
		o, s, err = p.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	} else {
		u, uerr := newHolder(*h)
		if uerr != nil {
			return nil, nil, uerr
		}
		o, s, err = p.web.BeginLogin(u, webauthn.WithUserVerification(protocol.VerificationPreferred))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	return both(o.Response, s)
}

// Proof is a passkey that has proved its user.
type Proof struct {
	Index   int    // of the passkey in the holder's list
	Passkey []byte // as it is now, to be kept in its place
	// Cloned says that its counter has gone back: somebody may have a copy.
	Cloned bool
}

// LogIn checks the answer of one of h's passkeys.
func (p *Party) LogIn(h Holder, challenge, answer []byte) (*Proof, error) {
	u, s, err := p.ceremony(h, challenge, answer)
	if err != nil {
		return nil, err
	}
	a, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	c, err := p.web.ValidateLogin(u, *s, a)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	return proof(u, c)
}

// Whose returns the user whom an answer claims to be of; nothing is checked.
func Whose(answer []byte) ([]byte, error) {
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("%w: too long", ErrPasskey)
	}
	a, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	return a.Response.UserHandle, nil
}

// LogInAlone is LogIn for a challenge that was made for nobody.
func (p *Party) LogInAlone(h Holder, challenge, answer []byte) (*Proof, error) {
	u, s, err := p.ceremony(h, challenge, answer)
	if err != nil {
		return nil, err
	}
	a, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	c, err := p.web.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
		if !bytes.Equal(handle, u.ID) {
			return nil, ErrPasskey
		}
		return u, nil
	}, *s, a)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	return proof(u, c)
}

func (p *Party) ceremony(h Holder, challenge, answer []byte) (*holder, *webauthn.SessionData, error) {
	if len(answer) > maxAnswer {
		return nil, nil, fmt.Errorf("%w: too long", ErrPasskey)
	}
	u, err := newHolder(h)
	if err != nil {
		return nil, nil, err
	}
	var s webauthn.SessionData
	if err := json.Unmarshal(challenge, &s); err != nil {
		return nil, nil, fmt.Errorf("%w: no challenge", ErrPasskey)
	}
	return u, &s, nil
}

func proof(u *holder, c *webauthn.Credential) (*Proof, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	for i := range u.credentials {
		if bytes.Equal(u.credentials[i].ID, c.ID) {
			return &Proof{Index: i, Passkey: b, Cloned: c.Authenticator.CloneWarning}, nil
		}
	}
	return nil, ErrPasskey
}

func both(options, challenge any) ([]byte, []byte, error) {
	o, err := json.Marshal(options)
	if err != nil {
		return nil, nil, err
	}
	c, err := json.Marshal(challenge)
	return o, c, err
}
