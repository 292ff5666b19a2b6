// Package secret owns a text that must not be seen: every way of printing it gives a mask.
package secret

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Mask stands for a secret wherever one would be shown.
const Mask = "***MASKED***"

// String is a secret text. Its zero value is no secret and prints as nothing.
type String string

// Reveal is the secret itself. Call it only where it is used.
func (s String) Reveal() string { return string(s) }

// String is the mask, or nothing where there is no secret.
func (s String) String() string {
	if s == "" {
		return ""
	}
	return Mask
}

// Format gives the same for every verb, also those that are wrong for a text.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) } // fmt holds the error, if any

// MarshalJSON writes the mask.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// LogValue implements slog.LogValuer.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }
