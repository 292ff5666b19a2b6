package target

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// Access is how a target is reached beyond its URL. The zero value means: the API in the tracker's folder, and the
// machine's certificate authorities and proxy variables.
type Access struct {
	APIURL   string        `json:"api_url"`   // the URL of the Reporting API if it is not in the folder of the tracker
	HTTPAuth secret.String `json:"http_auth"` // user:password for Basic authentication (RFC 7617)
	Headers  secret.String `json:"headers"`   // sent with every request, one "Name: value" per line
	// PEM files: authorities to trust in addition to the machine's, the client certificate, and its key. Relative paths
	// start at the working folder.
	CAFile   string `json:"tls_ca_file"`
	CertFile string `json:"tls_cert_file"`
	KeyFile  string `json:"tls_key_file"`
	// Insecure accepts any certificate.
	Insecure bool `json:"-"`
	// Proxy is the http or https URL of a proxy, perhaps with user and password; "" follows HTTP_PROXY, HTTPS_PROXY and
	// NO_PROXY, and NoProxy uses none.
	Proxy secret.String `json:"proxy_url"`
}

// NoProxy is the value of Proxy for a direct connection.
const NoProxy = "none"

// WithDefaults adds what all targets share from d. It adds no secrets, which must not go to another target.
func (a Access) WithDefaults(d Access) Access {
	a.CAFile = cmp.Or(a.CAFile, d.CAFile)
	a.Proxy = cmp.Or(a.Proxy, d.Proxy)
	a.Insecure = a.Insecure || d.Insecure
	return a
}

// RelativeTo resolves relative paths against dir; "" is the working folder.
func (a Access) RelativeTo(dir string) Access {
	for _, path := range []*string{&a.CAFile, &a.CertFile, &a.KeyFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	return a
}

// Header is one of Access.Headers.
type Header struct{ Name, Value string }

// HeaderList returns Headers, without the header of HTTPAuth.
func (a Access) HeaderList() []Header {
	var out []Header
	for line := range strings.Lines(a.Headers.Reveal()) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			out = append(out, Header{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return out
}

// ownHeaders are set by the sender itself, or belong to one connection (RFC 9110, 7.6.1).
var ownHeaders = []string{
	"accept-encoding",
	"connection",
	"content-encoding",
	"content-length",
	"content-type",
	"expect",
	"host",
	"keep-alive",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"user-agent",
}

// refuseFunc reports a problem of a field as in targets.json; shown is the printable part of its value.
type refuseFunc func(field, shown, message, cure string)

func (a *Access) check(refuse refuseFunc) {
	if a.APIURL != "" {
		completed, auth, err := completeAPI(a.APIURL)
		switch {
		case err != nil:
			refuse("api_url", Redact(a.APIURL), err.Error(), "write https://host/index.php")
		case auth != "":
			refuse("api_url", Redact(a.APIURL), "contains a user name or password", "set http_auth instead")
		default:
			a.APIURL = completed
		}
	}
	a.checkAuth(refuse)
	a.checkHeaders(refuse)
	if a.KeyFile != "" && a.CertFile == "" {
		refuse("tls_key_file", "", "is set without tls_cert_file", "set tls_cert_file too")
	}
	if p := a.Proxy.Reveal(); p != "" && p != NoProxy {
		u, err := parse(p)
		switch {
		case strings.Contains(p, secret.Mask):
			refuse("proxy_url", "", "is masked", "enter the full URL")
		case err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
			// No part is shown: what cannot be parsed could be a password.
			refuse("proxy_url", "", "is not an http or https proxy URL",
				"write http://host:port, http://user:password@host:port with %40 for @, %2F for /, %3F for ? and %23 "+
					"for #, or none")
		}
	}
}

func (a *Access) checkAuth(refuse refuseFunc) {
	switch auth := a.HTTPAuth.Reveal(); {
	case auth == "":
	case strings.Contains(auth, secret.Mask):
		refuse("http_auth", "", "is masked", "enter user:password")
	case !strings.Contains(auth, ":") || strings.ContainsFunc(auth, isControl):
		refuse("http_auth", "", "is not user:password", "write the user name, a colon, and the password")
	}
}

// headerInLetters matches a second header after a line break that was not decoded: it would not be sent.
var headerInLetters = regexp.MustCompile(`\\n[A-Za-z][A-Za-z0-9-]*:`)

func (a *Access) checkHeaders(refuse refuseFunc) {
	if strings.Contains(a.Headers.Reveal(), secret.Mask) {
		refuse("headers", "", "is masked", "enter the headers")
		return
	}
	var lines, seen []string
	for line := range strings.Lines(a.Headers.Reveal()) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		key := strings.ToLower(name)
		switch { // a line is not shown: it may be a secret
		case !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			refuse("headers", "", "has a line that is not a header", "write one Name: value per line")
		case headerInLetters.MatchString(value):
			refuse("headers", "", `has a literal \n before another header`,
				"use a line break; \\n is one only between double quotes in a settings file")
		case slices.Contains(ownHeaders, key):
			refuse("headers", "", "sets "+name+", which the generator sets itself", "remove it")
		case key == "authorization" && a.HTTPAuth != "":
			refuse("headers", "", "sets Authorization, and so does http_auth", "keep only one")
		case slices.Contains(seen, key):
			refuse("headers", "", "sets "+name+" twice", "keep only one")
		}
		seen, lines = append(seen, key), append(lines, name+": "+value)
	}
	a.Headers = secret.String(strings.Join(lines, "\n"))
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// complete turns what a person enters into the URL of a tracker, and removes user and password from it.
//
//	https://host  https://host/  https://host/index.php?module=…   https://host/matomo.php
//	https://host/stats/  https://host/matomo  https://host/piwik   the folder's matomo.php
//	https://host/matomo.php/                                       https://host/matomo.php
//	https://host/collect  …/m.php  …/js/  …?rest_route=/…          as they are
//
// Every other path is left alone, because only a hit can show whether it is a tracker; js/ is Matomo's own second one
// (js/index.php). A query is kept, unless it would override a hit's parameters.
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

// written is a URL without user and password that parse accepts.
func written(u *url.URL) string { return strings.ReplaceAll(u.String(), "@", "%40") }

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

// errAt means that a password contains a character that ends the host: the rest would be taken for a path and shown,
// and the request would go to another host.
var errAt = errors.New("has an @ after its host; in a user name or password write %2F for /, %3F for ? and %23 " +
	"for #, elsewhere %40 for @")

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

// inFolder adds a file's name to a folder's path, which for Matomo's usual names needs no slash at the end.
func inFolder(p, name string) string {
	if bare := strings.TrimRight(p, "/"); strings.HasSuffix(bare, ".php") {
		return bare
	}
	switch base := path.Base(p); {
	case strings.HasSuffix(p, "/") && base != "js":
		return p + name
	case strings.EqualFold(base, "matomo") || strings.EqualFold(base, "piwik"):
		return p + "/" + name
	}
	return p
}

// Redact returns a URL without user, password and query, and "" for anything else, which could be a password.
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

// API returns the URL of the Reporting API: APIURL, or index.php in the folder of the tracker; "" if URL is invalid. It
// is the same for all trackers of one Matomo: scheme and host are in lower case, without the scheme's default port.
func (t Target) API() string {
	given := cmp.Or(t.APIURL, t.URL)
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
