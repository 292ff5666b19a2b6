package target

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/puttrix/trafficinator/shared/envspec"
	"github.com/puttrix/trafficinator/shared/textfile"
)

// Environment is the part of the sending machine that connections depend on.
type Environment struct {
	// ReadFile reads a certificate or key file.
	ReadFile func(path string) ([]byte, error)
	// Env contains HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in upper or lower case.
	Env map[string]string
}

// Transport is how requests go to the servers of a target.
type Transport struct {
	// TLS has authorities and client certificate, but no server name.
	TLS *tls.Config
	// Proxy returns the http or https proxy for a URL, nil for a direct connection.
	Proxy func(to *url.URL) (*url.URL, error)
	// Header goes with every request.
	Header []Header
	// Secrets must not be in any output, in the form in which requests contain them.
	Secrets []string
}

// Transport returns the transport for a. The error names unusable files.
func (m Environment) Transport(a Access) (Transport, error) {
	var faults []error
	w := Transport{Header: a.header(), Proxy: m.proxy(a), Secrets: a.secrets()}
	w.TLS = a.tls(m.ReadFile, func(_, path, message, _ string) {
		faults = append(faults, fmt.Errorf("the file %s %s", path, message))
	})
	return w, errors.Join(faults...)
}

// CheckFiles reports unusable certificate and key files, with the field as in targets.json.
func (a Access) CheckFiles(readFile func(path string) ([]byte, error),
	refuse func(field, shown, message, cure string)) {
	a.tls(readFile, refuse)
}

func (a Access) tls(readFile func(path string) ([]byte, error), refuse refuseFunc) *tls.Config {
	out := &tls.Config{InsecureSkipVerify: a.Insecure} //nolint:gosec // TLS_VERIFY=false asks for it, with a warning
	read := func(field, path string) []byte {
		if path == "" {
			return nil
		}
		data, err := readFile(path)
		if err != nil {
			refuse(field, path, "cannot be read", "use a readable PEM file")
			return nil
		}
		return textfile.TryDecode(data) // a byte order mark would hide the first line
	}
	if authorities := read("tls_ca_file", a.CAFile); authorities != nil {
		pool, err := x509.SystemCertPool()
		if err != nil { // a machine without any, such as an image of our own making
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(authorities) {
			refuse("tls_ca_file", a.CAFile, "contains no PEM certificate",
				"use a file with -----BEGIN CERTIFICATE-----")
		}
		out.RootCAs = pool
	}
	certificate := read("tls_cert_file", a.CertFile)
	key := certificate
	if a.KeyFile != "" {
		key = read("tls_key_file", a.KeyFile)
	}
	if certificate == nil || key == nil {
		return out
	}
	pair, err := tls.X509KeyPair(certificate, key)
	switch {
	case err == nil:
		out.Certificates = []tls.Certificate{pair}
	case bytes.Contains(key, []byte("ENCRYPTED")):
		refuse("tls_key_file", a.KeyFile, "contains an encrypted key",
			"decrypt it: openssl pkey -in key.pem -out plain.pem")
	case a.KeyFile == "":
		refuse("tls_cert_file", a.CertFile, "does not contain a PEM certificate and its private key",
			"set tls_key_file to the key's file")
	default:
		refuse("tls_cert_file", a.CertFile, "is not a PEM certificate for the key in "+a.KeyFile,
			"use a certificate and key that match")
	}
	return out
}

func (a Access) credentials() string {
	if a.HTTPAuth == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(a.HTTPAuth.Reveal()))
}

func (a Access) header() []Header {
	out := a.HeaderList()
	if c := a.credentials(); c != "" {
		out = append(out, Header{"Authorization", "Basic " + c})
	}
	return out
}

// shortestSecret is the minimum length of a secret to mask in excerpts, in bytes: shorter ones could be anything.
const shortestSecret = 4

func (a Access) secrets() (out []string) {
	_, password, _ := strings.Cut(a.HTTPAuth.Reveal(), ":")
	all := []string{a.credentials(), password}
	for _, h := range a.HeaderList() {
		all = append(all, h.Value)
		if _, credentials, ok := strings.Cut(h.Value, " "); ok && strings.EqualFold(h.Name, "Authorization") {
			all = append(all, credentials) // behind the scheme (RFC 9110, 11.4)
		}
	}
	if u, err := url.Parse(a.Proxy.Reveal()); err == nil && u.User != nil {
		password, _ := u.User.Password()
		all = append(all, password)
	}
	for _, s := range all {
		if len(s) >= shortestSecret {
			out = append(out, forms(s)...)
		}
	}
	// The longest first, because one may be a part of another.
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}

// forms are the forms in which an answer may repeat a text: unchanged, in JSON with and without PHP's backslash before
// a slash, and in a URL. HTML is decoded before.
func forms(text string) []string {
	inJSON := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	return []string{text, inJSON, strings.ReplaceAll(inJSON, "/", `\/`), url.QueryEscape(text), url.PathEscape(text)}
}

// proxy uses the proxy of a, or those of the variables, which do not apply to this machine's own addresses.
func (m Environment) proxy(a Access) func(*url.URL) (*url.URL, error) {
	switch p := a.Proxy.Reveal(); p {
	case NoProxy:
		return func(*url.URL) (*url.URL, error) { return nil, nil }
	case "":
	default:
		u, err := parse(p)
		return func(*url.URL) (*url.URL, error) { return u, err }
	}
	get := func(upper, lower string) string {
		return cmp.Or(envspec.Unquoted(m.Env, lower), envspec.Unquoted(m.Env, upper))
	}
	choose := (&httpproxy.Config{
		HTTPProxy:  get("HTTP_PROXY", "http_proxy"),
		HTTPSProxy: get("HTTPS_PROXY", "https_proxy"),
		NoProxy:    get("NO_PROXY", "no_proxy"),
	}).ProxyFunc()
	return func(to *url.URL) (*url.URL, error) {
		u, err := choose(to)
		switch {
		case err != nil: // it repeats the address, which may contain a password
			return nil, errors.New("HTTP_PROXY or HTTPS_PROXY is not a proxy URL")
		case u != nil && u.Scheme != "http" && u.Scheme != "https":
			return nil, fmt.Errorf("HTTP_PROXY or HTTPS_PROXY is a %s proxy; only http and https are supported",
				u.Scheme)
		}
		return u, nil
	}
}
