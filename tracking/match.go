package tracking

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
	"aldine/internal/settings"
)

// matchTx finds out who answered and what: people, then codes, then the touch that is answered. Whatever belongs
// nowhere gets its reason in unmatched. Invalid where a campaign or step that the caller names does not exist.
func (s *Service) matchTx(ctx context.Context, tx pgx.Tx, items []*item, v settings.Values) error {
	if err := findPeopleTx(ctx, tx, items); err != nil {
		return err
	}
	if err := findCodesTx(ctx, tx, items); err != nil {
		return err
	}
	if err := findCampaignsTx(ctx, tx, items); err != nil {
		return err
	}
	if err := findTouchesTx(ctx, tx, items, v); err != nil {
		return err
	}
	for _, it := range items {
		it.judge()
	}
	return nil
}

// who gives the name of the person as the caller wrote it, with the look-up that knows it.
func (it *item) who() (table, key, words string) {
	switch r := &it.r; {
	case r.CustomerID != 0:
		return "id", fmt.Sprint(r.CustomerID), fmt.Sprintf("the number %d", r.CustomerID)
	case r.ExternalID != "":
		return "external_id", r.ExternalID, fmt.Sprintf("the external id %q", r.ExternalID)
	case r.Email != "":
		return "email", r.Email, "the e-mail address " + r.Email
	case r.Phone != "":
		return "phone", r.Phone, "the phone number " + r.Phone
	}
	return "", "", ""
}

// objects tells whether a response is one that must reach everybody who shares the address: who says no for an
// address says no for all.
func (it *item) objects() bool {
	switch it.r.Kind {
	case KindUnsubscribe, KindComplaint, KindBounce:
		return true
	}
	return false
}

// judge decides what is unmatched, and which one of several people answered.
func (it *item) judge() {
	if it.unmatched != "" {
		return
	}
	table, _, words := it.who()
	switch {
	case table != "" && len(it.people) == 0 && it.campaignID == 0:
		it.unmatched = "no customer has " + words
	case table != "" && len(it.people) == 0:
		it.note = "no customer has " + words + "; recorded for the campaign only"
	case len(it.people) > 1 && it.destination == "" && !it.objects():
		it.unmatched = fmt.Sprintf("%d customers share %s: name one by customer_id or external_id", len(it.people), words)
	}
}

var lookups = map[string]string{
	"id": `SELECT customer_id::text, customer_id FROM customers WHERE customer_id = ANY(@keys::bigint[])
		UNION ALL SELECT old_id::text, customer_id FROM customer_aliases WHERE old_id = ANY(@keys::bigint[]) ORDER BY 2, 1`,
	"external_id": `SELECT external_id, customer_id FROM customer_external_ids WHERE external_id = ANY(@keys) ORDER BY external_id`,
	"email":       `SELECT email, customer_id FROM customer_emails WHERE email = ANY(@keys) ORDER BY email, customer_id`,
	"phone":       `SELECT phone, customer_id FROM customer_phones WHERE phone = ANY(@keys) ORDER BY phone, customer_id`,
}

func findPeopleTx(ctx context.Context, tx pgx.Tx, items []*item) error {
	wanted := map[string]map[string][]*item{}
	for _, it := range items {
		table, key, _ := it.who()
		if table == "" {
			continue
		}
		if wanted[table] == nil {
			wanted[table] = map[string][]*item{}
		}
		wanted[table][key] = append(wanted[table][key], it)
	}
	for table, byKey := range wanted {
		rows, err := tx.Query(ctx, lookups[table], pgx.NamedArgs{"keys": slices.Sorted(maps.Keys(byKey))})
		if err != nil {
			return err
		}
		var key string
		var customer int64
		if _, err := pgx.ForEachRow(rows, []any{&key, &customer}, func() error {
			for _, it := range byKey[key] {
				it.people = append(it.people, customer)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func findCodesTx(ctx context.Context, tx pgx.Tx, items []*item) error {
	byCode := map[string][]*item{}
	for _, it := range items {
		if it.r.Keycode != "" {
			byCode[it.r.Keycode] = append(byCode[it.r.Keycode], it)
		}
	}
	if len(byCode) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT keycode, campaign_id, coalesce(step_id, 0), coalesce(cell_id, 0), medium
		FROM keycodes WHERE keycode = ANY(@codes) ORDER BY keycode`, pgx.NamedArgs{"codes": slices.Sorted(maps.Keys(byCode))})
	if err != nil {
		return err
	}
	var code, medium string
	var campaign, step, cell int64
	if _, err := pgx.ForEachRow(rows, []any{&code, &campaign, &step, &cell, &medium}, func() error {
		for _, it := range byCode[code] {
			it.campaignID, it.stepID, it.cellID, it.channel = campaign, step, cell, medium
		}
		delete(byCode, code)
		return nil
	}); err != nil {
		return err
	}
	for code, lost := range byCode {
		for _, it := range lost {
			it.unmatched = "unknown keycode " + code
		}
	}
	return nil
}

// findCampaignsTx looks up the campaigns and steps that callers name.
func findCampaignsTx(ctx context.Context, tx pgx.Tx, items []*item) error {
	var codes []string
	var ids, steps []int64
	for _, it := range items {
		if it.r.Campaign != "" {
			codes = append(codes, it.r.Campaign)
		}
		if it.r.CampaignID != 0 {
			ids = append(ids, it.r.CampaignID)
		}
		if it.r.StepID != 0 {
			steps = append(steps, it.r.StepID)
		}
	}
	if len(codes)+len(ids)+len(steps) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT c.code, c.campaign_id, coalesce(s.step_id, 0), coalesce(s.channel, '')
		FROM campaigns c LEFT JOIN steps s ON s.campaign_id = c.campaign_id AND s.step_id = ANY(@steps::bigint[])
		WHERE c.code = ANY(@codes::text[]) OR c.campaign_id = ANY(@ids::bigint[]) OR s.step_id IS NOT NULL
		ORDER BY c.campaign_id, s.step_id`, pgx.NamedArgs{"codes": codes, "ids": ids, "steps": steps})
	if err != nil {
		return err
	}
	type place struct {
		campaign int64
		channel  string
	}
	byCode, byID, byStep := map[string]int64{}, map[int64]bool{}, map[int64]place{}
	var code, channel string
	var campaign, step int64
	if _, err := pgx.ForEachRow(rows, []any{&code, &campaign, &step, &channel}, func() error {
		byCode[code], byID[campaign] = campaign, true
		if step != 0 {
			byStep[step] = place{campaign, channel}
		}
		return nil
	}); err != nil {
		return err
	}
	var faults []fault.Field
	for _, it := range items {
		bad := func(name, format string, args ...any) {
			faults = append(faults, fault.Field{Name: it.field(name), Message: fmt.Sprintf(format, args...)})
		}
		take := func(name string, id int64) {
			if it.campaignID != 0 && it.campaignID != id {
				bad(name, "is another campaign than the one that the keycode, campaign or step belongs to")
			}
			it.campaignID = id
		}
		if c := it.r.Campaign; c != "" {
			if byCode[c] == 0 {
				bad("campaign", "there is no campaign with the code %q", c)
			} else if it.unmatched == "" {
				take("campaign", byCode[c])
			}
		}
		if c := it.r.CampaignID; c != 0 {
			if !byID[c] {
				bad("campaign_id", "there is no campaign with the number %d", c)
			} else if it.unmatched == "" {
				take("campaign_id", c)
			}
		}
		if st := it.r.StepID; st != 0 {
			if p, ok := byStep[st]; !ok {
				bad("step_id", "there is no step with the number %d", st)
			} else if it.unmatched == "" {
				take("step_id", p.campaign)
				if it.stepID = st; it.channel == "" {
					it.channel = p.channel
				}
			}
		}
	}
	if len(faults) > 0 {
		return fault.Bad("The response is not valid", faults...)
	}
	return nil
}
