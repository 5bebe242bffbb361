package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"aldine/internal/access"
	"aldine/internal/pgtest"
)

// The TestE2E… tests are people at a browser: they find things by the words on them, press what a person would press,
// and look at what the page says. The program is the real one, in a process of its own; Chromium is the only thing
// between it and the test. With ALDINE_E2E_SCREENSHOTS=FOLDER they leave pictures there.

// chromium is one browser for all tests; each visitor has a private window in it.
var chromium struct {
	once  sync.Once
	ctx   context.Context
	close func()
	err   error
}

func openBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no browser is installed: this test needs chromium or google-chrome in the PATH (make setup installs it)")
	}
	chromium.once.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-component-update", true),
			// A sandboxed frame in a process of its own is out of the reach of pictures and of seeInFrame.
			chromedp.Flag("disable-features", "site-per-process,Translate,BlinkGenPropertyTrees,IsolateSandboxedIframes"),
			chromedp.Flag("lang", "en-GB"), chromedp.WSURLReadTimeout(time.Minute))
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(allocator)
		chromium.ctx, chromium.close = ctx, func() { cancel(); stop() }
		chromium.err = chromedp.Run(ctx)
	})
	if chromium.err != nil {
		t.Fatalf("the browser %s does not start: %v", path, chromium.err)
	}
	return chromium.ctx
}

func closeBrowser() {
	if chromium.close != nil {
		chromium.close()
	}
}

// house is the program on a database of its own: its services for the preparations, its pages for the visitors.
type house struct {
	*app
	t       *testing.T
	base    string
	printed string
}

// newHouse skips the test at once where no browser is.
func newHouse(t *testing.T) *house {
	t.Helper()
	openBrowser(t)
	cfg := &config{Data: t.TempDir(), DatabaseURL: pgtest.NewURL(t), Connections: 4, LogLevel: "error", LogFormat: "text"}
	a, err := openApp(t.Context(), cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return &house{app: a, t: t}
}

func (h *house) serve() {
	h.t.Helper()
	_, h.base, h.printed = startServerPrinting(h.t, "--data", h.cfg.Data, "--database-url", h.cfg.DatabaseURL, "--log-level", "error")
}

const e2ePassword = "a quiet teal evening"

// system is the context of preparations.
func system() context.Context { return access.With(context.Background(), access.System) }

// visit opens a private window.
func (h *house) visit() *visitor {
	h.t.Helper()
	parent := openBrowser(h.t)
	all := cdp.WithExecutor(parent, chromedp.FromContext(parent).Browser)
	private, err := target.CreateBrowserContext().Do(all)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := target.DisposeBrowserContext(private).Do(all); err != nil {
			h.t.Errorf("close the window: %v", err)
		}
	})
	// A window, not a tab: a private session without any window yet has no place for a tab.
	window, err := target.CreateTarget("about:blank").WithBrowserContextID(private).WithNewWindow(true).Do(all)
	if err != nil {
		h.t.Fatal(err)
	}
	v := &visitor{t: h.t, base: h.base, downloads: h.t.TempDir()}
	err = browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithBrowserContextID(private).WithDownloadPath(v.downloads).Do(all)
	if err != nil {
		h.t.Fatal(err)
	}
	tab, leave := chromedp.NewContext(parent, chromedp.WithTargetID(window))
	h.t.Cleanup(leave)
	v.tab = tab
	chromedp.ListenTarget(tab, v.hear)
	// The first run ties the window to its context for good, so it must not be one with a limit of time.
	if err := chromedp.Run(tab, chromedp.EmulateViewport(1280, 900)); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		for _, f := range v.heard() {
			h.t.Errorf("the browser complains: %s", f)
		}
	})
	return v
}

// visitAs signs a new person with a role in.
func (h *house) visitAs(role access.Role) *visitor {
	h.t.Helper()
	email := string(role) + "@example.org"
	if _, _, err := h.access.CreateUser(system(), email, "Robin "+strings.ToUpper(string(role[:1]))+string(role[1:]), role, e2ePassword); err != nil {
		h.t.Fatal(err)
	}
	v := h.visit()
	v.open("/")
	v.fill("E-mail", email)
	v.fill("Password", e2ePassword)
	v.follow("Sign in")
	v.see("Sign out")
	return v
}

// visitor is a person at a window.
type visitor struct {
	t         *testing.T
	base      string
	tab       context.Context
	downloads string

	mu     sync.Mutex
	faults []string
}

// hear notes what a careful person would see in the browser's console, and says yes to questions.
func (v *visitor) hear(event any) {
	fault := func(format string, args ...any) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.faults = append(v.faults, fmt.Sprintf(format, args...))
	}
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		fault("%s", e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			for _, a := range e.Args {
				fault("console: %s %s", a.Value, a.Description)
			}
		}
	case *log.EventEntryAdded:
		// A refused form answers 422 or 403 with a page, which the browser logs; that is what the tests ask for.
		refused := strings.Contains(e.Entry.Text, "status of 422") || strings.Contains(e.Entry.Text, "status of 403")
		// Nor does a mail in the outbox count as opened: its pixel is not loaded.
		refused = refused || strings.Contains(e.Entry.Text, "/t/o/") && strings.Contains(e.Entry.Text, "Content Security Policy")
		if (e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning) && !refused {
			fault("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		if e.Type == page.DialogTypeAlert {
			fault("alert: %s", e.Message)
		}
		go func() { _ = chromedp.Run(v.tab, page.HandleJavaScriptDialog(true)) }()
	}
}

func (v *visitor) heard() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.faults
}

// forgive drops the complaints heard so far that hold one of words.
func (v *visitor) forgive(words ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults = slices.DeleteFunc(v.faults, func(f string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(f, w) })
	})
}

// patience is how long a person waits for a page; long, because the tests share two cores with others.
const patience = 30 * time.Second

func (v *visitor) run(what string, actions ...chromedp.Action) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.tab, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		v.giveUp(what + ": " + err.Error())
	}
}

// giveUp ends the test with what the page says.
func (v *visitor) giveUp(why string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.tab, 5*time.Second)
	defer cancel()
	var at, text string
	_ = chromedp.Run(ctx, chromedp.Location(&at), chromedp.Evaluate(`document.body.innerText`, &text))
	v.shoot("failed")
	v.t.Fatalf("%s\nat %s the page says:\n%s", why, at, text)
}

// shoot saves a picture where pictures are wanted.
func (v *visitor) shoot(name string) {
	v.t.Helper()
	dir := os.Getenv("ALDINE_E2E_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(v.tab, 10*time.Second)
	defer cancel()
	var picture []byte
	err := chromedp.Run(ctx, chromedp.FullScreenshot(&picture, 100))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, strings.TrimPrefix(v.t.Name(), "TestE2E")+"-"+name+".png"), picture, 0o644)
	}
	if err != nil {
		v.t.Logf("no picture %s: %v", name, err)
	}
}
