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

// Key encrypts the secrets of a database.
type Key [keySize]byte

// NewKey returns a random key.
func NewKey() (key Key) {
	_, _ = rand.Read(key[:]) // never fails, see its documentation
	return key
}

// Write writes the key to path as 64 hex digits, readable only by its owner.
func (k Key) Write(fsys afero.Fs, path string) error {
	if err := fsys.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of key: %w", err)
	}
	files := map[string][]byte{filepath.Base(path): []byte(hex.EncodeToString(k[:]) + "\n")}
	return exchange.Publish(fsys, filepath.Dir(path), files)
}

// ReadKey reads the key at path. The error is fs.ErrNotExist if the file does not exist.
func ReadKey(fsys afero.Fs, path string) (Key, error) {
	var key Key
	data, err := exchange.Read(fsys, path)
	if err != nil {
		return key, fmt.Errorf("read key: %w", err)
	}
	read, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || copy(key[:], read) != keySize || len(read) != keySize {
		return Key{}, errors.New("does not contain 64 hex digits") // its content is not shown
	}
	return key, nil
}

// ErrWrongKey means that the database was moved without its key.
var ErrWrongKey = errors.New("decrypt a secret of the database: it was encrypted with another key")

type cipherBox struct{ aead cipher.AEAD }

func newCipher(key Key) (cipherBox, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return cipherBox{}, fmt.Errorf("prepare key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return cipherBox{aead}, err
}

// encrypt encrypts a text for a place, the associated data; decrypt refuses it for another place. Empty stays empty.
func (c cipherBox) encrypt(place string, text []byte) string {
	if len(text) == 0 {
		return ""
	}
	return base64.StdEncoding.EncodeToString(c.aead.Seal(nil, nil, text, []byte(place)))
}

func (c cipherBox) decrypt(place, encrypted string) ([]byte, error) {
	if encrypted == "" {
		return nil, nil
	}
	data, err := base64.StdEncoding.DecodeString(encrypted)
	if err == nil {
		data, err = c.aead.Open(nil, nil, data, []byte(place))
	}
	if err != nil {
		return nil, ErrWrongKey
	}
	return data, nil
}

// decryptSecret decrypts s in place.
func (c cipherBox) decryptSecret(place string, s *secret.String) error {
	text, err := c.decrypt(place, s.Reveal())
	*s = secret.String(text)
	return err
}
