// Package secret owns a text that is masked in all output.
package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/textfile"
)

// Mask replaces a secret in output.
const Mask = "***MASKED***"

// String is a secret text. The zero value prints as nothing.
type String string

// Reveal returns the secret. Call it only where it is used.
func (s String) Reveal() string { return string(s) }

// String returns the mask, or "" if there is no secret.
func (s String) String() string {
	if s == "" {
		return ""
	}
	return Mask
}

// Format prints the same for every verb, even those that are invalid for a text.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) } // fmt keeps the error

// MarshalJSON writes the mask.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// LogValue implements slog.LogValuer.
func (s String) LogValue() slog.Value { return slog.StringValue(s.String()) }

// maxToken is far beyond Matomo's tokens of 32 characters.
const maxToken = 256

// CheckToken checks the form of a token of Matomo, without showing any of it; "" is valid. Matomo's are 32 hexadecimal
// digits (plugins/UsersManager/Model.php, generateTokenAuth); any letters, digits, - and _ are accepted. A malformed
// token must not be tried: each try counts as a failed login, and Matomo locks the address out after 20
// (plugins/Login/SystemSettings.php, maxAllowedRetries).
func CheckToken(token String) error {
	t := string(token)
	lines := strings.Count(strings.TrimSpace(t), "\n") + 1
	odd, isOdd := textfile.FindSpecial(t)
	switch {
	case t == Mask:
		return errors.New("is masked")
	case lines > 1:
		return fmt.Errorf("has %d lines", lines)
	case isOdd:
		return fmt.Errorf("has %v", odd)
	case strings.ContainsAny(t, " \t\r\n"):
		return errors.New("has a space")
	case strings.Contains(t, "token_auth"):
		return errors.New("contains token_auth")
	case t != "" && strings.ContainsRune("\"'`“”„‘’", []rune(t)[0]):
		return errors.New("is in quotes")
	case len(t) > maxToken:
		return fmt.Errorf("has %d characters, too long for a Matomo token", len([]rune(t)))
	}
	runes := []rune(t)
	i := slices.IndexFunc(runes, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	})
	if i >= 0 {
		return fmt.Errorf("has an invalid character at position %d", i+1)
	}
	return nil
}

// TokenCure is the cure for an error of CheckToken.
const TokenCure = "enter only the token as Matomo shows it: 32 letters and digits"
