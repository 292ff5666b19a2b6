package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/secret"
)

// keySize is that of AES-256, in bytes.
const keySize = 32

// Key seals the secrets of a database.
type Key [keySize]byte

// NewKey makes a new key.
func NewKey() (key Key) {
	_, _ = rand.Read(key[:]) // never fails, see its documentation
	return key
}

// Write writes the key to path as 64 hex digits, readable for its owner alone.
func (k Key) Write(fsys afero.Fs, path string) error {
	if err := fsys.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of key: %w", err)
	}
	files := map[string][]byte{filepath.Base(path): []byte(hex.EncodeToString(k[:]) + "\n")}
	return exchange.Publish(fsys, filepath.Dir(path), files)
}

// ReadKey reads the key at path. The error is fs.ErrNotExist where there is no such file.
func ReadKey(fsys afero.Fs, path string) (Key, error) {
	var key Key
	data, err := exchange.Read(fsys, path)
	if err != nil {
		return key, fmt.Errorf("read key: %w", err)
	}
	read, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || copy(key[:], read) != keySize || len(read) != keySize {
		return Key{}, errors.New("does not hold 64 hex digits") // what it holds is not shown
	}
	return key, nil
}

// ErrWrongKey is what a person meets who moved a database without its key.
var ErrWrongKey = errors.New("open a secret of the database: the key is not the one that sealed it")

type sealer struct{ aead cipher.AEAD }

func newSealer(key Key) (sealer, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, fmt.Errorf("prepare key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("prepare key: %w", err)
	}
	return sealer{aead}, nil
}

// close seals a text for a place; opened elsewhere it is refused. Nothing stays nothing.
func (s sealer) close(place string, text []byte) string {
	if len(text) == 0 {
		return ""
	}
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, text, []byte(place)))
}

func (s sealer) open(place, sealed string) ([]byte, error) {
	if sealed == "" {
		return nil, nil
	}
	data, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, ErrWrongKey
	}
	text, err := s.aead.Open(nil, nil, data, []byte(place))
	if err != nil {
		return nil, ErrWrongKey
	}
	return text, nil
}

func (s sealer) openSecret(place, sealed string) (secret.String, error) {
	text, err := s.open(place, sealed)
	return secret.String(text), err
}
