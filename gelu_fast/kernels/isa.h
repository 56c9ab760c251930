/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All kernels of one ISA level: each stub isa_<level>.c names its LEVEL and includes this. */
#include "kernels.h"
#include "f32.h"
#include "f64.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

/* Short names for what simd.h, f32.h, f64.h and the headers below have for each REAL. */
#define R(name) PASTE(REAL, _##name)
#define V PASTE(REAL, v)
#define BITS R(bits)
#define MASK R(mask)
#define SUM R(sum_t)
#define FMA R(fma)
#define RESIDUAL R(residual)
#define MAX R(max)
#define AT_MOST R(at_most)
#define UP_TO R(up_to)
#define ANY R(any)
#define KEEP R(keep)
#define SELECT R(select)
#define ALL(c) ((V){0} + (REAL)(c))

#define REAL f32
#ifdef GELU_LANES
#include "lanes.h"
#else
#include "rows.h"
#endif
#include "gelu.h"
#undef REAL
#define REAL f64
#include "rows.h"
#include "gelu.h"
#undef REAL
#include "strides.h"

/* The hardware alone fetches too late for loops that compute as long as these: in place, 2^26 float32 on one thread,
 * 0.58 ns without it and 0.23 with it; past the caches, 2^24, 0.51 and 0.29 (np.copyto 0.41; Granite Rapids,
 * x86-64-v4). In cache it costs 1 %. Tried: from 1 to 4 KiB ahead, nearly alike; fetching around the caches, which
 * fills the few line buffers of Intel's, 0.66; bursts of stores from registers or a buffer, no faster (Zen 4). */
#define PREFETCH(p) __builtin_prefetch((const char *)(p) + 4096)

/* While so many whole vectors are left, of one input and one output. */
#define EACH_GROUP_1_1(S, R, name, store, vectors)                                                           \
    for (const ptrdiff_t step = (vectors) * LANES(R); n >= step; n -= step, x += step, y += step) {          \
        R##v in[vectors];                                                                                    \
        R##_sum_t out[vectors];                                                                              \
        for (int i = 0; i < vectors; i++) {                                                                  \
            PREFETCH(x + i * LANES(R));                                                                      \
            in[i] = S##_load(x + i * LANES(R));                                                              \
        }                                                                                                    \
        R##_gelu_##name(in, out, vectors);                                                                   \
        for (int i = 0; i < vectors; i++)                                                                    \
            store(y + i * LANES(R), out[i]);                                                                 \
    }

/* The loops of `name` over storage type S, computed in R: one input, one output. */
#define LOOP_1_1(S, R, name)                                                                                 \
    static void name##_##S(char *const *args, ptrdiff_t n)                                                   \
    {                                                                                                        \
        const S *x = (const S *)args[0];                                                                     \
        S *y = (S *)args[1];                                                                                 \
        EACH_GROUP_1_1(S, R, name, S##_store, R##_GROUP)                                                     \
        EACH_GROUP_1_1(S, R, name, S##_store, 1)                                                             \
        if (n > 0) {                                                                                         \
            R##v in = S##_load_part(x, n);                                                                   \
            R##_sum_t out;                                                                                   \
            R##_gelu_##name(&in, &out, 1);                                                                   \
            S##_store_part(y, out, n);                                                                       \
        }                                                                                                    \
    }                                                                                                        \
    static void name##_##S##_streaming(char *const *args, ptrdiff_t n)                                       \
    {                                                                                                        \
        ptrdiff_t head = (ptrdiff_t)(-(uintptr_t)args[1] % sizeof(S##_packed) / sizeof(S));                  \
        head = head < n ? head : n;                                                                          \
        name##_##S(args, head);                                                                              \
        const S *x = (const S *)args[0] + head;                                                              \
        S *y = (S *)args[1] + head;                                                                          \
        n -= head;                                                                                           \
        EACH_GROUP_1_1(S, R, name, S##_stream, R##_GROUP)                                                    \
        STREAM_FENCE();                                                                                      \
        name##_##S((char *const[]){(char *)x, (char *)y}, n);                                                \
    }

#define LOOPS(name, n_in, n_out) GELU_TYPES(LOOP_##n_in##_##n_out, name)
GELU_FUNCTIONS(LOOPS)

#define LOOP(S, R, name) {name##_##S, name##_##S##_streaming},
#define TABLE_ROW(name, n_in, n_out) {GELU_TYPES(LOOP, name)},
const gelu_kernels PASTE(gelu_kernels_, LEVEL)[][GELU_N_TYPES] = {GELU_FUNCTIONS(TABLE_ROW)};

#define STRIDES_ROW(S, R) {pack_##S, unpack_##S},
const gelu_strides PASTE(gelu_strides_, LEVEL)[] = {GELU_TYPES(STRIDES_ROW)};
