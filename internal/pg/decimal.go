package pg

import (
	"fmt"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// readDecimalsTidily makes a scanned decimal carry the places that say something: two where two are enough, as people
// write money, more only where they count. The database pads to the column's scale; so 12.5000 is read as 12.50, 0.0125 as
// 0.0125. The value is the same.
func readDecimalsTidily(conn *pgx.Conn) {
	m := conn.TypeMap()
	t := &pgtype.Type{Name: "numeric", OID: pgtype.NumericOID, Codec: tidyNumeric{}}
	m.RegisterType(t)
	m.RegisterType(&pgtype.Type{Name: "_numeric", OID: pgtype.NumericArrayOID, Codec: &pgtype.ArrayCodec{ElementType: t}})
}

// tidyNumeric differs from the driver's codec only in how it scans into a decimal.
type tidyNumeric struct{ pgtype.NumericCodec }

// PlanScan gives the tidy plan for decimals and the driver's for all else.
func (c tidyNumeric) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*decimal.Decimal); ok {
		return tidyPlan{m, oid, format}
	}
	return c.NumericCodec.PlanScan(m, oid, format, target)
}

type tidyPlan struct {
	m      *pgtype.Map
	oid    uint32
	format int16
}

// Scan reads one value; null is an error, as for any other target that cannot be null.
func (p tidyPlan) Scan(src []byte, target any) error {
	value, err := pgtype.NumericCodec{}.DecodeDatabaseSQLValue(p.m, p.oid, p.format, src)
	if err != nil {
		return err
	}
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("cannot read %v into a decimal", value)
	}
	d, err := decimal.Parse(text)
	if err != nil {
		return err
	}
	*target.(*decimal.Decimal) = d.Trim(2).Pad(2)
	return nil
}
