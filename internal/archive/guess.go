package archive

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// How often what proves a user may be guessed within guessWindow, from however many
// places. A browser that the user has logged in with before has a count of its own:
// whatever others do, it is not slowed down.
const (
	guessWindow    = time.Hour
	guessPasswords = 60
	guessFactors   = 20 // codes and recovery codes, after the right password
	guessConfirm   = 20 // passwords, within a session
	resetMails     = 3
	maxStrangers   = 20_000 // names of nobody that are counted
)

// TooManyError is returned when a user was tried too often.
type TooManyError struct{ Wait time.Duration }

// Error implements error.
func (e *TooManyError) Error() string { return fmt.Sprintf("tried too often; wait %v", e.Wait) }

// guesses counts attempts. Users are counted apart from names of nobody, so that
// inventing names makes nobody forget the attempts at a user.
type guesses struct {
	now func() time.Time

	mu        sync.Mutex
	users     map[string]*guessCount // at most a few per user and device
	strangers map[string]*guessCount
}

type guessCount struct {
	n     int
	until time.Time
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, users: map[string]*guessCount{}, strangers: map[string]*guessCount{}}
}

// take counts an attempt before it is made and returns 0; or how long it has to wait.
func (g *guesses) take(key guessKey, limit int) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	counts := g.of(key)
	c := counts[key.text]
	if c != nil && !now.Before(c.until) {
		c = nil
	}
	if c == nil {
		g.sweep(counts, now, key.stranger)
		c = &guessCount{until: now.Add(guessWindow)}
		counts[key.text] = c
	}
	if c.n >= limit {
		return c.until.Sub(now)
	}
	c.n++
	return 0
}

func (g *guesses) of(key guessKey) map[string]*guessCount {
	if key.stranger {
		return g.strangers
	}
	return g.users
}

// sweep forgets windows that have ended, when the map has grown; of names of nobody all
// if there are still too many.
func (g *guesses) sweep(counts map[string]*guessCount, now time.Time, stranger bool) {
	if len(counts) < maxStrangers {
		return
	}
	for k, c := range counts {
		if !now.Before(c.until) {
			delete(counts, k)
		}
	}
	if stranger && len(counts) >= maxStrangers {
		clear(counts)
	}
}

// giveBack takes back what take counted for an attempt that did not fail.
func (g *guesses) giveBack(key guessKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.of(key)[key.text]; c != nil && c.n > 0 {
		c.n--
	}
}

// guessKey is what attempts are counted under.
type guessKey struct {
	text     string
	stranger bool
}

// keyOf counts attempts at a user, from a device that the user knows or from all others.
func keyOf(what string, user uid.ID, device *device) guessKey {
	k := guessKey{text: what + " " + user.String()}
	if device.knows(user) {
		k.text += " " + device.ID
	}
	return k
}

// strangerKey counts attempts at a name of nobody like those at a user.
func strangerKey(in LogIn) guessKey {
	name, tenant := normalLogin(in.Login), strings.ToLower(strings.TrimSpace(in.Tenant))
	if strings.Contains(name, "@") { // however it is written: a mail server may be asked
		name, tenant = addressOf(name), ""
	}
	h := sha256.Sum256([]byte(name + "\x00" + tenant + fmt.Sprint(in.Operator)))
	return guessKey{text: string(h[:]), stranger: true}
}

// device is a browser that users have logged in with. It is kept in a cookie, sealed
// with the instance key, and nowhere else.
type device struct {
	ID    string   `json:"id"`
	Users []uid.ID `json:"users"` // the last first
}

// deviceName is the name under which devices are sealed; deviceUsers how many users
// one remembers, maxDevice how long a cookie may be.
const (
	deviceName  = "device"
	deviceUsers = 8
	maxDevice   = 2048
)

func (d *device) knows(user uid.ID) bool { return d != nil && slices.Contains(d.Users, user) }

// device reads a cookie; what is none of ours is nil.
func (a *Archive) device(cookie string) *device {
	if cookie == "" || len(cookie) > maxDevice {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return nil
	}
	plain, err := a.vault.OpenInstance(deviceName, sealed)
	if err != nil {
		return nil
	}
	var d device
	if json.Unmarshal(plain, &d) != nil || len(d.ID) != 26 {
		return nil
	}
	return &d
}

// RememberDevice returns a cookie for a browser that user has logged in with; cookie is
// what it has already.
func (a *Archive) RememberDevice(cookie string, user uid.ID) (string, error) {
	d := a.device(cookie)
	if d == nil {
		d = &device{ID: uid.New(a.now()).String()}
	}
	d.Users = append([]uid.ID{user}, slices.DeleteFunc(d.Users, func(u uid.ID) bool { return u == user })...)
	d.Users = d.Users[:min(len(d.Users), deviceUsers)]
	plain, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	sealed, err := a.vault.SealInstance(deviceName, plain)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}
