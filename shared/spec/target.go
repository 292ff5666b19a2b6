package spec

import (
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// Target returns the target of MATOMO_*, called target.SingleName. Its URL is "" if MATOMO_URL is not set.
func (s *Spec) Target() target.Target {
	access := s.SharedAccess()
	access.APIURL, access.HTTPAuth, access.Headers = s.MatomoAPIURL, s.MatomoHTTPAuth, s.MatomoHeaders
	access.CertFile, access.KeyFile = s.TLSCertFile, s.TLSKeyFile
	return target.Target{
		Name: target.SingleName, URL: s.MatomoURL, SiteID: s.MatomoSiteID, Token: s.MatomoToken,
		ReadToken: s.MatomoReadToken, Weight: 1, Enabled: true, Access: access,
	}
}

// SharedAccess returns the access settings that apply to every target without its own (target.Access.WithDefaults).
func (s *Spec) SharedAccess() target.Access {
	return target.Access{CAFile: s.TLSCAFile, Insecure: !s.TLSVerify, Proxy: s.ProxyURL}
}

// SharedSettings are the settings of SharedAccess.
var SharedSettings = []string{"TLS_CA_FILE", "TLS_VERIFY", "PROXY_URL"}

// AccessSettings are the settings that only apply to the target of Target, without its site and tokens.
var AccessSettings = Keys(func(f Field) bool {
	return f.Role == OfTarget && !slices.Contains(SharedSettings, f.Key) && !slices.Contains([]string{
		"MATOMO_URL", "MATOMO_SITE_ID", "MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN", "MULTI_TARGET_CONFIG",
	}, f.Key)
})

var settingOf = map[string]string{
	"url": "MATOMO_URL", "api_url": "MATOMO_API_URL", "http_auth": "MATOMO_HTTP_AUTH", "headers": "MATOMO_HEADERS",
	"tls_ca_file": "TLS_CA_FILE", "tls_cert_file": "TLS_CERT_FILE", "tls_key_file": "TLS_KEY_FILE",
	"proxy_url": "PROXY_URL",
}

// inSettings replaces the names of fields in a sentence likewise.
var inSettings = strings.NewReplacer("http_auth", "MATOMO_HTTP_AUTH", "tls_cert_file", "TLS_CERT_FILE", "tls_key_file",
	"TLS_KEY_FILE")

// checkTarget normalises URLs and access: user and password move from MATOMO_URL to MATOMO_HTTP_AUTH.
func (s *Spec) checkTarget(problems *problem.List) {
	t := s.Target()
	refuse := refuseIn(problems)
	t.Check(func(field, shown, message, cure string) {
		if field != "url" || s.MatomoURL != "" { // only required without other targets
			refuse(field, shown, message, cure)
		}
	})
	s.MatomoURL, s.MatomoAPIURL, s.ProxyURL = t.URL, t.APIURL, t.Proxy
	s.MatomoHTTPAuth, s.MatomoHeaders = t.HTTPAuth, t.Headers
}

// CheckFiles refuses unusable files of TLS_*.
func (s *Spec) CheckFiles(read ReadFile, problems *problem.List) {
	s.Target().CheckFiles(read, refuseIn(problems))
}

func refuseIn(problems *problem.List) func(field, shown, message, cure string) {
	return func(field, shown, message, cure string) {
		problems.Refuse(settingOf[field], shown, inSettings.Replace(message), inSettings.Replace(cure))
	}
}
