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

// largeWait is how long a large request waits for the one before it.
const largeWait = 30 * time.Second

// alone lets one request with a large body through at a time: reading it takes several times the memory of the body.
func (s *server) alone(ctx huma.Context, next func(huma.Context)) {
	length := humaecho.Unwrap(ctx).Request().ContentLength
	if ctx.Operation().MaxBodyBytes <= smallBody || length >= 0 && length <= smallBody {
		next(ctx)
		return
	}
	waiting, cancel := context.WithTimeout(ctx.Context(), largeWait)
	defer cancel()
	select {
	case s.large <- struct{}{}:
		defer func() { <-s.large }()
		next(ctx)
	case <-waiting.Done():
		ctx.SetHeader("Retry-After", strconv.Itoa(int(largeWait.Seconds())))
		// Nobody reads what cannot be written.
		_ = huma.WriteErr(s.huma, ctx, http.StatusServiceUnavailable,
			"another large list is being read; try again later")
	}
}

// pagesRequest is a list of pages as {"content": "…"}. It is decoded as it comes in, so that it takes the memory of the
// list alone, whatever its escapes.
type pagesRequest struct{ content []byte }

// pagesBody describes the body of a pagesRequest.
func pagesBody() *huma.RequestBody {
	s := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"content"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{"content": {Type: huma.TypeString, Description: "The whole file as text."}},
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s}}}
}

// Resolve implements huma.Resolver.
func (p *pagesRequest) Resolve(ctx huma.Context) []error {
	if kind := ctx.Header("Content-Type"); kind != "" {
		if parsed, _, err := mime.ParseMediaType(kind); err != nil || parsed != "application/json" {
			return []error{bodyFault{http.StatusUnsupportedMediaType, "is not application/json"}}
		}
	}
	_ = ctx.SetReadDeadline(time.Now().Add(ctx.Operation().BodyReadTimeout)) // as huma does for other bodies
	limited := &io.LimitedReader{R: ctx.BodyReader(), N: largeBody}
	room := min(humaecho.Unwrap(ctx).Request().ContentLength, urllist.MaxBytes+1)
	content, err := readContent(bufio.NewReaderSize(limited, 64<<10), make([]byte, 0, max(room, 0)))
	var slow net.Error
	switch {
	case errors.Is(err, errTooLong), err != nil && limited.N == 0:
		return []error{bodyFault{http.StatusRequestEntityTooLarge, "holds more than 32 MiB"}}
	case errors.As(err, &slow) && slow.Timeout():
		return []error{bodyFault{http.StatusRequestTimeout, "came in too slowly"}}
	case errors.Is(err, io.EOF):
		return []error{bodyFault{http.StatusBadRequest, "is missing or ends too early"}}
	case err != nil:
		return []error{bodyFault{http.StatusBadRequest, err.Error()}}
	}
	p.content = content
	return nil
}

// bodyFault is what is wrong with a body, and the status of that.
type bodyFault struct {
	status  int
	message string
}

// Error implements error.
func (f bodyFault) Error() string { return f.message }

// GetStatus implements huma.StatusError.
func (f bodyFault) GetStatus() int { return f.status }

// ErrorDetail implements huma.ErrorDetailer.
func (f bodyFault) ErrorDetail() *huma.ErrorDetail {
	return &huma.ErrorDetail{Location: "body", Message: f.message}
}

var (
	errTooLong = errors.New("is too long")
	errContent = errors.New(`is no JSON object with one field, content, that is a text: {"content": "…"}`)
)

// readContent reads {"content": "…"} and nothing else, and appends the text to content.
func readContent(r *bufio.Reader, content []byte) ([]byte, error) {
	expect := func(want byte) error {
		for {
			switch got, err := r.ReadByte(); {
			case err != nil:
				return err
			case got == want:
				return nil
			case got != ' ' && got != '\t' && got != '\n' && got != '\r':
				return errContent
			}
		}
	}
	for _, want := range []byte(`{"`) {
		if err := expect(want); err != nil {
			return nil, err
		}
	}
	name, err := readText(r, nil)
	if err != nil {
		return nil, err
	}
	if string(name) != "content" {
		return nil, errContent
	}
	for _, want := range []byte(`:"`) {
		if err := expect(want); err != nil {
			return nil, err
		}
	}
	if content, err = readText(r, content); err != nil {
		return nil, err
	}
	if err := expect('}'); err != nil {
		return nil, err
	}
	if err := expect(0); !errors.Is(err, io.EOF) { // nothing but blanks
		return nil, errors.Join(errContent, err)
	}
	return content, nil
}

// escapes are JSON's of one character (RFC 8259, 7).
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// readText appends a JSON string, whose first quote is read, to out.
func readText(r *bufio.Reader, out []byte) ([]byte, error) {
	for len(out) <= urllist.MaxBytes {
		c, err := r.ReadByte()
		switch {
		case err != nil:
			return nil, err
		case c == '"':
			if !utf8.Valid(out) {
				return nil, errText
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

// readEscape reads what follows a backslash and c: the digits of \uXXXX, and the second half where it is one of two.
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
		return 0, errText // half of a character
	}
	return char, nil
}
