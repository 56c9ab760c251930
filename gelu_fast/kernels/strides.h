/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Operands with other strides than their item size, to contiguous ones and back; what lies between two elements is not
 * written.
 *
 * Four elements at a time: twice as fast as one (float32, 0.22 and 0.43 ns). Every second element, as of x[::2] or of
 * the real parts of complex numbers, is taken out by shuffles, which the compiler finds, and where the ISA has stores
 * that leave lanes alone it goes back by vectors as well: 2^16 float32, in and out, 0.29 ns for 0.42 (Zen 5, GELU 0.14
 * of it). The lines that the next block goes to are fetched meanwhile (beyond the last block that is for nothing, and
 * harmless): 2^20, 0.33 for 0.42. Tried: fetching what it comes from, too, 0.33, and 0.33 for 0.32 at 2^16. */

#define STRIDES(S, R)                                                                                        \
    static void pack_##S(char *packed, const char *strided, ptrdiff_t step, ptrdiff_t n)                     \
    {                                                                                                        \
        S *to = (S *)packed;                                                                                 \
        if (step == 2 * sizeof(S)) {                                                                         \
            for (ptrdiff_t i = 0; i < n; i++)                                                                \
                to[i] = ((const S *)strided)[2 * i];                                                         \
            return;                                                                                          \
        }                                                                                                    \
        for (; n >= 4; n -= 4, to += 4, strided += 4 * step)                                                 \
            for (int i = 0; i < 4; i++)                                                                      \
                to[i] = *(const S *)(strided + i * step);                                                    \
        for (ptrdiff_t i = 0; i < n; i++)                                                                    \
            to[i] = *(const S *)(strided + i * step);                                                        \
    }                                                                                                        \
    static void unpack_##S(char *strided, ptrdiff_t step, const char *packed, ptrdiff_t n)                   \
    {                                                                                                        \
        const S *from = (const S *)packed;                                                                   \
        SPREAD_VECTORS(S, R)                                                                                 \
        for (; n >= 4; n -= 4, from += 4, strided += 4 * step)                                               \
            for (int i = 0; i < 4; i++)                                                                      \
                *(S *)(strided + i * step) = from[i];                                                        \
        for (ptrdiff_t i = 0; i < n; i++)                                                                    \
            *(S *)(strided + i * step) = from[i];                                                            \
    }

#ifdef GELU_SPREAD
#define SPREAD_VECTORS(S, R)                                                                                 \
    if (step == 2 * sizeof(S)) {                                                                             \
        for (ptrdiff_t i = n * step; i < 2 * n * step; i += 64)                                              \
            __builtin_prefetch(strided + i, 1);                                                              \
        for (; n >= LANES(R); n -= LANES(R), from += LANES(R), strided += LANES(R) * step)                   \
            S##_SPREAD((S *)strided, *(const S##_unaligned *)from);                                          \
    }
#else
#define SPREAD_VECTORS(S, R)
#endif
GELU_TYPES(STRIDES)
