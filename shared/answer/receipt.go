package answer

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Receipt is what Matomo says of a bulk request. Tracked and Invalid are hits; they are fewer than were sent where
// Matomo left one out because its database was locked (plugins/BulkTracking/Tracker/Handler.php).
type Receipt struct {
	Tracked int `json:"tracked"`
	Invalid int `json:"invalid"`
	// Indices are those of the invalid hits, from 0; nil unless the token is a superuser's.
	Indices []int `json:"invalid_indices"`
}

// hit is the class of hit i of n. Nothing says which hits of a mixed receipt were tracked without a list of the invalid
// ones, which Matomo gives to superusers alone (plugins/BulkTracking/Tracker/Response.php), or where it left some out.
func (r *Receipt) hit(i, n int) Class {
	counted := r.Tracked + r.Invalid
	switch {
	case counted == 0, r.Tracked == n:
		return Accepted
	case r.Invalid == n:
		return Rejected
	case r.Indices == nil, counted != n, len(r.Indices) != r.Invalid:
		return Unreadable
	case slices.Contains(r.Indices, i):
		return Rejected
	}
	return Accepted
}

// readReport finds Matomo's report on a bulk request, its receipt with a status ("success", or "error" where it gave
// up), also among other text, which is then not empty.
func readReport(body []byte) (status string, r Receipt, other []byte, ok bool) {
	var said struct {
		Status           string
		Tracked, Invalid *int
		Indices          []int `json:"invalid_indices"`
	}
	if json.Unmarshal(body, &said) != nil {
		begin := bytes.Index(body, []byte(`{"status":`))
		if begin < 0 {
			return "", r, nil, false
		}
		d := json.NewDecoder(bytes.NewReader(body[begin:]))
		if d.Decode(&said) != nil {
			return "", r, nil, false
		}
		other = bytes.TrimSpace(slices.Concat(body[:begin], body[begin+int(d.InputOffset()):]))
	}
	if said.Tracked == nil || said.Invalid == nil || *said.Tracked < 0 || *said.Invalid < 0 {
		return "", r, nil, false
	}
	return said.Status, Receipt{*said.Tracked, *said.Invalid, said.Indices}, other, true
}
