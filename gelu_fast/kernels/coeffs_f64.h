/* SPDX-License-Identifier: BSD-3-Clause */
/* Written by tools/fit.py; change that, not this. */
#ifndef GELU_COEFFS_F64_H
#define GELU_COEFFS_F64_H

#define f64_LOG2E 0x1.71547652b82fep+0 /* 1/ln 2 */
#define f64_LN2_HI 0x1.62e42fefa4p-1 /* ln 2, the first 41 bits */
#define f64_LN2_LO -0x1.8432a1b0e2634p-43 /* and what is left of it */
#define f64_TANH_A_HI 0x1.9884533d43651p+0 /* 2 sqrt(2/pi) */
#define f64_TANH_A_LO -0x1.cbc0d30ebfd15p-54 /* and what is left of it */
#define f64_TANH_B_HI 0x1.2444f2a4d8b4bp-4 /* 0.044715 times that */
#define f64_TANH_B_LO -0x1.6c843a29d1c7p-61 /* and what is left of it */
#define f64_SIGMOID_HI 0x1.b3b645a1cac08p+0 /* 1.702 */
#define f64_SIGMOID_LO 0x1.89374bc6a7efap-55 /* and what is left of it */
#define f64_CUTOFF_erf 0x1.35p+5 /* 38.625: gelu(-t) is 0 and gelu(t) is t */
#define f64_CUTOFF_tanh 0x1.59p+4 /* 21.5625: gelu(-t) is 0 and gelu(t) is t */
#define f64_CUTOFF_sigmoid 0x1.b97p+8 /* 441.4375: gelu(-t) is 0 and gelu(t) is t */

/* (exp(r) - 1 - r)/r^2 on |r| <= ln(2)/2, highest degree first; relative error 3.1e-18 = 2^-58.1 */
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
#define f64_ERFCX_CENTER 0x1p-3 /* 1/(t + 4) minus this is exact for t <= 12 */

/* (t + 4) exp(t^2/2) Phi(-t) in u = 1/(t + 4) - ERFCX_CENTER, highest degree first; relative error 3e-17 = 2^-54.9 */
static const f64 f64_ERFCX[] = {
    0x1.ad141f5358d5cp+38, /* +4.60719642e+11 */
    -0x1.65fab6c67255dp+37, /* -1.92188701e+11 */
    -0x1.256495677788ap+34, /* -1.96892645e+10 */
    0x1.572762aee002bp+34, /* +2.3028665e+10 */
    -0x1.bb7b5d531dd71p+30, /* -1.86009788e+09 */
    -0x1.71aedcda0bcp+30, /* -1.55056313e+09 */
    0x1.4bff58c4a4822p+28, /* +348124556 */
    0x1.249d6ced4f525p+26, /* +76707251.7 */
    -0x1.12292b342e90cp+25, /* -35934806.4 */
    -0x1.525358141d2a1p+21, /* -2771563.01 */
    0x1.8d4a3e6f070dfp+21, /* +3254599.8 */
    0x1.80df5dffe1e43p+15, /* +49263.6836 */
    -0x1.26d096192d775p+18, /* -301890.345 */
    -0x1.00216a0b8c4a5p+11, /* -2049.04419 */
    0x1.e4a4257166668p+14, /* +31017.0366 */
    0x1.17a4b05e1863bp+11, /* +2237.14653 */
    -0x1.ab825fc160678p+11, /* -3420.07419 */
    -0x1.c81719d90be9p+9, /* -912.180476 */
    0x1.ee276104808ecp+7, /* +247.076912 */
    0x1.eec4cc3e50c6p+7, /* +247.384371 */
    0x1.7dff2bff683a1p+6, /* +95.4991913 */
    0x1.8c6dbf2cfc281p+4, /* +24.7767936 */
    0x1.373e3a893c28ap+2, /* +4.86317314 */
};
#define f64_ERFCX_0 0x1.82b4bb8c94dcep-1 /* the constant term */

#endif
