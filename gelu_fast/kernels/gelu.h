/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mathematics of GELU: a contents page. level.h includes this for REAL = f32 and for REAL = f64, on each ISA
 * level. Words in capitals are those of simd.h, or constants, computed by tools/fit.py. gelu_fast/_bounds.py promises
 * the errors, benchmarks/results/accuracy.json holds those found.
 *
 * Every function comes from a curve T(t) of t = |x|. Neither sign of x cancels then, and T needs a good relative
 * error and nothing else:
 *
 *   gelu(x) = max(x, 0) - T(t)                  T(t) = -gelu(-t) = t P(t), where P(t) = 1 - gate(t) = gate(-t)
 *   gate(x) = T(t), or 1 - T(t) for x >= 0      T(t) = gate(-t)
 *   grad(x) likewise                            T(t) = grad(-t) = 1 - grad(t) = P(t) + t P'(t), zero near t = 3/4
 *
 *   0 < t <= TINY         gelu(x) = x/2 to half an ULP; the others 1/2        even.h, odd.h
 *   0, TINY < t <= END    T by a polynomial in each of many segments          table_in_memory.h, table_in_registers.h
 *   END < t <= CUTOFF     T by an exponential and a smooth factor             tail.h
 *   elsewhere             T is 0; NaN gives NaN                               curve.h, which chooses
 *
 * For x > 0 T does not count long before CUTOFF: from FAR on, which needs no tail. float16 and bfloat16 have formulas of
 * their own (half.h), but for sums and quotients.
 *
 * A function times a factor a, dy or up, is rounded once: the curve comes in two parts, and its tail is multiplied
 * while it is lifted above the subnormal numbers. Let 2^-p e be the relative error of the two parts and of the
 * rounding of a lo, p the precision. Then a product y is within 0.5 + 2^-p e |y|/ULP(y), at most 0.5 + e ULP, reached
 * just below a power of two. A subnormal product is rounded to p bits, 0.25 ULP at most, and again when it is
 * unscaled: 0.75 + e/2. tests/exhaustive.py finds e over every float32, tests/worst.json says where; e <= 0.49
 * (curves.py) makes 0.995 ULP. With location and scale, g + b g', two terms with errors e and e', is within 0.5 +
 * max(e, e', |e - e'/2|, |e' - e/2|) ULP of the largest of both and the sum: terms of other signs and nearer sizes
 * cancel, and round more finely.
 *
 * Worst errors in ULP, of 4 10^7 random float32 and 10^6 random float64 a form, and of those aimed at the worst
 * points of the curves (written by tools/readme.py):
 *   without mu and sigma  float32 0.95, float64 0.86
 *   with mu and sigma     float32 0.97, float64 0.84
 *
 * In functions of x alone no product takes or makes a subnormal number, for which Intel's CPUs need 35 ns: with them,
 * all-subnormal float32 took 80 times as long as ordinary input (Granite Rapids, x86-64-v4), and 1.3 times now. Sums
 * and comparisons are free of it. */
#include "two.h"
#ifdef TABLE_IN_REGISTERS
#include "table_in_registers.h"
#else
#include "table_in_memory.h"
#endif
#include "tail.h"
#include "even.h"
#include "odd.h"

#define FAMILY even
#define CURVE erf
#include "curve.h"
#define CURVE tanh
#include "curve.h"
#define CURVE sigmoid
#include "curve.h"
#undef FAMILY
#define FAMILY odd
#define CURVE gate_erf
#include "curve.h"
#define CURVE gate_tanh
#include "curve.h"
#define CURVE gate_sigmoid
#include "curve.h"
#define CURVE grad_erf
#include "curve.h"
#define CURVE grad_tanh
#include "curve.h"
#define CURVE grad_sigmoid
#include "curve.h"
#undef FAMILY

#include "location.h"
#define FORM erf
#include "loc_scale.h"
#define FORM tanh
#include "loc_scale.h"
#define FORM sigmoid
#include "loc_scale.h"

/* The functions, of n vectors each of inputs and outputs: input j of vector i is IN(j), output j OUT(j).
 *
 * in_segments_<function>, usual_<function>   the lanes of vector i that are (curve.h)
 * group_<function>   n vectors side by side, without a branch; `lanes` as of common_<curve> (curve.h)
 * rare_<function>    any lane of n vectors, at most RARE_MOST and a multiple of RARE: loop.h collects them
 * again_<function>   any lane of one vector, and what its rounding lost */
#define IN(j) in[(j) * n + i]
#define OUT(j) out[(j) * n + i]
#define KERNEL(name, in_segments, usual, group, rare, again)                                                 \
    INLINE MASK R(in_segments_##name)(const V *in, int n, int i) { return in_segments; }                     \
    INLINE MASK R(usual_##name)(const V *in, int n, int i) { return usual; }                                 \
    INLINE void R(group_##name)(const V *in, TWO *out, int n, int lanes){group} NOINLINE void R(             \
        rare_##name)(const V *in, V *out, int n){rare} NOINLINE void R(again_##name)(const V *in, TWO *out)  \
    {                                                                                                        \
        enum { n = 1, i = 0 };                                                                               \
        again                                                                                                \
    }
#define EACH(...)                                                                                            \
    for (int i = 0; i < n; i++) {                                                                            \
        __VA_ARGS__                                                                                          \
    }

/* The function of a curve, and a factor times it. */
#define KERNEL_OF(name, curve, point)                                                                        \
    KERNEL(name, R(in_segments_##curve)(point), R(usual_##curve)(point),                                     \
           EACH(OUT(0) = R(common_##curve)(point, lanes);), V x[RARE_MOST];                                  \
           EACH(x[i] = point;) R(rare_##curve)(x, out, n);, OUT(0) = R(any_##curve)(point);)
#define KERNEL_TIMES(name, curve, a, point)                                                                  \
    KERNEL(name, R(in_segments_times_##curve)(a, point), R(usual_times_##curve)(a, point),                   \
           EACH(OUT(0) = R(common_times_##curve)(a, point, lanes);), V as[RARE_MOST];                        \
           V x[RARE_MOST]; EACH(as[i] = a; x[i] = point;) R(rare_times_##curve)(as, x, out, n);              \
           , OUT(0) = R(any_times_##curve)(a, point);)
/* The gradient with location and scale, or a factor times that, rounded. */
#define KERNEL_GRAD(name, form, at, mu, sigma, OF)                                                           \
    KERNEL(name, R(in_segments_gate_##form)(R(standardize)(at, mu, sigma)),                                  \
           R(in_segments_gate_##form)(R(standardize)(at, mu, sigma)),                                        \
           EACH(OUT(0) = OF(R(common_grad_mu_sigma_##form)(R(standardize)(at, mu, sigma),                    \
                                                           R(clamped_quotient)(at, sigma), lanes));),        \
           EACH(OUT(0) = OF(R(rare_grad_mu_sigma_##form)(R(standardize)(at, mu, sigma),                      \
                                                         R(clamped_quotient)(at, sigma)))                    \
                             .hi;),                                                                          \
           OUT(0) = OF(R(rare_grad_mu_sigma_##form)(R(standardize)(at, mu, sigma),                           \
                                                    R(clamped_quotient)(at, sigma)));)
#define ITSELF(grad) grad
#define DY_TIMES(grad) R(two_product)(IN(0), grad.hi)

#define FUNCTIONS(form)                                                                                        \
    KERNEL_OF(gelu_##form, form, IN(0))                                                                        \
    KERNEL_OF(gelu_gate_##form, gate_##form, IN(0))                                                            \
    KERNEL_OF(gelu_grad_##form, grad_##form, IN(0))                                                            \
    KERNEL_TIMES(gelu_backward_##form, grad_##form, IN(0), IN(1))                                              \
    KERNEL_OF(bias_gelu_##form, form, IN(0) + IN(1))                                                           \
    KERNEL_TIMES(geglu_##form, form, IN(1), IN(0))                                                             \
    KERNEL(geglu_backward_##form,                                                                              \
           R(in_segments_times_grad_##form)(IN(0) * IN(2), IN(1)) & R(in_segments_times_##form)(IN(0), IN(1)), \
           R(usual_times_grad_##form)(IN(0) * IN(2), IN(1)) & R(usual_times_##form)(IN(0), IN(1)),             \
           EACH(OUT(0) = R(common_times_grad_##form)(IN(0) * IN(2), IN(1), lanes);                             \
                OUT(1) = R(common_times_##form)(IN(0), IN(1), lanes);),                                        \
           V a[RARE_MOST];                                                                                     \
           EACH(a[i] = IN(0) * IN(2);) R(rare_times_grad_##form)(a, in + n, out, n);                           \
           R(rare_times_##form)(in, in + n, out + n, n);                                                       \
           , OUT(0) = R(any_times_grad_##form)(IN(0) * IN(2), IN(1));                                          \
           OUT(1) = R(any_times_##form)(IN(0), IN(1));)                                                        \
    KERNEL_TIMES(gelu_mu_sigma_##form, gate_##form, MAX(SPLAT(-R(LARGEST)), IN(0)),                            \
                 R(standardize)(IN(0), IN(1), IN(2)))                                                          \
    KERNEL_OF(gelu_gate_mu_sigma_##form, gate_##form, R(standardize)(IN(0), IN(1), IN(2)))                     \
    KERNEL_GRAD(gelu_grad_mu_sigma_##form, form, IN(0), IN(1), IN(2), ITSELF)                                  \
    KERNEL_GRAD(gelu_backward_mu_sigma_##form, form, IN(1), IN(2), IN(3), DY_TIMES)
GELU_FORMS(FUNCTIONS)
#undef FUNCTIONS
#undef KERNEL
#undef EACH
#undef KERNEL_OF
#undef KERNEL_TIMES
#undef KERNEL_GRAD
#undef ITSELF
#undef DY_TIMES
#undef IN
#undef OUT
