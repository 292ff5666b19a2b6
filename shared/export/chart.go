package export

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The units of a chart's field, which the page stretches; texts are outside of it.
const fieldWidth, fieldHeight = 1000, 200

type chart struct {
	ID, Title, Note string
	// Half charts have half the width of the page.
	Half  bool
	Label string // the alternative text
	// Up are the labels of the vertical axis from the top, Along those of the horizontal one, both at equal distances.
	Up, Along []string
	Shapes    []shape
	Bands     []band
	Legend    []entry
}

// shape is an area, a line or dots, by Class.
type shape struct{ Class, Path string }

// band is a part of the field with a tooltip.
type band struct{ X, Width, Title string }

type entry struct{ Class, Name, Figures string }

// GridUp are the heights of the horizontal grid lines.
func (c chart) GridUp() []string { return spread(len(c.Up), fieldHeight) }

// GridAlong are the places of the vertical grid lines.
func (c chart) GridAlong() []string { return spread(len(c.Along), fieldWidth) }

func spread(n int, length float64) []string {
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, place(length*float64(i)/float64(max(n-1, 1))))
	}
	return out
}

func place(v float64) string { return trim(fmt.Sprintf("%.1f", v)) }

// axis has round steps from 0 to its top.
type axis struct {
	step  float64
	steps int
}

// axisFor is the shortest axis with at most five steps that contains v, to half a percent of a step.
func axisFor(v float64) axis {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return axis{1, 1}
	}
	scale := math.Pow(10, math.Floor(math.Log10(v/5)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if n := math.Ceil(v/(m*scale) - .005); n <= 5 {
			return axis{m * scale, int(max(n, 1))}
		}
	}
	return axis{10 * scale, 5}
}

func (a axis) top() float64 { return a.step * float64(a.steps) }

// y is the height of v on the field.
func (a axis) y(v float64) float64 { return fieldHeight * (1 - min(v/a.top(), 1)) }

func (a axis) labels(text func(float64) string) []string {
	out := make([]string, 0, a.steps+1)
	for i := a.steps; i >= 0; i-- {
		out = append(out, text(a.step*float64(i)))
	}
	return out
}

type clock struct {
	from time.Time
	span time.Duration
	zone *time.Location
}

func clockOf(columns []column, zone *time.Location) clock {
	return clock{columns[0].from, columns[len(columns)-1].to.Sub(columns[0].from), zone}
}

func (c clock) x(t time.Time) float64 { return fieldWidth * float64(t.Sub(c.from)) / float64(c.span) }

func (c clock) labels() []string {
	const n = 5
	form := time.TimeOnly
	switch {
	case c.span > 36*time.Hour:
		form = "2 Jan 15:04"
	case c.span > 20*time.Minute:
		form = "15:04"
	}
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, c.from.Add(c.span*time.Duration(i)/(n-1)).In(c.zone).Format(form))
	}
	return out
}

func (c clock) bands(columns []column, title func(column) string) []band {
	out := make([]band, 0, len(columns))
	for _, col := range columns {
		out = append(out, band{
			place(c.x(col.from)), place(c.x(col.to) - c.x(col.from)),
			col.from.In(c.zone).Format("2 Jan 15:04:05") + ", " + span(col.to.Sub(col.from)) + "\n" + title(col),
		})
	}
	return out
}

type spot struct{ x, y float64 }

// runs are the unbroken lines over the columns: from the start of the first through the middles of all to the end of
// the last. known is false if there is no value.
func (c clock) runs(a axis, columns []column, value func(column) (v float64, known bool)) [][]spot {
	var all [][]spot
	var open []spot
	var end spot // of the open line
	finish := func() {
		if open != nil {
			all = append(all, append(open, end))
			open = nil
		}
	}
	for _, col := range columns {
		v, known := value(col)
		if !known || col.afterGap {
			finish()
		}
		if !known {
			continue
		}
		y, from, to := a.y(v), c.x(col.from), c.x(col.to)
		if open == nil {
			open = []spot{{from, y}}
		}
		open = append(open, spot{(from + to) / 2, y})
		end = spot{to, y}
	}
	finish()
	return all
}

func line(runs [][]spot) (path string) {
	for _, run := range runs {
		path += draw(run)
	}
	return path
}

// area is filled down to the axis.
func area(runs [][]spot) (path string) {
	for _, run := range runs {
		path += draw(run) + fmt.Sprintf("V%dH%sZ", fieldHeight, place(run[0].x))
	}
	return path
}

// dots are lines without length, which the page draws with round ends.
func dots(spots []spot) (path string) {
	for _, s := range spots {
		path += "M" + place(s.x) + " " + place(s.y) + "h0"
	}
	return path
}

func draw(spots []spot) string {
	points := make([]string, len(spots))
	for i, s := range spots {
		points[i] = place(s.x) + " " + place(s.y)
	}
	return "M" + strings.Join(points, "L")
}

// highest is the highest value of all items, at least 0.
func highest[T any, N float64 | uint64](all []T, value func(T) N) (n N) {
	for _, one := range all {
		n = max(n, value(one))
	}
	return n
}
