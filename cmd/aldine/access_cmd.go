package main

import (
	"context"
	"fmt"
	"time"

	"aldine/internal/access"
	"aldine/internal/fault"
)

type userCmd struct {
	Create  userCreate  `cmd:"" help:"Add a user; the one-time password is printed alone on the last line."`
	List    userList    `cmd:"" help:"List users."`
	Disable userDisable `cmd:"" help:"Lock a user out."`
	Reset   userReset   `cmd:"" help:"Give a user a new one-time password, printed alone on the last line."`
}

type userCreate struct {
	Email string `arg:"" help:"E-mail address to sign in with."`
	Name  string `help:"Full name."`
	Role  string `required:"" help:"admin, marketer, agent, finance or readonly."`
}

func (c userCreate) Run(ctx context.Context, cfg *config, std streams) error {
	role, err := access.ParseRole(c.Role)
	if err != nil {
		return err
	}
	return withApp(ctx, cfg, std, func(a *app) error {
		_, password, err := a.access.CreateUser(ctx, c.Email, c.Name, role, "")
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s may sign in as %s with this one-time password:\n%s\n", c.Email, role, password)
		return nil
	})
}

type userList struct{}

func (userList) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		users, err := a.access.ListUsers(ctx)
		if err != nil {
			return err
		}
		t := newTable(std.out, "EMAIL", "NAME", "ROLE", "STATE")
		for _, u := range users {
			state := "active"
			if u.DisabledAt != nil {
				state = "disabled"
			}
			t.row(u.Email, u.Name, u.Role, state)
		}
		return t.flush()
	})
}

type userDisable struct {
	Email string `arg:"" help:"The user's e-mail address."`
}

func (c userDisable) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		id, err := userID(ctx, a, c.Email)
		if err != nil {
			return err
		}
		return a.access.DisableUser(ctx, id)
	})
}

type userReset struct {
	Email string `arg:"" help:"The user's e-mail address."`
}

func (c userReset) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		id, err := userID(ctx, a, c.Email)
		if err != nil {
			return err
		}
		password, err := a.access.ResetPassword(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "One-time password of %s:\n%s\n", c.Email, password)
		return nil
	})
}

func userID(ctx context.Context, a *app, email string) (int64, error) {
	users, err := a.access.ListUsers(ctx)
	if err != nil {
		return 0, err
	}
	for _, u := range users {
		if u.Email == email {
			return u.ID, nil
		}
	}
	return 0, fault.New(fault.NotFound, "There is no user %s (see: aldine user list)", email)
}

type tokenCmd struct {
	Create tokenCreate `cmd:"" help:"Create a token; it is printed alone on the last line and never shown again."`
	List   tokenList   `cmd:"" help:"List tokens."`
	Revoke tokenRevoke `cmd:"" help:"Make a token worthless."`
}

type tokenCreate struct {
	Role    string        `required:"" help:"admin, marketer, agent, finance or readonly."`
	Name    string        `default:"shell" help:"What the token is for; shown in the audit log."`
	Expires time.Duration `help:"How long it is valid, such as 720h. Default: until revoked."`
}

func (c tokenCreate) Run(ctx context.Context, cfg *config, std streams) error {
	role, err := access.ParseRole(c.Role)
	if err != nil {
		return err
	}
	return withApp(ctx, cfg, std, func(a *app) error {
		var expires *time.Time
		if c.Expires != 0 {
			at := a.now().Add(c.Expires)
			expires = &at
		}
		_, secret, err := a.access.CreateToken(ctx, c.Name, role, expires)
		if err != nil {
			return err
		}
		fmt.Fprintln(std.out, secret)
		return nil
	})
}

type tokenList struct{}

func (tokenList) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		tokens, err := a.access.ListTokens(ctx)
		if err != nil {
			return err
		}
		t := newTable(std.out, "ID", "NAME", "ROLE", "BEGINS", "EXPIRES", "STATE")
		for _, x := range tokens {
			expires, state := "never", "active"
			if x.ExpiresAt != nil {
				expires = x.ExpiresAt.Format(time.RFC3339)
				if x.ExpiresAt.Before(a.now()) {
					state = "expired"
				}
			}
			if x.RevokedAt != nil {
				state = "revoked"
			}
			t.row(x.ID, x.Name, x.Role, x.Prefix, expires, state)
		}
		return t.flush()
	})
}

type tokenRevoke struct {
	ID int64 `arg:"" help:"The token's number in the list."`
}

func (c tokenRevoke) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error { return a.access.RevokeToken(ctx, c.ID) })
}
