package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

// errNotUTF8 rejects other encodings: decoding would silently replace each invalid byte.
var errNotUTF8 = errors.New("is not UTF-8; send it as UTF-8")

// jsonFormat is huma's JSON format, limited to UTF-8.
var jsonFormat = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		if !utf8.Valid(data) {
			return errNotUTF8
		}
		return json.Unmarshal(data, v)
	},
}

// checkRequest rejects invalid queries and too long bodies before a body is read.
func (s *server) checkRequest(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	values, err := url.ParseQuery(u.RawQuery)
	for name, list := range values {
		if err == nil && !utf8.ValidString(name+strings.Join(list, "")) {
			err = errNotUTF8
		}
	}
	limit := ctx.Operation().MaxBodyBytes
	switch {
	case err != nil:
		s.reject(ctx, http.StatusBadRequest, "query: "+err.Error())
	case humaecho.Unwrap(ctx).Request().ContentLength > limit:
		ctx.SetHeader("Connection", "close") // so that the server does not read the body either
		s.reject(ctx, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body exceeds %d bytes", limit))
	default:
		next(ctx)
	}
}

// reject responds with a failure. The client is gone if that cannot be written.
func (s *server) reject(ctx huma.Context, status int, detail string) {
	_ = huma.WriteErr(s.huma, ctx, status, detail)
}
