package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Archive returns the files of a started plan as they are kept for a rerun: without settings of the run and copies of
// certificates and keys, and with secrets masked. Equal archives are the same plan.
func Archive(files Files) (Files, error) {
	out := WithoutCopies(files)
	values, problems := exchange.ParseEnv(exchange.EnvFile, files[exchange.EnvFile])
	if err := problems.Err(); err != nil {
		return nil, err
	}
	withoutRun(values)
	for _, key := range secretsIn(values) {
		values[key] = secret.Mask
	}
	var err error
	if out[exchange.EnvFile], err = exchange.EncodeEnv(values); err != nil {
		return nil, err
	}
	if data := files[exchange.TargetsFile]; data != nil {
		set, problems := target.Decode(exchange.TargetsFile, data)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		for i := range set.Targets {
			t := &set.Targets[i]
			for _, s := range []*secret.String{&t.Token, &t.HTTPAuth, &t.Headers, &t.Proxy} {
				if *s != "" {
					*s = secret.Mask
				}
			}
		}
		out[exchange.TargetsFile], err = target.Encode(set)
	}
	return out, err
}

// secretsIn returns the secret settings that are set.
func secretsIn(values map[string]string) (keys []string) {
	for _, f := range spec.Fields() {
		if f.Secret && values[f.Key] != "" {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// MissingSecrets is the error of a rerun whose secrets are no longer saved.
type MissingSecrets struct{ Problems problem.List }

// Error implements error.
func (m *MissingSecrets) Error() string {
	return "the run cannot be started again: " + m.Problems.Error()
}

// Unwrap returns its kind.
func (m *MissingSecrets) Unwrap() error { return fault.Conflict }

// Details list the missing secrets.
func (m *MissingSecrets) Details() (string, problem.List) {
	return "the run cannot be started again as it was: " + m.Problems.First(), m.Problems
}

// Access is how the saved targets are reached, with secrets and absolute paths of certificate and key files.
type Access struct {
	// Settings are those of a target (spec.OfTarget) in the configuration by env key.
	Settings map[string]string
	Targets  []target.Target
}

// Files returns the files of an archived plan with keys in the settings. Targets are reached as they are saved now,
// with the tokens saved now, each of which is only sent to the address it is saved for. The error is a *MissingSecrets
// if one is missing.
func (a Access) Files(fsys afero.Fs, archive Files, keys map[string]string) (Files, error) {
	want := Files{}
	for _, file := range Names {
		want[file] = archive[file]
	}
	values, problems := exchange.ParseEnv(exchange.EnvFile, archive[exchange.EnvFile])
	if err := problems.Err(); err != nil {
		return nil, err
	}
	a.settings(values, &problems)
	var targets *target.Set
	if data := archive[exchange.TargetsFile]; data != nil {
		set, _ := target.Decode(exchange.TargetsFile, data) // the masks are its only problems
		for i := range set.Targets {
			a.target(&set.Targets[i], &problems)
		}
		targets = &set
	}
	if problems.Err() != nil {
		return nil, &MissingSecrets{problems}
	}
	maps.Copy(values, keys)
	return want, encode(fsys, want, values, targets)
}

// settings sets how the single target is reached now, if it is saved. Secrets that an edit by hand gives by file stay.
func (a Access) settings(values map[string]string, problems *problem.List) {
	now := a.Settings
	set := func(key string) {
		if values[key+spec.FileSuffix] == "" {
			values[key] = now[key]
		}
	}
	for _, key := range spec.SharedSettings {
		if key != "TLS_VERIFY" { // neither a secret nor a file: it stays unchanged
			set(key)
		}
	}
	url := values["MATOMO_URL"]
	saved := url != "" && url == now["MATOMO_URL"]
	const token, cure = "MATOMO_TOKEN_AUTH", "save that address with it in the configuration, then start the run again"
	switch {
	case values[token] == "":
	case saved && now[token] != "":
		set(token)
	default:
		problems.Refuse(token, "", "no token is saved for "+target.Redact(url), cure)
	}
	for _, key := range spec.AccessSettings {
		if saved {
			set(key)
		} else if values[key] != "" && key != "MATOMO_API_URL" {
			problems.Refuse(key, "", "none is saved for "+target.Redact(url), cure)
		}
	}
	for _, key := range secretsIn(values) {
		if values[key] == secret.Mask && key != token && !slices.Contains(spec.AccessSettings, key) {
			problems.Refuse(key, "", "is a secret, which is not kept", "start a new run with it")
		}
	}
}

// target is like settings, for one of several targets.
func (a Access) target(t *target.Target, problems *problem.List) {
	with := t.Token != ""
	i := slices.IndexFunc(a.Targets, func(s target.Target) bool {
		return s.Name == t.Name && s.URL == t.URL && (s.Token != "" || !with)
	})
	if i >= 0 {
		if t.Access = a.Targets[i].Access; with {
			t.Token = a.Targets[i].Token
		}
		return
	}
	if with || t.HTTPAuth+t.Headers+t.Proxy != "" || t.CAFile+t.CertFile != "" {
		problems.Refuse(fmt.Sprintf("target %q", t.Name), "", "no token is saved for it at "+target.Redact(t.URL),
			"save a target of that name and address with its token, then start the run again")
	}
}
