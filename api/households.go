package api

import (
	"context"
	"net/http"

	"aldine/customers"
	"aldine/internal/access"
)

func (a *API) households() {
	type household struct {
		One
		Limits
		After int64 `query:"after" doc:"Only customers with higher numbers."`
	}
	add(a, op{id: "customerHousehold", method: http.MethodGet, path: "/customers/{id}/household", summary: "Who belongs with a customer: household, residence, company",
		tag: "Customers", need: access.CustomersRead,
		doc: "A household is one surname at one residence, slips of the pen and parts of double names included; a residence is an address whatever its spelling; a company is known by its name without legal form, within its country."},
		func(ctx context.Context, in *household) (customers.Household, error) {
			return a.Customers.Household(ctx, in.ID, in.After, in.Limit)
		})
}
