package endtoend

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// gate stands before the engine's socket. Shut, it breaks every connection and takes no other: for those behind it the
// engine is away, and comes back when it opens, without a machine whose other containers would notice.
type gate struct {
	engine   string
	listener net.Listener
	passing  sync.WaitGroup

	mu   sync.Mutex // guards what follows
	shut bool
	open map[net.Conn]struct{}
}

// newGate listens at path for who may use the socket engine.
func newGate(t *testing.T, engine string, group int) (g *gate, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, -1, group); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	g = &gate{engine: engine, listener: l, open: map[net.Conn]struct{}{}}
	g.passing.Go(g.accept)
	t.Cleanup(func() {
		_ = l.Close() // ends accept
		g.set(true)
		g.passing.Wait()
	})
	return g, path
}

// set shuts or opens it.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	for c := range g.open {
		if shut {
			_ = c.Close() // whoever used it is told by the break
		}
	}
}

func (g *gate) accept() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("unix", g.engine)
		if err != nil || !g.enter(in, out) {
			_ = in.Close() // it is shut
			continue
		}
		g.passing.Go(func() { g.pass(in, out) })
		g.passing.Go(func() { g.pass(out, in) })
	}
}

func (g *gate) enter(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if g.shut {
			_ = c.Close() // it is shut
			continue
		}
		g.open[c] = struct{}{}
	}
	return !g.shut
}

// pass carries one direction of a connection to its end, and forgets it then.
func (g *gate) pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)             // a break is what this is for
	_ = to.(*net.UnixConn).CloseWrite()  // the other direction may have more to say
	_ = from.(*net.UnixConn).CloseRead() // both may be closed already
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, from)
}
