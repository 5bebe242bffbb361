package demo

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that can be set; until then, and after Release, it shows the real time.
type Clock struct{ offset atomic.Int64 }

// NewClock gives a clock that shows the real time.
func NewClock() *Clock { return &Clock{} }

// Now gives the clock's time in UTC.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.offset.Load())).UTC() }

// Set makes the clock show t now and go on from there.
func (c *Clock) Set(t time.Time) { c.offset.Store(int64(time.Until(t))) }

// Release makes the clock show the real time again.
func (c *Clock) Release() { c.offset.Store(0) }
