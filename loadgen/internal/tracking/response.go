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
	// maxResponse bounds what is read of an answer, in bytes. Matomo's GIF has 43, its receipt for 2,000 refused hits
	// 10,000.
	maxResponse = 64 << 10
	// initialBuffer is enough for the answer to a hit. It doubles up to maxAnswer.
	initialBuffer = 2 << 10
)

// response is the reader of a connection's answers (RFC 9112), with the one that it read last. It uses its memory
// again.
type response struct {
	answer.Raw
	// hasHead says that the head came whole.
	hasHead bool
	// mustClose says that the connection is of no use any more.
	mustClose bool

	buffer     []byte
	pos, end   int       // what of the buffer was not looked at yet
	date       []byte    // as the last Date header had it,
	parsedDate time.Time // and what it means
	length     int       // of the body, -1 until the connection ends
	chunked    bool
}

var (
	errNoAnswer = errors.New("the connection was closed without an answer")
	errNotHTTP  = errors.New("the answer is not HTTP/1.1")
	errTooLong  = errors.New("the head of the answer is too long")
)

func (p *response) read(r io.Reader) error {
	p.Raw, p.pos, p.end, p.hasHead = answer.Raw{}, 0, 0, false
	if p.buffer == nil {
		p.buffer = make([]byte, initialBuffer)
	}
	var err error
	// An interim answer, as 103 Early Hints is, has no body; the real one follows.
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

// fill reads on, in a buffer twice as large where it is full.
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

// readLine reads a line, without its end.
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

// readHead reads the status line and the headers that matter.
func (p *response) readHead(r io.Reader) error {
	line, err := p.readLine(r)
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
		return nil // more of the header before (obs-fold), of which none that matters has need
	}
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return errNotHTTP
	}
	name, value := line[:colon], bytes.TrimSpace(line[colon+1:])
	switch { // by length first: most headers are of no interest
	case len(name) == 4 && equalFold(name, "date"):
		if !bytes.Equal(value, p.date) {
			p.date = append(p.date[:0], value...)
			p.parsedDate, _ = http.ParseTime(string(value)) // none is zero
		}
		p.Date = p.parsedDate
	case len(name) == 6 && equalFold(name, "server"):
		p.Server = value
	case len(name) == 8 && equalFold(name, "location"):
		p.Location = value
	case len(name) == 10 && equalFold(name, "connection"):
		for token := range bytes.SplitSeq(value, []byte(",")) {
			switch token = bytes.TrimSpace(token); {
			case equalFold(token, "close"):
				p.mustClose = true
			case equalFold(token, "keep-alive"):
				p.mustClose = false
			}
		}
	case len(name) == 11 && equalFold(name, "retry-after"):
		p.RetryAfter = value
	case len(name) == 14 && equalFold(name, "content-length"):
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil || p.length >= 0 && p.length != int(n) {
			return fmt.Errorf("%w: Content-Length", errNotHTTP)
		}
		p.length = int(n)
	case len(name) == 16 && equalFold(name, "www-authenticate"):
		p.Challenge = true
	case len(name) == 17 && equalFold(name, "transfer-encoding"):
		p.chunked = len(value) >= 7 && equalFold(value[len(value)-7:], "chunked")
	}
	return nil
}

func equalFold(b []byte, lower string) bool { return bytes.EqualFold(b, []byte(lower)) }

// readBody reads the body. A connection on which more was said than announced is not used again.
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
		err = p.readFixed(r)
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

func (p *response) readFixed(r io.Reader) (err error) {
	for err == nil && p.end-p.pos < p.length {
		err = p.fill(r)
	}
	p.Body = p.buffer[p.pos:min(p.end, p.pos+p.length)]
	p.pos += len(p.Body)
	return err
}

// readChunked reads a body in chunks (RFC 9112, 7.1), as nginx sends what PHP makes, and moves them together.
func (p *response) readChunked(r io.Reader) error {
	begin, end := p.pos, p.pos
	defer func() { p.Body = p.buffer[begin:end] }()
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
		for { // what ends a chunk is an empty line, what ends the last one may be several: the trailer
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
