package endtoend

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// builtIn are the preset files that come with the program.
var builtIn = []string{"presets/.env.light", "presets/.env.medium", "presets/.env.heavy", "presets/.env.extreme"}

// A file such as presets/.env.mine may hold a token.
func TestNoPresetButTheBuiltInOnesGetsIntoAnImage(t *testing.T) {
	t.Parallel()
	read := func(file string) []string {
		data, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(data), "\n")
	}
	var let []string // into the build context, after everything that is called .env.something was left out
	for _, line := range read(".dockerignore") {
		if file, ok := strings.CutPrefix(line, "!presets"); ok {
			let = append(let, "presets"+file)
		}
	}
	if ignored := read(".dockerignore"); !slices.Contains(ignored, "**/.env.*") || !slices.Equal(let, builtIn) {
		t.Errorf("the build context holds %v beside what it leaves out", let)
	}
	var copied []string
	for _, line := range read("controller/Dockerfile") {
		if files, ok := strings.CutPrefix(line, "COPY presets"); ok {
			copied = strings.Fields("presets" + files)
		}
	}
	if !slices.Equal(copied, append(slices.Clone(builtIn), "/app/presets/")) {
		t.Errorf("the image gets %v", copied)
	}
}
