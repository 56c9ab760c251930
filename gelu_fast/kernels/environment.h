/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The floating-point environment: rounding mode, flush-to-zero, denormals-are-zero, traps and exception flags.
 * Kernels run in the default one, on each thread; afterwards the thread's own is back, flags included, so that no
 * kernel raises any.
 *
 * fesetenv touches the x87 unit as well, which takes many times as long. On x86-64 a load of MXCSR is what costs: in
 * an environment that is the default but for its flags there is at most one. */
#ifndef GELU_ENVIRONMENT_H
#define GELU_ENVIRONMENT_H

#if defined(__SSE2__)

#include <emmintrin.h>
typedef unsigned int gelu_environment;
enum { GELU_MXCSR = 0x1f80, GELU_MXCSR_FLAGS = 0x3f };
/* But for its flags. */
static inline int gelu_is_default_environment(gelu_environment it)
{
    return (it & ~(unsigned)GELU_MXCSR_FLAGS) == GELU_MXCSR;
}
static inline gelu_environment gelu_enter_environment(void)
{
    const gelu_environment before = _mm_getcsr();
    if (!gelu_is_default_environment(before))
        _mm_setcsr(GELU_MXCSR);
    return before;
}
static inline void gelu_leave_environment(gelu_environment before)
{
    if (_mm_getcsr() != before)
        _mm_setcsr(before);
}

#elif defined(__aarch64__)

#include <stdint.h>
typedef struct {
    uint64_t control, status;
} gelu_environment;
static inline int gelu_is_default_environment(gelu_environment it) { return (void)it, 0; } /* unknown */
static inline gelu_environment gelu_enter_environment(void)
{
    gelu_environment before;
    __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr\n\tmsr fpcr, xzr"
                     : "=r"(before.control), "=r"(before.status)
                     :
                     : "memory");
    return before;
}
static inline void gelu_leave_environment(gelu_environment before)
{
    __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(before.control), "r"(before.status) : "memory");
}

#else

#include <fenv.h>
typedef fenv_t gelu_environment;
static inline int gelu_is_default_environment(gelu_environment it) { return (void)it, 0; } /* unknown */
static inline gelu_environment gelu_enter_environment(void)
{
    gelu_environment before;
    fegetenv(&before);
    fesetenv(FE_DFL_ENV);
    return before;
}
static inline void gelu_leave_environment(gelu_environment before) { fesetenv(&before); }

#endif

#endif
