// Package runid owns the IDs and seeds of runs.
package runid

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"time"
)

var valid = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Valid reports whether id is valid: 1 to 64 letters, digits, - and _, so that it can name files.
func Valid(id string) bool { return valid.MatchString(id) }

// New returns an ID that sorts by time; two of the same second are rarely equal.
func New(now time.Time) string {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// NewSeed returns a random seed below 2^53, which JSON numbers can represent.
func NewSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return binary.BigEndian.Uint64(b[:]) >> 11
}
