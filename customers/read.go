package customers

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
	"aldine/internal/fault"
)

// coreColumns is the select list that scanCustomer reads, of customers as c, before the attributes' columns.
var coreColumns = func() string {
	var b strings.Builder
	b.WriteString("c.customer_id")
	for _, n := range coreNames {
		b.WriteString(", coalesce(c." + n + ", '')")
	}
	b.WriteString(`, coalesce(c.list_id, 0), c.rented, c.household_id, c.address_hash, c.residence_id, c.company_id, c.orders_count, c.total_spent, c.first_order_at, c.last_order_at,
		c.created_at, c.updated_at`)
	return b.String()
}()

func selectList(attributes []Attribute) string {
	var b strings.Builder
	b.WriteString(coreColumns)
	for _, a := range attributes {
		b.WriteString(", c." + pgx.Identifier{a.Column}.Sanitize())
		if a.Type == Number { // numeric has more digits than any Go number
			b.WriteString("::float8")
		}
	}
	return b.String()
}

// scanner gives a function that reads rows of selectList.
func scanner(attributes []Attribute) func(pgx.CollectableRow) (Customer, error) {
	unknown := make(map[string]any, len(attributes))
	for _, a := range attributes {
		if unknown[a.Name] = nil; a.Type == Text {
			unknown[a.Name] = ""
		}
	}
	var c Customer // every row is read into it and then copied
	into := make([]any, 0, coreCount+13+len(attributes))
	into = append(into, &c.ID)
	for _, p := range c.refs() {
		into = append(into, p)
	}
	into = append(into, &c.ListID, &c.Rented, &c.HouseholdID, &c.AddressHash, &c.ResidenceID, &c.CompanyID, &c.OrdersCount, &c.TotalSpent, &c.FirstOrderAt, &c.LastOrderAt,
		&c.CreatedAt, &c.UpdatedAt)
	first := len(into)
	for _, a := range attributes {
		into = append(into, target(a.Type))
	}
	return func(row pgx.CollectableRow) (Customer, error) {
		if err := row.Scan(into...); err != nil {
			return Customer{}, err
		}
		c.Attributes, c.unknown = make(map[string]any, len(attributes)), unknown
		for i, a := range attributes {
			if v, ok := value(into[first+i]); ok {
				c.Attributes[a.Name] = v
			}
		}
		return c, nil
	}
}

func target(t AttributeType) any {
	switch t {
	case Number:
		return new(*float64)
	case Money:
		return new(*decimal.Decimal)
	case Bool:
		return new(*bool)
	case Date, Time:
		return new(*time.Time)
	case List:
		return new([]string)
	}
	return new(*string)
}

// value gives what a target holds; false for null.
func value(target any) (any, bool) {
	switch p := target.(type) {
	case **float64:
		return deref(*p)
	case **decimal.Decimal:
		return deref(*p)
	case **bool:
		return deref(*p)
	case **time.Time:
		return deref(*p)
	case **string:
		return deref(*p)
	case *[]string:
		return *p, *p != nil
	}
	return nil, false
}

func deref[T any](p *T) (any, bool) {
	if p == nil {
		return nil, false
	}
	return *p, true
}

// LoadProfiles gives the customers with the ids in the order of their numbers; those that do not exist are left out.
func LoadProfiles(ctx context.Context, q Querier, ids []ID) ([]Profile, error) {
	attributes, err := LoadAttributes(ctx, q)
	if err != nil {
		return nil, err
	}
	return load(ctx, q, attributes, ids)
}

// Profiles gives the customers with the ids; those that do not exist are absent.
func (s *Service) Profiles(ctx context.Context, q Querier, ids []ID) (map[ID]Profile, error) {
	return Profiles(ctx, q, ids)
}

// Profiles gives the customers with the ids; those that do not exist are absent.
func Profiles(ctx context.Context, q Querier, ids []ID) (map[ID]Profile, error) {
	found, err := LoadProfiles(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	m := make(map[ID]Profile, len(found))
	for _, c := range found {
		m[c.ID] = c
	}
	return m, nil
}

func load(ctx context.Context, q Querier, attributes []Attribute, ids []ID) ([]Customer, error) {
	rows, err := q.Query(ctx, `SELECT `+selectList(attributes)+` FROM customers c WHERE c.customer_id = ANY(@ids) ORDER BY c.customer_id`,
		pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows(make([]Customer, 0, len(ids)), rows, scanner(attributes))
}

// Get gives one customer, the survivor under the number of one who was merged; NotFound where there is none.
func (s *Service) Get(ctx context.Context, id ID) (Customer, error) {
	now, err := Resolve(ctx, s.pool, id)
	if err != nil {
		return Customer{}, err
	}
	return get(ctx, s.pool, now)
}

func get(ctx context.Context, q Querier, id ID) (Customer, error) {
	found, err := Profiles(ctx, q, []ID{id})
	if err != nil {
		return Customer{}, err
	}
	c, ok := found[id]
	if !ok {
		return Customer{}, fault.New(fault.NotFound, "There is no customer %d", id)
	}
	return c, nil
}

// Query says which customers to list.
type Query struct {
	Search string // number, external id, e-mail, phone, or the beginning of the last name ("smith", "anna smith")
	List   int64  // only members of the list
	Names  string // house, rented or all; where "" the house file, and all names where a list or a search is given
	After  ID     // the last one seen
	Limit  int    // at most 200; 50 where 0
}

// Page is one page of customers by id; Next is the After of the following page, 0 on the last.
type Page struct {
	Customers []Customer
	Next      ID
}

// List gives customers by id.
func (s *Service) List(ctx context.Context, query Query) (Page, error) {
	limit := query.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	attributes, err := s.Attributes(ctx)
	if err != nil {
		return Page{}, err
	}
	where, args, err := s.searchSQL(ctx, query)
	if err != nil {
		return Page{}, err
	}
	args["after"], args["limit"] = query.After, limit+1
	rows, err := s.pool.Query(ctx, `SELECT `+selectList(attributes)+` FROM customers c WHERE c.customer_id > @after`+where+`
		ORDER BY c.customer_id LIMIT @limit`, args)
	if err != nil {
		return Page{}, err
	}
	found, err := pgx.CollectRows(rows, scanner(attributes))
	if err != nil {
		return Page{}, err
	}
	if len(found) <= limit {
		return Page{Customers: found}, nil
	}
	return Page{Customers: found[:limit], Next: found[limit-1].ID}, nil
}

func (s *Service) searchSQL(ctx context.Context, query Query) (string, pgx.NamedArgs, error) {
	args := pgx.NamedArgs{}
	where := ""
	switch names := query.Names; {
	case names == "house" || names == "" && query.List == 0 && strings.TrimSpace(query.Search) == "":
		where = ` AND NOT c.rented`
	case names == "rented":
		where = ` AND c.rented`
	case names != "" && names != "all":
		return "", nil, fault.BadField("names", "%q is not a choice: use house, rented or all", short(names))
	}
	if query.List != 0 {
		where += ` AND c.customer_id IN (SELECT customer_id FROM list_members WHERE list_id = @list)`
		args["list"] = query.List
	}
	search := strings.TrimSpace(strings.ReplaceAll(query.Search, "\x00", ""))
	if search == "" {
		return where, args, nil
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return "", nil, err
	}
	number, _ := strconv.ParseInt(search, 10, 64)
	phone, _ := normal.Phone(search, v.DefaultCountry)
	args["search"], args["number"], args["phone"] = search, number, phone
	args["email"] = strings.ToLower(search)
	words := strings.Fields(strings.ToLower(search))
	args["last"], args["first"] = like(words[len(words)-1]), like(strings.Join(words[:len(words)-1], " "))
	args["whole"] = like(strings.ToLower(search))
	// Each look-up has its index; the union keeps the planner from reading every customer.
	where += ` AND c.customer_id IN (
		SELECT @number::bigint
		UNION SELECT customer_id FROM customer_aliases WHERE old_id = @number
		UNION SELECT customer_id FROM customer_external_ids WHERE external_id = @search
		UNION SELECT customer_id FROM customer_emails WHERE email = @email
		UNION SELECT customer_id FROM customer_phones WHERE phone = @phone
		UNION SELECT customer_id FROM customers WHERE lower(last_name) LIKE @whole
		UNION SELECT customer_id FROM customers WHERE lower(last_name) LIKE @last AND lower(first_name) LIKE @first)`
	return where, args, nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func like(prefix string) string { return likeEscaper.Replace(prefix) + "%" }
