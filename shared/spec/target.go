package spec

import (
	"slices"
	"strings"

	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/target"
)

// Target is the one that MATOMO_* name, called target.SingleName. Its URL is "" where MATOMO_URL is not set.
func (s *Spec) Target() target.Target {
	return target.Target{
		Name:      target.SingleName,
		URL:       s.MatomoURL,
		SiteID:    s.MatomoSiteID,
		Token:     s.MatomoToken,
		ReadToken: s.MatomoReadToken,
		Weight:    1,
		Enabled:   true,
		Access: target.Access{
			APIURL: s.MatomoAPIURL, HTTPAuth: s.MatomoHTTPAuth, Headers: s.MatomoHeaders,
			CAFile: s.TLSCAFile, CertFile: s.TLSCertFile, KeyFile: s.TLSKeyFile, Insecure: !s.TLSVerify,
			Proxy: s.ProxyURL,
		},
	}
}

// SharedAccess is what every target has of these knobs, unless it says otherwise itself (target.Access.WithDefaults).
func (s *Spec) SharedAccess() target.Access {
	return target.Access{CAFile: s.TLSCAFile, Insecure: !s.TLSVerify, Proxy: s.ProxyURL}
}

// SharedSettings are the knobs of Shared.
var SharedSettings = []string{"TLS_CA_FILE", "TLS_VERIFY", "PROXY_URL"}

// AccessSettings are the knobs that say how the target of Target alone is reached: all of a target but those of Shared and
// those that say which site of which Matomo it is, and by whom.
var AccessSettings = Keys(func(f Field) bool {
	return f.Role == OfTarget && !slices.Contains(SharedSettings, f.Key) && !slices.Contains([]string{
		"MATOMO_URL", "MATOMO_SITE_ID", "MATOMO_TOKEN_AUTH", "MATOMO_READ_TOKEN", "MULTI_TARGET_CONFIG",
	}, f.Key)
})

// knobOf names the knobs by the fields of targets.json.
var knobOf = map[string]string{
	"url": "MATOMO_URL", "api_url": "MATOMO_API_URL", "http_auth": "MATOMO_HTTP_AUTH", "headers": "MATOMO_HEADERS",
	"tls_ca_file": "TLS_CA_FILE", "tls_cert_file": "TLS_CERT_FILE", "tls_key_file": "TLS_KEY_FILE",
	"proxy_url": "PROXY_URL",
}

// checkTarget brings addresses and access into their usual form: user and password leave MATOMO_URL for
// MATOMO_HTTP_AUTH.
func (s *Spec) checkTarget(problems *problem.List) {
	t := s.Target()
	t.Check(func(field, shown, message, cure string) {
		if field != "url" || s.MatomoURL != "" { // a run asks for it where it has no other target
			problems.Refuse(knobOf[field], shown, knobs.Replace(message), knobs.Replace(cure))
		}
	})
	s.MatomoURL, s.MatomoAPIURL, s.ProxyURL = t.URL, t.APIURL, t.Proxy
	s.MatomoHTTPAuth, s.MatomoHeaders = t.HTTPAuth, t.Headers
}

// CheckFiles refuses the files of TLS_* that cannot be used.
func (s *Spec) CheckFiles(read ReadFile, problems *problem.List) {
	s.Target().CheckFiles(read, func(field, shown, message, cure string) {
		problems.Refuse(knobOf[field], shown, knobs.Replace(message), knobs.Replace(cure))
	})
}

// knobs names the fields in a sentence likewise.
var knobs = strings.NewReplacer("http_auth", "MATOMO_HTTP_AUTH", "tls_cert_file", "TLS_CERT_FILE", "tls_key_file",
	"TLS_KEY_FILE")
