//go:build !linux

package fast

import (
	"context"
	"errors"
	"net"
)

// Serve returns an error, because the fast sink needs Linux.
func Serve(context.Context, string, bool, func(net.Addr)) (Stats, error) {
	return Stats{}, errors.New("the fast sink needs Linux (epoll): leave --fast out")
}
