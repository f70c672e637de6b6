package sealing_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Every command of the instructions in a bundle does what they say, in both languages,
// with nothing but openssl and xxd.
func TestBundleInstructions(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "openssl", "xxd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("without %s", program)
		}
	}
	_, _, _, list := sealedMail(t, []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: S\r\n\r\nB\r\n"))
	dir := put(t, t.TempDir(), list)
	for _, name := range []string{"README.txt", "LIESMICH.txt"} {
		lines := strings.Split(string(find(t, list, name)), "\n")
		commands := 0
		for i := 0; i < len(lines); i++ {
			if !command(lines[i]) {
				continue
			}
			text := lines[i]
			for strings.HasSuffix(text, `\`) {
				i++
				text += "\n" + lines[i]
			}
			want := ""
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "      ") {
				want = strings.TrimSpace(lines[i+1])
			}
			cmd := exec.Command("bash", "-c", text)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
				t.Errorf("%s: %s\nprints %s (%v), want %s", name, text, out, err, want)
			}
			commands++
		}
		if commands < 15 {
			t.Errorf("%s has only %d commands", name, commands)
		}
	}
}

// command reports whether a line of the instructions begins a command.
func command(line string) bool {
	for _, begin := range []string{"   openssl ", "   printf ", "   (printf "} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}
