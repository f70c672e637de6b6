package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// answers is nil if the web interface is up.
func answers(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"healthz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz: %s", res.Status)
	}
	return nil
}

// doors measures the receiver, the time until a message is found, and the start.
func (b *bench) doors(ctx context.Context) error {
	data := filepath.Join(b.dir, "doors")
	out, err := exec.CommandContext(ctx, b.program, "--data", data, "tenant", "create", "bench").Output()
	if err != nil {
		return err
	}
	journal := regexp.MustCompile(`j-[a-z0-9]+@\S+`).FindString(string(out))
	password := "measured-by-the-bench"
	create := exec.CommandContext(ctx, b.program, "--data", data, "user", "create", "bench", "anna", "-a", "anna@example.com", "--role", "tenant-admin")
	create.Stdin = strings.NewReader(password + "\n")
	if out, err := create.CombinedOutput(); err != nil {
		return fmt.Errorf("user create: %w\n%s", err, out)
	}
	s, err := b.serve(ctx, data)
	if err != nil {
		return err
	}
	empty := s.started
	fmt.Print("\n## Doors\n\n| SMTP connections | messages/s | 250 after, p50 ms | p95 ms |\n|---|---|---|---|\n")
	for _, connections := range []int{1, 8, 32} {
		rate, waits, err := load(s.smtp, journal, connections, 150*connections/min(connections, 4))
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %.1f | %.1f |\n", connections, rate, ms(waits[len(waits)/2]), ms(waits[len(waits)*95/100]))
	}
	c, err := logIn(ctx, s.url, "anna", password)
	if err != nil {
		return err
	}
	lag, err := c.lag(ctx, s.smtp, journal)
	if err != nil {
		return err
	}
	idle, err := s.resident()
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	if s, err = b.serve(ctx, data); err != nil {
		return err
	}
	fmt.Printf("\nAfter 250 a message was found at the latest after %.0f ms (20 messages). Start to the first answer: %.0f ms empty, %.0f ms with what was received. Resident after the load: %s.\n",
		ms(lag), ms(empty), ms(s.started), mib(idle))
	b.account("searchable after 250", "≤ 1 s", fmt.Sprintf("%.2f s", lag.Seconds()), lag <= time.Second)
	b.account("start to the first answer", "≤ 1 s", fmt.Sprintf("%.2f s", s.started.Seconds()), s.started <= time.Second)
	return s.stop()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// letter is a message of about 5 kB that no other equals.
func letter(word string) []byte {
	return fmt.Appendf(nil, "From: Bernd <bernd@example.com>\r\nTo: anna@example.com\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@bench.example>\r\n\r\n%s\r\n",
		word, time.Now().Format(time.RFC1123Z), word, strings.Repeat("All that is needed for a message of ordinary length. "+word+"\r\n", 60))
}

// load sends n messages on some connections and returns how long each waited.
func load(addr, to string, connections, n int) (perSecond float64, waits []time.Duration, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := time.Now()
	for k := range connections {
		wg.Go(func() {
			var mine []time.Duration
			e := send(addr, to, n/connections, func(i int) []byte { return letter(fmt.Sprintf("load%dx%dx%d", connections, k, i)) }, &mine)
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, mine...)
			if e != nil {
				err = e
			}
		})
	}
	wg.Wait()
	slices.Sort(waits)
	return float64(len(waits)) / time.Since(start).Seconds(), waits, err
}

func send(addr, to string, n int, message func(i int) []byte, waits *[]time.Duration) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range n {
		if err := c.Mail("bernd@example.com"); err != nil {
			return err
		}
		if err := c.Rcpt(to); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		start := time.Now()
		if _, err := w.Write(message(i)); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		*waits = append(*waits, time.Since(start))
	}
	return c.Quit()
}

// client is somebody who is logged in.
type client struct {
	http *http.Client
	url  string
}

func logIn(ctx context.Context, url, login, password string) (*client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &client{http: &http.Client{Jar: jar}, url: strings.TrimSuffix(url, "/")}
	body, err := json.Marshal(map[string]string{"tenant": "bench", "login": login, "password": password})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/api/v1/session", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", c.url)
	res, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode >= 300 {
		return nil, fmt.Errorf("log-in: %s: %s", res.Status, text)
	}
	return c, nil
}

// found tells whether a search has a result.
func (c *client) found(ctx context.Context, word string) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/api/v1/search?q="+word, nil)
	if err != nil {
		return false, err
	}
	res, err := c.http.Do(r)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	var page struct {
		Total int `json:"total"`
	}
	if res.StatusCode != http.StatusOK {
		return false, fmt.Errorf("search: %s", res.Status)
	}
	err = json.NewDecoder(res.Body).Decode(&page)
	return page.Total > 0, err
}

// lag is the longest time between 250 and the first search that finds.
func (c *client) lag(ctx context.Context, addr, to string) (time.Duration, error) {
	var longest time.Duration
	for i := range 20 {
		word := fmt.Sprintf("lag%dx%d", os.Getpid(), i)
		var waits []time.Duration
		if err := send(addr, to, 1, func(int) []byte { return letter(word) }, &waits); err != nil {
			return 0, err
		}
		for start := time.Now(); ; time.Sleep(2 * time.Millisecond) {
			ok, err := c.found(ctx, word)
			if err != nil {
				return 0, err
			}
			if ok {
				longest = max(longest, time.Since(start))
				break
			}
			if time.Since(start) > time.Minute {
				return 0, fmt.Errorf("%s is not found after a minute", word)
			}
		}
	}
	return longest, nil
}
