package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/puttrix/trafficinator/shared/urllist"
)

// largeBodyWait is how long a request with a large body waits for the one before it.
const largeBodyWait = 30 * time.Second

// limitLargeBodies serves one request with a large body at a time: reading it takes several times the memory of the
// body.
func (s *server) limitLargeBodies(ctx huma.Context, next func(huma.Context)) {
	length := humaecho.Unwrap(ctx).Request().ContentLength
	if ctx.Operation().MaxBodyBytes <= smallBody || length >= 0 && length <= smallBody {
		next(ctx)
		return
	}
	waiting, cancel := context.WithTimeout(ctx.Context(), largeBodyWait)
	defer cancel()
	select {
	case s.largeBodies <- struct{}{}:
		defer func() { <-s.largeBodies }()
		next(ctx)
	case <-waiting.Done():
		ctx.SetHeader("Retry-After", strconv.Itoa(int(largeBodyWait.Seconds())))
		s.reject(ctx, http.StatusServiceUnavailable, "another large request is in progress; try again later")
	}
}

// urlListRequest is a URL list as {"content": "…"}. It is decoded while it is received, so that it takes no more memory
// than the list, however its text is escaped.
type urlListRequest struct{ content []byte }

// urlListBody describes the body of a urlListRequest.
func urlListBody() *huma.RequestBody {
	s := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"content"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{"content": {Type: huma.TypeString, Description: "Content of the file."}},
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s}}}
}

// Resolve implements huma.Resolver.
func (u *urlListRequest) Resolve(ctx huma.Context) []error {
	if kind := ctx.Header("Content-Type"); kind != "" {
		if parsed, _, err := mime.ParseMediaType(kind); err != nil || parsed != "application/json" {
			return []error{bodyError{http.StatusUnsupportedMediaType, "is not application/json"}}
		}
	}
	_ = ctx.SetReadDeadline(time.Now().Add(ctx.Operation().BodyReadTimeout)) // like huma for other bodies
	limited := &io.LimitedReader{R: ctx.BodyReader(), N: largeBody}
	capacity := min(humaecho.Unwrap(ctx).Request().ContentLength, urllist.MaxBytes+1)
	content, err := readContent(bufio.NewReaderSize(limited, 64<<10), make([]byte, 0, max(capacity, 0)))
	var netErr net.Error
	switch {
	case errors.Is(err, errTooLong), err != nil && limited.N == 0:
		return []error{bodyError{http.StatusRequestEntityTooLarge, "exceeds 32 MiB"}}
	case errors.As(err, &netErr) && netErr.Timeout():
		return []error{bodyError{http.StatusRequestTimeout, "was not received in time"}}
	case errors.Is(err, io.EOF):
		return []error{bodyError{http.StatusBadRequest, "is missing or incomplete"}}
	case err != nil:
		return []error{bodyError{http.StatusBadRequest, err.Error()}}
	}
	u.content = content
	return nil
}

// bodyError is an error of a body, with its status.
type bodyError struct {
	status  int
	message string
}

// Error implements error.
func (e bodyError) Error() string { return e.message }

// GetStatus implements huma.StatusError.
func (e bodyError) GetStatus() int { return e.status }

// ErrorDetail implements huma.ErrorDetailer.
func (e bodyError) ErrorDetail() *huma.ErrorDetail {
	return &huma.ErrorDetail{Location: "body", Message: e.message}
}

var (
	errTooLong = errors.New("is too long")
	errContent = errors.New(`is not a JSON object with a single string, content: {"content": "…"}`)
)

// readContent reads {"content": "…"} and nothing else, and appends the string to content.
func readContent(r *bufio.Reader, content []byte) ([]byte, error) {
	expect := func(tokens string) error {
		for i := 0; i < len(tokens); {
			switch got, err := r.ReadByte(); {
			case err != nil:
				return err
			case got == tokens[i]:
				i++
			case got != ' ' && got != '\t' && got != '\n' && got != '\r':
				return errContent
			}
		}
		return nil
	}
	if err := expect(`{"`); err != nil {
		return nil, err
	}
	name, err := readString(r, nil)
	switch {
	case err != nil:
		return nil, err
	case string(name) != "content":
		return nil, errContent
	}
	if err := expect(`:"`); err != nil {
		return nil, err
	}
	if content, err = readString(r, content); err != nil {
		return nil, err
	}
	if err := expect(`}`); err != nil {
		return nil, err
	}
	if err := expect("\x00"); !errors.Is(err, io.EOF) { // only white space follows
		return nil, errors.Join(errContent, err)
	}
	return content, nil
}

// escapes are the one-letter escapes of JSON (RFC 8259, 7).
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// readString appends a JSON string, whose opening quote is already read, to out.
func readString(r *bufio.Reader, out []byte) ([]byte, error) {
	for len(out) <= urllist.MaxBytes {
		c, err := r.ReadByte()
		switch {
		case err != nil:
			return nil, err
		case c == '"':
			if !utf8.Valid(out) {
				return nil, errNotUTF8
			}
			return out, nil
		case c < ' ':
			return nil, errContent
		case c != '\\':
			out = append(out, c)
			continue
		}
		if c, err = r.ReadByte(); err != nil {
			return nil, err
		}
		if plain, ok := escapes[c]; ok {
			out = append(out, plain)
			continue
		}
		char, err := readEscape(r, c)
		if err != nil {
			return nil, err
		}
		out = utf8.AppendRune(out, char)
	}
	return nil, errTooLong
}

// readEscape reads the rest of an escape after a backslash and c: the digits of \uXXXX, and the second half of a
// surrogate pair.
func readEscape(r *bufio.Reader, c byte) (rune, error) {
	unit := func() (rune, error) {
		digits := make([]byte, 4)
		if _, err := io.ReadFull(r, digits); err != nil {
			return 0, err
		}
		n, err := strconv.ParseUint(string(digits), 16, 16)
		if err != nil {
			return 0, errContent
		}
		return rune(n), nil
	}
	if c != 'u' {
		return 0, errContent
	}
	char, err := unit()
	if err != nil || !utf16.IsSurrogate(char) {
		return char, err
	}
	lead := make([]byte, 2)
	if _, err := io.ReadFull(r, lead); err != nil {
		return 0, err
	}
	low, err := unit()
	if err != nil {
		return 0, err
	}
	if char = utf16.DecodeRune(char, low); string(lead) != `\u` || char == utf8.RuneError {
		return 0, errNotUTF8 // half of a surrogate pair
	}
	return char, nil
}
