package web

// chart is a bar chart drawn by the server: bars of one or two series per label. The same numbers stand in a table
// behind it, so it needs no script and hides nothing.
type chart struct {
	Title         string
	Names         []string // of the series
	Rows          []chartRow
	Width, Height int
	Bars          []chartBar
	Labels        []chartLabel
	Top           int64 // value at the upper line
}

type chartRow struct {
	Label  string
	Values []int64
}

type chartBar struct {
	X, Y, W, H float64
	Class      string
	Title      string
}

type chartLabel struct {
	X    float64
	Text string
}

const (
	chartWidth, chartHeight = 640, 190
	chartLeft, chartBottom  = 44, 22
)

// newChart lays out the bars; nil where there is nothing to draw.
func newChart(title string, names []string, rows []chartRow) *chart {
	if len(rows) == 0 {
		return nil
	}
	c := &chart{Title: title, Names: names, Rows: rows, Width: chartWidth, Height: chartHeight}
	var top int64
	for _, r := range rows {
		for _, v := range r.Values {
			top = max(top, v)
		}
	}
	c.Top = roundUp(top)
	slot := float64(chartWidth-chartLeft-6) / float64(len(rows))
	every := (len(rows) + 6) / 7
	bar := min(slot*0.8/float64(max(len(names), 1)), 40)
	for i, r := range rows {
		x := chartLeft + slot*float64(i)
		left := x + (slot-bar*float64(len(r.Values)))/2
		for j, v := range r.Values {
			h := float64(chartHeight-chartBottom-12) * float64(max(v, 0)) / float64(c.Top)
			class := "b"
			if j > 0 {
				class = "b2"
			}
			c.Bars = append(c.Bars, chartBar{X: one(left + bar*float64(j)), Y: one(float64(chartHeight-chartBottom) - h), W: one(max(bar-1.5, 1)),
				H: one(h), Class: class, Title: r.Label + ", " + names[j] + ": " + number(v)})
		}
		if i%every == 0 {
			c.Labels = append(c.Labels, chartLabel{one(x + slot/2), shortDay(r.Label)})
		}
	}
	return c
}

func one(f float64) float64 { return float64(int(f*10+0.5)) / 10 }

// roundUp gives the next of 1, 2, 5 times a power of ten.
func roundUp(n int64) int64 {
	for p := int64(1); ; p *= 10 {
		for _, m := range []int64{1, 2, 5} {
			if m*p >= n {
				return m * p
			}
		}
	}
}

// shortDay makes "03-14" of "2026-03-14".
func shortDay(s string) string {
	if len(s) == 10 && s[4] == '-' {
		return s[5:]
	}
	return s
}
