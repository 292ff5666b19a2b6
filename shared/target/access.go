package target

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/puttrix/trafficinator/shared/secret"
)

// Access is how a target is reached beyond its address. Its zero value is the usual way: the API in the tracker's
// folder, the machine's certificate authorities and its proxy variables.
type Access struct {
	// APIURL is the address of the Reporting API where it is not in the folder of the tracker.
	APIURL string `json:"api_url"`
	// HTTPAuth is user:password for Basic authentication (RFC 7617).
	HTTPAuth secret.String `json:"http_auth"`
	// Headers are sent with every request, one "Name: value" a line.
	Headers secret.String `json:"headers"`
	// CAFile, CertFile and KeyFile are PEM files: authorities that are trusted besides those of the machine, the
	// certificate that this client shows, and its key. A relative path is relative to the working folder.
	CAFile   string `json:"tls_ca_file"`
	CertFile string `json:"tls_cert_file"`
	KeyFile  string `json:"tls_key_file"`
	// Insecure accepts any certificate.
	Insecure bool `json:"-"`
	// Proxy is the http or https address of a proxy, which may hold a user and password; "" follows HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY, and NoProxy uses none.
	Proxy secret.String `json:"proxy_url"`
}

// NoProxy is the value of Proxy that asks for a direct connection.
const NoProxy = "none"

// WithDefaults takes from d what every target shares and a does not say: authorities, proxy, and whether certificates
// are checked. A secret of one target never goes to another, so that nothing else is taken.
func (a Access) WithDefaults(d Access) Access {
	a.CAFile = cmp.Or(a.CAFile, d.CAFile)
	a.Proxy = cmp.Or(a.Proxy, d.Proxy)
	a.Insecure = a.Insecure || d.Insecure
	return a
}

// RelativeTo takes relative paths as relative to dir, the folder of the file that names them; "" is the working folder.
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

// HeaderList are the headers that a asks for, Authorization for Basic authentication apart.
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
	"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
	"keep-alive",
	"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
}

// refuseFunc takes what is wrong with a field of a target, which is named as in targets.json. shown is safe to print.
type refuseFunc func(field, shown, message, cure string)

// check brings a into its usual form and refuses what is wrong with it.
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
			// Not even a part is shown: what does not parse could be a password.
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

// headerInLetters is a second header behind a line break that nothing decoded: it would not be sent.
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
