package tracking

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"time"
)

const (
	// maxHead and maxBody bound what is read of an answer, in bytes. Matomo's GIF has 43.
	maxHead, maxBody = 32 << 10, 64 << 10
	// firstBuffer is enough for the answer of any Matomo.
	firstBuffer = 2 << 10
)

// answer is what a server said, as far as it matters (RFC 9112). It uses its memory again.
type answer struct {
	status   int
	body     []byte // at most maxBody of it
	location string // of a redirect
	// last says that the connection is of no use any more.
	last  bool
	clock time.Time

	buffer      []byte
	from, until int    // what of the buffer was not looked at yet
	date        []byte // as it was told last
	length      int    // of the body, -1 until the connection ends
	chunked     bool
}

var (
	errNoAnswer = errors.New("the connection was closed without an answer")
	errNotHTTP  = errors.New("the answer is not HTTP/1.1")
)

func (a *answer) read(r io.Reader) error {
	a.from, a.until = 0, 0
	if a.buffer == nil {
		a.buffer = make([]byte, firstBuffer)
	}
	for {
		head, err := a.head(r)
		if err != nil {
			return err
		}
		if err := a.parse(head); err != nil {
			return err
		}
		if a.status >= 200 {
			return a.readBody(r)
		}
		// An interim answer, as 103 Early Hints is; the real one follows.
	}
}

// head reads to the empty line and returns what stands before it.
func (a *answer) head(r io.Reader) ([]byte, error) {
	for {
		if end := bytes.Index(a.buffer[a.from:a.until], crlf2); end >= 0 {
			head := a.buffer[a.from : a.from+end]
			a.from += end + len(crlf2)
			return head, nil
		}
		if a.until-a.from >= maxHead {
			return nil, errNotHTTP
		}
		if err := a.more(r); err != nil {
			if err == io.EOF && a.until == a.from {
				return nil, errNoAnswer
			}
			return nil, eof(err)
		}
	}
}

// more reads on, in a buffer twice as large where it is full.
func (a *answer) more(r io.Reader) error {
	if a.until == len(a.buffer) {
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

func eof(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

var crlf, crlf2 = []byte("\r\n"), []byte("\r\n\r\n")

// parse reads the status line and the headers that matter.
func (a *answer) parse(head []byte) error {
	line, rest, _ := bytes.Cut(head, crlf)
	// HTTP/1.1 204 No Content
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return errNotHTTP
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 100 {
		return errNotHTTP
	}
	a.status, a.length, a.chunked, a.location = status, -1, false, ""
	a.last = line[7] == '0'
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, crlf)
		if err := a.header(line); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) header(line []byte) error {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return errNotHTTP
	}
	name, value := line[:colon], bytes.TrimSpace(line[colon+1:])
	switch { // by length first: most headers are of no interest
	case len(name) == 4 && is(name, "date"):
		if !bytes.Equal(value, a.date) {
			a.date = append(a.date[:0], value...)
			a.clock, _ = http.ParseTime(string(value)) // none is zero
		}
	case len(name) == 8 && is(name, "location"):
		a.location = string(value)
	case len(name) == 10 && is(name, "connection"):
		if is(value, "close") {
			a.last = true
		} else if is(value, "keep-alive") {
			a.last = false
		}
	case len(name) == 14 && is(name, "content-length"):
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 0 {
			return fmt.Errorf("%w: Content-Length", errNotHTTP)
		}
		a.length = n
	case len(name) == 17 && is(name, "transfer-encoding"):
		a.chunked = is(value, "chunked")
	}
	return nil
}

func is(b []byte, lower string) bool { return bytes.EqualFold(b, []byte(lower)) }

// readBody reads the body, of one that is too long the beginning.
func (a *answer) readBody(r io.Reader) error {
	switch {
	case a.status == http.StatusNoContent, a.status == http.StatusNotModified:
		a.length = 0
	case a.chunked:
		return a.readChunks(r)
	case a.length < 0, a.length > maxBody:
		a.last = true
	}
	want := a.length
	if want < 0 || want > maxBody {
		want = maxBody
	}
	for a.until-a.from < want {
		err := a.more(r)
		if err == io.EOF && a.length < 0 {
			want = a.until - a.from
		} else if err != nil {
			return eof(err)
		}
	}
	a.body = a.buffer[a.from : a.from+want]
	if a.length < 0 || a.until-a.from > want { // it said more than it announced
		a.last = true
	}
	return nil
}

// readChunks reads a body in chunks, which no Matomo of today sends for a hit: it may cost.
func (a *answer) readChunks(r io.Reader) error {
	all := io.MultiReader(bytes.NewReader(a.buffer[a.from:a.until]), r)
	body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(all), maxBody))
	// The reader may have taken more than the body, and leaves the trailer: the connection is not used again.
	a.body, a.last = body, true
	return eof(err)
}
