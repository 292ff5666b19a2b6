package tracking

import (
	"encoding/json"
	"strconv"

	"github.com/puttrix/trafficinator/loadgen/internal/shop"
)

// writer appends name=value pairs of application/x-www-form-urlencoded.
type writer struct{ b []byte }

// first writes the pair that no other stands before.
func (w *writer) first(name string, n int) {
	w.b = append(append(w.b, name...), '=')
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *writer) name(name string) {
	w.b = append(w.b, '&')
	w.b = append(w.b, name...)
	w.b = append(w.b, '=')
}

func (w *writer) text(name, value string) {
	w.name(name)
	w.b = appendEscaped(w.b, value)
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.text(name, value)
	}
}

func (w *writer) whole(name string, n int) {
	w.name(name)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *writer) money(name string, c shop.Cents) {
	w.name(name)
	w.b = appendMoney(w.b, c)
}

func (w *writer) flag(name string, on bool) {
	if on {
		w.text(name, "1")
	} else {
		w.text(name, "0")
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
