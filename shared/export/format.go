package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Count formats a count with thousands separators: 12,345.
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, digit := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// Number formats a number with three significant digits, or all digits before the point.
func Number(n float64) string {
	switch {
	case n >= 1000:
		return Count(uint64(n + .5))
	case n >= 100:
		return fmt.Sprintf("%.0f", n)
	case n >= 10:
		return trim(fmt.Sprintf("%.1f", n))
	case n >= 1 || n == 0:
		return trim(fmt.Sprintf("%.2f", n))
	}
	return trim(strconv.FormatFloat(n, 'f', 3, 64))
}

// exact formats a number for machines.
func exact(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }

func trim(s string) string {
	if strings.Contains(s, ".") {
		return strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func percent(part, of uint64) string {
	if of == 0 {
		return "–"
	}
	p := 100 * float64(part) / float64(of)
	if p > 99.99 && part < of { // a loss must be visible
		return "> 99.99 %"
	}
	if p < .01 && part > 0 {
		return "< 0.01 %"
	}
	return trim(fmt.Sprintf("%.2f", p)) + " %"
}

func money(n float64) string {
	text := fmt.Sprintf("%.2f", n)
	units, cents, _ := strings.Cut(text, ".")
	count, err := strconv.ParseUint(units, 10, 64)
	if err != nil {
		return text
	}
	return Count(count) + "." + cents
}

// Latency formats seconds as ms or s; 0 means none.
func Latency(seconds float64) string {
	switch {
	case seconds == 0:
		return "–"
	case seconds < 1:
		return Number(1000*seconds) + " ms"
	}
	return Number(seconds) + " s"
}

// span formats a duration: 1 h 5 min, 12 min 3 s, 4.2 s.
func span(d time.Duration) string {
	if d < time.Minute {
		return Number(d.Round(100*time.Millisecond).Seconds()) + " s"
	}
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h >= 48:
		return fmt.Sprintf("%d d %d h", h/24, h%24)
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case s == 0:
		return fmt.Sprintf("%d min", m)
	}
	return fmt.Sprintf("%d min %d s", m, s)
}

// Figure formats a count or an amount of money with all digits that Matomo shows.
func Figure(n float64) string {
	switch {
	case n < 0:
		return "−" + Figure(-n)
	case n == math.Trunc(n):
		return Count(uint64(n))
	default:
		return money(n)
	}
}
