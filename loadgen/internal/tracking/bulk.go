package tracking

import (
	"bytes"
	"slices"
	"sync"

	"github.com/puttrix/trafficinator/shared/answer"
)

// A bulk request is {"requests":["?a=1","?b=2"],"token_auth":"…"}. A form needs no escaping in JSON: it only has
// letters, digits and -_.~%+=&. send_image is left out: at 0 Matomo returns no receipt
// (plugins/BulkTracking/Tracker/Response.php).
const bulkBegin, bulkNext, bulkEnd = `{"requests":["?`, `","?`, `"]`

// bodyPool has memory for bulk bodies. They are pooled rather than kept by workers that wait for answers: a body is
// large, and the last one written is still in the processor's cache.
var bodyPool = sync.Pool{New: func() any { return new([]byte) }}

// BulkBody returns an empty body for AppendBulk. SendBulk takes it back.
func BulkBody() []byte { return (*bodyPool.Get().(*[]byte))[:0] }

// AppendBulk starts the next hit of a bulk body; the hit's form is appended after it.
func AppendBulk(body []byte) []byte {
	if len(body) == 0 {
		return append(body, bulkBegin...)
	}
	return append(body, bulkNext...)
}

// AppendPadded is AppendBulk to an empty body with n spaces before the hit, to try a server's size limit without many
// hits. Matomo ignores them (json_decode in plugins/BulkTracking/Tracker/Requests.php).
func AppendPadded(body []byte, n int) []byte {
	const list = len(bulkBegin) - len(`"?`)
	return slices.Concat(body, []byte(bulkBegin[:list]), bytes.Repeat([]byte(" "), n), []byte(bulkBegin[list:]))
}

// bulkUserAgent is the User-Agent of requests with hits of many visitors.
const bulkUserAgent = "Trafficinator"

// SendBulk posts a body of n hits made by AppendBulk, with the token. The body must not be used afterwards.
func (t *Target) SendBulk(body []byte, n int) Result {
	body = append(body, bulkEnd...)
	if t.jsonToken != "" {
		body = append(append(body, `,"token_auth":`...), t.jsonToken...)
	}
	body = append(body, '}')
	c, err := t.write(t.bulkHead, body, bulkUserAgent)
	bodyPool.Put(&body)
	if c == nil {
		return t.notSent(err)
	}
	return t.readResult(c, err, func(r *answer.Raw) answer.Answer { return answer.ParseBulk(r, n) })
}
