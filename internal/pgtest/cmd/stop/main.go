// Stop stops the PostgreSQL that tests share, unless a test is using it.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"aldine/internal/pgtest"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := pgtest.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stop test database:", err)
		os.Exit(1)
	}
}
