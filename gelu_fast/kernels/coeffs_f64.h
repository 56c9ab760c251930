/* SPDX-License-Identifier: BSD-3-Clause */
/* Written by tools/fit.py; change that, not this. */
#ifndef GELU_COEFFS_F64_H
#define GELU_COEFFS_F64_H

#define f64_LOG2E 0x1.71547652b82fep+0 /* 1/ln 2 */
#define f64_LN2_HI 0x1.62e42fefa4p-1 /* ln 2, the first 41 bits */
#define f64_LN2_LO -0x1.8432a1b0e2634p-43 /* and what is left of it */
#define f64_TANH_A_HI 0x1.988453p+0 /* 2 sqrt(2/pi), the first 26 bits */
#define f64_TANH_A_LO 0x1.ea1b284687e5ap-27 /* and what is left of it */
#define f64_TANH_B_HI 0x1.2444f2a4d8b4bp-4 /* 0.044715 times that */
#define f64_TANH_B_LO -0x1.6c843a29d1c7p-61 /* and what is left of it */
#define f64_SIGMOID_HI 0x1.b3b645a1cac08p+0 /* 1.702 */
#define f64_SIGMOID_LO 0x1.89374bc6a7efap-55 /* and what is left of it */
#define f64_MILLS_0_HI 0x1.9884533d43651p-2 /* t exp(t^2/2) Phi(-t) for t to infinity */
#define f64_MILLS_0_LO -0x1.cbc0d30ebfd15p-56 /* and what is left of it */
/* (exp(r) - 1 - r)/r^2 on |r| <= ln(2)/2, highest degree first; relative error 3.1e-18 = 2^-58.2 */
static const f64 f64_EXP[] = {
    0x1.1f25149482504p-29, /* +2.08925372e-09 */
    0x1.af4f038e69386p-26, /* +2.51054675e-08 */
    0x1.27e5093c86437p-22, /* +2.75573388e-07 */
    0x1.71de019521c1ep-19, /* +2.75572547e-06 */
    0x1.a01a01943beb6p-16, /* +2.48015873e-05 */
    0x1.a01a01ac23ee1p-13, /* +0.000198412699 */
    0x1.6c16c16c19291p-10, /* +0.00138888889 */
    0x1.111111111004ap-7, /* +0.00833333333 */
    0x1.5555555555551p-5, /* +0.0416666667 */
    0x1.5555555555557p-3, /* +0.166666667 */
    0x1p-1, /* +0.5 */
};
/* (t exp(t^2/2) Phi(-t) - MILLS_0)/z in z = 1/t^2, highest degree first; relative error 6.2e-19 = 2^-60.5 */
static const f64 f64_MILLS[] = {
    -0x1.cc67a15ef48a5p+29, /* -965538860 */
    0x1.0c1a5def2cc8ap+27, /* +140563183 */
    -0x1.5ed14b130ef41p+23, /* -11495589.5 */
    0x1.7ca34f972c242p+19, /* +779546.487 */
    -0x1.a324b9502b019p+15, /* -53650.3619 */
    0x1.03166c86fffc7p+12, /* +4145.4015 */
    -0x1.78fe6ae000a08p+8, /* -376.993818 */
    0x1.4f1c82f83489p+5, /* +41.8889217 */
    -0x1.7efc0deaabda6p+2, /* -5.98413418 */
    0x1.32633e6dd7b17p+0, /* +1.19682684 */
    -0x1.9884533d435bfp-2, /* -0.39894228 */
};
#define f64_TERMS 10 /* coefficients of a segment in memory */

#define f64_CUTOFF_erf 0x1.35p+5 /* 38.625: gelu(-t) is 0 */
#define f64_END_erf 0x1.05p+3 /* 8.15625: from here on gelu(t) is t to 0.79 ULP */
#define f64_WIDTH_erf 0x1.8p-6 /* 0.0234375 */
#define f64_INNER_erf 16 /* the last inner segment */
extern const f64 f64_ROWS_erf[348][10]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_tanh 0x1.59p+4 /* 21.5625: gelu(-t) is 0 */
#define f64_END_tanh 0x1.c66p+2 /* 7.099609375: from here on gelu(t) is t to 0.78 ULP */
#define f64_WIDTH_tanh 0x1p-6 /* 0.015625 */
#define f64_INNER_tanh 25 /* the last inner segment */
extern const f64 f64_ROWS_tanh[455][10]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_sigmoid 0x1.b97p+8 /* 441.4375: gelu(-t) is 0 */
#define f64_END_sigmoid 0x1.57cp+4 /* 21.484375: from here on gelu(t) is t to 0.80 ULP */
#define f64_WIDTH_sigmoid 0x1p-4 /* 0.0625 */
#define f64_INNER_sigmoid 6 /* the last inner segment */
extern const f64 f64_ROWS_sigmoid[344][10]; /* T(t): c0, c1 ... of each segment */

#endif
