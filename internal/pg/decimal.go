package pg

import (
	"encoding/binary"
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
	d, ok := binaryDecimal(src)
	if !ok || p.format != pgtype.BinaryFormatCode {
		value, err := pgtype.NumericCodec{}.DecodeDatabaseSQLValue(p.m, p.oid, p.format, src)
		if err != nil {
			return err
		}
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("cannot read %v into a decimal", value)
		}
		if d, err = decimal.Parse(text); err != nil {
			return err
		}
	}
	*target.(*decimal.Decimal) = d.Trim(2).Pad(2)
	return nil
}

// binaryDecimal reads the usual numbers as the server sends them: a count of digits of base 10,000, the weight of the first, sign and
// scale, then the digits. It leaves to the driver what does not fit into 18 decimal digits, and what is no number.
func binaryDecimal(src []byte) (d decimal.Decimal, ok bool) {
	if len(src) < 8 {
		return d, false
	}
	word := func(i int) int { return int(int16(binary.BigEndian.Uint16(src[2*i:]))) }
	digits, weight, sign, scale := word(0), word(1), word(2), word(3)
	if len(src) != 8+2*digits || sign != 0 && sign != 0x4000 || scale < 0 || scale > 16 || weight > 3 {
		return d, false
	}
	// The groups from the weight down to the one in which the last decimal place lies; those not sent are 0.
	groups := weight + 1 + (scale+3)/4
	if groups > 4 || digits > groups {
		return d, false
	}
	var whole int64
	for i := range groups {
		whole *= 10_000
		if i < digits {
			whole += int64(word(4 + i))
		}
	}
	for range (4 - scale%4) % 4 { // the last group may reach beyond the scale, with zeros
		if whole%10 != 0 {
			return d, false
		}
		whole /= 10
	}
	if sign != 0 {
		whole = -whole
	}
	d, err := decimal.New(whole, scale)
	return d, err == nil
}
