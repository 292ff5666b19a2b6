// Package fast owns the cheapest possible counterpart: it answers every hit with 204 and every bulk request with a
// receipt for all its hits, counts them, and judges nothing. It exists so that a benchmark's bottleneck is the
// sender. It knows nothing of visits.
package fast

import (
	"bytes"
	"strconv"
	"time"
)

// Stats is what the sink saw, as GET /stats answers it.
type Stats struct {
	// Requests counts POST requests, Bulk those of them with many hits; Hits counts the hits of both.
	Requests uint64 `json:"requests"`
	Bulk     uint64 `json:"bulk_requests"`
	Hits     uint64 `json:"hits"`
	// Bytes is all that was read: requests with their heads.
	Bytes       uint64 `json:"bytes"`
	Connections int    `json:"connections"`
	// CPUSeconds is what the process has used so far, and Seconds how long it runs: the share tells how busy its
	// core is.
	CPUSeconds float64 `json:"cpu_seconds"`
	Seconds    float64 `json:"seconds"`
}

// server answers requests; one goroutine owns it.
type server struct {
	stats Stats
	began time.Time
	// moments are the arrivals of requests in nanoseconds since began, where they are kept.
	keep    bool
	moments []int64
	cpu     func() float64
	// date, noContent and empty are made once a second.
	second           int64
	date             []byte
	noContent, empty []byte
}

// conn is what is left of a connection's requests between two reads.
type conn struct {
	head []byte // a head that has not arrived whole
	body int    // bytes of the body that are to come
	bulk bool
	sure bool   // it asked for an answer with a length
	hits uint64 // of the body
	last byte   // of what came before: a hit's mark may be cut in two
	out  []byte
	end  bool // after out
}

var (
	headEnd = []byte("\r\n\r\n")
	// sized is where clients send to that cannot tell the end of an answer with 204, such as fortio's own.
	sized = []byte("POST /200 ")
	mark  = []byte(`"?`)
)

// take reads what arrived and appends answers to c.out.
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
		s.moments = append(s.moments, int64(time.Since(s.began)))
	}
	c.body, c.bulk, c.hits, c.last = length(head), bytes.Contains(head, []byte("application/json")), 0, 0
	c.sure = bytes.HasPrefix(head, sized)
	c.end = c.end || bytes.Contains(head, []byte("Connection: close"))
	if c.body == 0 {
		s.settle(c)
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
		s.settle(c)
	}
}

func (s *server) settle(c *conn) {
	s.stats.Requests++
	if !c.bulk {
		s.stats.Hits++
		answer := s.noContent
		if c.sure {
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

// length is the Content-Length of a head, 0 without one.
func length(head []byte) int {
	const name = "\r\nContent-Length: "
	i := bytes.Index(head, []byte(name))
	if i < 0 {
		if i = bytes.Index(head, []byte("\r\ncontent-length: ")); i < 0 {
			return 0
		}
	}
	n := 0
	for _, digit := range head[i+len(name):] {
		if digit < '0' || digit > '9' {
			break
		}
		n = 10*n + int(digit-'0')
	}
	return n
}

// tick renews the date once a second.
func (s *server) tick(now time.Time) {
	if now.Unix() == s.second {
		return
	}
	s.second = now.Unix()
	s.date = append(now.UTC().AppendFormat(append(s.date[:0], "Date: "...), "Mon, 02 Jan 2006 15:04:05 GMT"), "\r\n"...)
	s.noContent = append(append(append(s.noContent[:0], "HTTP/1.1 204 No Content\r\n"...), s.date...), "\r\n"...)
	s.empty = append(append(append(s.empty[:0], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"...), s.date...), "\r\n"...)
}
