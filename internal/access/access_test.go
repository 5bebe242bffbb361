package access_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

func start(t *testing.T) (*access.Service, *clock, *pgxpool.Pool, context.Context) {
	t.Helper()
	c := &clock{}
	c.at.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	pool := pgtest.New(t)
	return access.New(pool, c.now), c, pool, access.With(t.Context(), access.CLI)
}

func wantKind(t *testing.T, err error, kind fault.Kind, text string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		t.Fatalf("got %v (kind %d), want kind %d with %q", err, fault.KindOf(err), kind, text)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s, c, _, ctx := start(t)
	u, oneTime, err := s.CreateUser(ctx, " Anna@Example.org", "Anna", access.Marketer, "")
	if err != nil || len(oneTime) != 16 {
		t.Fatalf("create: %v, one-time password %q", err, oneTime)
	}
	actor, must, err := s.Authenticate(ctx, "anna@example.ORG", oneTime)
	if err != nil || !must || actor.String() != "user:Anna@Example.org" || actor.Role != access.Marketer {
		t.Fatalf("first sign-in: %v %v %v", actor, must, err)
	}
	wantKind(t, s.ChangePassword(ctx, u.ID, "not this one", "correct horse"), fault.Invalid, "present password")
	wantKind(t, s.ChangePassword(ctx, u.ID, oneTime, "short"), fault.Invalid, "at least 10")
	wantKind(t, s.ChangePassword(ctx, u.ID, oneTime, oneTime), fault.Invalid, "is the old one")
	if err := s.ChangePassword(ctx, u.ID, oneTime, "correct horse"); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Authenticate(ctx, "anna@example.org", oneTime)
	wantKind(t, err, fault.Unauthenticated, "wrong")
	if _, must, err = s.Authenticate(ctx, "anna@example.org", "correct horse"); err != nil || must {
		t.Fatalf("after the change: must %v, %v", must, err)
	}
	_, _, err = s.CreateUser(ctx, "ANNA@example.org", "", access.Agent, "")
	wantKind(t, err, fault.Conflict, "already")
	_, _, err = s.CreateUser(ctx, "not an address", "", access.Agent, "")
	wantKind(t, err, fault.Invalid, "email")
	_, _, err = s.CreateUser(ctx, "b@example.org", "", "king", "")
	wantKind(t, err, fault.Invalid, "king")

	// A disabled user gets the answer that a wrong password gets.
	if _, _, err := s.CreateUser(ctx, "root@example.org", "", access.Admin, "root password"); err != nil {
		t.Fatal(err)
	}
	if err := s.DisableUser(ctx, u.ID); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	_, _, err = s.Authenticate(ctx, "anna@example.org", "correct horse")
	wantKind(t, err, fault.Unauthenticated, "The e-mail address or the password is wrong")
	if err := s.EnableUser(ctx, u.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Authenticate(ctx, "anna@example.org", "correct horse"); err != nil {
		t.Fatal(err)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	s, c, _, ctx := start(t)
	if _, _, err := s.CreateUser(ctx, "anna@example.org", "", access.Marketer, "correct horse"); err != nil {
		t.Fatal(err)
	}
	for range 20 { // right passwords use nothing up
		if _, _, err := s.Authenticate(ctx, "anna@example.org", "correct horse"); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		_, _, err := s.Authenticate(ctx, "anna@example.org", "wrong horse")
		wantKind(t, err, fault.Unauthenticated, "wrong")
	}
	_, _, err := s.Authenticate(ctx, "ANNA@example.org ", "correct horse")
	wantKind(t, err, fault.Unavailable, "try again in 2")
	c.advance(21 * time.Second)
	if _, _, err := s.Authenticate(ctx, "anna@example.org", "correct horse"); err != nil {
		t.Fatal(err)
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	s, _, pool, ctx := start(t)
	password, err := s.EnsureAdmin(ctx)
	if err != nil || password == "" {
		t.Fatalf("first start: %q %v", password, err)
	}
	if again, err := s.EnsureAdmin(ctx); err != nil || again != "" {
		t.Fatalf("second start: %q %v", again, err)
	}
	actor, must, err := s.Authenticate(ctx, access.AdminEmail, password)
	if err != nil || !must {
		t.Fatal(must, err)
	}
	wantKind(t, s.DisableUser(ctx, actor.UserID), fault.Conflict, "last administrator")
	wantKind(t, s.SetRole(ctx, actor.UserID, access.Agent), fault.Conflict, "last administrator")
	wantKind(t, s.DisableUser(ctx, 99), fault.NotFound, "99")
	if u, err := s.User(ctx, actor.UserID); err != nil || u.DisabledAt != nil || u.Role != access.Admin {
		t.Fatalf("the administrator was changed: %+v %v", u, err)
	}
	oneTime, err := s.ResetPassword(ctx, actor.UserID)
	if err != nil {
		t.Fatal(err)
	}
	if _, must, err := s.Authenticate(ctx, access.AdminEmail, oneTime); err != nil || !must {
		t.Fatal(must, err)
	}
	var entries int
	if err := pool.QueryRow(ctx, `SELECT count(*) FROM audit_log WHERE object_kind = 'user'`).Scan(&entries); err != nil || entries != 2 {
		t.Fatalf("%d audit entries (create, reset), %v", entries, err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s, c, pool, ctx := start(t)
	expires := c.now().Add(24 * time.Hour)
	token, secret, err := s.CreateToken(ctx, "crm", access.Finance, &expires)
	if err != nil || !strings.HasPrefix(secret, "ald_") || len(secret) != 36 || !strings.HasPrefix(secret, token.Prefix) {
		t.Fatalf("create: %+v %q %v", token, secret, err)
	}
	var stored string
	if err := pool.QueryRow(ctx, `SELECT api_tokens::text FROM api_tokens`).Scan(&stored); err != nil || strings.Contains(stored, secret) {
		t.Fatal("the secret is stored", err)
	}
	actor, err := s.AuthenticateToken(ctx, secret)
	if err != nil || actor.String() != "token:crm" || actor.Role != access.Finance {
		t.Fatal(actor, err)
	}
	first := c.now()
	c.advance(30 * time.Second)
	lastUsed := func() time.Time {
		if _, err := s.AuthenticateToken(ctx, secret); err != nil {
			t.Fatal(err)
		}
		list, err := s.ListTokens(ctx)
		if err != nil || len(list) != 1 || list[0].LastUsedAt == nil {
			t.Fatal(list, err)
		}
		return *list[0].LastUsedAt
	}
	if at := lastUsed(); !at.Equal(first) {
		t.Fatalf("last use was written again within a minute: %s", at)
	}
	c.advance(31 * time.Second)
	if at := lastUsed(); !at.Equal(c.now()) {
		t.Fatalf("last use is %s", at)
	}
	for _, bad := range []string{"", "ald_", "xyz", secret[:35], secret + "x", "ald_" + strings.Repeat("2", 32)} {
		_, err := s.AuthenticateToken(ctx, bad)
		wantKind(t, err, fault.Unauthenticated, "not known")
	}
	c.advance(24 * time.Hour)
	_, err = s.AuthenticateToken(ctx, secret)
	wantKind(t, err, fault.Unauthenticated, "The token expired on 2 March 2026")
	if err := s.RevokeToken(ctx, token.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.AuthenticateToken(ctx, secret)
	wantKind(t, err, fault.Unauthenticated, "revoked on")
	wantKind(t, s.RevokeToken(ctx, 99), fault.NotFound, "99")
	past := c.now()
	_, _, err = s.CreateToken(ctx, "late", access.Agent, &past)
	wantKind(t, err, fault.Invalid, "expires_at")
	_, _, err = s.CreateToken(ctx, " ", access.Agent, nil)
	wantKind(t, err, fault.Invalid, "name")
}

func TestRequire(t *testing.T) {
	t.Parallel()
	wantKind(t, access.Require(t.Context(), access.CustomersRead), fault.Unauthenticated, "Sign in")
	agent := access.With(t.Context(), access.Actor{Kind: "user", Role: access.Agent})
	wantKind(t, access.Require(agent, access.CustomersRead), fault.Forbidden, "agent")
	if err := access.Require(agent, access.CallsWork); err != nil {
		t.Fatal(err)
	}
}
