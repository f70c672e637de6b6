package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLoadPrecedence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "m.yaml")
	text := "data: /srv/a\nhttp:\n  listen: 127.0.0.1:1\nsmtp:\n  timeout: 90s\n  networks: [10.0.0.0/8]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Sources{File: file, Environ: []string{"MUNIMENT_HTTP_LISTEN=127.0.0.1:2", "MUNIMENT_SMTP_MAX_SIZE=2000000", "MUNIMENT_CORPUS=x"},
		Flags: map[string]string{"data": "/srv/b"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/srv/b" || c.HTTP.Listen != "127.0.0.1:2" || c.SMTP.Timeout != 90*time.Second || c.SMTP.MaxSize != 2000000 || len(c.SMTP.Networks) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"unknown key": {"htpp:\n  listen: x\n", `unknown setting "htpp.listen"`},
		"size":        {"smtp:\n  max_size: 5\n", "smtp.max_size"},
		"network":     {"smtp:\n  networks: [ten]\n", "smtp.networks"},
		"level":       {"log:\n  level: loud\n", "log.level"},
		"tls":         {"smtp:\n  tls: always\n", "smtp.tls"},
		"no peers":    {"smtp:\n  connections_per_peer: 0\n", "smtp.connections_per_peer"},
		"negative":    {"smtp:\n  messages_per_minute: -1\n", "smtp.messages_per_minute"},
		"milter":      {"milter:\n  listen: inet:127.0.0.1:8899\n", "milter.tenant"},
		"on trouble":  {"milter:\n  on_trouble: reject\n", "milter.on_trouble"},
		"filtering":   {"milter:\n  networks: [ten]\n", "milter.networks"},
		"upload":      {"upload:\n  max_size: 99\n", "upload.max_size"},
		"uploads":     {"upload:\n  per_tenant: 2000000\n", "upload.per_tenant"},
		"folders":     {"folder:\n  root: scans\n", "folder.root"},
		"half tls":    {"http:\n  tls_cert: a\n", "http.tls_cert and http.tls_key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "m.yaml")
			if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(Sources{File: file}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want it to name %q", err, tc.want)
			}
		})
	}
}

func TestMisspeltVariables(t *testing.T) {
	t.Parallel()
	if _, err := Load(Sources{Environ: []string{"MUNIMENT_HTTP_LISTN=:80"}}); err == nil || !strings.Contains(err.Error(), "MUNIMENT_HTTP_LISTN") {
		t.Errorf("a misspelt variable: %v", err)
	}
	if _, err := Load(Sources{Environ: []string{"MUNIMENT_CORPUS=x", "MUNIMENT_TEST_KILLS=3", "HOME=/"}}); err != nil {
		t.Errorf("variables that are no settings: %v", err)
	}
	for _, listen := range []string{":99999", "foo", "1.2.3.4", ""} {
		if _, err := Load(Sources{Flags: map[string]string{"http.listen": listen}}); err == nil || !strings.Contains(err.Error(), "http.listen") {
			t.Errorf("http.listen=%q: %v", listen, err)
		}
	}
}
