/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The rows that everything else is made from: forms, curves, functions, storage types. X macros: each list applies
 * ROW to every row, and ROW may get arguments of its own after those of the row. CONTRIBUTING.md says what else a new
 * row needs. */
#ifndef GELU_FUNCTIONS_H
#define GELU_FUNCTIONS_H

/* The forms of GELU: exact (erf), by tanh, by the logistic function. */
#define GELU_FORMS(ROW, ...) ROW(erf, ##__VA_ARGS__) ROW(tanh, ##__VA_ARGS__) ROW(sigmoid, ##__VA_ARGS__)

/* The curves T(t) that all functions come from. gelu.h has a tail_<curve> for each, tables/ its segments. */
#define GELU_EVEN(ROW) ROW(erf) ROW(tanh) ROW(sigmoid)
#define GELU_ODD(ROW)                                                                                        \
    ROW(gate_erf) ROW(gate_tanh) ROW(gate_sigmoid) ROW(grad_erf) ROW(grad_tanh) ROW(grad_sigmoid)
#define GELU_CURVES(ROW) GELU_EVEN(ROW) GELU_ODD(ROW)

/* Function, number of inputs, number of outputs, and the function that takes mu and sigma as well, if there is one.
 * Each has three forms: gelu.h defines group_<function>_<form> and more; <function>_<form> is the name of its ufunc.
 * include/gelu_fast.h promises their numbers, as well as those of forms and types: a row that is not the last one needs
 * a table of numbers in _capi.pxi. */
#define GELU_FUNCTIONS(ROW, ...) GELU_OF_STORED(ROW, ##__VA_ARGS__) GELU_OF_COMPUTED(ROW, ##__VA_ARGS__)

/* The curve is taken at an input as it is stored: float16 and bfloat16 have functions of their own (half.h). */
#define GELU_OF_STORED(ROW, ...)                                                                             \
    ROW(gelu, 1, 1, gelu_mu_sigma, ##__VA_ARGS__)                                                            \
    ROW(gelu_gate, 1, 1, gelu_gate_mu_sigma, ##__VA_ARGS__)                                                  \
    ROW(gelu_grad, 1, 1, gelu_grad_mu_sigma, ##__VA_ARGS__)                                                  \
    ROW(gelu_backward, 2, 1, gelu_backward_mu_sigma, ##__VA_ARGS__)                                          \
    ROW(geglu, 2, 1, none, ##__VA_ARGS__)                                                                    \
    ROW(geglu_backward, 3, 2, none, ##__VA_ARGS__)

/* It is taken at a sum or a quotient, which float16 and bfloat16 compute in float32, as the rest. */
#define GELU_OF_COMPUTED(ROW, ...)                                                                           \
    ROW(gelu_mu_sigma, 3, 1, none, ##__VA_ARGS__)                                                            \
    ROW(gelu_gate_mu_sigma, 3, 1, none, ##__VA_ARGS__)                                                       \
    ROW(gelu_grad_mu_sigma, 3, 1, none, ##__VA_ARGS__)                                                       \
    ROW(gelu_backward_mu_sigma, 4, 1, none, ##__VA_ARGS__)                                                   \
    ROW(bias_gelu, 2, 1, none, ##__VA_ARGS__)

/* Storage type, and the type that its kernels compute in. NumPy's own come first, ordered as NumPy promotes them, and
 * then those of ml_dtypes. */
#define GELU_TYPES(ROW, ...)                                                                                 \
    ROW(f16, f32, ##__VA_ARGS__)                                                                             \
    ROW(f32, f32, ##__VA_ARGS__)                                                                             \
    ROW(f64, f64, ##__VA_ARGS__)                                                                             \
    ROW(bf16, f32, ##__VA_ARGS__)

#define GELU_FORM_NUMBER(form, ...) GELU_FORM_##form,
#define GELU_FUNCTION_NUMBER(function, n_in, n_out, with_mu_sigma, ...) GELU_F_##function,
#define GELU_TYPE_NUMBER(type, real, ...) GELU_T_##type,
enum { GELU_FORMS(GELU_FORM_NUMBER) GELU_N_FORMS };
enum { GELU_FUNCTIONS(GELU_FUNCTION_NUMBER) GELU_N_FUNCTIONS, GELU_F_none = -1 };
enum { GELU_TYPES(GELU_TYPE_NUMBER) GELU_N_TYPES };
#undef GELU_FORM_NUMBER
#undef GELU_FUNCTION_NUMBER
#undef GELU_TYPE_NUMBER

#endif
