package tracking

import "encoding/json"

// A bulk request is {"requests":["?a=1","?b=2"],"token_auth":"…"}. A form needs no escaping inside JSON: it holds
// letters, digits and -_.~%+=& alone. send_image is left out: at 0 Matomo gives no receipt
// (plugins/BulkTracking/Tracker/Response.php).
const bulkBegin, bulkNext, bulkEnd = `{"requests":["?`, `","?`, `"]`

// AppendBulk begins the next hit of a bulk body, the first where body is empty; the hit's form is appended after it.
func AppendBulk(body []byte) []byte {
	if len(body) == 0 {
		return append(body, bulkBegin...)
	}
	return append(body, bulkNext...)
}

// agent is the user agent where hits of many visitors go together.
const agent = "Trafficinator"

// SendBulk posts the hits of a body that AppendBulk began, with the token, for which its spare capacity is used.
// Where the outcome is Accepted the receipt tells how many were tracked.
func (t *Target) SendBulk(body []byte) (Result, Receipt) {
	body = append(body, bulkEnd...)
	if t.secret != "" {
		body = append(append(body, `,"token_auth":`...), t.secret...)
	}
	body = append(body, '}')
	var receipt Receipt
	r := t.post(t.bulk, body, agent, func(a *answer) (r Result) {
		r, receipt = judgeBulk(a)
		return r
	})
	return r, receipt
}

// quoted is a token as a JSON string, "" where there is none.
func quoted(token string) string {
	if token == "" {
		return ""
	}
	data, err := json.Marshal(token)
	if err != nil { // a string always marshals
		return ""
	}
	return string(data)
}
