package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

var errClosed = errors.New("server: closed")

// Server answers with how often a path was asked for.
type Server struct {
	mu     sync.Mutex
	counts map[string]int
	closed bool
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := s.count(r.Context(), r.URL.Path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "%s\t%d\n", r.URL.Path, n)
}

func (s *Server) count(ctx context.Context, path string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("count %q: %w", path, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errClosed
	}
	s.counts[path]++
	return s.counts[path], nil
}
