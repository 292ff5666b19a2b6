// Package runid owns the ids of runs: how they are drawn and what makes one valid. It does not know which are taken.
package runid

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"time"
)

var valid = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Valid says that a run can have this id: 1 to 64 letters, digits, - and _, so that it can name files anywhere.
func Valid(id string) bool { return valid.MatchString(id) }

// New draws an id that sorts by time, of which two in the same second rarely are equal.
func New(now time.Time) string {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// NewSeed draws a seed that every JSON reader can hold: it is below 2^53.
func NewSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return binary.BigEndian.Uint64(b[:]) >> 11
}
