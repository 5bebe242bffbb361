// Package customers owns the marketing database: who the customers are, what is known of them, what they bought,
// what they allow, and how all of that comes in.
//
// A customer has core fields (name parts, company, e-mail, phone, postal address, language, time zone, external id),
// attributes that marketers define as typed columns, memberships of lists, orders, and consents per channel. Values
// are stored in normal form, made by package normal: lower(email) of a stored customer is the normal form of the e-mail
// address, so SQL anywhere can compare without a call into Go.
//
// Who is whom (exact matching; fuzzy matching is not done here):
//
//   - The same external id is the same customer. External ids are one name space: headers such as unique_id, rec_id or
//     id all name it, so two lists whose ids overlap must be told apart before they are imported.
//   - A row without an external id is the oldest customer with the same e-mail whose names do not conflict with it;
//     names conflict when both are known and differ in more than letter case, accents or being an initial.
//   - A row with an external id not seen before is that customer only where the customer has no external id yet.
//   - A row with neither is new, unless a customer came in before with exactly the same name, company, address and
//     phone, and without id and e-mail. A phone, an address or a shared e-mail alone never makes two people one.
//
// Customers belong together at a residence, in a household and in a company (docs/households.md has the rules).
// HouseholdsTx finds that for a few within a transaction; imports note whom they have changed with NoteHouseholdsTx, and
// RefreshHouseholds does the noted work in slices.
//
// Suppressions say who must never be contacted, consents what one customer allows. SuppressionJoin and ConsentSQL
// are the only statements of these rules in SQL; planning and sending both use them.
//
// Imports (StartImport, RunImport) read CSV files as streams, in chunks of one transaction each: a chunk's customers,
// rejected rows, counters and progress are stored together, so a killed import carries on at the next chunk and the
// same file twice changes nothing. Every row counts once: created, updated, unchanged, duplicates or rejected.
package customers
