// Package folder owns what lies in the exchange folder: it makes files of the saved set-up, writes them whole, and
// tells what a person has changed there by hand. It knows neither containers nor HTTP nor the rules of what it writes.
package folder

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/afero"

	"github.com/puttrix/trafficinator/controller/internal/fault"
	"github.com/puttrix/trafficinator/controller/internal/setup"
	"github.com/puttrix/trafficinator/controller/internal/store"
	"github.com/puttrix/trafficinator/shared/exchange"
	"github.com/puttrix/trafficinator/shared/problem"
)

// Library is where the set-up is saved.
type Library interface {
	SetUp(ctx context.Context, overrides map[string]any) (setup.SetUp, error)
	Import(ctx context.Context, dir, file string, data []byte) error
	Ways(ctx context.Context) (setup.Ways, error)
}

// Book is where it is remembered what was written.
type Book interface {
	Published(ctx context.Context) (map[string]store.Published, error)
	SavePublished(ctx context.Context, files map[string]store.Published) error
	Plan(ctx context.Context) (map[string][]byte, error)
	SavePlan(ctx context.Context, files map[string][]byte) error
}

// Publisher writes one exchange folder. All its methods may be called at once; those that write wait for each other.
type Publisher struct {
	library Library
	book    Book
	fs      afero.Fs
	dir     string

	mu sync.Mutex

	planMu sync.Mutex
	// plan are the files of the plan that was started last, nil until they are asked for.
	plan map[string][]byte

	behindMu sync.Mutex
	behind   *Unpublished // nil where the folder holds what is saved
}

// New is the publisher of the folder dir in fsys, which is made when it is first written.
func New(l Library, b Book, fsys afero.Fs, dir string) *Publisher {
	return &Publisher{library: l, book: b, fs: fsys, dir: dir}
}

// Conflict is the error of a change that would overwrite what a person has written into the files by hand.
type Conflict struct {
	// Files are names of package exchange.
	Files []string
	// Odd says of those of them that cannot be read why, such as of a pipe or a folder in a file's place.
	Odd map[string]error
}

func (c *Conflict) add(file string, odd error) {
	c.Files = append(c.Files, file)
	if odd != nil {
		if c.Odd == nil {
			c.Odd = map[string]error{}
		}
		c.Odd[file] = odd
	}
}

// Error implements error.
func (c *Conflict) Error() string {
	were := " was"
	if len(c.Files) > 1 {
		were = " were"
	}
	text := strings.Join(c.Files, ", ") + were + " edited by hand; import the edit or have it overwritten"
	for _, file := range slices.Sorted(maps.Keys(c.Odd)) {
		text += "; " + c.Odd[file].Error()
	}
	return text
}

// Unwrap is its kind.
func (c *Conflict) Unwrap() error { return fault.Edited }

// Details say of each file how to go on.
func (c *Conflict) Details() (string, problem.List) {
	var each problem.List
	for _, file := range c.Files {
		if why := c.Odd[file]; why != nil {
			each.Refuse(file, "", "cannot be read: "+why.Error(),
				"POST /api/exchange/resolve with overwrite, or put a file in its place")
		} else {
			each.Refuse(file, "", "was edited by hand", "POST /api/exchange/resolve with import or overwrite")
		}
	}
	return c.Error(), each
}

// Unpublished is the error of a change that is saved, but could not be written to the exchange folder. It is tried
// again, see Watch.
type Unpublished struct{ Err error }

// Error implements error.
func (u *Unpublished) Error() string { return "it is saved, but not published yet: " + u.Err.Error() }

// Unwrap is why.
func (u *Unpublished) Unwrap() error { return u.Err }

// Identity fixes a run.
type Identity struct {
	ID   string
	Seed uint64
}

// Start publishes the saved set-up, with overrides laid over its knobs, for a start, and returns what fixes the run:
// RUN_ID and RUN_SEED of the knobs where they are set, else those of drawn. A file that was edited by hand stays as it
// is where the controller has nothing new to write into it, else the error is a *Conflict. The error is a problem.List
// where the set-up cannot run.
func (p *Publisher) Start(ctx context.Context, overrides map[string]any, drawn Identity) (Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, err := p.library.SetUp(ctx, overrides)
	if err != nil {
		return Identity{}, err
	}
	if s.Targets == nil && s.Knobs["MATOMO_URL"] == "" {
		var problems problem.List
		problems.Refuse("MATOMO_URL", "", "is not set",
			"give the address of the tracker, https://host/matomo.php, or add targets")
		return Identity{}, problems.Err()
	}
	id, err := identity(s.Knobs, drawn)
	if err != nil {
		return Identity{}, err
	}
	want, err := build(p.fs, s, startKeys(id))
	if err != nil {
		return Identity{}, err
	}
	files, err := p.write(ctx, want, nil, true)
	if err != nil {
		return Identity{}, err
	}
	return id, p.remember(ctx, files)
}

// Stop publishes that the loadgen shall idle when it is started; everything else stays, edits by hand too. One that
// cannot be read stays whole: no loadgen sends with it. So does what is no file at all.
func (p *Publisher) Stop(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	have, err := p.read(exchange.EnvFile)
	if odd(err) {
		return nil
	}
	if err != nil || have == nil {
		return err
	}
	patched, err := patch(have, map[string]string{"AUTO_START": "false"})
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	return p.put(map[string][]byte{exchange.EnvFile: patched})
}

// Saved publishes the saved set-up and starts nothing: the id and the seed of the run that may go on stay. Edits by
// hand are treated as in Start.
func (p *Publisher) Saved(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.saved(ctx, nil, true)
}

// Change has save change the saved set-up and publishes it. files are the names of those that the change is going to
// write; where one was edited by hand nothing is saved and the error is a *Conflict. Edits of other files stay. The
// error is an *Unpublished where it was saved all the same.
func (p *Publisher) Change(ctx context.Context, save func(context.Context) error, files ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	edited, err := p.edited(ctx)
	if err != nil {
		return err
	}
	var conflict Conflict
	for _, file := range files {
		if why, hand := edited[file]; hand {
			conflict.add(file, why)
		}
	}
	if len(conflict.Files) > 0 {
		return &conflict
	}
	if err := save(ctx); err != nil {
		return err
	}
	if err := p.saved(ctx, nil, false); err != nil {
		p.fallBehind(err)
		return p.Unpublished()
	}
	return nil
}

func (p *Publisher) saved(ctx context.Context, force map[string]bool, strict bool) error {
	s, err := p.library.SetUp(ctx, nil)
	if err != nil {
		return err
	}
	keys, err := p.runKeys()
	if err != nil {
		return err
	}
	want, err := build(p.fs, s, keys)
	if err != nil {
		return err
	}
	_, err = p.write(ctx, want, force, strict)
	return err
}

// Published are the files of the plan that was started last, by name, or where none was those of the folder. A file
// that is not there is absent.
func (p *Publisher) Published(ctx context.Context) (map[string][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	plan, err := p.started(ctx)
	if err != nil || plan != nil {
		return plan, err
	}
	out := map[string][]byte{}
	for _, file := range names {
		data, err := p.read(file)
		if err != nil && !odd(err) {
			return nil, err
		}
		if data != nil {
			out[file] = data
		}
	}
	return out, nil
}

// StartAgain publishes that the run of the folder is started once more, such as after a crash.
func (p *Publisher) StartAgain(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	have, err := p.read(exchange.EnvFile)
	if err != nil || have == nil {
		return err
	}
	patched, err := patch(have, map[string]string{"START_ID": rand.Text()})
	if err != nil {
		return err
	}
	return p.put(map[string][]byte{exchange.EnvFile: patched})
}

// Restore writes what Published gave, over edits by hand too, as the plan that is started: it counts as a start of its
// own.
func (p *Publisher) Restore(ctx context.Context, files map[string][]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	want, force := maps.Clone(files), map[string]bool{}
	for _, file := range names {
		force[file] = true
	}
	if env := want[exchange.EnvFile]; env != nil {
		patched, err := patch(env, map[string]string{"START_ID": rand.Text()})
		if err != nil {
			return err
		}
		want[exchange.EnvFile] = patched
	}
	written, err := p.write(ctx, want, force, true)
	if err != nil {
		return err
	}
	return p.remember(ctx, written)
}
