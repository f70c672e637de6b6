package tspclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/muniment/muniment/internal/evidence/tsp"
)

// maxFetch is the most bytes of a CRL, certificate or OCSP response. CRLs of
// large authorities have 20 MB.
const maxFetch = 32 << 20

// NewFetcher returns a Fetcher that uses the client (nil: http.DefaultClient),
// which must reach only what it may, for at most timeout (0: 30 s) a request.
func NewFetcher(client *http.Client, timeout time.Duration) *tsp.Fetcher {
	if client == nil {
		client = http.DefaultClient
	}
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return &tsp.Fetcher{Get: func(ctx context.Context, address, contentType string, body []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return fetch(ctx, client, address, contentType, body)
	}}
}

func fetch(ctx context.Context, client *http.Client, address, contentType string, body []byte) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q: only http and https are fetched", address)
	}
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxFetch+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if len(b) > maxFetch {
		return nil, fmt.Errorf("%s: more than %d bytes", address, maxFetch)
	}
	return b, nil
}
