package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/oauth"
)

const (
	// maxList bounds a page of a list, in bytes.
	maxList = 16 << 20
	// maxRefusal bounds what is read of a refusal.
	maxRefusal = 64 << 10
	// attempts is how often something is asked for in all.
	attempts = 12
	// maxPages bounds a list.
	maxPages = 100_000
	// emptyPages is how many pages in a row may hold nothing.
	emptyPages = 100
)

// passing is an error that may be over when something is tried again.
type passing struct {
	error
	after time.Duration // the server wants to be left alone as long
}

func (p passing) Unwrap() error { return p.error }

// client asks one Graph server.
type client struct {
	cfg  Config
	base *url.URL // with the version
}

func newClient(cfg Config) (*client, error) {
	u, err := url.Parse(strings.TrimRight(cfg.URL, "/") + "/v1.0")
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	return &client{cfg: cfg, base: u}, nil
}

// at builds an address: what is not a path segment of ours is escaped.
func (c *client) at(query string, segments ...string) string {
	u := *c.base
	for _, s := range segments {
		u.RawPath = u.EscapedPath() + "/" + url.PathEscape(s)
		u.Path += "/" + s
	}
	u.RawQuery = query
	return u.String()
}

// get asks until there is an answer that do can take. What do returns as passing,
// trouble of the network, and what the server means to be temporary is tried again;
// everything else ends it.
func (c *client) get(ctx context.Context, address string, limit time.Duration, do func(*http.Response) error) error {
	pause := c.cfg.timings.pause
	var err error
	refused := false
	for n := range attempts {
		if n > 0 {
			var p passing
			errors.As(err, &p)
			wait := pause/2 + time.Duration(rand.Int64N(int64(pause))) //nolint:gosec // chance is enough
			if err := c.cfg.sleep(ctx, max(wait, p.after)); err != nil {
				return err
			}
			pause = min(2*pause, c.cfg.timings.longest)
		}
		var token string
		if token, _, err = c.cfg.Tokens.Token(ctx); err == nil {
			err = c.once(ctx, address, limit, token, do)
		}
		var e *Error
		if errors.As(err, &e) && e.Status == http.StatusUnauthorized && !refused {
			refused = true
			c.cfg.Tokens.Drop(token)
			continue
		}
		if err = asPassing(err); err == nil || ctx.Err() != nil {
			break
		}
		if _, again := errors.AsType[passing](err); !again {
			break
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// asPassing marks trouble with tokens that passes.
func asPassing(err error) error {
	var o *oauth.Error
	if errors.As(err, &o) && o.Passing() {
		return passing{err, o.RetryAfter}
	}
	return err
}

// once asks once.
func (c *client) once(ctx context.Context, address string, limit time.Duration, token string, do func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("address of a request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Prefer", `IdType="ImmutableId"`)
	res, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return passing{err, 0}
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return do(res)
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxRefusal)) // what there is of it
	e := refusal(res.StatusCode, body)
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= http.StatusInternalServerError && res.StatusCode != http.StatusNotImplemented ||
		res.StatusCode == http.StatusRequestTimeout {
		return passing{e, oauth.RetryAfter(res.Header, time.Now())}
	}
	return e
}

// fetch reads a JSON answer into v.
func (c *client) fetch(ctx context.Context, address string, v any) error {
	return c.get(ctx, address, c.cfg.timings.list, func(res *http.Response) error {
		if t := mediaType(res); t != "application/json" {
			return passing{fmt.Errorf("%w: it is %.40q and no JSON", errNonsense, t), 0}
		}
		b, err := io.ReadAll(io.LimitReader(res.Body, maxList+1))
		switch {
		case err != nil:
			return passing{fmt.Errorf("read a list: %w", err), 0}
		case len(b) > maxList:
			return fmt.Errorf("%w: a list of more than %d bytes", errNonsense, maxList)
		}
		if err := json.Unmarshal(b, v); err != nil {
			return passing{fmt.Errorf("%w: %w", errNonsense, err), 0}
		}
		return nil
	})
}

func mediaType(res *http.Response) string {
	t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return t
}

// each reads a list page by page. A way to the next page that leads to another
// server, or to where it has been, is an error.
func each[T any](ctx context.Context, c *client, address string, do func([]T) error) error {
	been := map[string]bool{}
	empty := 0 // pages in a row
	for address != "" {
		if been[address] || len(been) > maxPages {
			return fmt.Errorf("%w: the list leads in circles after %d pages", errNonsense, len(been))
		}
		been[address] = true
		var page struct {
			Value []T    `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		if err := c.fetch(ctx, address, &page); err != nil {
			return err
		}
		if empty++; len(page.Value) > 0 {
			empty = 0
		}
		if empty > emptyPages {
			return fmt.Errorf("%w: a list of nothing but empty pages", errNonsense)
		}
		if err := do(page.Value); err != nil {
			return err
		}
		if address = page.Next; address == "" {
			return nil
		}
		u, err := url.Parse(address)
		if err != nil || u.Host != c.base.Host || u.Scheme != c.base.Scheme || u.User != nil {
			return fmt.Errorf("%w: the list goes on at another server", errNonsense)
		}
	}
	return nil
}
