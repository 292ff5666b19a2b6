package run

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"
)

// Draw makes a run id that sorts by time and a seed that every JSON reader can hold (below 2^53).
func Draw() Identity {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	id := time.Now().UTC().Format("20060102-150405-") + fmt.Sprintf("%x", b[8:])
	return Identity{ID: id, Seed: binary.BigEndian.Uint64(b[:8]) >> 11}
}
