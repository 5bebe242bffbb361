// Package authcheck reads what DNS says of a sender's domain and explains in plain words whether mailbox providers will
// believe its mail: SPF (RFC 7208), DKIM (RFC 6376, 8463), DMARC (RFC 7489), and where its returned mail goes.
//
//	findings := authcheck.Check(ctx, authcheck.Config{Domain: "shop.example", BounceDomain: "bounces.shop.example", Keys: keys})
//
// Each finding that needs mending says how, with the record to add. It only asks DNS; it sends nothing.
package authcheck
