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
	// maxResponse limits what is read of a response, in bytes. Matomo's GIF has 43, its receipt for 2,000 rejected hits
	// 10,000.
	maxResponse = 64 << 10
	// initialBuffer is enough for the response to a hit. It doubles up to maxResponse.
	initialBuffer = 2 << 10
)

// response reads the responses of a connection (RFC 9112) and keeps the last one. It reuses its memory.
type response struct {
	answer.Raw
	hasHead    bool // the head was read completely
	mustClose  bool // the connection cannot be reused
	buffer     []byte
	pos, end   int       // of what was not parsed yet
	date       []byte    // the last Date header
	parsedDate time.Time // the same
	length     int       // of the body, -1 if it ends with the connection
	chunked    bool
}

var (
	errNoAnswer = errors.New("the connection was closed without an answer")
	errNotHTTP  = errors.New("the response is not HTTP/1.1")
	errTooLong  = errors.New("the head of the answer is too long")
)

func (p *response) read(r io.Reader) error {
	p.Raw, p.pos, p.end, p.hasHead = answer.Raw{}, 0, 0, false
	if p.buffer == nil {
		p.buffer = make([]byte, initialBuffer)
	}
	var err error
	// An interim response such as 103 Early Hints has no body; the final one follows.
	for err == nil && (p.Status < 200 && p.Status != http.StatusSwitchingProtocols) {
		err = p.readHead(r)
	}
	if err == nil {
		p.hasHead = true
		err = p.readBody(r)
		p.Truncated = p.Truncated || err != nil
	}
	if err == io.EOF {
		if p.end == 0 {
			return errNoAnswer
		}
		return io.ErrUnexpectedEOF
	}
	return err
}

// fill reads more, doubling a full buffer.
func (p *response) fill(r io.Reader) error {
	if p.end == len(p.buffer) {
		if p.end == maxResponse {
			return errTooLong
		}
		p.buffer = append(p.buffer, make([]byte, len(p.buffer))...)
	}
	n, err := r.Read(p.buffer[p.end:])
	p.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// readLine reads a line without its end.
func (p *response) readLine(r io.Reader) ([]byte, error) {
	for seen := 0; ; {
		if n := bytes.IndexByte(p.buffer[p.pos+seen:p.end], '\n'); n >= 0 {
			line := p.buffer[p.pos : p.pos+seen+n]
			p.pos += seen + n + 1
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			return line, nil
		}
		seen = p.end - p.pos
		if err := p.fill(r); err != nil {
			return nil, err
		}
	}
}

// readHead reads the status line and the headers.
func (p *response) readHead(r io.Reader) error {
	line, err := p.readLine(r)
	if err != nil {
		return err
	}
	const version = "HTTP/1." // as in HTTP/1.1 204 No Content
	if len(line) < len(version)+2 || string(line[:len(version)]) != version || line[8] != ' ' {
		return errNotHTTP
	}
	code, _, _ := bytes.Cut(bytes.TrimLeft(line[8:], " "), []byte(" "))
	status, err := strconv.ParseUint(string(code), 10, 16)
	if err != nil || len(code) != 3 || status < 100 {
		return errNotHTTP
	}
	p.Raw, p.length, p.chunked, p.mustClose = answer.Raw{Status: int(status)}, -1, false, line[7] == '0'
	for {
		line, err := p.readLine(r)
		if err != nil || len(line) == 0 {
			return err
		}
		if err := p.parseHeader(line); err != nil {
			return err
		}
	}
}

func (p *response) parseHeader(line []byte) error {
	if line[0] == ' ' || line[0] == '\t' {
		return nil // continues the last header (obs-fold), which matters for none of those below
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return errNotHTTP
	}
	name, value := line[:colon], bytes.TrimSpace(line[colon+1:])
	switch {
	case equalFold(name, "date"):
		if !bytes.Equal(value, p.date) {
			p.date = append(p.date[:0], value...)
			p.parsedDate, _ = http.ParseTime(string(value)) // zero if invalid
		}
		p.Date = p.parsedDate
	case equalFold(name, "server"):
		p.Server = value
	case equalFold(name, "location"):
		p.Location = value
	case equalFold(name, "connection"):
		for token := range bytes.SplitSeq(value, []byte(",")) {
			switch token = bytes.TrimSpace(token); {
			case equalFold(token, "close"):
				p.mustClose = true
			case equalFold(token, "keep-alive"):
				p.mustClose = false
			}
		}
	case equalFold(name, "retry-after"):
		p.RetryAfter = value
	case equalFold(name, "content-length"):
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil || p.length >= 0 && p.length != int(n) {
			return fmt.Errorf("%w: Content-Length", errNotHTTP)
		}
		p.length = int(n)
	case equalFold(name, "www-authenticate"):
		p.Challenge = true
	case equalFold(name, "transfer-encoding"):
		p.chunked = len(value) >= 7 && equalFold(value[len(value)-7:], "chunked")
	}
	return nil
}

// equalFold compares lengths first, because most headers do not matter.
func equalFold(b []byte, s string) bool { return len(b) == len(s) && bytes.EqualFold(b, []byte(s)) }

// readBody reads the body. A connection with more data than announced is not reused.
func (p *response) readBody(r io.Reader) error {
	var err error
	p.Body = nil
	switch {
	case p.Status == http.StatusSwitchingProtocols:
		p.mustClose = true
	case p.Status == http.StatusNoContent, p.Status == http.StatusNotModified:
	case p.chunked:
		err = p.readChunked(r)
	case p.length >= 0:
		for err == nil && p.end-p.pos < p.length {
			err = p.fill(r)
		}
		p.Body = p.buffer[p.pos:min(p.end, p.pos+p.length)]
		p.pos += len(p.Body)
	default:
		p.mustClose = true
		for err == nil {
			err = p.fill(r)
		}
		p.Body = p.buffer[p.pos:p.end]
		p.pos = p.end
		if err == io.EOF {
			err = nil
		}
	}
	if err == errTooLong {
		p.mustClose, p.Truncated, err = true, true, nil
	}
	p.mustClose = p.mustClose || p.pos < p.end
	return err
}

// readChunked reads a chunked body (RFC 9112, 7.1), as nginx sends for PHP, and joins the chunks.
func (p *response) readChunked(r io.Reader) error {
	start, end := p.pos, p.pos
	defer func() { p.Body = p.buffer[start:end] }()
	for {
		line, err := p.readLine(r)
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
		if err != nil {
			return fmt.Errorf("%w: chunk", errNotHTTP)
		}
		for left := int(size); left > 0; {
			if p.pos == p.end {
				if err := p.fill(r); err != nil {
					return err
				}
			}
			n := copy(p.buffer[end:], p.buffer[p.pos:min(p.end, p.pos+left)])
			end, p.pos, left = end+n, p.pos+n, left-n
		}
		for { // a chunk ends with an empty line, the last one after the trailer
			line, err := p.readLine(r)
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
