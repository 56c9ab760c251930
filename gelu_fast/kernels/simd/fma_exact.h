/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The words of an ISA without FMA: masks, products in halves, and fma_exact. */
#define NO_FMA
#define REAL f32
#include "masks.h"
#include "no_fma.h"
#undef REAL
#define REAL f64
#include "masks.h"
#include "no_fma.h"
#undef REAL

/* a b is exact in float64. The sum is rounded to 53 bits and then to 24, which shows only where it lies midway
 * between two float32. */
typedef VECTOR(double, 2 * f32_BYTES) f32_wide;
INLINE f32v f32_fma_exact(f32v a, f32v b, f32v c)
{
    f32_wide wide = __builtin_convertvector(a, f32_wide) * __builtin_convertvector(b, f32_wide);
    return __builtin_convertvector(wide + __builtin_convertvector(c, f32_wide), f32v);
}

/* By the error of a b. Where a b is so small or so large that its parts, or halves of the factors, leave the range, a
 * b is scaled by 2^600 or 2^-600 first. */
INLINE f64v f64_fma_exact_in_range(f64v a, f64v b, f64v c)
{
    f64v product = a * b;
    return product + (c - f64_residual(product, a, b));
}
INLINE f64v f64_fma_exact(f64v a, f64v b, f64v c)
{
    const f64_bits size_bits = ~(f64_bits){0} >> 1;
    f64v product = a * b, size = (f64v)((f64_bits)product & size_bits);
    f64_mask small = (f64_mask)(size < 0x1p-900), large = (f64_mask)(size > 0x1p1000);
    f64v y = f64_fma_exact_in_range(a, b, c);
    if (f64_any(small | large)) {
        f64v up = f64_select(small, (f64v){0} + 0x1p600, (f64v){0} + 0x1p-600), down = 1 / up;
        f64_mask a_first = (f64_mask)((f64v)((f64_bits)a & size_bits) < (f64v)((f64_bits)b & size_bits));
        a_first = (a_first & small) | (~a_first & large); /* the smaller one up, the larger one down */
        f64v scaled =
            f64_fma_exact_in_range(f64_select(a_first, a * up, a), f64_select(a_first, b, b * up), c * up);
        f64_mask in_range = (f64_mask)(size > 0) & (f64_mask)(size - size == 0);
        y = f64_select(small | large, f64_select(in_range, scaled * down, product), y);
    }
    return y;
}
