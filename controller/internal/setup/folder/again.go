package folder

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Kept are the files of a started plan as they are kept for a rerun: without what belongs to the run and copies of
// certificates and keys, and with masks in place of secrets. Two that are equal make the same plan.
func Kept(files map[string][]byte) (map[string][]byte, error) {
	out := withoutCopies(files)
	values, problems := exchange.ParseEnv(exchange.EnvFile, files[exchange.EnvFile])
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for _, key := range runKeys {
		delete(values, key)
	}
	for key := range secrets(values) {
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
			for _, s := range secretsOf(&set.Targets[i]) {
				if *s != "" {
					*s = secret.Mask
				}
			}
		}
		out[exchange.TargetsFile], err = target.Encode(set)
	}
	return out, err
}

// secrets are the values of secret knobs that are set.
func secrets(values map[string]string) map[string]string {
	out := map[string]string{}
	for _, f := range spec.Fields() {
		if f.Secret && values[f.Key] != "" {
			out[f.Key] = values[f.Key]
		}
	}
	return out
}

// secretsOf are the secrets that targets.json holds of a target.
func secretsOf(t *target.Target) []*secret.String {
	return []*secret.String{&t.Token, &t.HTTPAuth, &t.Headers, &t.Proxy}
}

// Lost is the error of a rerun whose plan can no longer be made.
type Lost struct{ Problems problem.List }

// Error implements error.
func (l *Lost) Error() string { return "the run cannot be started again: " + l.Problems.Error() }

// Unwrap is its kind.
func (l *Lost) Unwrap() error { return fault.Conflict }

// Details are why the plan cannot be made.
func (l *Lost) Details() (string, problem.List) {
	return "the run cannot be started again as it was: " + l.Problems.First(), l.Problems
}

// Again publishes the files that Kept gave for a start. Targets are reached as they are now, with the tokens that are
// saved now: one goes only to the address that it is saved for. The errors are *Lost where one is missing, and
// *Conflict where a file was edited by hand.
func (p *Publisher) Again(ctx context.Context, kept map[string][]byte, id Identity) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ways, err := p.library.Ways(ctx)
	if err != nil {
		return err
	}
	want, err := p.unmask(kept, ways, startKeys(id))
	if err != nil {
		return err
	}
	edited, err := p.edited(ctx)
	if err != nil {
		return err
	}
	var conflict Conflict
	force := map[string]bool{}
	for _, file := range names {
		force[file] = true
		why, hand := edited[file]
		if !hand {
			continue
		}
		if have, err := p.read(file); err != nil && !odd(err) {
			return err
		} else if why != nil || hash(file, have) != hash(file, want[file]) {
			conflict.add(file, why)
		}
	}
	if len(conflict.Files) > 0 {
		return &conflict
	}
	written, err := p.write(ctx, want, force, true)
	if err != nil {
		return err
	}
	return p.remember(ctx, written)
}

// unmask makes the files of a plan of those that Kept gave, with how targets are reached now and keys in the settings.
func (p *Publisher) unmask(kept map[string][]byte, ways setup.Ways,
	keys map[string]string) (map[string][]byte, error) {
	want := map[string][]byte{}
	for _, file := range names {
		want[file] = kept[file]
	}
	values, problems := exchange.ParseEnv(exchange.EnvFile, kept[exchange.EnvFile])
	if err := problems.Err(); err != nil {
		return nil, err
	}
	reach(values, ways.Knobs, &problems)
	var targets *target.Set
	if data := kept[exchange.TargetsFile]; data != nil {
		set, _ := target.Decode(exchange.TargetsFile, data) // the masks are its only faults
		for i := range set.Targets {
			reachTarget(&set.Targets[i], ways.Targets, &problems)
		}
		targets = &set
	}
	if problems.Err() != nil {
		return nil, &Lost{problems}
	}
	maps.Copy(values, keys)
	return want, encode(p.fs, want, values, targets)
}

// reach puts how the target of the settings is reached now into them, where it is saved. One that an edit by hand gives
// by file stays.
func reach(values, now map[string]string, problems *problem.List) {
	set := func(key string) {
		if values[key+spec.FileSuffix] == "" {
			values[key] = now[key]
		}
	}
	for _, key := range setup.SharedKnobs {
		if key != "TLS_VERIFY" { // neither a secret nor a file: it is as it was
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
		problems.Refuse(token, "", "no token is saved for "+target.Shown(url), cure)
	}
	for _, key := range setup.ReachKnobs {
		if saved {
			set(key)
		} else if values[key] != "" && key != "MATOMO_API_URL" {
			problems.Refuse(key, "", "none is saved for "+target.Shown(url), cure)
		}
	}
	for key := range secrets(values) {
		if values[key] == secret.Mask && key != token && !slices.Contains(setup.ReachKnobs, key) {
			problems.Refuse(key, "", "is a secret of which nothing is kept", "start a new run with it")
		}
	}
}

// reachTarget is reach for one of several targets.
func reachTarget(t *target.Target, now []target.Target, problems *problem.List) {
	with := t.Token != ""
	i := slices.IndexFunc(now, func(s target.Target) bool {
		return s.Name == t.Name && s.URL == t.URL && (s.Token != "" || !with)
	})
	if i >= 0 {
		if t.Access = now[i].Access; with {
			t.Token = now[i].Token
		}
		return
	}
	if with || t.HTTPAuth+t.Headers+t.Proxy != "" || t.CAFile+t.CertFile != "" {
		problems.Refuse(fmt.Sprintf("target %q", t.Name), "", "no token is saved for it at "+target.Shown(t.URL),
			"save a target of that name and address with its token, then start the run again")
	}
}
