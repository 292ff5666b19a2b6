package tracking

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxAnswer bounds what is read of an answer, in bytes. Matomo's GIF has 43, its receipt for 2,000 refused hits 10,000.
	maxAnswer = 64 << 10
	// firstBuffer is enough for the answer to a hit. It doubles up to maxAnswer.
	firstBuffer = 2 << 10
)

// answer is what a server said, as far as it matters (RFC 9112). It uses its memory again.
type answer struct {
	status   int
	body     []byte // of one that is too long the beginning
	location string // of a redirect
	// last says that the connection is of no use any more.
	last  bool
	clock time.Time // zero where this answer has no date

	buffer      []byte
	from, until int       // what of the buffer was not looked at yet
	date        []byte    // as it was told last,
	told        time.Time // and what it means
	length      int       // of the body, -1 until the connection ends
	chunked     bool
}

var (
	errNoAnswer = errors.New("the connection was closed without an answer")
	errNotHTTP  = errors.New("the answer is not HTTP/1.1")
	errTooLong  = errors.New("the head of the answer is too long")
)

func (a *answer) read(r io.Reader) error {
	a.from, a.until, a.status, a.clock = 0, 0, 0, time.Time{}
	if a.buffer == nil {
		a.buffer = make([]byte, firstBuffer)
	}
	var err error
	// An interim answer, as 103 Early Hints is, has no body; the real one follows.
	for err == nil && (a.status < 200 && a.status != http.StatusSwitchingProtocols) {
		err = a.readHead(r)
	}
	if err == nil {
		err = a.readBody(r)
	}
	if err == io.EOF {
		if a.until == 0 {
			return errNoAnswer
		}
		return io.ErrUnexpectedEOF
	}
	return err
}

// more reads on, in a buffer twice as large where it is full.
func (a *answer) more(r io.Reader) error {
	if a.until == len(a.buffer) {
		if a.until == maxAnswer {
			return errTooLong
		}
		a.buffer = append(a.buffer, make([]byte, len(a.buffer))...)
	}
	n, err := r.Read(a.buffer[a.until:])
	a.until += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// line reads a line, without its end.
func (a *answer) line(r io.Reader) ([]byte, error) {
	for seen := 0; ; {
		if n := bytes.IndexByte(a.buffer[a.from+seen:a.until], '\n'); n >= 0 {
			line := a.buffer[a.from : a.from+seen+n]
			a.from += seen + n + 1
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			return line, nil
		}
		seen = a.until - a.from
		if err := a.more(r); err != nil {
			return nil, err
		}
	}
}

// readHead reads the status line and the headers that matter.
func (a *answer) readHead(r io.Reader) error {
	line, err := a.line(r)
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
	a.status, a.length, a.chunked, a.location, a.last = int(status), -1, false, "", line[7] == '0'
	for {
		line, err := a.line(r)
		if err != nil || len(line) == 0 {
			return err
		}
		if err := a.header(line); err != nil {
			return err
		}
	}
}

func (a *answer) header(line []byte) error {
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
		if !bytes.Equal(value, a.date) {
			a.date = append(a.date[:0], value...)
			a.told, _ = http.ParseTime(string(value)) // none is zero
		}
		a.clock = a.told
	case len(name) == 8 && is(name, "location"):
		a.location = string(value)
	case len(name) == 10 && is(name, "connection"):
		for token := range bytes.SplitSeq(value, []byte(",")) {
			switch token = bytes.TrimSpace(token); {
			case is(token, "close"):
				a.last = true
			case is(token, "keep-alive"):
				a.last = false
			}
		}
	case len(name) == 14 && is(name, "content-length"):
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil || a.length >= 0 && a.length != int(n) {
			return fmt.Errorf("%w: Content-Length", errNotHTTP)
		}
		a.length = int(n)
	case len(name) == 17 && is(name, "transfer-encoding"):
		a.chunked = len(value) >= 7 && is(value[len(value)-7:], "chunked")
	}
	return nil
}

func is(b []byte, lower string) bool { return bytes.EqualFold(b, []byte(lower)) }

// readBody reads the body. A connection on which more was said than announced is not used again.
func (a *answer) readBody(r io.Reader) error {
	var err error
	a.body = nil
	switch {
	case a.status == http.StatusSwitchingProtocols:
		a.last = true
	case a.status == http.StatusNoContent, a.status == http.StatusNotModified:
	case a.chunked:
		err = a.chunks(r)
	case a.length >= 0:
		err = a.fixed(r)
	default:
		a.last = true
		for err == nil {
			err = a.more(r)
		}
		a.body = a.buffer[a.from:a.until]
		a.from = a.until
		if err == io.EOF {
			err = nil
		}
	}
	if err == errTooLong {
		a.last, err = true, nil
	}
	a.last = a.last || a.from < a.until
	return err
}

func (a *answer) fixed(r io.Reader) (err error) {
	for err == nil && a.until-a.from < a.length {
		err = a.more(r)
	}
	a.body = a.buffer[a.from:min(a.until, a.from+a.length)]
	a.from += len(a.body)
	return err
}

// chunks reads a body in chunks (RFC 9112, 7.1), as nginx sends what PHP makes, and moves them together.
func (a *answer) chunks(r io.Reader) error {
	begin, end := a.from, a.from
	defer func() { a.body = a.buffer[begin:end] }()
	for {
		line, err := a.line(r)
		if err != nil {
			return err
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 62)
		if err != nil {
			return fmt.Errorf("%w: chunk", errNotHTTP)
		}
		for left := int(size); left > 0; {
			if a.from == a.until {
				if err := a.more(r); err != nil {
					return err
				}
			}
			n := copy(a.buffer[end:], a.buffer[a.from:min(a.until, a.from+left)])
			end, a.from, left = end+n, a.from+n, left-n
		}
		for { // what ends a chunk is an empty line, what ends the last one may be several: the trailer
			line, err := a.line(r)
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
