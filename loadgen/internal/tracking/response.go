package tracking

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/puttrix/trafficinator/shared/answer"
)

const (
	// maxAnswer bounds what is read of an answer, in bytes. Matomo's GIF has 43, its receipt for 2,000 refused hits
	// 10,000.
	maxAnswer = 64 << 10
	// firstBuffer is enough for the answer to a hit. It doubles up to maxAnswer.
	firstBuffer = 2 << 10
)

// response is the reader of a connection's answers (RFC 9112), with the one that it read last. It uses its memory
// again.
type response struct {
	answer.Raw
	// headed says that the head came whole.
	headed bool
	// last says that the connection is of no use any more.
	last bool

	buffer      []byte
	from, until int       // what of the buffer was not looked at yet
	date        []byte    // as the last Date header had it,
	meant       time.Time // and what it means
	length      int       // of the body, -1 until the connection ends
	chunked     bool
}

var (
	errNoAnswer = errors.New("the connection was closed without an answer")
	errNotHTTP  = errors.New("the answer is not HTTP/1.1")
	errTooLong  = errors.New("the head of the answer is too long")
)

func (p *response) read(r io.Reader) error {
	p.Raw, p.from, p.until, p.headed = answer.Raw{}, 0, 0, false
	if p.buffer == nil {
		p.buffer = make([]byte, firstBuffer)
	}
	var err error
	// An interim answer, as 103 Early Hints is, has no body; the real one follows.
	for err == nil && (p.Status < 200 && p.Status != http.StatusSwitchingProtocols) {
		err = p.readHead(r)
	}
	if err == nil {
		p.headed = true
		err = p.readBody(r)
		p.Cut = p.Cut || err != nil
	}
	if err == io.EOF {
		if p.until == 0 {
			return errNoAnswer
		}
		return io.ErrUnexpectedEOF
	}
	return err
}

// more reads on, in a buffer twice as large where it is full.
func (p *response) more(r io.Reader) error {
	if p.until == len(p.buffer) {
		if p.until == maxAnswer {
			return errTooLong
		}
		p.buffer = append(p.buffer, make([]byte, len(p.buffer))...)
	}
	n, err := r.Read(p.buffer[p.until:])
	p.until += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// line reads a line, without its end.
func (p *response) line(r io.Reader) ([]byte, error) {
	for seen := 0; ; {
		if n := bytes.IndexByte(p.buffer[p.from+seen:p.until], '\n'); n >= 0 {
			line := p.buffer[p.from : p.from+seen+n]
			p.from += seen + n + 1
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			return line, nil
		}
		seen = p.until - p.from
		if err := p.more(r); err != nil {
			return nil, err
		}
	}
}

// readHead reads the status line and the headers that matter.
func (p *response) readHead(r io.Reader) error {
	line, err := p.line(r)
	if err != nil {
		return err
	}
	const version = "HTTP/1." // HTTP/1.1 204 No Content
	if len(line) < len(version)+2 || string(line[:len(version)]) != version || line[8] != ' ' {
		return errNotHTTP
	}
	code, _, _ := bytes.Cut(bytes.TrimLeft(line[8:], " "), []byte(" "))
	status, err := strconv.ParseUint(string(code), 10, 16)
	if err != nil || len(code) != 3 || status < 100 {
		return errNotHTTP
	}
	p.Raw, p.length, p.chunked, p.last = answer.Raw{Status: int(status)}, -1, false, line[7] == '0'
	for {
		line, err := p.line(r)
		if err != nil || len(line) == 0 {
			return err
		}
		if err := p.header(line); err != nil {
			return err
		}
	}
}

func (p *response) header(line []byte) error {
	if line[0] == ' ' || line[0] == '\t' {
		return nil // more of the header before (obs-fold), of which none that matters has need
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return errNotHTTP
	}
	name, value := line[:colon], bytes.TrimSpace(line[colon+1:])
	switch { // by length first: most headers are of no interest
	case len(name) == 4 && is(name, "date"):
		if !bytes.Equal(value, p.date) {
			p.date = append(p.date[:0], value...)
			p.meant, _ = http.ParseTime(string(value)) // none is zero
		}
		p.Date = p.meant
	case len(name) == 6 && is(name, "server"):
		p.Server = value
	case len(name) == 8 && is(name, "location"):
		p.Location = value
	case len(name) == 10 && is(name, "connection"):
		for token := range bytes.SplitSeq(value, []byte(",")) {
			switch token = bytes.TrimSpace(token); {
			case is(token, "close"):
				p.last = true
			case is(token, "keep-alive"):
				p.last = false
			}
		}
	case len(name) == 11 && is(name, "retry-after"):
		p.RetryAfter = value
	case len(name) == 14 && is(name, "content-length"):
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil || p.length >= 0 && p.length != int(n) {
			return fmt.Errorf("%w: Content-Length", errNotHTTP)
		}
		p.length = int(n)
	case len(name) == 16 && is(name, "www-authenticate"):
		p.Challenge = true
	case len(name) == 17 && is(name, "transfer-encoding"):
		p.chunked = len(value) >= 7 && is(value[len(value)-7:], "chunked")
	}
	return nil
}

func is(b []byte, lower string) bool { return bytes.EqualFold(b, []byte(lower)) }

// readBody reads the body. A connection on which more was said than announced is not used again.
func (p *response) readBody(r io.Reader) error {
	var err error
	p.Body = nil
	switch {
	case p.Status == http.StatusSwitchingProtocols:
		p.last = true
	case p.Status == http.StatusNoContent, p.Status == http.StatusNotModified:
	case p.chunked:
		err = p.chunks(r)
	case p.length >= 0:
		err = p.fixed(r)
	default:
		p.last = true
		for err == nil {
			err = p.more(r)
		}
		p.Body = p.buffer[p.from:p.until]
		p.from = p.until
		if err == io.EOF {
			err = nil
		}
	}
	if err == errTooLong {
		p.last, p.Cut, err = true, true, nil
	}
	p.last = p.last || p.from < p.until
	return err
}

func (p *response) fixed(r io.Reader) (err error) {
	for err == nil && p.until-p.from < p.length {
		err = p.more(r)
	}
	p.Body = p.buffer[p.from:min(p.until, p.from+p.length)]
	p.from += len(p.Body)
	return err
}

// chunks reads a body in chunks (RFC 9112, 7.1), as nginx sends what PHP makes, and moves them together.
func (p *response) chunks(r io.Reader) error {
	begin, end := p.from, p.from
	defer func() { p.Body = p.buffer[begin:end] }()
	for {
		line, err := p.line(r)
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
		if err != nil {
			return fmt.Errorf("%w: chunk", errNotHTTP)
		}
		for left := int(size); left > 0; {
			if p.from == p.until {
				if err := p.more(r); err != nil {
					return err
				}
			}
			n := copy(p.buffer[end:], p.buffer[p.from:min(p.until, p.from+left)])
			end, p.from, left = end+n, p.from+n, left-n
		}
		for { // what ends a chunk is an empty line, what ends the last one may be several: the trailer
			line, err := p.line(r)
			if err != nil {
				return err
			}
			if len(line) == 0 {
				break
			}
			if size > 0 {
				return fmt.Errorf("%w: chunk", errNotHTTP)
			}
		}
		if size == 0 {
			return nil
		}
	}
}
