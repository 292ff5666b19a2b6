package security

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// KeyFile is the name of the generated API key's file, in the controller's own folder.
const KeyFile = "api-key"

// The length of an API key in characters: enough to prevent guessing, and short enough for any server's headers.
const minKey, maxKey = 16, 256

// publishedKeys are in the documentation and example files of the original.
var publishedKeys = []string{"change-me-in-production", "your-secret-api-key-change-this"}

// CheckKey returns what is wrong with an API key, without showing any of it.
func CheckKey(key string) error {
	odd, isOdd := textfile.FindSpecial(key)
	switch n := utf8.RuneCountInString(key); {
	case slices.Contains(publishedKeys, key):
		return errors.New("is a publicly known example key")
	case isOdd:
		return fmt.Errorf("has %v", odd)
	case strings.ContainsAny(key, " \t\r\n"):
		return errors.New("has a space or a line break, which no request can carry")
	case n != len(key):
		return errors.New("has other characters than ASCII, which no request can carry")
	case n < minKey:
		return fmt.Errorf("is shorter than %d characters", minKey)
	case n > maxKey:
		return fmt.Errorf("has %d characters, more than %d", n, maxKey)
	}
	return nil
}

// ReadKey reads the API key in a file, which may end in a line break. The error is fs.ErrNotExist if there is none,
// and a problem.List if its content is not a valid key.
func ReadKey(fsys afero.Fs, path string) (secret.String, error) {
	data, err := exchange.Read(fsys, path)
	for _, unusable := range []error{exchange.ErrNotRegular, exchange.ErrTooLarge} {
		if errors.Is(err, unusable) {
			return "", refuseKey(path, unusable.Error())
		}
	}
	if err != nil {
		return "", fmt.Errorf("read API key: %w", err)
	}
	text, err := textfile.Decode(data)
	key := strings.TrimSpace(string(text))
	if err == nil && key == "" { // an earlier version was killed while writing it
		return "", fmt.Errorf("read API key: %s is empty: %w", path, fs.ErrNotExist)
	}
	if err == nil {
		err = CheckKey(key)
	}
	if err != nil {
		return "", refuseKey(path, err.Error())
	}
	return secret.String(key), nil
}

func refuseKey(path, message string) error {
	var problems problem.List
	problems.Refuse(path, "", message,
		"write a long random key into it on one line, or delete the file to have one generated")
	return problems.Err()
}

// LoadKey reads the API key that an earlier start generated in dir, or generates one (mode 0600).
func LoadKey(fsys afero.Fs, dir string) (secret.String, error) {
	path := filepath.Join(dir, KeyFile)
	if key, err := ReadKey(fsys, path); !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key := rand.Text() + rand.Text()
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make folder of the API key: %w", err)
	}
	if err := exchange.Publish(fsys, dir, map[string][]byte{KeyFile: []byte(key + "\n")}); err != nil {
		return "", fmt.Errorf("write API key: %w", err)
	}
	return secret.String(key), nil
}
