package publish

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/puttrix/trafficinator/controller/internal/library"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
	"github.com/puttrix/trafficinator/shared/secret"
	"github.com/puttrix/trafficinator/shared/spec"
	"github.com/puttrix/trafficinator/shared/target"
)

// Kept are the files of a started plan as they are kept for a rerun: without what belongs to the run, and with masks in
// place of secrets. Two that are equal make the same plan.
func Kept(files map[string][]byte) (map[string][]byte, error) {
	out := maps.Clone(files)
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
			if set.Targets[i].Token != "" {
				set.Targets[i].Token = secret.Mask
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

// Lost is the error of a rerun whose plan can no longer be made.
type Lost struct{ Problems problem.List }

// Error implements error.
func (l *Lost) Error() string { return "the run cannot be started again: " + l.Problems.Error() }

// Again publishes the files that Kept gave for a start, with the tokens that are saved now: one goes only to the address
// that it is saved for. The errors are *Lost where one is missing, and *Conflict where a file was edited by hand.
func (p *Publisher) Again(ctx context.Context, kept map[string][]byte, id Identity) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	tokens, err := p.library.Tokens(ctx)
	if err != nil {
		return err
	}
	want, err := unmask(kept, tokens, startKeys(id))
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

// unmask puts the tokens in place of the masks, and keys into the settings.
func unmask(kept map[string][]byte, tokens library.Tokens, keys map[string]string) (map[string][]byte, error) {
	var problems problem.List
	want := map[string][]byte{}
	for _, file := range names {
		want[file] = kept[file]
	}
	values, faults := exchange.ParseEnv(exchange.EnvFile, kept[exchange.EnvFile])
	if err := faults.Err(); err != nil {
		return nil, err
	}
	for key := range secrets(values) {
		switch url := values["MATOMO_URL"]; {
		case key == "MATOMO_TOKEN_AUTH" && url == tokens.URL && tokens.Token != "":
			values[key] = tokens.Token.Reveal()
		case key == "MATOMO_TOKEN_AUTH":
			problems.Refuse(key, "", "no token is saved for "+target.Shown(url), "save that address with its token in the configuration, then start the run again")
		default:
			problems.Refuse(key, "", "is a secret of which nothing is kept", "start a new run with it")
		}
	}
	maps.Copy(values, keys)
	var err error
	if want[exchange.EnvFile], err = exchange.EncodeEnv(values); err != nil {
		return nil, err
	}
	if data := kept[exchange.TargetsFile]; bytes.Contains(data, []byte(secret.Mask)) {
		set, _ := target.Decode(exchange.TargetsFile, data) // the masks are its only faults
		for i, t := range set.Targets {
			if t.Token == secret.Mask {
				set.Targets[i].Token = tokenOf(t, tokens, &problems)
			}
		}
		if want[exchange.TargetsFile], err = target.Encode(set); err != nil {
			return nil, err
		}
	}
	if problems.Err() != nil {
		return nil, &Lost{problems}
	}
	return want, nil
}

func tokenOf(t target.Target, tokens library.Tokens, problems *problem.List) secret.String {
	i := slices.IndexFunc(tokens.Targets, func(now target.Target) bool { return now.Name == t.Name && now.URL == t.URL && now.Token != "" })
	if i < 0 {
		problems.Refuse(fmt.Sprintf("target %q", t.Name), "", "no token is saved for it at "+target.Shown(t.URL), "save a target of that name and address with its token, then start the run again")
		return ""
	}
	return tokens.Targets[i].Token
}
