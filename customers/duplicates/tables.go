package duplicates

// history are the tables whose rows follow a customer into a merge. What is copied under the survivor's number and deleted
// under the old one is named by its key; customer_id itself is never updated, since rows are spread by it.
var history = []table{
	{name: "orders", key: []string{"order_ref"}},
	{name: "order_lines", key: []string{"order_ref", "line_no"}, with: "orders"},
	{name: "attributions", key: []string{"order_ref", "campaign_id", "step_id"}, with: "orders"},
	{name: "consent_events", key: []string{"event_id"}},
	{name: "enrollments", key: []string{"campaign_id"}, campaign: "campaign_id"},
	{name: "touches", key: []string{"campaign_id", "step_id"}, campaign: "campaign_id"},
	{name: "responses", key: []string{"response_id"}, campaign: "campaign_id"},
	{name: "events", key: []string{"event_id"}},
	{name: "call_attempts", key: []string{"attempt_id"}, campaign: "(SELECT k.campaign_id FROM calls k WHERE k.call_id = t.call_id)"},
}

// table is one table of customers' rows.
type table struct {
	name     string
	key      []string // of the primary key, without customer_id
	with     string   // rows of orders follow their order
	campaign string   // the campaign that a row belongs to, "" for none: where both took part, the old one's rows stay
}

// lookups are narrow tables keyed by a value. Values of the old customer find the survivor afterwards.
var lookups = []lookup{
	{name: "customer_external_ids", value: "external_id"},
	{name: "customer_emails", value: "email", normal: "lower", shared: true},
	{name: "customer_phones", value: "phone", shared: true},
}

type lookup struct {
	name   string
	value  string // its column, named as the customer's own
	normal string // the function that makes the normal form
	shared bool   // several customers may have one value
}

// elsewhere says of every other table with customers' numbers what a merge does with it. A test holds it against the schema, so that
// a new table cannot be forgotten.
var elsewhere = map[string]string{
	"customers":           "the survivor's row takes the better values, the old one is kept in customer_merges",
	"customer_identities": "moved as a whole: rows that both have are one afterwards",
	"list_members":        "moved as a whole: in a list that both are in, the survivor's membership counts",
	"consents":            "the latest word on each channel counts",
	"order_refs":          "look-up: follows the orders",
	"response_refs":       "look-up: follows the responses",
	"event_refs":          "look-up: follows the events",
	"calls":               "moved with the campaigns in which only the old one took part",
	"suppressions":        "those of the old number are copied for the survivor (match_key)",
	"duplicates":          "pairs of the old one become pairs of the survivor",
	"customer_aliases":    "aliases of the old one become aliases of the survivor",
	"customer_merges":     "written here",
	"touch_keys":          "stay: the key is taken either way, and the number is shown through the alias",
	"household_work":      "a list of what is to be looked at again; numbers that are gone are passed over",
	"audience_slices":     "who is still to enter a campaign keeps the number: the merge waits, see awaited; who is gone all the same does not enter",
	"merge_records":       "stay: they tell what a merge/purge run saw; applying it follows aliases",
	"inbound_raw":         "stay: found by address and by the responses, which move; judging a mail again follows aliases",
}
