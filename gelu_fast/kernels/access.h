/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loads and stores of a storage type (storage.h), whole vectors and parts of n lanes. Included once a STORAGE. */
typedef S(packed) S(unaligned) ALIGNED_AS(STORAGE);
INLINE V S(load)(const STORAGE *p) { return S(unpack)(*(const S(unaligned) *)p); }
INLINE void S(store)(STORAGE *p, V v) { *(S(unaligned) *)p = S(pack)(v); }
/* Past the caches; p is aligned to S(packed). */
INLINE void S(stream)(STORAGE *p, V v) { S(STREAM)(p, S(pack)(v)); }

INLINE V S(load_part)(const STORAGE *p, ptrdiff_t n)
{
    if (n == 1) {
        STORAGE one;
        memcpy(&one, p, sizeof(STORAGE)); /* ufunc.at passes unaligned operands */
        return S(unpack)(one - (S(packed)){0}); /* 0 + one would be +0 for -0 */
    }
    STORAGE lanes[V_LANES] = {0};
    memcpy(lanes, p, (size_t)n * sizeof(STORAGE));
    return S(load)(lanes);
}

INLINE void S(store_part)(STORAGE *p, V v, ptrdiff_t n)
{
    if (n == 1) {
        STORAGE one = S(pack)(v)[0];
        memcpy(p, &one, sizeof(STORAGE));
        return;
    }
    STORAGE lanes[V_LANES];
    S(store)(lanes, v);
    memcpy(p, lanes, (size_t)n * sizeof(STORAGE));
}
