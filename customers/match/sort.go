package match

// Radix sort: keys are hashes, so all their digits differ, and time grows with the number of records alone.

const (
	radixBits = 11 // bits sorted by at a time
	keyBits   = 64
	nodeBits  = 32
)

// sortKeyed sorts by key; records with the same key stay in their order. scratch is as long as all.
func sortKeyed(all, scratch []keyed) {
	if len(all) < 256 {
		insert(all)
		return
	}
	radix(all, scratch[:len(all)], keyBits, func(k *keyed) uint64 { return k.key })
}

// sortNodes sorts by node.
func sortNodes(all, scratch []keyed) {
	radix(all, scratch[:len(all)], nodeBits, func(k *keyed) uint64 { return uint64(uint32(k.node)) })
}

func insert(all []keyed) {
	for i := 1; i < len(all); i++ {
		k := all[i]
		j := i
		for j > 0 && all[j-1].key > k.key {
			all[j] = all[j-1]
			j--
		}
		all[j] = k
	}
}

func radix(all, scratch []keyed, bits int, by func(*keyed) uint64) {
	const size = 1 << radixBits
	from, to := all, scratch
	for shift := 0; shift < bits; shift += radixBits {
		var count [size]int
		for i := range from {
			count[by(&from[i])>>shift&(size-1)]++
		}
		if len(from) > 0 && count[by(&from[0])>>shift&(size-1)] == len(from) {
			continue // all have the same digit
		}
		sum := 0
		for d, n := range count {
			count[d] = sum
			sum += n
		}
		for i := range from {
			d := by(&from[i]) >> shift & (size - 1)
			to[count[d]] = from[i]
			count[d]++
		}
		from, to = to, from
	}
	if len(all) > 0 && &from[0] != &all[0] {
		copy(all, from)
	}
}
