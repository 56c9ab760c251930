/* SPDX-License-Identifier: BSD-3-Clause
 *
 * float32 by the kernels of float64, rounded once: GELU_FAST_ROUNDING=nearest. Results of the functions of one input are
 * the nearest float32 to the exact value, for all 2^32 inputs on every ISA level (tests/exhaustive.py judges all); those
 * of the others are within 0.5001 ULP.
 *
 * A float64 result is within 1 ULP of the exact value, so no float64 lies between the two. Midpoints between two float32
 * are numbers of float64, so the result rounds to the same float32 as the exact value, unless it is a midpoint itself.
 * Then its rounding error decides (to_odd in two.h). That happens for at most four of the 2^32 inputs of a function, and
 * for every odd subnormal x, where gelu is just above x/2.
 *
 * One loop serves all functions, as an inlined copy of each would make the library larger. There is no streaming
 * version: the results take longer to compute than to store. */
enum { NEAREST_ROOM = 416 }; /* float64: 3.3 KiB on a stack that may be small */

typedef f32_half f32_half_unaligned ALIGNED_AS(f32);
typedef __attribute__((aligned(1), may_alias)) f32 f32_anywhere; /* ufunc.at passes unaligned operands, n = 1 */

/* The last 28 bits, inverted: LAST_BITS if they are zero, as those of midpoints are. A maximum finds that in fewer
 * operations than comparisons. */
#define LAST_BITS ((f64_bits){0} + 0xfffffff)
INLINE f64v f64_inverted_end(f64v y) { return (f64v)(~(f64_bits)y & LAST_BITS); }
INLINE f64_mask f64_are_zero(f64v inverted) { return f64_le((f64v)LAST_BITS, inverted); }

static void widen(f64 *to, const f32 *from, ptrdiff_t n)
{
    const ptrdiff_t whole = n / LANES(f64) * LANES(f64);
    ptrdiff_t i = 0;
    UNROLLED
    for (; i < whole; i += LANES(f64))
        *(f64v *)(to + i) = F32_TO_F64(*(const f32_half_unaligned *)(from + i));
    for (; i < n; i++)
        to[i] = ((const f32_anywhere *)from)[i];
    for (; i % LANES(f64) != 0; i++)
        to[i] = 0;
}

/* Round; whether a result may be a midpoint. `from` holds whole vectors. */
static int narrow(f32 *to, const f64 *from, ptrdiff_t n)
{
    f64v found = {0};
    const ptrdiff_t whole = n / LANES(f64) * LANES(f64);
    ptrdiff_t i = 0;
    UNROLLED
    for (; i < whole; i += LANES(f64)) {
        f64v y = *(const f64v *)(from + i);
        found = F64_LARGER(found, f64_inverted_end(y));
        *(f32_half_unaligned *)(to + i) = F64_TO_F32(y);
    }
    if (i < n) {
        f64v y = *(const f64v *)(from + i);
        f32_half rounded = F64_TO_F32(y);
        found = F64_LARGER(found, f64_inverted_end(y));
        memcpy(to + i, &rounded, (size_t)(n - i) * sizeof(f32));
    }
    return f64_any(f64_are_zero(found));
}

/* Of a function of one input: midpoints are rounded to odd. float32 has most numbers that end in zeros. */
NOINLINE void resolve_midpoints(f64 *y, const f64 *x, ptrdiff_t n, void (*again)(const f64v *in, f64_two *out))
{
    for (ptrdiff_t i = 0; i < n; i += LANES(f64)) {
        f64v of = *(const f64v *)(y + i), lost = of - F32_TO_F64(F64_TO_F32(of));
        lost = f64_zero_unless(f64_are_zero(f64_inverted_end(of)), lost);
        if (f64_any(f64_positive_le(f64_abs(lost), (f64v){0} + f64_LARGEST))) { /* false for NaN */
            f64_two exact;
            again((const f64v *)(x + i), &exact);
            *(f64v *)(y + i) = f64_to_odd(exact);
        }
    }
}

NOINLINE void nearest(char *const *args, ptrdiff_t n, int n_in, int n_out, gelu_kernel *kernel,
                      void (*again)(const f64v *in, f64_two *out))
{
    __attribute__((aligned(64))) f64 room[NEAREST_ROOM];
    char *buffers[MAX_IN + MAX_OUT];
    const ptrdiff_t each = NEAREST_ROOM / (n_in + n_out) / 16 * 16,
                    block = each - 8; /* 8: against 4K aliasing */
    for (int j = 0; j < n_in + n_out; j++)
        buffers[j] = (char *)(room + j * each);
    for (ptrdiff_t at = 0; at < n; at += block) {
        const ptrdiff_t length = n - at < block ? n - at : block;
        for (int j = 0; j < n_in; j++)
            widen((f64 *)buffers[j], (const f32 *)args[j] + at, length);
        kernel(buffers, (length + LANES(f64) - 1) / LANES(f64) * LANES(f64));
        for (int j = n_in; j < n_in + n_out; j++) {
            f64 *y = (f64 *)buffers[j];
            if (narrow((f32 *)args[j] + at, y, length) && again != NULL) {
                resolve_midpoints(y, (const f64 *)buffers[0], length, again);
                narrow((f32 *)args[j] + at, y, length);
            }
        }
    }
}
