package main

import (
	"regexp"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// Somebody signs in for the first time, with nothing but the keyboard.
func TestE2ESignIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.serve()
	said := regexp.MustCompile(`Sign in as (\S+) with the one-time password (\S+)`).FindStringSubmatch(h.printed)
	if said == nil {
		t.Fatalf("the program does not say how to sign in:\n%s", h.printed)
	}
	email, once := said[1], said[2]
	v := h.visit()
	v.open("/segments")
	v.see("Sign in", "Forgotten the password?")
	v.shoot("page")
	if f := v.focus(); f != "E-mail" {
		t.Errorf("the first key goes to %q", f)
	}
	v.keys(email + kb.Tab + "not the password")
	v.leave(func() { v.keys(kb.Enter) })
	v.see("The e-mail address or the password is wrong")
	if got := v.value("E-mail"); got != email {
		t.Errorf("the e-mail has to be typed again: %q", got)
	}
	if got := v.value("Password"); got != "" {
		t.Error("the wrong password came back in the page")
	}
	v.fill("Password", once)
	v.leave(func() { v.keys(kb.Enter) })

	// The one-time password opens one page only.
	v.see("You signed in with a one-time password")
	v.open("/customers")
	v.see("You signed in with a one-time password")
	change := func(old, fresh, again string) {
		v.fill("Present password", old)
		v.keys(kb.Tab + fresh + kb.Tab + again)
		v.leave(func() { v.keys(kb.Enter) })
	}
	change(once, e2ePassword, "something else entirely")
	v.see("The two new passwords are not the same")
	change(once, "short", "short")
	v.see("at least 10 characters")
	change("wrong old one", e2ePassword, e2ePassword)
	v.see("This is not your present password")
	v.shoot("password")
	change(once, e2ePassword, e2ePassword)
	v.see("Your password is changed.", "Home")
	v.shoot("home")

	v.follow("Sign out")
	v.see("Forgotten the password?")
	v.open("/customers")
	v.see("Forgotten the password?")
	v.fill("E-mail", email)
	v.fill("Password", once)
	v.follow("Sign in")
	v.see("The e-mail address or the password is wrong")
	v.fill("Password", e2ePassword)
	v.follow("Sign in")
	v.see("No customers yet")
	if at := v.at(); at != "/customers" {
		t.Errorf("after signing in one stands at %s, not where one wanted to go", at)
	}
}
