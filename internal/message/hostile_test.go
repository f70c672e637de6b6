package message

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

const hostile = `<head><meta http-equiv=refresh content="0;url=http://evil.example"><base href="http://evil.example/">
<link rel=stylesheet href="http://evil.example/l"><style>@import url(http://evil.example/s)</style><script>x()</script></head>
<body background="http://evil.example/bg" onload="x()"><iframe src="http://evil.example/f"></iframe><object data="http://evil.example/o"></object>
<svg><image href="http://evil.example/v"/></svg><form action="http://evil.example/p"><input name=a><button>b</button></form>
<div style="position:fixed;top:0;background:url(http://evil.example/c);width:expression(x())">text</div>
<img src="http://evil.example/i" srcset="http://evil.example/2 2x" onerror="x()"><a href="javascript:x()">go</a></body>`

func view(body string) (HTMLView, bool) {
	raw := strings.NewReader("Content-Type: text/html; charset=utf-8\n\n" + body)
	v, err := SafeHTML(raw, Parse(context.Background(), raw), HTMLOptions{})
	return v, err == nil
}

// TestHostileHTML looks for anything that could act or load.
func TestHostileHTML(t *testing.T) {
	t.Parallel()
	v, ok := view(hostile)
	if !ok {
		t.Fatal("no HTML")
	}
	for _, bad := range []string{"evil.example", "<script", "<iframe", "<object", "<svg", "<form", "<input", "<base", "<link", "refresh", "javascript:", "onerror", "onload", "position", "expression", "@import"} {
		if strings.Contains(strings.ToLower(v.HTML), bad) {
			t.Errorf("%q is left in %s", bad, v.HTML)
		}
	}
	if v.Blocked != 1 {
		t.Errorf("%d remote references are counted; loading shows one", v.Blocked)
	}
	if !strings.Contains(v.HTML, "text") {
		t.Error("the text is gone")
	}
}

// TestBlockedIsWhatLoadingShows counts the references that are kept if remote
// content may be loaded, and no others.
func TestBlockedIsWhatLoadingShows(t *testing.T) {
	t.Parallel()
	const url = "http://pics.example/a"
	for html, want := range map[string]int{
		`<table background="` + url + `">`: 0, `<p style="background:url(` + url + `)">`: 0, `<style>p{background:url(` + url + `)}</style>`: 0,
		`<object data="` + url + `">`: 0, `<form action="` + url + `">`: 0, `<link rel=stylesheet href="` + url + `">`: 0, `<iframe src="` + url + `">`: 0,
		`<video poster="` + url + `" src="` + url + `">`: 0, `<img srcset="` + url + ` 2x">`: 0, `<img src="//pics.example/a">`: 0, `<img src="cid:a">`: 0,
		`<img src="` + url + `">`: 1, `<img src="HTTPS://pics.example/a" srcset="` + url + ` 2x">`: 1, `<img src="` + url + `"><img src="` + url + `">`: 2,
	} {
		raw := strings.NewReader("Content-Type: text/html\n\n<p>text" + html)
		f := Parse(context.Background(), raw)
		blocked, err := SafeHTML(raw, f, HTMLOptions{})
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := SafeHTML(raw, f, HTMLOptions{Remote: true})
		if shown := strings.Count(loaded.HTML, "pics.example"); err != nil || blocked.Blocked != want || shown != want || loaded.Blocked != 0 {
			t.Errorf("%s: %d blocked, %d shown, want %d; %v", html, blocked.Blocked, shown, want, err)
		}
	}
}

// TestLarge parses what is built to exhaust a parser.
func TestLarge(t *testing.T) {
	t.Parallel()
	var nest strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&nest, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	for name, raw := range map[string]string{
		"nested": nest.String(),
		"header": "Subject: " + strings.Repeat("a", 10<<20) + "\n\nbody",
		"parts":  "Content-Type: multipart/mixed; boundary=x\n\n" + strings.Repeat("--x\n\na\n", 1_000_000) + "--x--",
	} {
		t.Run(name, func(t *testing.T) {
			bounded(t, func() {
				if f := Parse(context.Background(), strings.NewReader(raw)); len(f.Parts) > maxParts || len(f.Text) > maxText {
					t.Errorf("%d parts, %d bytes of text", len(f.Parts), len(f.Text))
				}
			})
		})
	}
}
