package fast

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"
)

// other answers what is no hit: OPTIONS tells the clock, GET /stats the counts, and GET /arrivals when each request
// came: little-endian nanoseconds since the start, 8 bytes each, which are then forgotten.
func (s *server) other(c *conn, head []byte) {
	switch {
	case bytes.HasPrefix(head, []byte("OPTIONS ")):
		c.out = append(c.out, s.noContent...)
	case bytes.HasPrefix(head, []byte("GET /stats ")):
		s.stats.CPUSeconds, s.stats.Seconds = s.cpu(), time.Since(s.began).Seconds()
		body, err := json.Marshal(s.stats)
		if err != nil { // numbers always marshal
			c.end = true
			return
		}
		s.content(c, body)
	case bytes.HasPrefix(head, []byte("GET /arrivals ")):
		body := make([]byte, 0, 8*len(s.moments))
		for _, m := range s.moments {
			body = binary.LittleEndian.AppendUint64(body, uint64(m))
		}
		s.moments = s.moments[:0]
		s.content(c, body)
	default:
		c.out = append(c.out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"...)
	}
}
