package sink

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	idLength   = 16   // hex characters of a visitor id (core/Tracker.php, LENGTH_HEX_ID_STRING)
	maxURL     = 1024 // bytes of a page URL (config/global.ini.php, page_maximum_length)
	maxAction  = 4096 // characters of an action's name (log_action.name of core/Db/Schema/Mysql.php)
	maxTiming  = 16_777_215
	maxRefText = 1500
)

var (
	idPattern   = regexp.MustCompile(`^[0-9a-f]{16}$`)
	pvPattern   = regexp.MustCompile(`^[A-Za-z0-9]{6}$`)
	resPattern  = regexp.MustCompile(`^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$`)
	langPattern = regexp.MustCompile(
		`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(;q=[01](\.[0-9]{1,3})?)?` +
			`(,\s*[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(;q=[01](\.[0-9]{1,3})?)?)*$`)
	regionPattern  = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)
	countryPattern = regexp.MustCompile(`^[a-z]{2}$`)
	numberPattern  = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	moneyPattern   = regexp.MustCompile(`^-?[0-9]+(\.[0-9]{1,2})?$`)
	dimPattern     = regexp.MustCompile(`^dimension[1-9][0-9]*$`)
)

// formats are the parameters that Matomo 5 reads (core/Tracker/Request.php and the plugins), with strict checks of
// their values. Those that Matomo ignores since version 4 are missing.
var formats = map[string]func(string) bool{
	"idsite": integer(1, 1<<31), "rec": isOne, "apiv": isOne, "rand": text(1 << 16), "r": text(100),
	"send_image": isFlag, "token_auth": text(100), "debug": isFlag, "queuedtracking": isFlag,
	"dp": isFlag, "bots": isFlag, "ping": isOne, "ca": isOne, "cs": text(50),
	"_id": idPattern.MatchString, "cid": idPattern.MatchString, "uid": text(200), "new_visit": isFlag,
	"cip": isAddress, "cdt": isTime, "cdo": integer(0, 1<<31), "ua": text(1000), "uadata": isHints,
	"lang": langPattern.MatchString, "country": isCountry, "region": regionPattern.MatchString, "city": text(255),
	"lat": degrees(90), "long": degrees(180), "res": resPattern.MatchString,
	"h": integer(0, 23), "m": integer(0, 59), "s": integer(0, 59),
	"fla": isFlag, "java": isFlag, "qt": isFlag, "realp": isFlag,
	"pdf": isFlag, "wma": isFlag, "ag": isFlag, "cookie": isFlag,
	"_ref": isURL, "_refts": integer(0, 1<<40), "_rcn": text(255), "_rck": text(255),
	"url": isPageURL, "action_name": text(1024), "urlref": isURL, "pv_id": pvPattern.MatchString,
	"pf_net": integer(0, maxTiming), "pf_srv": integer(0, maxTiming), "pf_tfr": integer(0, maxTiming),
	"pf_dm1": integer(0, maxTiming), "pf_dm2": integer(0, maxTiming), "pf_onl": integer(0, maxTiming),
	"search": text(1024), "search_cat": text(200), "search_count": integer(0, 1<<31),
	"e_c": text(maxAction), "e_a": text(maxAction), "e_n": text(maxAction), "e_v": numberPattern.MatchString,
	"c_n": text(1024), "c_p": text(1024), "c_t": text(1024), "c_i": text(1024),
	"link": isURL, "download": isURL,
	"idgoal": integer(0, 1<<31), "revenue": moneyPattern.MatchString, "ec_id": text(100), "ec_items": nil,
	"ec_st": moneyPattern.MatchString, "ec_tx": moneyPattern.MatchString, "ec_sh": moneyPattern.MatchString,
	"ec_dt": moneyPattern.MatchString,
	"_pks":  text(255), "_pkn": text(255), "_pkc": text(1300), "_pkp": moneyPattern.MatchString,
}

// numbers are the parameters read as floats, which a comma truncates (plugins/Goals).
var numbers = map[string]bool{
	"revenue": true, "ec_st": true, "ec_tx": true, "ec_sh": true, "ec_dt": true, "_pkp": true, "e_v": true, "lat": true,
	"long": true,
}

func isFlag(s string) bool { return s == "0" || s == "1" }

func isOne(s string) bool { return s == "1" }

func integer(minimum, maximum int64) func(string) bool {
	return func(s string) bool {
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && n >= minimum && n <= maximum && strconv.FormatInt(n, 10) == s
	}
}

// text accepts valid UTF-8 of up to maximum bytes that is not blank.
func text(maximum int) func(string) bool {
	return func(s string) bool { return utf8.ValidString(s) && len(s) <= maximum && strings.TrimSpace(s) != "" }
}

func degrees(maximum float64) func(string) bool {
	return func(s string) bool {
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && numberPattern.MatchString(s) && f >= -maximum && f <= maximum
	}
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func isTime(s string) bool {
	_, err := parseTime(s)
	return err == nil
}

// isCountry accepts upper case, see RuleCountryCase.
func isCountry(s string) bool { return countryPattern.MatchString(strings.ToLower(s)) }

func isURL(s string) bool {
	if len(s) > maxRefText || !utf8.ValidString(s) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "android-app")
}

// isPageURL accepts any length, see RuleLongURL.
func isPageURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && utf8.ValidString(s)
}

type brand struct {
	Brand   string `json:"brand"`
	Version string `json:"version"`
}

// isHints accepts client hints in the format of matomo.js (js/piwik.js).
func isHints(s string) bool {
	var hints struct {
		Brands          []brand  `json:"brands"`
		FullVersionList []brand  `json:"fullVersionList"`
		Mobile          *bool    `json:"mobile"`
		Model           *string  `json:"model"`
		Platform        string   `json:"platform"`
		PlatformVersion string   `json:"platformVersion"`
		UAFullVersion   string   `json:"uaFullVersion"`
		FormFactors     []string `json:"formFactors"`
		Architecture    string   `json:"architecture"`
		Bitness         string   `json:"bitness"`
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	if d.Decode(&hints) != nil || d.More() || hints.Platform == "" {
		return false
	}
	all := append(hints.Brands, hints.FullVersionList...)
	return len(all) > 0 && !slices.ContainsFunc(all, func(b brand) bool { return b.Brand == "" || b.Version == "" })
}
