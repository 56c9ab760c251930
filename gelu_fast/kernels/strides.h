/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Operands whose stride is not their item size: n elements, `step` bytes apart, to contiguous ones and back. Bytes
 * between two elements are not written. Included once a STORAGE.
 *
 * Four elements at a time: twice as fast as one (float32, 0.22 and 0.43 ns). Every second element, as of x[::2] or of
 * the real parts of complex numbers, is taken out by shuffles, which the compiler finds. Where the ISA has masked
 * stores, it goes back by vectors as well: 2^16 float32, in and out, 0.29 ns for 0.42 (Zen 5, GELU 0.14 of it). The
 * lines of the next block are fetched meanwhile (after the last block in vain, and harmless): 2^20, 0.33 for 0.42.
 * Tried: fetching the source too, 0.33, and 0.33 for 0.32 at 2^16. */
static void S(pack_strided)(char *packed, const char *strided, ptrdiff_t step, ptrdiff_t n)
{
    STORAGE *to = (STORAGE *)packed;
    if (step == 2 * sizeof(STORAGE)) {
        for (ptrdiff_t i = 0; i < n; i++)
            to[i] = ((const STORAGE *)strided)[2 * i];
        return;
    }
    for (; n >= 4; n -= 4, to += 4, strided += 4 * step)
        for (int i = 0; i < 4; i++)
            to[i] = *(const STORAGE *)(strided + i * step);
    for (ptrdiff_t i = 0; i < n; i++)
        to[i] = *(const STORAGE *)(strided + i * step);
}

static void S(unpack_strided)(char *strided, ptrdiff_t step, const char *packed, ptrdiff_t n)
{
    const STORAGE *from = (const STORAGE *)packed;
#ifdef GELU_SPREAD
    if (step == 2 * sizeof(STORAGE)) {
        for (ptrdiff_t i = n * step; i < 2 * n * step; i += 64)
            __builtin_prefetch(strided + i, 1);
        for (; n >= V_LANES; n -= V_LANES, from += V_LANES, strided += V_LANES * step)
            S(SPREAD)((STORAGE *)strided, *(const S(unaligned) *)from);
    }
#endif
    for (; n >= 4; n -= 4, from += 4, strided += 4 * step)
        for (int i = 0; i < 4; i++)
            *(STORAGE *)(strided + i * step) = from[i];
    for (ptrdiff_t i = 0; i < n; i++)
        *(STORAGE *)(strided + i * step) = from[i];
}
