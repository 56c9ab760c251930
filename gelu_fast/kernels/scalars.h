/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Functions of one number each, for the doors that are called so (include/gelu_fast.h): a vector of that number goes
 * through the function's own group, so a result has the bits that the loops give.
 *
 * Of one input, in the segments, only the exception flag for inexact results may be raised, and it stays, as in C's
 * mathematical functions: to read the flags a second time takes 4 ns (Zen 3, x86-64-v3). A product may also
 * underflow. */
#include "environment.h"

#define SCALAR(R, name, n_in, n_out)                                                                         \
    static void name##_##R##_scalar(const R *x, R *y)                                                        \
    {                                                                                                        \
        const gelu_environment before = gelu_enter_environment();                                            \
        R##v in[n_in];                                                                                       \
        R##_two out[n_out];                                                                                  \
        for (int j = 0; j < n_in; j++)                                                                       \
            in[j] = x[j] - (R##v){0}; /* -0 stays */                                                         \
        const int in_segments = !R##_any(~R##_in_segments_##name(in, 1, 0));                                 \
        if (__builtin_expect(in_segments, 1))                                                                \
            R##_group_##name(in, out, 1, ONE_NUMBER);                                                        \
        else                                                                                                 \
            R##_again_##name(in, out);                                                                       \
        for (int j = 0; j < n_out; j++)                                                                      \
            y[j] = out[j].hi[0];                                                                             \
        if (!in_segments || (n_in) > 1 || !gelu_is_default_environment(before))                              \
            gelu_leave_environment(before);                                                                  \
    }
#define SCALAR_NEAREST(name, n_in, n_out)                                                                    \
    static void name##_nearest_scalar(const f32 *x, f32 *y)                                                  \
    {                                                                                                        \
        const gelu_environment before = gelu_enter_environment();                                            \
        char *args[(n_in) + (n_out)];                                                                        \
        for (int j = 0; j < (n_in) + (n_out); j++)                                                           \
            args[j] = j < (n_in) ? (char *)(x + j) : (char *)(y + j - (n_in));                               \
        name##_nearest(args, 1);                                                                             \
        gelu_leave_environment(before);                                                                      \
    }
#define SCALARS_(name, n_in, n_out)                                                                          \
    SCALAR(f32, name, n_in, n_out) SCALAR(f64, name, n_in, n_out) SCALAR_NEAREST(name, n_in, n_out)
#define SCALARS(form, function, n_in, n_out) SCALARS_(function##_##form, n_in, n_out)
#define SCALARS_OF_FORMS(function, n_in, n_out, with_mu_sigma) GELU_FORMS(SCALARS, function, n_in, n_out)
GELU_FUNCTIONS(SCALARS_OF_FORMS)

#define SCALARS_ROW(form, function)                                                                          \
    {function##_##form##_f32_scalar, function##_##form##_f64_scalar, function##_##form##_nearest_scalar},
#define SCALARS_ROWS(function, n_in, n_out, with_mu_sigma) {GELU_FORMS(SCALARS_ROW, function)},
const gelu_scalars PASTE(gelu_scalars_, LEVEL)[][GELU_N_FORMS] = {GELU_FUNCTIONS(SCALARS_ROWS)};
