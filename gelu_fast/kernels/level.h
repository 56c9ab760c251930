/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All kernels of one ISA level: each stub isa_<level>.c names its LEVEL and includes this. */
#pragma GCC diagnostic ignored "-Wunused-parameter" /* functions of a family share their parameters */
#include "kernels.h"
#include "f32.h"
#include "f64.h"

#define REAL f32
#include "gelu.h"
#undef REAL
#undef TABLE_IN_REGISTERS /* of float32 alone */
#define REAL f64
#include "gelu.h"
#undef REAL

#include "storage.h"

/* Operands of a kernel, at most. */
enum { MAX_IN = 4, MAX_OUT = 2 };

/* The hardware alone fetches too late for loops that compute as long as these: in place, 2^26 float32 on one thread,
 * 0.58 ns without it and 0.23 with it; past the caches, 2^24, 0.51 and 0.29 (np.copyto 0.41; Granite Rapids,
 * x86-64-v4). In cache it costs 1 %. Tried: from 1 to 4 KiB ahead, nearly alike; fetching around the caches, which
 * fills the few line buffers of Intel's, 0.66; bursts of stores from registers or a buffer, no faster (Zen 4). */
#define PREFETCH(p) __builtin_prefetch((const char *)(p) + 4096)

#define REAL f32
#define STORAGE f16
#include "access.h"
#include "loop.h"
#include "strides.h"
#undef STORAGE
#define STORAGE f32
#include "access.h"
#include "loop.h"
#include "strides.h"
#undef STORAGE
#undef REAL
#define REAL f64
#define STORAGE f64
#include "access.h"
#include "loop.h"
#include "strides.h"
#undef STORAGE
#undef REAL
#define REAL f32
#define STORAGE bf16
#include "access.h"
#include "loop.h"
#include "strides.h"
#undef STORAGE
#undef REAL

#include "halves.h"
#include "nearest.h"
#include "random.h"
#define REAL f32
#include "decide.h"
#undef REAL
#define REAL f64
#include "decide.h"
#undef REAL

/* `vectors` side by side; functions of two outputs are long as they are: groups of one. */
#define GROUP(R, n_out) ((n_out) > 1 ? 1 : R##_GROUP)
#define LOAD_GROUP(S, R, n_in, vectors, from)                                                                \
    R##v in[(n_in) * (vectors)];                                                                             \
    for (int j = 0; j < n_in; j++)                                                                           \
        for (int k = 0; k < vectors; k++) {                                                                  \
            PREFETCH(x[j] + (from) + k * LANES(R));                                                          \
            in[j * (vectors) + k] = S##_load(x[j] + (from) + k * LANES(R));                                  \
        }
#define STORE_GROUP(S, R, name, n_in, n_out, vectors, lanes, store, to)                                      \
    R##_two out[(n_out) * (vectors)];                                                                        \
    R##_group_##name(in, out, vectors, lanes);                                                               \
    for (int j = 0; j < n_out; j++)                                                                          \
        for (int k = 0; k < vectors; k++)                                                                    \
            store(y[j] + (to) + k * LANES(R), out[j * (vectors) + k].hi);

/* Whole groups, as long as they lie in the segments. */
#define EACH_GROUP(S, R, name, n_in, n_out, store, vectors)                                                  \
    for (; n - at >= (vectors) * LANES(R); at += (vectors) * LANES(R)) {                                     \
        LOAD_GROUP(S, R, n_in, vectors, at)                                                                  \
        R##_mask all = R##_in_segments_##name(in, vectors, 0);                                               \
        for (int k = 1; k < vectors; k++)                                                                    \
            all &= R##_in_segments_##name(in, vectors, k);                                                   \
        if (__builtin_expect(R##_any(~all), 0))                                                              \
            break;                                                                                           \
        STORE_GROUP(S, R, name, n_in, n_out, vectors, IN_SEGMENTS, store, at)                                \
    }

/* The loops of `name` over storage type S, computed in R (kernels.h). The last elements, fewer than a vector, are
 * padded to one: a lane's result depends on nothing but its values. */
#define LOOP(S, R, name, n_in, n_out)                                                                        \
    NOINLINE ptrdiff_t name##_##S##_block(char *const *args, ptrdiff_t at, ptrdiff_t n)                      \
    {                                                                                                        \
        const S *x[n_in];                                                                                    \
        S *y[n_out];                                                                                         \
        S##_block memory, *const block = &memory;                                                            \
        S##_operands(x, y, args, n_in, n_out);                                                               \
        const ptrdiff_t group = GROUP(R, n_out) * LANES(R), length = S##_in_block(n - at, group);            \
        unsigned some = 0;                                                                                   \
        for (ptrdiff_t i = 0; i < length; i += LANES(R)) {                                                   \
            R##v in[n_in];                                                                                   \
            for (int j = 0; j < n_in; j++)                                                                   \
                in[j] = S##_load(x[j] + at + i);                                                             \
            const unsigned rare = R##_lanes(~R##_usual_##name(in, 1, 0));                                    \
            S##_note(block->masks, i, rare);                                                                 \
            some |= rare;                                                                                    \
        }                                                                                                    \
        S##_begin(block, length, group, n_in, n_out, R##_rare_##name);                                       \
        if (some)                                                                                            \
            S##_collect(block, x, y, at);                                                                    \
        if (!S##_mostly_rare(block))                                                                         \
            for (ptrdiff_t i = at; i < at + block->length; i += group) {                                     \
                LOAD_GROUP(S, R, n_in, GROUP(R, n_out), i)                                                   \
                if (__builtin_expect(block->careful, 0))                                                     \
                    for (int k = 0; k < GROUP(R, n_out); k++) {                                              \
                        R##_mask usual = R##_usual_##name(in, GROUP(R, n_out), k);                           \
                        for (int j = 0; j < n_in; j++)                                                       \
                            in[j * GROUP(R, n_out) + k] =                                                    \
                                R##_select(usual, in[j * GROUP(R, n_out) + k], (R##v){0} + 1);               \
                    }                                                                                        \
                STORE_GROUP(S, R, name, n_in, n_out, GROUP(R, n_out), ANYWHERE, S##_store, i)                \
            }                                                                                                \
        if (some)                                                                                            \
            S##_compute_collected(block);                                                                    \
        return block->length;                                                                                \
    }                                                                                                        \
    static void name##_##S(char *const *args, ptrdiff_t n)                                                   \
    {                                                                                                        \
        ptrdiff_t at = 0;                                                                                    \
        const S *x[n_in];                                                                                    \
        S *y[n_out];                                                                                         \
        S##_operands(x, y, args, n_in, n_out);                                                               \
        while (n - at >= GROUP(R, n_out) * LANES(R)) {                                                       \
            EACH_GROUP(S, R, name, n_in, n_out, S##_store, GROUP(R, n_out))                                  \
            if (n - at >= GROUP(R, n_out) * LANES(R))                                                        \
                at += name##_##S##_block(args, at, n);                                                       \
        }                                                                                                    \
        for (; at < n; at += LANES(R)) {                                                                     \
            const ptrdiff_t length = n - at < LANES(R) ? n - at : LANES(R);                                  \
            R##v in[n_in];                                                                                   \
            R##_two out[n_out];                                                                              \
            for (int j = 0; j < n_in; j++)                                                                   \
                in[j] = length == LANES(R) ? S##_load(x[j] + at) : S##_load_part(x[j] + at, length);         \
            R##_again_##name(in, out);                                                                       \
            for (int j = 0; j < n_out; j++)                                                                  \
                if (length == LANES(R))                                                                      \
                    S##_store(y[j] + at, out[j].hi);                                                         \
                else                                                                                         \
                    S##_store_part(y[j] + at, out[j].hi, length);                                            \
        }                                                                                                    \
    }                                                                                                        \
    static __attribute__((unused)) void name##_##S##_streaming(char *const *args, ptrdiff_t n)               \
    {                                                                                                        \
        ptrdiff_t at = S##_stream_start(args, n, n_in, n_out);                                               \
        const S *x[n_in];                                                                                    \
        S *y[n_out];                                                                                         \
        name##_##S(args, at);                                                                                \
        S##_operands(x, y, args, n_in, n_out);                                                               \
        while (n - at >= GROUP(R, n_out) * LANES(R)) {                                                       \
            EACH_GROUP(S, R, name, n_in, n_out, S##_stream, GROUP(R, n_out))                                 \
            if (n - at >= GROUP(R, n_out) * LANES(R))                                                        \
                at += name##_##S##_block(args, at, n); /* through the caches */                              \
        }                                                                                                    \
        STREAM_FENCE();                                                                                      \
        S##_finish(args, at, n, n_in + n_out, name##_##S);                                                   \
    }

/* The loops of a function that S has of its own. */
#define DIRECT(S, R, name, n_in, n_out)                                                                      \
    static void name##_##S(char *const *args, ptrdiff_t n)                                                   \
    {                                                                                                        \
        S##_direct(args, n, n_in, n_out, S##_own_##name);                                                    \
    }                                                                                                        \
    static __attribute__((unused)) void name##_##S##_streaming(char *const *args, ptrdiff_t n)               \
    {                                                                                                        \
        S##_direct_streaming(args, n, n_in, n_out, name##_##S);                                              \
    }
#define LOOP_f16 DIRECT
#define LOOP_bf16 DIRECT
#define LOOP_f32 LOOP
#define LOOP_f64 LOOP
#define LOOP_OF_STORED(S, R, name, n_in, n_out) LOOP_##S(S, R, name, n_in, n_out)

#define LOOPS_(name, n_in, n_out, LOOP)                                                                      \
    _Static_assert(n_in <= MAX_IN && n_out <= MAX_OUT, "level.h: MAX_IN, MAX_OUT");                          \
    GELU_TYPES(LOOP, name, n_in, n_out)
#define LOOPS(form, function, n_in, n_out, LOOP) LOOPS_(function##_##form, n_in, n_out, LOOP)
#define LOOPS_OF_FORMS(function, n_in, n_out, with_mu_sigma, LOOP)                                           \
    GELU_FORMS(LOOPS, function, n_in, n_out, LOOP)
GELU_OF_STORED(LOOPS_OF_FORMS, LOOP_OF_STORED)
GELU_OF_COMPUTED(LOOPS_OF_FORMS, LOOP)

/* Without FMA nothing is gained past the caches: the results take longer to compute than to store. */
#ifdef NO_FMA
#define KERNEL(S, R, name) {name##_##S, name##_##S},
#else
#define KERNEL(S, R, name) {name##_##S, name##_##S##_streaming},
#endif
#define KERNELS_OF_TYPES(form, function) {GELU_TYPES(KERNEL, function##_##form)},
#define KERNELS_OF_FORMS(function, n_in, n_out, with_mu_sigma) {GELU_FORMS(KERNELS_OF_TYPES, function)},
const gelu_kernels PASTE(gelu_kernels_,
                         LEVEL)[][GELU_N_FORMS][GELU_N_TYPES] = {GELU_FUNCTIONS(KERNELS_OF_FORMS)};

#define STRIDES_OF_TYPE(S, R) {S##_pack_strided, S##_unpack_strided},
const gelu_strides PASTE(gelu_strides_, LEVEL)[] = {GELU_TYPES(STRIDES_OF_TYPE)};

#define NEAREST_(name, n_in, n_out)                                                                          \
    static void name##_nearest(char *const *args, ptrdiff_t n)                                               \
    {                                                                                                        \
        nearest(args, n, n_in, n_out, name##_f64, (n_in) == 1 ? f64_again_##name : NULL);                    \
    }
#define NEAREST(form, function, n_in, n_out) NEAREST_(function##_##form, n_in, n_out)
#define NEAREST_OF_FORMS(function, n_in, n_out, with_mu_sigma) GELU_FORMS(NEAREST, function, n_in, n_out)
GELU_FUNCTIONS(NEAREST_OF_FORMS)

#define NEAREST_ROW(form, function) function##_##form##_nearest,
#define NEAREST_ROWS(function, n_in, n_out, with_mu_sigma) {GELU_FORMS(NEAREST_ROW, function)},
gelu_kernel *const PASTE(gelu_nearest_, LEVEL)[][GELU_N_FORMS] = {GELU_FUNCTIONS(NEAREST_ROWS)};

const gelu_random PASTE(gelu_random_, LEVEL) = {random_bits, f32_decide, f64_decide};

#include "scalars.h"
