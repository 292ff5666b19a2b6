// Package secret owns a text that must not be seen: every way of printing it gives a mask.
package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/puttrix/trafficinator/shared/textfile"
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

// maxToken is far beyond Matomo's tokens of 32 characters.
const maxToken = 256

// CheckToken says what is wrong with the form of a token of Matomo, without showing any of it; "" is no token and in
// order. Matomo makes tokens of 32 hexadecimal digits (plugins/UsersManager/Model.php, generateTokenAuth); any of
// letters, digits, - and _ is taken. A token of a wrong form must not be tried: each try with one counts as a wrong
// sign-in, and Matomo locks the address out after 20 (plugins/Login/SystemSettings.php, maxAllowedRetries).
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
	at := 0
	for _, r := range t {
		at++
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' {
			return fmt.Errorf("has an invalid character at position %d", at)
		}
	}
	return nil
}

// TokenCure is what to do about an error of CheckToken.
const TokenCure = "enter only the token as Matomo shows it: 32 letters and digits"
