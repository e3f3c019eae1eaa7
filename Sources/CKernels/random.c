#include "widths.h"

typedef uint64_t unaligned_u64 __attribute__((aligned(1), may_alias));

INLINE void splitmix(uint64_t state, size_t count, unaligned_u64 *words) {
    for (size_t i = 0; i < count; i++) {
        // The state of each word is its own, so that vectors of them can be mixed at once.
        uint64_t word = state + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
        word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
        words[i] = word ^ (word >> 31);
    }
}

FOR_EACH_WIDTH(void, splitmix, (uint64_t state, size_t count, unaligned_u64 *words),
               (state, count, words))

void ck_splitmix(ck_isa isa, uint64_t state, size_t count, void *words) {
    splitmix_for(isa)(state, count, words);
}
