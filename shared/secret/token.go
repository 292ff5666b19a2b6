package secret

import (
	"errors"
	"fmt"
	"strings"

	"github.com/puttrix/trafficinator/shared/textfile"
)

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
