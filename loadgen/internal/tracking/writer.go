package tracking

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
	"github.com/puttrix/trafficinator/loadgen/internal/visit"
)

// writer appends name=value pairs of application/x-www-form-urlencoded.
type writer struct{ b []byte }

// raw begins the next pair; it holds the & and = around the parameter's name, so that it is written at once, and the
// value where that is always the same.
func (w *writer) raw(name string) { w.b = append(w.b, name...) }

func (w *writer) text(name, value string) {
	w.raw(name)
	w.b = appendEscaped(w.b, value)
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

// encoded writes a text whose form is there, unless it is empty.
func (w *writer) encoded(name string, t visit.Text) {
	if t.Form != "" {
		w.raw(name)
		w.b = append(w.b, t.Form...)
	}
}

// timestamp writes a time in UTC to the second.
func (w *writer) timestamp(name string, at time.Time) {
	w.raw(name)
	at = at.UTC()
	year, month, day := at.Date()
	hour, minute, second := at.Clock()
	w.twoDigits(year / 100)
	w.twoDigits(year % 100)
	w.b = append(w.b, '-')
	w.twoDigits(int(month))
	w.b = append(w.b, '-')
	w.twoDigits(day)
	w.b = append(w.b, '+')
	w.twoDigits(hour)
	w.b = append(w.b, "%3A"...)
	w.twoDigits(minute)
	w.b = append(w.b, "%3A"...)
	w.twoDigits(second)
}

func (w *writer) twoDigits(n int) { w.b = append(w.b, byte('0'+n/10), byte('0'+n%10)) }

func (w *writer) integer(name string, n int) {
	w.raw(name)
	switch u := uint(n); { // most are short
	case u < 10:
		w.b = append(w.b, byte('0'+u))
	case u < 100:
		w.b = append(w.b, byte('0'+u/10), byte('0'+u%10))
	case u < 1000:
		w.b = append(w.b, byte('0'+u/100), byte('0'+u/10%10), byte('0'+u%10))
	default:
		w.b = strconv.AppendInt(w.b, int64(n), 10)
	}
}

func (w *writer) money(name string, c shop.Cents) {
	w.raw(name)
	w.b = appendMoney(w.b, c)
}

func (w *writer) flag(name string, on bool) {
	w.raw(name)
	if on {
		w.b = append(w.b, '1')
	} else {
		w.b = append(w.b, '0')
	}
}

const hex = "0123456789ABCDEF"

func appendEscaped(dst []byte, s string) []byte {
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

// appendMoney writes cents with a dot, which Matomo's float parsing needs whatever the locale.
func appendMoney(dst []byte, c shop.Cents) []byte {
	if c < 0 {
		dst = append(dst, '-')
		c = -c
	}
	dst = strconv.AppendInt(dst, int64(c/100), 10)
	return append(dst, '.', byte('0'+c/10%10), byte('0'+c%10))
}

func appendJSON(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}
