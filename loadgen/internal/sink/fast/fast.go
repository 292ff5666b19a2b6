// Package fast owns the fastest sink: it responds to every hit with 204 and to every bulk request with a receipt for
// all its hits, and counts them without checks, so that the sender is the bottleneck of a benchmark.
package fast

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"
)

// Stats are the counts of the sink, the response of GET /stats.
type Stats struct {
	// Requests counts POST requests, Bulk the bulk requests among them, and Hits the hits of all.
	Requests uint64 `json:"requests"`
	Bulk     uint64 `json:"bulk_requests"`
	Hits     uint64 `json:"hits"`
	// Bytes counts all bytes read, including heads.
	Bytes       uint64 `json:"bytes"`
	Connections int    `json:"connections"`
	// CPUSeconds is the CPU time of the process so far, and Seconds its running time.
	CPUSeconds float64 `json:"cpu_seconds"`
	Seconds    float64 `json:"seconds"`
}

type server struct {
	stats Stats
	began time.Time
	// arrivals are the times of requests in nanoseconds since began, if keep is set.
	keep     bool
	arrivals []int64
	cpu      func() float64
	// date, noContent and empty are updated once a second.
	second           int64
	date             []byte
	noContent, empty []byte
}

// conn is the state of a connection between two reads.
type conn struct {
	head  []byte // incomplete
	body  int    // remaining bytes of the body
	bulk  bool
	sized bool   // the response needs a Content-Length
	hits  uint64 // of the body
	last  byte   // of the previous part: the mark of a hit may be split
	out   []byte
	end   bool // after out
}

var (
	headEnd = []byte("\r\n\r\n")
	// sized is the path for clients that cannot handle 204, such as fortio's own.
	sized = []byte("POST /200 ")
	mark  = []byte(`"?`)
)

// take parses received bytes and appends responses to c.out.
func (s *server) take(c *conn, in []byte) {
	s.stats.Bytes += uint64(len(in))
	for len(in) > 0 && !c.end {
		if c.body > 0 {
			part := in[:min(len(in), c.body)]
			in = in[len(part):]
			s.takeBody(c, part)
			continue
		}
		head := in
		if len(c.head) > 0 {
			head = append(c.head, in...)
		}
		i := bytes.Index(head, headEnd)
		if i < 0 {
			c.head = append(c.head[:0], head...)
			c.end = len(head) > 1<<20
			return
		}
		in = in[i+len(headEnd)-len(c.head):]
		c.head = c.head[:0]
		s.takeHead(c, head[:i+2])
	}
}

func (s *server) takeHead(c *conn, head []byte) {
	if head[0] != 'P' {
		s.other(c, head)
		return
	}
	if s.keep {
		s.arrivals = append(s.arrivals, int64(time.Since(s.began)))
	}
	c.body, c.bulk, c.hits, c.last = length(head), bytes.Contains(head, []byte("application/json")), 0, 0
	c.sized = bytes.HasPrefix(head, sized)
	c.end = c.end || bytes.Contains(head, []byte("Connection: close"))
	if c.body == 0 {
		s.endRequest(c)
	}
}

func (s *server) takeBody(c *conn, part []byte) {
	if c.bulk {
		c.hits += uint64(bytes.Count(part, mark))
		if c.last == mark[0] && part[0] == mark[1] {
			c.hits++
		}
		c.last = part[len(part)-1]
	}
	if c.body -= len(part); c.body == 0 {
		s.endRequest(c)
	}
}

func (s *server) endRequest(c *conn) {
	s.stats.Requests++
	if !c.bulk {
		s.stats.Hits++
		answer := s.noContent
		if c.sized {
			answer = s.empty
		}
		c.out = append(c.out, answer...)
		return
	}
	s.stats.Bulk++
	s.stats.Hits += c.hits
	body := strconv.AppendUint([]byte(`{"status":"success","tracked":`), c.hits, 10)
	s.content(c, append(body, `,"invalid":0}`...))
}

func (s *server) content(c *conn, body []byte) {
	c.out = append(append(c.out, "HTTP/1.1 200 OK\r\n"...), s.date...)
	c.out = append(c.out, "Content-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	c.out = append(append(c.out, headEnd...), body...)
}

// length returns the Content-Length of a head, or 0.
func length(head []byte) int {
	_, value, found := bytes.Cut(head, []byte("\r\nContent-Length: "))
	if !found {
		_, value, _ = bytes.Cut(head, []byte("\r\ncontent-length: "))
	}
	n := 0
	for _, digit := range value {
		if digit < '0' || digit > '9' {
			break
		}
		n = 10*n + int(digit-'0')
	}
	return n
}

// tick updates the date once a second.
func (s *server) tick(now time.Time) {
	if now.Unix() == s.second {
		return
	}
	s.second = now.Unix()
	s.date = append(now.UTC().AppendFormat(append(s.date[:0], "Date: "...), "Mon, 02 Jan 2006 15:04:05 GMT"), "\r\n"...)
	s.noContent = append(append(append(s.noContent[:0], "HTTP/1.1 204 No Content\r\n"...), s.date...), "\r\n"...)
	s.empty = append(append(append(s.empty[:0], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"...), s.date...), "\r\n"...)
}

// other handles requests that are no hits: OPTIONS returns the time, GET /stats the counts, and GET /arrivals the times
// of requests since the last call, as little-endian nanoseconds since the start, 8 bytes each.
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
		body := make([]byte, 0, 8*len(s.arrivals))
		for _, m := range s.arrivals {
			body = binary.LittleEndian.AppendUint64(body, uint64(m))
		}
		s.arrivals = s.arrivals[:0]
		s.content(c, body)
	default:
		c.out = append(c.out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"...)
	}
}
