package folder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
)

// read is a file of the folder, nil where it is not there.
func (p *Publisher) read(file string) ([]byte, error) {
	data, err := exchange.Read(p.fs, filepath.Join(p.dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if odd(err) { // it names the file
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

// odd reports whether the error of read is that something is in the file's place that is no file, or too large for one.
// Only a person can have put it there.
func odd(err error) bool {
	return errors.Is(err, exchange.ErrNoFile) || errors.Is(err, exchange.ErrTooLarge) ||
		errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO)
}

// put writes files whole and removes those that are nil.
func (p *Publisher) put(files map[string][]byte) error {
	if err := p.fs.MkdirAll(p.dir, 0o700); err != nil {
		return fmt.Errorf("make exchange folder: %w", err)
	}
	present := map[string][]byte{}
	for file, data := range files {
		if data != nil {
			present[file] = data
			continue
		}
		if err := p.fs.Remove(filepath.Join(p.dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", file, err)
		}
	}
	return exchange.Publish(p.fs, p.dir, present)
}

// hash names a content without what belongs to a run; "" is no file.
func hash(file string, data []byte) string {
	if data == nil {
		return ""
	}
	if file == exchange.EnvFile {
		if values, problems := exchange.ParseEnv(file, data); problems == nil {
			for _, key := range runKeys {
				delete(values, key)
			}
			if plain, err := exchange.EncodeEnv(values); err == nil {
				data = plain
			}
		}
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// edited are the files that hold something the controller did not write, each with what is odd about it or nil.
func (p *Publisher) edited(ctx context.Context) (map[string]error, error) {
	known, err := p.book.Published(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]error{}
	for _, file := range names {
		have, err := p.read(file)
		switch {
		case odd(err):
			out[file] = err
		case err != nil:
			return nil, err
		case have != nil && !ours(hash(file, have), known[file]):
			out[file] = nil
		}
	}
	return out, nil
}

// ours reports whether a content is what the controller wrote, or was writing when it was killed.
func ours(h string, p store.Published) bool { return h == p.Base || h == p.Next }

// step is what is to be done with the folder.
type step struct {
	// put are the files as they shall be, nil for none, and touch those of them that are otherwise; final are all that
	// are there afterwards.
	put, touch, final map[string][]byte
	conflict          Conflict
}

// steps compares what shall be in the folder with what is there. Files in force are written over any edit.
func (p *Publisher) steps(known map[string]store.Published, want map[string][]byte,
	force map[string]bool) (step, error) {
	s := step{put: map[string][]byte{}, touch: map[string][]byte{}, final: map[string][]byte{}}
	for _, file := range names {
		have, err := p.read(file)
		switch {
		case odd(err) && force[file]:
			s.put[file], s.touch[file] = want[file], want[file]
			if want[file] != nil {
				s.final[file] = want[file]
			}
			continue
		case odd(err):
			s.conflict.add(file, err)
			continue
		case err != nil:
			return s, err
		}
		before := have
		there, wanted := hash(file, have), hash(file, want[file])
		switch {
		case have == nil, force[file], there == wanted, ours(there, known[file]):
			s.put[file] = want[file]
			have = want[file]
		case wanted != known[file].Base:
			s.conflict.add(file, nil)
		case file == exchange.EnvFile: // edited by hand, and nothing new from here but the run
			keys, err := runKeysOf(want[file])
			if err != nil {
				return s, err
			}
			patched, err := patch(have, keys)
			if err != nil { // it cannot be read, so nothing can be started with it
				s.conflict.add(file, nil)
				break
			}
			have = patched
			s.put[file] = have
		}
		if have != nil {
			s.final[file] = have
		}
		if (have == nil) != (before == nil) || !bytes.Equal(have, before) {
			s.touch[file] = have
		}
	}
	return s, nil
}

// write brings want into the folder and returns what is there then. Where an edit by hand stands in the way nothing is
// written if strict, else the other files are.
func (p *Publisher) write(ctx context.Context, want map[string][]byte, force map[string]bool,
	strict bool) (map[string][]byte, error) {
	known, err := p.book.Published(ctx)
	if err != nil {
		return nil, err
	}
	s, err := p.steps(known, want, force)
	if err != nil {
		return nil, err
	}
	if strict && len(s.conflict.Files) > 0 {
		return nil, &s.conflict
	}
	before, after := map[string]store.Published{}, map[string]store.Published{}
	for file, data := range s.put {
		h := hash(file, data)
		if h != hash(file, want[file]) {
			continue // an edit by hand that stays
		}
		if old := known[file]; old.Base != h || old.Next != h {
			before[file], after[file] = store.Published{Base: old.Base, Next: h}, store.Published{Base: h, Next: h}
		}
	}
	if err := p.book.SavePublished(ctx, before); err != nil {
		return nil, err
	}
	if err := p.putCopies(p.dir, want); err != nil { // before the files that name them
		return nil, err
	}
	if err := p.put(s.touch); err != nil {
		return nil, err
	}
	if err := p.book.SavePublished(ctx, after); err != nil {
		return nil, err
	}
	for file, data := range want {
		if isCopy(file) {
			s.final[file] = data
		}
	}
	if err := p.sweepCopies(p.dir, s.final); err != nil {
		return nil, err
	}
	p.fallBehind(nil)
	return s.final, nil
}

// runKeys are what the folder says of the run; a loadgen that finds nothing there shall idle.
func (p *Publisher) runKeys() (map[string]string, error) {
	have, err := p.read(exchange.EnvFile)
	if err != nil && !odd(err) {
		return nil, err
	}
	keys, err := runKeysOf(have)
	if err != nil { // unreadable by an edit: the write decides what becomes of it
		keys = map[string]string{}
	}
	if keys["AUTO_START"] == "" {
		keys["AUTO_START"] = "false"
	}
	return keys, nil
}

func runKeysOf(env []byte) (map[string]string, error) {
	values, problems := exchange.ParseEnv(exchange.EnvFile, env)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, key := range runKeys {
		if v := values[key]; v != "" {
			out[key] = v
		}
	}
	return out, nil
}

// started are the files of the plan that was started last, nil where none was.
func (p *Publisher) started(ctx context.Context) (map[string][]byte, error) {
	p.planMu.Lock()
	defer p.planMu.Unlock()
	if p.plan == nil {
		plan, err := p.book.Plan(ctx)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		p.plan = plan
	}
	return p.plan, nil
}

func (p *Publisher) remember(ctx context.Context, files map[string][]byte) error {
	p.planMu.Lock()
	defer p.planMu.Unlock()
	p.plan = files
	return p.book.SavePlan(ctx, files)
}
