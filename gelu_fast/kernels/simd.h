/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The vector vocabulary that the mathematics is written in: the contract, and the choice of an ISA's file in simd/.
 * Vectors are the vector extension of GCC and Clang, so + - * / & | << and casts need no words; simd/ defines the
 * words that each ISA has in its own way. A port is one new file and one line of the choice below.
 *
 * For a type R in {f32, f64}:
 *
 *   R                      the scalar              R##v   a vector of it, R##_BYTES long
 *   R##_bits               unsigned integers of the same width; comparisons and masks are made of them
 *   R##_GROUP              how many vectors are computed side by side
 *   R##_fma(a, b, c)       a b + c, rounded once where the ISA has FMA, twice where it does not
 *   R##_residual(c, a, b)  c - a b, exact where c is a b rounded
 *   R##_fma_exact(a, b, c) a b + c for |c| << |a b|, rounded once, or so nearly once that hardly a result differs
 *   R##_max(a, b)          b where either is NaN
 *   R##_min(a, b)          b where either is NaN
 *   R##_clamp(a, b)        a, limited to -b <= a <= b; any number for NaN
 *   R##_le(a, b)           mask: a <= b, false for NaN; masks know & and ~
 *   R##_positive_le(t, a)  mask: 0 < t <= a, where t is NaN or has the sign +
 *   R##_any(m)             whether m holds in any lane
 *   R##_lanes(m)           a bit for each lane where m holds, the first one lowest
 *   R##_zero_unless(m, a)  a where m, else 0
 *   R##_select(m, a, b)    a where m, else b
 *   R##_rows(c, n, table, k)   c[j] = table[k % 2^16][j], lane by lane, for a table with rows of n: n is 4 for f32, a
 *                          multiple of 4 for f64. Where TABLE_IN_REGISTERS is defined, f32 has in its place
 *   f32_lookup(table, k)   table[k % 32], lane by lane
 *   u32_multiply(a, b, &high, &low)   both words of a b, b a scalar
 *
 * and for storage, which storage.h makes loads and stores of:
 *
 *   f16_unpack(v), f16_pack(v)   float16 to float32 and back, rounded to nearest, ties to even
 *   s32_max(a, b)          of signed integers
 *   U16_TO_U32(v)          integers of 16 bits to 32: the compiler's own conversion is slower
 *   F32_TO_F64(v), F64_TO_F32(v)   an f32_half to an f64v and back: likewise
 *   F64_LARGER(a, b)       the maximum of numbers
 *   f16_STREAM(p, v), f32_STREAM, f64_STREAM   store v past the caches, at a multiple of its size; STREAM_FENCE()
 *                          orders these stores before later ones
 *   f16_SPREAD(p, v), f32_SPREAD, f64_SPREAD   store v to every second element from p on, and nothing between; only
 *                          where GELU_SPREAD is defined */
#ifndef GELU_SIMD_H
#define GELU_SIMD_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_MSC_VER) && !defined(__clang__)
#error "gelu_fast needs the vector extension of GCC and Clang: on Windows, build it with clang-cl"
#elif defined(_WIN32) && defined(__AVX__) && !defined(__clang__)
#error "GCC for Windows aligns no stack to 32 bytes, so that AVX would crash: build gelu_fast with Clang"
#endif

/* setup.py takes -ffast-math and the like back. This fails where a compiler computes otherwise all the same. */
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) ||               \
    defined(__NO_SIGNED_ZEROS__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) ||               \
    FLT_EVAL_METHOD != 0
#error "gelu_fast needs IEEE arithmetic: build it without -ffast-math, -Ofast, -ffinite-math-only, -mfpmath=387 and such"
#endif
_Static_assert(sizeof 1.0 == sizeof(double),
               "gelu_fast needs double constants: no -fsingle-precision-constant");

#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE static __attribute__((noinline, unused))
#define VECTOR(type, bytes) __attribute__((vector_size(bytes))) type
#define ALIGNED_AS(type) __attribute__((aligned(sizeof(type)), may_alias))
#define LENGTH(array) ((int)(sizeof(array) / sizeof(*(array))))
#define LANES(R) ((ptrdiff_t)(R##_BYTES / sizeof(R)))

/* At a cache line: where vectors of a table straddled lines, streaming took 0.42 ns for 0.20 (float32, 2^24; Zen 5).
 * And hidden: others are addressed through a global offset table. */
#define TABLE __attribute__((aligned(64), visibility("hidden")))

/* Unrolled, or GCC spills the results to the stack and computes unused error terms. */
#define UNROLLED _Pragma("GCC unroll 8")

/* Vectors of a group are computed side by side, as each waits for its own results most of the time. float32 on
 * x86-64-v4: 0.151 ns with 1, 0.145 with 2, 0.138 with 3 or 4, and 0.149 if the compiler leaves them one after the
 * other (setup.py, SCHEDULE). Rows in memory wait less: x86-64-v3 0.404, 0.393, 0.437; the baseline 0.85, 0.88;
 * float64 0.70, 0.69, on x86-64-v3 1.04, 1.30 (2^16; Zen 5). */
#define LARGEST_GROUP 3
#define RARE 2 /* of the rare lanes, whose results wait longer */
#define RARE_MOST (1024 / sizeof(V)) /* vectors of rare lanes that are computed at once */

/* The same for float16's and bfloat16's own kernels (half.h), whose results wait for a division: float16 0.82 ns with 2,
 * 0.66 with 4 and 6 (2^16; Zen 3). An even number, as bfloat16 is loaded and stored by two vectors. */
#define HALF_GROUP 4

/* The lanes of a vector: curve.h. */
enum { IN_SEGMENTS, ANYWHERE, ONE_NUMBER };

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

/* Headers that are included once a REAL or once a STORAGE write R(name) and S(name), and the words by short names. */
#define R(name) PASTE(REAL, _##name)
#define S(name) PASTE(STORAGE, _##name)
#define V PASTE(REAL, v)
#define V_LANES ((ptrdiff_t)(sizeof(V) / sizeof(REAL)))
#define BITS R(bits)
#define MASK R(mask)
#define TWO R(two)
#define FMA R(fma)
#define FMA_EXACT R(fma_exact)
#define RESIDUAL R(residual)
#define MAX R(max)
#define MIN R(min)
#define LE R(le)
#define POSITIVE_LE R(positive_le)
#define ANY R(any)
#define ZERO_UNLESS R(zero_unless)
#define SELECT R(select)
#define SPLAT(c) ((V){0} + (REAL)(c))

#if defined(__AVX512F__)
#include "simd/avx512.h"
#elif defined(__AVX2__)
#include "simd/avx2.h"
#elif defined(__SSE2__)
#include "simd/sse2.h"
#elif defined(__aarch64__)
#include "simd/neon.h"
#else
#include "simd/generic.h"
#endif

#endif
