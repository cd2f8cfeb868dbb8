package clicks

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// serve builds and runs the program, and returns the address of its page.
func serve(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "settings")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./examples/settings")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	at := strings.Index(line, "http://")
	if err != nil || at < 0 {
		t.Fatalf("it says %q, %v", line, err)
	}
	return strings.TrimSpace(line[at:])
}

// browser starts Chromium. Without one the test is skipped by name, unless
// OUTREACH_REQUIRE_CHROMIUM=1 makes that a failure.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("OUTREACH_REQUIRE_CHROMIUM") == "1" {
			t.Fatal("there is no chromium here")
		}
		t.Skip("there is no chromium here")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(2*time.Minute))
	alloc, end := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(end)
	tab, shut := chromedp.NewContext(alloc)
	t.Cleanup(shut)
	return tab
}

// person is somebody at the page.
type person struct {
	t   *testing.T
	ctx context.Context
}

// within ends an action that waits for what does not come.
func (p *person) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, 30*time.Second)
}

func (p *person) failed(what string, err error) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Text("//body"))
	p.t.Fatalf("%s: %v; on the page: %.800s", what, err, text)
}

// clicks presses the button with these words, and waits for the next page.
func (p *person) clicks(words string) {
	p.t.Helper()
	p.presses(words, `//button[normalize-space()="`+words+`"]`)
}

func (p *person) presses(what, path string) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(path, chromedp.NodeVisible)); err != nil {
		p.failed("press "+what, err)
	}
}

// touches clicks on what leads to no other page.
func (p *person) touches(what, path string) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Click(path, chromedp.NodeVisible)); err != nil {
		p.failed("touch "+what, err)
	}
}

// allows picks an account on a service's page and agrees, or does not.
func (p *person) allows(account, answer string) {
	p.t.Helper()
	p.touches(account, `//input[@name="account"][@value="`+account+`"]`)
	p.tick()
	p.presses(answer, `//button[@value="`+answer+`"]`)
}

// tick ticks all boxes of a page. Google's leaves them for the user.
func (p *person) tick() {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	boxes, err := chromedp.Run(ctx, chromedp.Nodes(`//input[@type="checkbox"][@name="scope"]`, chromedp.AtLeast(0)))
	for _, box := range boxes {
		if err == nil {
			err = chromedp.Do(ctx, chromedp.MouseClickNode(box))
		}
	}
	if err != nil {
		p.failed("tick", err)
	}
}

func (p *person) sees(words ...string) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text("//body"))
	if err != nil {
		p.failed("look", err)
	}
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		p.failed("look", err)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			p.t.Errorf("the page does not say %q: %.1200s", w, text)
		}
	}
	if strings.Contains(at, "code=") || strings.Contains(at, "state=") {
		p.t.Error("a callback's address stays in the browser")
	}
}

// TestClicks links a mailbox at each service, breaks and mends it, chooses
// another one by mistake, and lets a colleague send.
func TestClicks(t *testing.T) {
	tab := browser(t)
	p := &person{t: t, ctx: tab}
	if err := chromedp.Do(tab, chromedp.Navigate(serve(t))); err != nil {
		t.Fatal(err)
	}
	const maria, tom, atWork = "maria@agency.example.com", "tom@agency.example.com", "maria@contoso.example.com"

	p.clicks("Google")
	p.touches(maria, `//input[@name="account"][@value="`+maria+`"]`)
	p.presses("allow, with no box ticked", `//button[@value="allow"]`)
	p.sees("the one for sending mail was left unticked")

	p.clicks("Google")
	p.allows(maria, "allow")
	p.sees(maria, "Works", "sends, and sees answers")

	p.touches("what can go wrong", `//summary[normalize-space()="Make something go wrong"]`)
	p.clicks("The user withdraws it at Google")
	p.sees("You can mend this", "Link the mailbox again")
	p.clicks("Link again")
	p.allows(tom, "allow")
	p.sees("You chose t***@agency.example.com, but this link belongs to m***@agency.example.com")
	p.clicks("Link again")
	p.allows(maria, "deny")
	p.sees("No permission was given")
	p.clicks("Link again")
	p.allows(maria, "allow")
	p.sees("Works again")

	p.clicks("Allow") // a colleague, for 30 days
	p.sees("may send from it until")
	p.clicks("Withdraw")
	p.sees("Only you")
	p.clicks("Check now")
	p.sees("What the check found", "Permission")

	p.clicks("Microsoft")
	p.allows(atWork, "allow")
	p.sees("Your administrator can mend this", "A message to your administrator, to copy")
	p.clicks("Link it for sending only, for now")
	p.allows(atWork, "allow")
	p.sees("Works in part", "Allow the rest")

	p.presses("Unlink", `//section[.//h2[text()="`+maria+`"]]//button[normalize-space()="Unlink"]`)
	p.sees("Unlinked", atWork)
}
