// Package answer owns what an answer of a server means: it is the only code that reads one, for single hits, bulk
// requests and the Reporting API. It sends nothing, counts nothing and retries nothing; a Class says what its callers
// do:
//
//	class                ledger     sent again          breaker        answer
//	accepted             accepted   no                  closes         204, or 200 with Matomo's image or receipt
//	accepted_no_receipt  accepted   no                  closes         an image or 204 for a bulk request: a queue took it
//	too_large            failed     in smaller pieces   opens          413
//	not_now              failed     not before its time opens          408, 429, 503; a receipt for no hit at all
//	rejected             rejected   no                  lock-out       Matomo's own no: 4xx, or a receipt of invalid hits
//	in_front             rejected   no                  opens          4xx and 3xx of a server in front of Matomo
//	token                rejected   no                  lock-out       401; 400 with Matomo's words about the token
//	rolled_back          failed     yes                 opens          bulk, and Matomo kept nothing of it
//	unreadable           unknown    no                  opens          any other: 5xx, a strange body, a receipt cut short
//	unreachable          failed     yes                 opens          none: no connection
//	tls                  failed     yes                 opens          none: no TLS
//	timeout              unknown    no                  opens          none in time
//	broken               unknown    no                  opens          none: the connection ended after the first byte
//	late                 shed       no                  unaffected     never sent: not in time
//	breaker              shed       no                  unaffected     never sent: the target was failing
//	standstill           shed       no                  unaffected     never sent: this process stood still
//	stopped              abandoned  no                  unaffected     never sent: the run was stopped
//
// "lock-out" opens the breaker after few answers in a row, because Matomo locks an address out after 20 wrong tokens
// and its 400 does not say whether the token is the cause.
package answer

import (
	"fmt"
	"net/http"

	"github.com/puttrix/trafficinator/shared/outcome"
)

// Class is what an answer, or the lack of one, means for a hit. Its names are stable: they stand in records.
type Class uint8

// The classes; the table in the package's comment says what each means.
const (
	Accepted Class = iota
	NoReceipt
	TooLarge
	NotNow
	Rejected
	InFront
	Token
	RolledBack
	Unreadable
	Unreachable
	TLS
	Timeout
	Broken
	Late
	Breaker
	Standstill
	Stopped
	classes int = iota
)

var table = [classes]struct {
	name    string
	outcome outcome.Outcome
	retry   bool
	lockOut bool
}{
	Accepted:    {name: "accepted", outcome: outcome.Accepted},
	NoReceipt:   {name: "accepted_no_receipt", outcome: outcome.Accepted},
	TooLarge:    {name: "too_large", outcome: outcome.Failed},
	NotNow:      {name: "not_now", outcome: outcome.Failed, retry: true},
	Rejected:    {name: "rejected", outcome: outcome.Rejected, lockOut: true},
	InFront:     {name: "in_front", outcome: outcome.Rejected},
	Token:       {name: "token", outcome: outcome.Rejected, lockOut: true},
	RolledBack:  {name: "rolled_back", outcome: outcome.Failed, retry: true},
	Unreadable:  {name: "unreadable", outcome: outcome.Unknown},
	Unreachable: {name: "unreachable", outcome: outcome.Failed, retry: true},
	TLS:         {name: "tls", outcome: outcome.Failed, retry: true},
	Timeout:     {name: "timeout", outcome: outcome.Unknown},
	Broken:      {name: "broken", outcome: outcome.Unknown},
	Late:        {name: "late", outcome: outcome.Shed},
	Breaker:     {name: "breaker", outcome: outcome.Shed},
	Standstill:  {name: "standstill", outcome: outcome.Shed},
	Stopped:     {name: "stopped", outcome: outcome.Abandoned},
}

// Outcome is what the ledger counts a hit as that is not sent again.
func (c Class) Outcome() outcome.Outcome { return table[c].outcome }

// Retryable says that the request surely was not taken, and may be taken when it is sent again as it is.
func (c Class) Retryable() bool { return table[c].retry }

// Splittable says that the request surely was not taken, and may be taken in smaller pieces.
func (c Class) Splittable() bool { return c == TooLarge }

// RisksLockout says that a wrong token may be the cause, for which Matomo locks an address out after 20 tries
// (plugins/Login/Security/BruteForceDetection.php).
func (c Class) RisksLockout() bool { return table[c].lockOut }

// MayBeProcessing says that the server may still be at work on the request, and may record it later: nothing came of it so far,
// or a server in front of Matomo has given up waiting.
func (a *Answer) MayBeProcessing() bool {
	return a.Class == Timeout || a.Class == Broken || a.Status == http.StatusBadGateway ||
		a.Status == http.StatusGatewayTimeout
}

// String is the class's name in records.
func (c Class) String() string { return table[c].name }

// MarshalText implements encoding.TextMarshaler.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Class) UnmarshalText(text []byte) error {
	for i := range table {
		if table[i].name == string(text) {
			*c = Class(i)
			return nil
		}
	}
	return fmt.Errorf("unknown answer class %q", text)
}
