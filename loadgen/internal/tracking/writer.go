package tracking

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// writer appends parameters in application/x-www-form-urlencoded. Names are given as "&name=".
type writer struct{ b []byte }

func (w *writer) raw(text string) { w.b = append(w.b, text...) }

func (w *writer) text(name, value string) {
	w.raw(name)
	w.b = appendEscaped(w.b, value)
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

// encoded appends a text that is already encoded, unless it is empty.
func (w *writer) encoded(name string, t visit.Text) {
	if t.Form != "" {
		w.raw(name)
		w.raw(t.Form)
	}
}

// timestamp appends a time in UTC as YYYY-MM-DD HH:MM:SS.
func (w *writer) timestamp(name string, at time.Time) {
	w.raw(name)
	at = at.UTC()
	year, month, day := at.Date()
	hour, minute, second := at.Clock()
	w.twoDigits(year/100, "")
	w.twoDigits(year%100, "-")
	w.twoDigits(int(month), "-")
	w.twoDigits(day, "+")
	w.twoDigits(hour, "%3A")
	w.twoDigits(minute, "%3A")
	w.twoDigits(second, "")
}

func (w *writer) twoDigits(n int, separator string) {
	w.b = append(append(w.b, byte('0'+n/10), byte('0'+n%10)), separator...)
}

func (w *writer) integer(name string, n int) {
	w.raw(name)
	if u := uint(n); u >= 100 && u < 1000 { // faster than AppendInt, which has a fast path below 100
		w.b = append(w.b, byte('0'+u/100), byte('0'+u/10%10), byte('0'+u%10))
		return
	}
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *writer) money(name string, c shop.Cents) {
	w.raw(name)
	w.b = appendMoney(w.b, c)
}

func (w *writer) flag(name string, on bool) {
	w.raw(name)
	if on {
		w.raw("1")
	} else {
		w.raw("0")
	}
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// appendMoney appends an amount with a decimal point, which Matomo needs in any locale.
func appendMoney(dst []byte, c shop.Cents) []byte {
	if c < 0 {
		dst = append(dst, '-')
		c = -c
	}
	dst = strconv.AppendInt(dst, int64(c/100), 10)
	return append(dst, '.', byte('0'+c/10%10), byte('0'+c%10))
}

func appendJSON(dst []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string has no error
	return append(dst, quoted...)
}
