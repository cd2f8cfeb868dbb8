package main

import (
	"bytes"
	"context"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chromium is the browser's program. Without it the test is skipped by name,
// unless OUTREACH_REQUIRE_CHROMIUM=1 makes that a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("OUTREACH_REQUIRE_CHROMIUM") == "1" {
		t.Fatal("there is no chromium here")
	}
	t.Skip("there is no chromium here")
	return ""
}

// browse runs a headless browser with an empty profile on the page.
func browse(t *testing.T, addr string, flags ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
	}, flags...)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, chromium(t), append(args, addr)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return out.Bytes()
}

// TestInChromium has a real browser show the page with a bit of everything on
// it, on a wide and on a narrow screen. OUTREACH_SCREENSHOTS names a directory
// to keep the pictures in.
func TestInChromium(t *testing.T) {
	chromium(t)
	v := open(t)
	const addr = "maria@agency.example.com"
	v.links("/link", url.Values{"provider": {"gmail"}}, v.atGoogle(addr))
	v.does("/delegate", "link", v.link("maria", addr), "actor", "tom", "days", "30")
	v.links("/link", url.Values{"provider": {"msgraph"}, "access": {"send"}, "asked": {"replies"}}, v.atMicrosoft("maria@"+tenant))
	tom := v.another()
	tom.sees("Signed in as")
	tom.does("/sign-in", "user", "tom")
	tom.links("/link", url.Values{"provider": {"gmail"}}, v.atGoogle("tom@agency.example.com"))
	tom.does("/delegate", "link", v.link("tom", "tom@agency.example.com"), "actor", "maria", "days", "30")
	v.does("/break", "link", v.link("maria", addr), "what", "withdraw")

	dom := string(browse(t, v.w.base+"/", "--dump-dom"))
	for _, want := range []string{addr, "Link again", "Works in part", "Mailboxes of colleagues", "You can mend this", "Tom Becker"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the browser does not show %q", want)
		}
	}
	dir := os.Getenv("OUTREACH_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	for name, size := range map[string]string{"wide": "1100,1900", "narrow": "500,2600"} {
		file := filepath.Join(dir, "settings-"+name+".png")
		browse(t, v.w.base+"/", "--screenshot="+file, "--window-size="+size)
		picture, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		colours := make(map[[3]uint32]int)
		for y := 0; y < img.Bounds().Dy(); y += 4 {
			for x := 0; x < img.Bounds().Dx(); x += 4 {
				r, g, b, _ := img.At(x, y).RGBA()
				colours[[3]uint32{r >> 8, g >> 8, b >> 8}]++
			}
		}
		// Paper, ground, and the colours of a badge and a button are there.
		for what, c := range map[string][3]uint32{"cards": {255, 255, 255}, "the ground": {0xf4, 0xf6, 0xf8}, "a warning": {0xfb, 0xe9, 0xe7}, "a button": {0x1f, 0x5f, 0xbf}} {
			if colours[c] < 10 {
				t.Errorf("%s: nothing is seen of %s", name, what)
			}
		}
	}
}
