/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ISA levels that this build has, and how to tell whether the CPU has them. Compiled without ISA flags. */
#include "kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define FUNCTION_ROW(name, n_in, n_out, with_mu_sigma) {#name, n_in, n_out, GELU_F_##with_mu_sigma},
const gelu_function gelu_functions[] = {GELU_FUNCTIONS(FUNCTION_ROW)};

#define FORM_NAME(name) #name,
const char *const gelu_forms[] = {GELU_FORMS(FORM_NAME)};

#define TYPE_NAME(name, real) #name,
const char *const gelu_types[] = {GELU_TYPES(TYPE_NAME)};

#if defined(__clang__)
const char gelu_compiler[] = __VERSION__; /* names itself */
#else
const char gelu_compiler[] = "GCC " __VERSION__;
#endif

static int always(void) { return 1; }

#if defined(__x86_64__)
/* By the instruction itself: __builtin_cpu_supports needs a library that clang-cl does not link, and zig's copy of
 * it reports nothing. AVX2 and AVX-512 count only if the operating system saves their registers. */
enum { SAVED_V3 = 0x6, SAVED_V4 = 0xe6 };

static int has(unsigned saved, unsigned features)
{
    const unsigned first = bit_FMA | bit_OSXSAVE;
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & first) != first)
        return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & saved) == saved && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & features) == features;
}

static int has_v3(void) { return has(SAVED_V3, bit_AVX2 | bit_BMI | bit_BMI2); }

static int has_v4(void)
{
    return has_v3() && has(SAVED_V4, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL);
}
#endif

#if defined(__x86_64__)
#define GELU_LEVELS(ROW)                                                                                     \
    ROW(baseline, "baseline", always)                                                                        \
    ROW(x86_v3, "x86-64-v3", has_v3)                                                                         \
    ROW(x86_v4, "x86-64-v4", has_v4)
#elif defined(__aarch64__)
#define GELU_LEVELS(ROW) ROW(neon, "neon", always)
#else
#define GELU_LEVELS(ROW) ROW(baseline, "baseline", always)
#endif

#define DECLARE(level, name, supported)                                                                      \
    extern const gelu_kernels gelu_kernels_##level[][GELU_N_FORMS][GELU_N_TYPES];                            \
    extern gelu_kernel *const gelu_nearest_##level[][GELU_N_FORMS];                                          \
    extern const gelu_scalars gelu_scalars_##level[][GELU_N_FORMS];                                          \
    extern const gelu_strides gelu_strides_##level[];                                                        \
    extern const gelu_random gelu_random_##level;
#define LEVEL_ROW(level, name, supported)                                                                    \
    {name,                                                                                                   \
     supported,                                                                                              \
     gelu_kernels_##level,                                                                                   \
     gelu_nearest_##level,                                                                                   \
     gelu_scalars_##level,                                                                                   \
     gelu_strides_##level,                                                                                   \
     &gelu_random_##level},
GELU_LEVELS(DECLARE)
const gelu_level gelu_levels[] = {GELU_LEVELS(LEVEL_ROW){0}};
