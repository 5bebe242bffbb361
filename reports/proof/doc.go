// Package proof holds tests of the figures that package campaigns/rollup keeps: whatever happens to customers and campaigns, in any order and
// at once, the figures kept are those that counting all rows gives; and a mark that is missed is noticed.
package proof
