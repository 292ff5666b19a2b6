package tracking

import (
	"encoding/json"
	"sync"

	"github.com/puttrix/trafficinator/shared/answer"
)

// A bulk request is {"requests":["?a=1","?b=2"],"token_auth":"…"}. A form needs no escaping inside JSON: it holds
// letters, digits and -_.~%+=& alone. send_image is left out: at 0 Matomo gives no receipt
// (plugins/BulkTracking/Tracker/Response.php).
const bulkBegin, bulkNext, bulkEnd = `{"requests":["?`, `","?`, `"]`

// bodyPool is memory for bulk bodies. It goes round, rather than stay with those who wait for answers: a body is large,
// and the one that was written last is still in the processor's cache.
var bodyPool = sync.Pool{New: func() any { return new([]byte) }}

// BulkBody is an empty body for AppendBulk. SendBulk gives its memory to others.
func BulkBody() []byte { return (*bodyPool.Get().(*[]byte))[:0] }

// AppendBulk begins the next hit of a bulk body, the first where body is empty; the hit's form is appended after it.
func AppendBulk(body []byte) []byte {
	if len(body) == 0 {
		return append(body, bulkBegin...)
	}
	return append(body, bulkNext...)
}

// AppendPadded is AppendBulk to an empty body, with so many bytes of white space before the hit: Matomo reads over it
// (json_decode in plugins/BulkTracking/Tracker/Requests.php), so that a server's limit can be tried without many hits.
func AppendPadded(body []byte, bytes int) []byte {
	const list = len(bulkBegin) - len(`"?`)
	body = append(body, bulkBegin[:list]...)
	for range bytes {
		body = append(body, ' ')
	}
	return append(body, bulkBegin[list:]...)
}

// bulkUserAgent is the user agent where hits of many visitors go together.
const bulkUserAgent = "Trafficinator"

// SendBulk posts the n hits of a body that AppendBulk began, with the token; the body is not the caller's any more.
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

// jsonString is a token as a JSON string, "" where there is none.
func jsonString(token string) string {
	if token == "" {
		return ""
	}
	data, err := json.Marshal(token)
	if err != nil { // a string always marshals
		return ""
	}
	return string(data)
}
