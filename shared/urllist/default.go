package urllist

import (
	"bytes"
	_ "embed"
	"strings"
)

// DefaultSite is where the built-in pages lie unless the settings say otherwise.
const DefaultSite = "https://shop.example.test"

//go:embed default.txt
var builtIn []byte

// Default are the 2,000 built-in pages, on the site at siteURL (scheme, host and perhaps a path), or on DefaultSite
// where it is empty.
func Default(siteURL string) []Page {
	pages, problems := Parse("built-in pages", bytes.NewReader(builtIn))
	if problems.Err() != nil {
		panic(problems.Err()) // the file is part of the program
	}
	if siteURL = strings.TrimSuffix(siteURL, "/"); siteURL != "" {
		for i := range pages {
			pages[i].URL = siteURL + strings.TrimPrefix(pages[i].URL, DefaultSite)
		}
	}
	return pages
}
