package profile

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// HoursOfWeek is how many weights a curve has.
const HoursOfWeek = 7 * 24

// Curve is the shape of a week.
type Curve struct {
	// hours are rates from Monday, 0 h, on; their mean is 1.
	hours [HoursOfWeek]float64
}

//go:embed typical.tsv
var typical string

// Typical is the week of a typical site; the file typical.tsv tells whose.
func Typical() Curve {
	var weights []float64
	for line := range strings.Lines(typical) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, cell := range strings.Fields(line)[1:] {
			n, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				panic(fmt.Sprintf("typical.tsv: %v", err)) // it is built in and tested
			}
			weights = append(weights, n)
		}
	}
	return curveOf(weights)
}

// curveOf makes a curve of the weights of a day or of a week, not all of them 0.
func curveOf(weights []float64) Curve {
	var c Curve
	sum := 0.0
	for h := range c.hours {
		c.hours[h] = weights[h%len(weights)]
		sum += c.hours[h]
	}
	for h := range c.hours {
		c.hours[h] *= HoursOfWeek / sum
	}
	return c
}

// Hour is the rate in an hour of a day of the week, where that of the mean hour is 1.
func (c Curve) Hour(d time.Weekday, hour int) float64 { return c.hours[(int(d)+6)%7*24+hour] }

// Share is how many visits a day of the week of 24 hours has, where the mean day has 1.
func (c Curve) Share(d time.Weekday) float64 {
	sum := 0.0
	for h := range 24 {
		sum += c.Hour(d, h)
	}
	return sum / 24
}
