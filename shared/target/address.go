package target

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// complete makes the address of a tracker of what a person gives as one, and takes user and password out of it.
//
//	https://host  https://host/  https://host/index.php?module=…   https://host/matomo.php
//	https://host/stats/  https://host/matomo  https://host/piwik   the folder's matomo.php
//	https://host/matomo.php/                                       https://host/matomo.php
//	https://host/collect  …/m.php  …/js/  …?rest_route=/…          as they are
//
// Every other path is taken as it is, because only a hit can tell whether it is a tracker; js/ is Matomo's own second
// one (js/index.php). A query is kept, unless it would go before what a hit says.
func complete(raw string) (address string, auth secret.String, err error) {
	u, auth, err := split(raw)
	if err != nil {
		return "", "", err
	}
	if path.Base(u.Path) == "index.php" && (u.RawQuery == "" || u.Query().Has("module")) {
		u.Path, u.RawQuery = strings.TrimSuffix(u.Path, "index.php"), ""
	}
	// Matomo takes the query's before the body's (core/Tracker/RequestSet.php)
	for _, name := range []string{"idsite", "rec"} {
		if u.Query().Has(name) {
			return "", "", errors.New("has the tracking parameter " + name + " in its query")
		}
	}
	if u.RawQuery == "" {
		u.Path = inFolder(u.Path, "matomo.php")
	}
	return written(u), auth, nil
}

// completeAPI makes the address of the Reporting API likewise.
func completeAPI(raw string) (address string, auth secret.String, err error) {
	u, auth, err := split(raw)
	if err != nil {
		return "", "", err
	}
	if u.Query().Has("module") {
		u.RawQuery = ""
	}
	if base := path.Base(u.Path); base == "matomo.php" || base == "piwik.php" {
		u.Path = strings.TrimSuffix(u.Path, base)
	}
	if u.RawQuery == "" {
		u.Path = inFolder(u.Path, "index.php")
	}
	return written(u), auth, nil
}

// written is an address without user and password as parse takes it again.
func written(u *url.URL) string { return strings.ReplaceAll(u.String(), "@", "%40") }

// split reads an address and takes user and password out of it.
func split(raw string) (*url.URL, secret.String, error) {
	u, err := parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, "", err
	}
	switch {
	case u.Fragment != "":
		return nil, "", errors.New("has a fragment (#…)")
	case u.Query().Has("token_auth"):
		return nil, "", errors.New("has a token in its query")
	}
	if u.Host, err = httpguts.PunycodeHostPort(u.Host); err != nil {
		return nil, "", errors.New("has an invalid host name")
	}
	var auth secret.String
	if u.User != nil {
		password, _ := u.User.Password()
		auth = secret.String(u.User.Username() + ":" + password)
		u.User = nil
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, auth, nil
}

// errAt is that of an address whose password holds a character that ends the host: the rest would be taken for a path,
// be shown, and the request go to another host.
var errAt = errors.New(
	"has an @ after its host; in a user name or password write %2F for /, %3F for ? and %23 for #, " +
		"elsewhere %40 for @",
)

// parse reads an address with scheme and host.
func parse(raw string) (*url.URL, error) {
	if odd, is := textfile.FindSpecial(raw); is {
		return nil, fmt.Errorf("has %v", odd)
	}
	_, rest, _ := strings.Cut(raw, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && strings.Contains(rest[end:], "@") {
		return nil, errAt
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("is not an http or https URL")
	}
	return u, nil
}

// folders are the names that Matomo's folder has by custom, so that they need no slash at their end.
var folders = []string{"matomo", "piwik"}

// inFolder completes the path of a folder by the name of a file, and leaves other paths alone.
func inFolder(p, name string) string {
	if bare := strings.TrimRight(p, "/"); strings.HasSuffix(bare, ".php") {
		return bare
	}
	switch base := path.Base(p); {
	case strings.HasSuffix(p, "/") && base != "js":
		return p + name
	case slices.Contains(folders, strings.ToLower(base)) && !strings.HasSuffix(p, "/"):
		return p + "/" + name
	}
	return p
}

// Redact is an address as a person may see it: without user and password, and without its query, which may hold a token.
// What is no address with scheme and host is not shown at all: it could be a password.
func Redact(raw string) string {
	u, err := parse(strings.TrimSpace(raw))
	if err != nil {
		return ""
	}
	if u.User != nil {
		u.User = url.User("xxxxx")
	}
	u.RawQuery, u.Fragment, u.ForceQuery = "", "", false
	return u.String()
}

// API is the address of the Reporting API: APIURL, or else index.php in the folder of the tracker. Trackers of one
// Matomo have the same, however their addresses are written: scheme and host are in lower case, and the port is left
// out where it is the scheme's own. It is "" where URL is no address.
func (t Target) API() string {
	given := t.APIURL
	if given == "" {
		given = t.URL
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" {
		return ""
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	if t.APIURL == "" {
		folder := path.Dir(u.Path)
		if path.Base(folder) == "js" {
			folder = path.Dir(folder) // js/ is a tracker in a folder of its own
		}
		u.Path, u.RawQuery = path.Join("/", folder, "index.php"), ""
	}
	return u.String()
}
