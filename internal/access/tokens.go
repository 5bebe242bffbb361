package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// Token is an API token as it may be shown: the secret itself is known only to its owner.
type Token struct {
	ID         int64      `json:"id" db:"token_id"`
	Name       string     `json:"name"`
	Role       Role       `json:"role"`
	Prefix     string     `json:"prefix"` // first characters, to recognise it by
	CreatedBy  string     `json:"created_by" db:"created_by"`
	CreatedAt  time.Time  `json:"created_at" db:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty" db:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at,omitempty" db:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" db:"last_used_at"`
}

const (
	tokenStart   = "ald_"
	tokenSecret  = 32 // characters of 5.8 bits
	tokenShown   = len(tokenStart) + 6
	usedInterval = time.Minute
	tokenColumns = `token_id, name, role, prefix, created_by, created_at, expires_at, revoked_at, last_used_at`
)

// CreateToken makes an API token and returns its secret, which is shown this once and stored only as a hash. A nil
// expires means never. Invalid names the faulty field.
func (s *Service) CreateToken(ctx context.Context, name string, role Role, expires *time.Time) (Token, string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 100 {
		return Token{}, "", fault.BadField("name", "Give the token a name of at most 100 characters")
	}
	role, err := ParseRole(string(role))
	if err != nil {
		return Token{}, "", err
	}
	if expires != nil && !expires.After(s.now()) {
		return Token{}, "", fault.BadField("expires_at", "%s has passed already", expires.Format(time.RFC3339))
	}
	secret := tokenStart + randomText(tokenSecret)
	hash := sha256.Sum256([]byte(secret))
	var t Token
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
			INSERT INTO api_tokens (name, role, hash, prefix, created_by, created_at, expires_at)
			VALUES (@name, @role, @hash, @prefix, @by, @now, @expires) RETURNING `+tokenColumns, pgx.NamedArgs{
			"name": name, "role": role, "hash": hash[:], "prefix": secret[:tokenShown], "by": From(ctx).String(),
			"now": s.now(), "expires": expires})
		if t, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Token]); err != nil {
			return err
		}
		return s.recordTx(ctx, tx, "token.create", "token", t.ID, map[string]any{"name": name, "role": role})
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// AuthenticateToken gives the actor of a token's secret. Unauthenticated says whether it is unknown, expired or revoked.
func (s *Service) AuthenticateToken(ctx context.Context, secret string) (Actor, error) {
	unknown := fault.New(fault.Unauthenticated, "The token is not known")
	if !strings.HasPrefix(secret, tokenStart) || len(secret) != len(tokenStart)+tokenSecret {
		return Actor{}, unknown
	}
	hash := sha256.Sum256([]byte(secret))
	rows, _ := s.pool.Query(ctx, `SELECT `+tokenColumns+` FROM api_tokens WHERE hash = @hash`, pgx.NamedArgs{"hash": hash[:]})
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Token])
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Actor{}, unknown
	case err != nil:
		return Actor{}, err
	}
	now := s.now()
	if t.RevokedAt != nil {
		return Actor{}, fault.New(fault.Unauthenticated, "The token was revoked on %s", day(*t.RevokedAt))
	}
	if t.ExpiresAt != nil && !now.Before(*t.ExpiresAt) {
		return Actor{}, fault.New(fault.Unauthenticated, "The token expired on %s", day(*t.ExpiresAt))
	}
	if t.LastUsedAt == nil || now.Sub(*t.LastUsedAt) >= usedInterval {
		if _, err := s.pool.Exec(ctx, `
			UPDATE api_tokens SET last_used_at = @now
			WHERE token_id = @id AND (last_used_at IS NULL OR last_used_at <= @before)`,
			pgx.NamedArgs{"id": t.ID, "now": now, "before": now.Add(-usedInterval)}); err != nil {
			return Actor{}, err
		}
	}
	return Actor{Kind: "token", Name: t.Name, Role: t.Role, TokenID: t.ID}, nil
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006 15:04 UTC") }

// ListTokens gives all tokens, the newest first.
func (s *Service) ListTokens(ctx context.Context) ([]Token, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+tokenColumns+` FROM api_tokens ORDER BY token_id DESC`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[Token])
}

// RevokeToken ends a token at once; revoking it again changes nothing. NotFound where there is none.
func (s *Service) RevokeToken(ctx context.Context, tokenID int64) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE api_tokens SET revoked_at = coalesce(revoked_at, @now) WHERE token_id = @id`,
			pgx.NamedArgs{"id": tokenID, "now": s.now()})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.NotFound, "There is no token %d", tokenID)
		}
		return s.recordTx(ctx, tx, "token.revoke", "token", tokenID, nil)
	})
}
