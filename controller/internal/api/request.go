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

// errText is the refusal of what is no text: decoding would put another character in the place of each wrong byte.
var errText = errors.New("is not UTF-8; send it as UTF-8")

// jsonFormat is huma's, for JSON that is text.
var jsonFormat = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(data []byte, v any) error {
		if !utf8.Valid(data) {
			return errText
		}
		return json.Unmarshal(data, v)
	},
}

// sound refuses, before a body is read, what no operation takes: one that is too long by its own word, and a query that
// is not written as one or is no text.
func (s *server) sound(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	values, err := url.ParseQuery(u.RawQuery)
	if err == nil {
		for name, list := range values {
			if !utf8.ValidString(name + strings.Join(list, "")) {
				err = errText
			}
		}
	}
	if err != nil {
		// Nobody reads what cannot be written.
		_ = huma.WriteErr(s.huma, ctx, http.StatusBadRequest, "the query of the address: "+err.Error())
		return
	}
	limit := ctx.Operation().MaxBodyBytes
	if humaecho.Unwrap(ctx).Request().ContentLength > limit {
		ctx.SetHeader("Connection", "close") // so that the server does not read it either
		_ = huma.WriteErr(s.huma, ctx, http.StatusRequestEntityTooLarge,
			fmt.Sprintf("the body is longer than %d bytes", limit))
		return
	}
	next(ctx)
}
