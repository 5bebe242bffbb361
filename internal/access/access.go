// Package access knows who may do what: users with passwords, API tokens, roles and the one table of permissions.
// The actor of a request travels in its context, put there by whoever checked the credentials; services read it for
// the audit log, and the edges (REST, pages, command line) ask Require before they call a service.
package access

import (
	"context"

	"aldine/internal/fault"
)

// Role is what a user or a token is here to do.
type Role string

// The roles.
const (
	Admin    Role = "admin"
	Marketer Role = "marketer"
	Agent    Role = "agent"
	Finance  Role = "finance"
	ReadOnly Role = "readonly"
)

// Permission is one thing that a role may or may not do.
type Permission string

// The permissions, by the place in the product they guard.
const (
	CustomersRead  Permission = "customers.read"
	CustomersWrite Permission = "customers.write" // create, change, import, suppress
	SegmentsRead   Permission = "segments.read"
	SegmentsWrite  Permission = "segments.write"
	CampaignsRead  Permission = "campaigns.read"
	CampaignsWrite Permission = "campaigns.write" // campaigns, templates, launch and pause
	Approve        Permission = "campaigns.approve"
	ResponsesWrite Permission = "responses.write" // report orders and responses
	CallsWork      Permission = "calls.work"
	CallsRead      Permission = "calls.read"
	ReportsRead    Permission = "reports.read"
	Administer     Permission = "administer" // users, tokens, settings, audit
)

// grants is the one table of who may what.
var grants = map[Role][]Permission{
	Admin: {CustomersRead, CustomersWrite, SegmentsRead, SegmentsWrite, CampaignsRead, CampaignsWrite, Approve,
		ResponsesWrite, CallsWork, CallsRead, ReportsRead, Administer},
	Marketer: {CustomersRead, CustomersWrite, SegmentsRead, SegmentsWrite, CampaignsRead, CampaignsWrite, Approve,
		ResponsesWrite, CallsRead, ReportsRead},
	Agent:    {CallsWork, CallsRead},
	Finance:  {CampaignsRead, ReportsRead},
	ReadOnly: {CustomersRead, SegmentsRead, CampaignsRead, CallsRead, ReportsRead},
}

// Roles gives all roles in the order in which pages list them.
func Roles() []Role { return []Role{Admin, Marketer, Agent, Finance, ReadOnly} }

// ParseRole reads a role's name; "read-only" is accepted for readonly. An Invalid error names the choices.
func ParseRole(s string) (Role, error) {
	if s == "read-only" {
		s = string(ReadOnly)
	}
	if _, ok := grants[Role(s)]; !ok {
		return "", fault.BadField("role", "%q is not a role: use admin, marketer, agent, finance or readonly", s)
	}
	return Role(s), nil
}

// May tells whether the role has the permission.
func (r Role) May(p Permission) bool {
	for _, g := range grants[r] {
		if g == p {
			return true
		}
	}
	return false
}

// Actor is who acts: a signed-in user, a token, the command line or the program itself.
type Actor struct {
	Kind   string // user, token, cli or system
	Name   string // e-mail of the user, name of the token
	Role   Role
	UserID int64 // 0 unless a user

	TokenID int64 // 0 unless a token; names of tokens may repeat
}

// String gives the actor as the audit log shows it: "user:anna@example.org".
func (a Actor) String() string {
	if a.Name == "" {
		return a.Kind
	}
	return a.Kind + ":" + a.Name
}

// System is the program acting by itself, CLI the person at the shell of the machine.
var (
	System = Actor{Kind: "system", Role: Admin}
	CLI    = Actor{Kind: "cli", Role: Admin}
)

type actorKey struct{}

// With gives a context in which actor acts.
func With(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// From gives the context's actor; the system where none was set.
func From(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return System
}

// Require fails with Unauthenticated where nobody is signed in and with Forbidden where the actor's role lacks p.
func Require(ctx context.Context, p Permission) error {
	a, ok := ctx.Value(actorKey{}).(Actor)
	if !ok {
		return fault.New(fault.Unauthenticated, "Sign in first")
	}
	if !a.Role.May(p) {
		role := string(a.Role)
		if a.Role == ReadOnly {
			role = "read-only"
		}
		return fault.New(fault.Forbidden, "Your role (%s) does not allow this", role)
	}
	return nil
}
