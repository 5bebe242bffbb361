// Package api is the REST interface: JSON over HTTP under /api/v1, described by OpenAPI 3.1 at /api/openapi.json and
// readable, without the internet, at /api/docs.
//
// An operation decodes, calls one service and encodes; the rules are in the services, which pages call too. Every
// operation is registered through get, post and their like (operation.go), which do what all have in common:
//
//   - who: a bearer token, never a page's session; 401 says whether it is missing, unknown, expired or revoked;
//   - may they: the operation's permission, which the description shows as x-permission;
//   - errors: application/problem+json (RFC 9457) made from internal/fault, with all faulty fields; an error without
//     a kind is logged once and answered with a bare 500 and the request's id;
//   - retries: a write with an Idempotency-Key is done once, and its answer is given again to the same request.
//
// Lists answer {"items": [...], "next": ...}; next is the value for ?after= of the next page and absent on the last.
// Amounts of money are decimal strings ("12.50"); numbers are accepted as well.
package api
