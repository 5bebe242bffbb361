package access

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/fault"
)

// User is a person who may sign in.
type User struct {
	ID          int64      `json:"id" db:"user_id"`
	Email       string     `json:"email"`
	Name        string     `json:"name"`
	Role        Role       `json:"role"`
	MustChange  bool       `json:"must_change" db:"must_change"` // still has the one-time password
	DisabledAt  *time.Time `json:"disabled_at,omitempty" db:"disabled_at"`
	CreatedAt   time.Time  `json:"created_at" db:"created_at"`
	LastLoginAt *time.Time `json:"last_login_at,omitempty" db:"last_login_at"`
	// Stamp changes with every new password, so that sessions from before it can be told. It tells nothing of the password.
	Stamp string `json:"-"`
}

// Actor gives the user as the one who acts.
func (u User) Actor() Actor { return Actor{Kind: "user", Name: u.Email, Role: u.Role, UserID: u.ID} }

const userColumns = `user_id, email, name, role, must_change, disabled_at, created_at, last_login_at,
	encode(sha256(convert_to(password_hash, 'UTF8')), 'hex') AS stamp`

// CreateUser adds a user. Without a password it makes a one-time password, which it returns and which the user must
// change at the first sign-in. Invalid names the faulty field; Conflict: the e-mail has a user already.
func (s *Service) CreateUser(ctx context.Context, email, name string, role Role, password string) (User, string, error) {
	email, name = strings.TrimSpace(email), strings.TrimSpace(name)
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
		return User{}, "", fault.BadField("email", "%q is not an e-mail address", email)
	}
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	role, err := ParseRole(string(role))
	if err != nil {
		return User{}, "", err
	}
	oneTime := ""
	if password == "" {
		oneTime = randomText(16)
		password = oneTime
	} else if err := checkPassword(password); err != nil {
		return User{}, "", err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return User{}, "", err
	}
	var u User
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
			INSERT INTO users (email, name, role, password_hash, must_change, created_at)
			VALUES (@email, @name, @role, @hash, @must, @now) RETURNING `+userColumns, pgx.NamedArgs{
			"email": email, "name": name, "role": role, "hash": hash, "must": oneTime != "", "now": s.now()})
		u, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[User])
		if isUnique(err) {
			return fault.New(fault.Conflict, "There is a user with the e-mail address %s already", email)
		} else if err != nil {
			return err
		}
		return s.recordTx(ctx, tx, "user.create", "user", u.ID, map[string]any{"email": email, "role": role})
	})
	if err != nil {
		return User{}, "", err
	}
	return u, oneTime, nil
}

// Authenticate checks a sign-in and tells whether the password must be changed first. A wrong password, an unknown
// e-mail and a disabled user get the same Unauthenticated error; Unavailable after too many failures.
func (s *Service) Authenticate(ctx context.Context, email, password string) (Actor, bool, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	now := s.now()
	undo, wait := s.attempts.try(email, now)
	if wait > 0 {
		return Actor{}, false, fault.New(fault.Unavailable,
			"Too many failed sign-ins for this e-mail address: try again in %d seconds", int(wait.Seconds())+1)
	}
	wrong := fault.New(fault.Unauthenticated, "The e-mail address or the password is wrong")
	var u User
	var hash string
	err := s.pool.QueryRow(ctx, `
		SELECT user_id, email, name, role, must_change, disabled_at, created_at, last_login_at, password_hash
		FROM users WHERE lower(email) = @email`, pgx.NamedArgs{"email": email}).
		Scan(&u.ID, &u.Email, &u.Name, &u.Role, &u.MustChange, &u.DisabledAt, &u.CreatedAt, &u.LastLoginAt, &hash)
	known := err == nil
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		hash = noHash()
	case err != nil:
		undo()
		return Actor{}, false, err
	}
	ok, err := s.matches(ctx, password, hash)
	if err != nil {
		undo()
		return Actor{}, false, err
	}
	if !ok || !known || u.DisabledAt != nil {
		return Actor{}, false, wrong
	}
	undo()
	if _, err := s.pool.Exec(ctx, `UPDATE users SET last_login_at = @now WHERE user_id = @id`,
		pgx.NamedArgs{"id": u.ID, "now": now}); err != nil {
		return Actor{}, false, err
	}
	return u.Actor(), u.MustChange, nil
}

// User gives one user, for a session that carries on; NotFound where there is none.
func (s *Service) User(ctx context.Context, userID int64) (User, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+userColumns+` FROM users WHERE user_id = @id`, pgx.NamedArgs{"id": userID})
	u, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[User])
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, fault.New(fault.NotFound, "There is no user %d", userID)
	}
	return u, err
}

// ListUsers gives all users by e-mail.
func (s *Service) ListUsers(ctx context.Context) ([]User, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+userColumns+` FROM users ORDER BY lower(email)`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[User])
}

// ChangePassword sets a user's own new password after checking the old one.
func (s *Service) ChangePassword(ctx context.Context, userID int64, old, password string) error {
	var email, hash string
	err := s.pool.QueryRow(ctx, `SELECT lower(email), password_hash FROM users WHERE user_id = @id AND disabled_at IS NULL`,
		pgx.NamedArgs{"id": userID}).Scan(&email, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "There is no user %d", userID)
	} else if err != nil {
		return err
	}
	undo, wait := s.attempts.try(email, s.now())
	if wait > 0 {
		return fault.New(fault.Unavailable, "Too many wrong passwords: try again in %d seconds", int(wait.Seconds())+1)
	}
	ok, err := s.matches(ctx, old, hash)
	if err != nil {
		undo()
		return err
	}
	if !ok {
		return fault.BadField("old_password", "This is not your present password")
	}
	undo()
	if err := checkPassword(password); err != nil {
		return err
	}
	if password == old {
		return fault.BadField("password", "The new password is the old one")
	}
	return s.setPassword(ctx, userID, password, false, "user.password")
}

// ResetPassword gives a user a new one-time password, which it returns.
func (s *Service) ResetPassword(ctx context.Context, userID int64) (string, error) {
	oneTime := randomText(16)
	return oneTime, s.setPassword(ctx, userID, oneTime, true, "user.reset_password")
}

func (s *Service) setPassword(ctx context.Context, userID int64, password string, mustChange bool, action string) error {
	hash, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.changeUser(ctx, userID, action, nil, `
		UPDATE users SET password_hash = @hash, must_change = @must WHERE user_id = @id`,
		pgx.NamedArgs{"hash": hash, "must": mustChange})
}

// SetRole changes a user's role; Conflict where this would leave no administrator.
func (s *Service) SetRole(ctx context.Context, userID int64, role Role) error {
	role, err := ParseRole(string(role))
	if err != nil {
		return err
	}
	return s.changeUser(ctx, userID, "user.role", map[string]any{"role": role},
		`UPDATE users SET role = @role WHERE user_id = @id`, pgx.NamedArgs{"role": role})
}

// DisableUser keeps a user from signing in; Conflict where this would leave no administrator.
func (s *Service) DisableUser(ctx context.Context, userID int64) error {
	return s.changeUser(ctx, userID, "user.disable", nil,
		`UPDATE users SET disabled_at = coalesce(disabled_at, @now) WHERE user_id = @id`, pgx.NamedArgs{"now": s.now()})
}

// EnableUser lets a disabled user sign in again.
func (s *Service) EnableUser(ctx context.Context, userID int64) error {
	return s.changeUser(ctx, userID, "user.enable", nil,
		`UPDATE users SET disabled_at = NULL WHERE user_id = @id`, pgx.NamedArgs{})
}

// changeUser runs one UPDATE of a user and keeps the rule that somebody can always administer.
func (s *Service) changeUser(ctx context.Context, userID int64, action string, detail map[string]any, sql string, args pgx.NamedArgs) error {
	args["id"] = userID
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Two administrators who disable each other at the same moment must not both succeed.
		if _, err := tx.Exec(ctx, `LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		before, err := administratorsTx(ctx, tx)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sql, args)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.NotFound, "There is no user %d", userID)
		}
		after, err := administratorsTx(ctx, tx)
		if err != nil {
			return err
		}
		if before > 0 && after == 0 {
			return fault.New(fault.Conflict, "This is the last administrator: make another one first")
		}
		return s.recordTx(ctx, tx, action, "user", userID, detail)
	})
}

func administratorsTx(ctx context.Context, tx pgx.Tx) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT count(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL`).Scan(&n)
	return n, err
}

// AdminEmail is the e-mail address of the administrator that EnsureAdmin makes.
const AdminEmail = "admin@aldine.example"

// EnsureAdmin creates an administrator with a one-time password where there is no user at all, and returns the
// password once; "" where there are users.
func (s *Service) EnsureAdmin(ctx context.Context) (string, error) {
	var any bool
	if err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM users)`).Scan(&any); err != nil || any {
		return "", err
	}
	_, oneTime, err := s.CreateUser(ctx, AdminEmail, "Administrator", Admin, "")
	if fault.Is(err, fault.Conflict) { // another process was first
		return "", nil
	}
	return oneTime, err
}

func isUnique(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "23505"
}
