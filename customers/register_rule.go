package customers

// RegisterJoin gives a lateral subquery with the columns reason and reason_ref, of at most one row: what a national
// do-not-call register has against contacting customers as alias over the channel (calls or sms) at the moment @now. Use it as
//
//	LEFT JOIN ` + RegisterJoin("c", "calls") + ` reg ON true ... WHEN reg.reason IS NOT NULL THEN reg.reason
//
// Its only parameter is @now. The reason is suppressed where the number is listed, register_stale where a register that
// is required for numbers like it has no file, or one too old on the day of @now (UTC). reason_ref names the register for people:
// "register:3 National Do Not Call, file of 2026-10-01"; RegisterOf takes it apart. Where the register allows it, a
// recorded yes for the channel or an order within its months comes before both. With no register there is no row.
func RegisterJoin(alias, channel string) string {
	if channel != "calls" && channel != "sms" {
		return `LATERAL (SELECT NULL::text AS reason, NULL::text AS reason_ref WHERE false)`
	}
	a := alias + "."
	number := `CASE WHEN ` + a + `phone ~ '^[+][0-9]{5,15}$' THEN substr(` + a + `phone, 2)::bigint END`
	spared := `(r.consent_exempts AND ` + ConsentSQL(alias, channel, true) + `
			OR r.relation_months > 0 AND ` + a + `last_order_at >= @now::timestamptz - make_interval(months => r.relation_months))`
	return `LATERAL (SELECT hit.reason, 'register:' || hit.register_id || ' ' || hit.name || coalesce(', file of ' || hit.scrubbed_on, ', no file yet') AS reason_ref
		FROM (
			SELECT 1 AS rank, r.register_id, r.name, r.scrubbed_on, 'suppressed' AS reason
			FROM register_numbers n JOIN registers r ON r.register_id = n.register_id AND r.generation = n.generation
			WHERE n.phone = ` + number + ` AND r.channel = ` + quote(channel) + ` AND coalesce(` + spared + `, false) IS FALSE
			UNION ALL
			SELECT 2, r.register_id, r.name, r.scrubbed_on, 'register_stale'
			FROM register_prefixes p JOIN registers r ON r.register_id = p.register_id
			WHERE p.prefix = ANY (ARRAY[substr(` + a + `phone, 2, 1), substr(` + a + `phone, 2, 2), substr(` + a + `phone, 2, 3), substr(` + a + `phone, 2, 4)])
				AND r.required AND (r.scrubbed_on IS NULL OR r.scrubbed_on < (@now::timestamptz AT TIME ZONE 'UTC')::date - r.max_age_days)
				AND r.channel = ` + quote(channel) + ` AND coalesce(` + spared + `, false) IS FALSE
		) hit ORDER BY hit.rank, hit.register_id LIMIT 1)`
}
