package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/govalues/decimal"

	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/settings"
	"aldine/reports"
)

func writeJSON(v any) func(io.Writer) error {
	return func(w io.Writer) error { return json.NewEncoder(w).Encode(v) }
}

func (a *API) admin() {
	a.tokens()
	a.users()
	const tag = "Settings"
	add(a, op{id: "getSettings", method: http.MethodGet, path: "/settings", summary: "All settings", tag: tag, need: access.Administer},
		func(ctx context.Context, _ *none) (settings.Values, error) { return a.Settings.Get(ctx) })
	type patch struct{ Body map[string]any }
	add(a, op{id: "updateSettings", method: http.MethodPatch, path: "/settings", summary: "Change some settings", tag: tag, need: access.Administer},
		func(ctx context.Context, in *patch) (settings.Values, error) {
			return a.Settings.Update(ctx, func(v *settings.Values) error { return merge(v, in.Body) })
		})
	add(a, op{id: "listExchangeRates", method: http.MethodGet, path: "/exchange-rates", summary: "What currencies are worth in the base currency", tag: tag, need: access.ReportsRead},
		func(ctx context.Context, _ *none) (page[reports.ExchangeRate], error) {
			out, err := a.Reports.ExchangeRates(ctx)
			return paged(out, nil), err
		})
	type exchangeRate struct {
		Currency string          `json:"currency" example:"USD"`
		Rate     decimal.Decimal `json:"rate" doc:"One unit of it in the base currency."`
	}
	act(a, op{id: "setExchangeRate", method: http.MethodPut, path: "/exchange-rates", summary: "Set a currency's rate", tag: tag, need: access.Administer,
		doc: "Orders recorded before keep the rate they were recorded with."},
		func(ctx context.Context, in *body[exchangeRate]) error {
			return a.Customers.SetExchangeRate(ctx, in.Body.Currency, in.Body.Rate)
		})
	type audit struct {
		Limits
		Actor  string `query:"actor"`
		Action string `query:"action"`
		Kind   string `query:"object_kind"`
		Object string `query:"object_id"`
		After  string `query:"after"`
	}
	add(a, op{id: "listAudit", method: http.MethodGet, path: "/audit", summary: "Who changed what, newest first", tag: tag, need: access.Administer},
		func(ctx context.Context, in *audit) (page[reports.AuditEntry], error) {
			out, next, err := a.Reports.Audit(ctx, reports.AuditFilter{Actor: in.Actor, Action: in.Action, Kind: in.Kind, ObjectID: in.Object, After: in.After, Limit: in.Limit})
			return paged(out, next), err
		})
}

// merge lays the named settings over v.
func merge(v *settings.Values, named map[string]any) error {
	body, err := json.Marshal(named)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fault.Bad("The settings are not valid", fault.Field{Message: decoding(err.Error())})
	}
	return v.Check()
}

func (a *API) tokens() {
	const tag = "Tokens and users"
	add(a, op{id: "listTokens", method: http.MethodGet, path: "/tokens", summary: "API tokens, newest first", tag: tag, need: access.Administer},
		func(ctx context.Context, _ *none) (page[access.Token], error) {
			out, err := a.Access.ListTokens(ctx)
			return paged(out, nil), err
		})
	type newToken struct {
		Name      string      `json:"name"`
		Role      access.Role `json:"role" doc:"admin, marketer, agent, finance or readonly"`
		ExpiresAt *time.Time  `json:"expires_at,omitempty" doc:"Never where left out."`
	}
	type createdToken struct {
		access.Token
		Secret string `json:"token" doc:"The token itself, shown only now."`
	}
	add(a, op{id: "createToken", method: http.MethodPost, path: "/tokens", summary: "Make a token", tag: tag, need: access.Administer, status: http.StatusCreated},
		func(ctx context.Context, in *body[newToken]) (createdToken, error) {
			holdsSecret(ctx)
			t, secret, err := a.Access.CreateToken(ctx, in.Body.Name, in.Body.Role, in.Body.ExpiresAt)
			return createdToken{t, secret}, err
		})
	act(a, op{id: "revokeToken", method: http.MethodDelete, path: "/tokens/{id}", summary: "Revoke a token at once", tag: tag, need: access.Administer},
		func(ctx context.Context, in *One) error { return a.Access.RevokeToken(ctx, in.ID) })
}

func (a *API) users() {
	const tag = "Tokens and users"
	add(a, op{id: "listUsers", method: http.MethodGet, path: "/users", summary: "Users", tag: tag, need: access.Administer},
		func(ctx context.Context, _ *none) (page[access.User], error) {
			out, err := a.Access.ListUsers(ctx)
			return paged(out, nil), err
		})
	type newUser struct {
		Email string      `json:"email"`
		Name  string      `json:"name,omitempty"`
		Role  access.Role `json:"role" doc:"admin, marketer, agent, finance or readonly"`
	}
	type userSecret struct {
		access.User
		OneTimePassword string `json:"one_time_password" doc:"Shown only now; the user must change it."`
	}
	add(a, op{id: "createUser", method: http.MethodPost, path: "/users", summary: "Add a user with a one-time password", tag: tag, need: access.Administer, status: http.StatusCreated},
		func(ctx context.Context, in *body[newUser]) (userSecret, error) {
			holdsSecret(ctx)
			u, password, err := a.Access.CreateUser(ctx, in.Body.Email, in.Body.Name, in.Body.Role, "")
			return userSecret{u, password}, err
		})
	type userChange struct {
		Role     access.Role `json:"role,omitempty"`
		Disabled *bool       `json:"disabled,omitempty"`
	}
	add(a, op{id: "updateUser", method: http.MethodPatch, path: "/users/{id}", summary: "Change a user's role, or disable them", tag: tag, need: access.Administer},
		func(ctx context.Context, in *with[userChange]) (access.User, error) {
			if in.Body.Role != "" {
				if err := a.Access.SetRole(ctx, in.ID, in.Body.Role); err != nil {
					return access.User{}, err
				}
			}
			if d := in.Body.Disabled; d != nil {
				set := a.Access.EnableUser
				if *d {
					set = a.Access.DisableUser
				}
				if err := set(ctx, in.ID); err != nil {
					return access.User{}, err
				}
			}
			return a.Access.User(ctx, in.ID)
		})
	add(a, op{id: "resetPassword", method: http.MethodPost, path: "/users/{id}/reset-password", summary: "Give a user a new one-time password", tag: tag, need: access.Administer},
		func(ctx context.Context, in *One) (userSecret, error) {
			holdsSecret(ctx)
			password, err := a.Access.ResetPassword(ctx, in.ID)
			if err != nil {
				return userSecret{}, err
			}
			u, err := a.Access.User(ctx, in.ID)
			return userSecret{u, password}, err
		})
}
