package security

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/shared/secret"
)

// KeyFile is the name of the file of the drawn API key, in the controller's own folder.
const KeyFile = "api-key"

// LoadKey reads the API key that an earlier start has drawn in dir, or draws one (0600).
func LoadKey(fsys afero.Fs, dir string) (secret.String, error) {
	path := filepath.Join(dir, KeyFile)
	data, err := afero.ReadFile(fsys, path)
	if key := strings.TrimSpace(string(data)); err == nil && key != "" {
		return secret.String(key), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read API key: %w", err)
	}
	key := rand.Text() + rand.Text()
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make folder of the API key: %w", err)
	}
	f, err := fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", fmt.Errorf("write API key: %w", err)
	}
	_, err = f.WriteString(key + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("write API key: %w", err)
	}
	return secret.String(key), nil
}
