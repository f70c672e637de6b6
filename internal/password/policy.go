package password

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The policy: a password takes enoughGuesses to find for somebody who knows how
// people make passwords. With MinLength characters most that people think of do;
// with fewer, but FewLength at least, it has to be as good as random.
const (
	MinLength = 12
	FewLength = 10
	// MaxBytes bounds the work of hashing.
	MaxBytes = 1024

	enoughGuesses = 1e10
)

// Codes of what is wrong with a password.
const (
	CodeShort     = "too-short"
	CodeLong      = "too-long"
	CodeEncoding  = "encoding"
	CodeCommon    = "common"
	CodePersonal  = "personal"
	CodeGuessable = "guessable"
	CodeBreached  = "breached"
)

// WeakError says why a new password is refused. It never tells the password.
type WeakError struct {
	Code string
	Text string // English, with the cure
}

// Error implements error.
func (e *WeakError) Error() string { return "password: " + e.Text }

func weak(code, format string, args ...any) error {
	return &WeakError{Code: code, Text: fmt.Sprintf(format, args...)}
}

// PolicyConfig says what a Policy stands on. The zero value is of use.
type PolicyConfig struct {
	// Breached is a file with SHA-1 sums of passwords that were leaked, see
	// OpenBreached; empty: none.
	Breached string
}

// Policy judges new passwords. It is safe for concurrent use and lives as long as
// the process.
type Policy struct {
	words    map[string]int
	breached *Breached // nil: none
}

// NewPolicy returns the policy. It fails if the file of leaked passwords cannot be
// used: that it is not consulted must not go unnoticed.
func NewPolicy(c PolicyConfig) (*Policy, error) {
	p := &Policy{words: loadCommon()}
	if c.Breached == "" {
		return p, nil
	}
	var err error
	if p.breached, err = OpenBreached(c.Breached); err != nil {
		return nil, err
	}
	return p, nil
}

// Check says why a new password is refused, as *WeakError, or returns nil. personal
// are words that an attacker who knows the person would try first: log-in, names,
// addresses, the customer. Other errors say that the file of leaked passwords cannot
// be read.
func (p *Policy) Check(password string, personal ...string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return weak(CodeEncoding, "is not valid UTF-8; type it anew")
	case len(password) > MaxBytes:
		return weak(CodeLong, "is longer than %d bytes; use a shorter one", MaxBytes)
	case n < FewLength:
		return weak(CodeShort, "has fewer than %d characters; use a longer one, e.g. four words that have nothing to do with each other", MinLength)
	}
	if p.breached != nil {
		known, err := p.breached.Has(password)
		if err != nil {
			return err
		}
		if known {
			return weak(CodeBreached, "is in lists of leaked passwords, which attackers try first; use another one, and change it wherever else it is used")
		}
	}
	g := p.guess(password, personal)
	switch {
	case p.words[strings.ToLower(password)] > 0, p.words[joined(password)] > 0:
		return weak(CodeCommon, "is one of the most common passwords; use another one")
	case g.total >= enoughGuesses:
		return nil
	case n < MinLength:
		return weak(CodeShort, "has fewer than %d characters; use a longer one, e.g. four words that have nothing to do with each other", MinLength)
	case g.personal:
		return weak(CodePersonal, "consists of names, addresses or words of the person or the customer; use something that has nothing to do with them")
	default:
		return weak(CodeGuessable, "is easy to guess: it consists of %s; use e.g. four words that have nothing to do with each other", g.reason())
	}
}

// joined is a phrase as lists of passwords have it: in small letters, without what stands
// between and around the words.
func joined(password string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, password))
}

// Guesses estimates how many attempts somebody needs who knows how people make
// passwords.
func (p *Policy) Guesses(password string, personal ...string) float64 {
	return p.guess(password, personal).total
}

// AsWeak returns what is wrong with a password, if that is what err says.
func AsWeak(err error) (*WeakError, bool) {
	var w *WeakError
	ok := errors.As(err, &w)
	return w, ok
}

// maxPersonal bounds the words that are looked for.
const maxPersonal = 200

// personalWords splits what is known of a person into words of three characters and
// more.
func personalWords(list []string) [][]rune {
	seen := map[string]bool{}
	var words [][]rune
	add := func(s string) {
		if r := []rune(s); len(r) >= minWord && !seen[s] && len(words) < maxPersonal {
			seen[s], words = true, append(words, r)
		}
	}
	for _, s := range list {
		s = strings.ToLower(s)
		add(s)
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			add(w)
		}
	}
	return words
}
