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
#define f64_TANH_3B_HI 0x1.b6676bf7450fp-3 /* 3 times that */
#define f64_TANH_3B_LO 0x1.bba7351828aabp-57 /* and what is left of it */
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
/* (t exp(t^2/2) Phi(-t) - MILLS_0)/z in z = 1/t^2, highest degree first; relative error 4.5e-19 = 2^-60.9 */
static const f64 f64_MILLS[] = {
    0x1.186cada884268p+40, /* +1.20441416e+12 */
    -0x1.1f3755e086c51p+38, /* -3.08395997e+11 */
    0x1.1eb7ae2c39fbp+35, /* +3.84825716e+10 */
    -0x1.8058bcbd665f4p+31, /* -3.22413321e+09 */
    0x1.99d867504083bp+27, /* +214876987 */
    -0x1.8d35b6748666p+23, /* -13015771.2 */
    0x1.8698ccb051448p+19, /* +799942.397 */
    -0x1.a49420d273245p+15, /* -53834.0641 */
    0x1.03283a43c8226p+12, /* +4146.51422 */
    -0x1.78ff8ed5986cbp+8, /* -376.998273 */
    0x1.4f1c88e9d42d7p+5, /* +41.888933 */
    -0x1.7efc0dfd055f1p+2, /* -5.98413419 */
    0x1.32633e6de66e6p+0, /* +1.19682684 */
    -0x1.9884533d43608p-2, /* -0.39894228 */
};
#define f64_TERMS 8 /* coefficients of a segment in memory */

#define f64_CUTOFF_erf 0x1.35p+5 /* 38.625: from here on T(t) is 0 */
#define f64_FAR_erf 0x1.0cp+3 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_erf 0x1.18p+3 /* for x from here on T does not count in the parts of a product */
#define f64_END_erf 0x1.8p+2 /* 6: the segments' end */
#define f64_WIDTH_erf 0x1p-6 /* 0.015625 */
#define f64_INNER_erf 25 /* the last inner segment */
extern TABLE const f64 f64_ROWS_erf[386][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_tanh 0x1.59p+4 /* 21.5625: from here on T(t) is 0 */
#define f64_FAR_tanh 0x1.dp+2 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_tanh 0x1.dcp+2 /* for x from here on T does not count in the parts of a product */
#define f64_END_tanh 0x1.4p+2 /* 5: the segments' end */
#define f64_WIDTH_tanh 0x1.8p-7 /* 0.01171875 */
#define f64_INNER_tanh 34 /* the last inner segment */
extern TABLE const f64 f64_ROWS_tanh[429][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_sigmoid 0x1.b97p+8 /* 441.4375: from here on T(t) is 0 */
#define f64_FAR_sigmoid 0x1.67p+4 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_sigmoid 0x1.81p+4 /* for x from here on T does not count in the parts of a product */
#define f64_END_sigmoid 0x1p+3 /* 8: the segments' end */
#define f64_WIDTH_sigmoid 0x1.4p-6 /* 0.01953125 */
#define f64_INNER_sigmoid 20 /* the last inner segment */
extern TABLE const f64 f64_ROWS_sigmoid[412][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_gate_erf 0x1.34p+5 /* 38.5: from here on T(t) is 0 */
#define f64_FAR_gate_erf 0x1.0cp+3 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_gate_erf 0x1.18p+3 /* for x from here on T does not count in the parts of a product */
#define f64_END_gate_erf 0x1.8p+2 /* 6: the segments' end */
#define f64_WIDTH_gate_erf 0x1p-6 /* 0.015625 */
#define f64_INNER_gate_erf -1 /* no inner segments */
extern TABLE const f64 f64_ROWS_gate_erf[386][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_gate_tanh 0x1.59p+4 /* 21.5625: from here on T(t) is 0 */
#define f64_FAR_gate_tanh 0x1.dp+2 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_gate_tanh 0x1.dcp+2 /* for x from here on T does not count in the parts of a product */
#define f64_END_gate_tanh 0x1.4p+2 /* 5: the segments' end */
#define f64_WIDTH_gate_tanh 0x1.8p-7 /* 0.01171875 */
#define f64_INNER_gate_tanh -1 /* no inner segments */
extern TABLE const f64 f64_ROWS_gate_tanh[429][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_gate_sigmoid 0x1.b5dp+8 /* 437.8125: from here on T(t) is 0 */
#define f64_FAR_gate_sigmoid 0x1.67p+4 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_gate_sigmoid 0x1.81p+4 /* for x from here on T does not count in the parts of a product */
#define f64_END_gate_sigmoid 0x1p+3 /* 8: the segments' end */
#define f64_WIDTH_gate_sigmoid 0x1.4p-6 /* 0.01953125 */
#define f64_INNER_gate_sigmoid -1 /* no inner segments */
extern TABLE const f64 f64_ROWS_gate_sigmoid[412][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_grad_erf 0x1.358p+5 /* 38.6875: from here on T(t) is 0 */
#define f64_FAR_grad_erf 0x1.1cp+3 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_grad_erf 0x1.26p+3 /* for x from here on T does not count in the parts of a product */
#define f64_END_grad_erf 0x1.8p+2 /* 6: the segments' end */
#define f64_WIDTH_grad_erf 0x1p-6 /* 0.015625 */
#define f64_INNER_grad_erf -1 /* no inner segments */
extern TABLE const f64 f64_ROWS_grad_erf[386][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_grad_tanh 0x1.5ap+4 /* 21.625: from here on T(t) is 0 */
#define f64_FAR_grad_tanh 0x1.e4p+2 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_grad_tanh 0x1.f4p+2 /* for x from here on T does not count in the parts of a product */
#define f64_END_grad_tanh 0x1.4p+2 /* 5: the segments' end */
#define f64_WIDTH_grad_tanh 0x1.8p-7 /* 0.01171875 */
#define f64_INNER_grad_tanh -1 /* no inner segments */
extern TABLE const f64 f64_ROWS_grad_tanh[429][8]; /* T(t): c0, c1 ... of each segment */

#define f64_CUTOFF_grad_sigmoid 0x1.b9cp+8 /* 441.75: from here on T(t) is 0 */
#define f64_FAR_grad_sigmoid 0x1.8ap+4 /* for x from here on T does not count in a sum */
#define f64_FAR_TIMES_grad_sigmoid 0x1.a4p+4 /* for x from here on T does not count in the parts of a product */
#define f64_END_grad_sigmoid 0x1p+3 /* 8: the segments' end */
#define f64_WIDTH_grad_sigmoid 0x1.4p-6 /* 0.01953125 */
#define f64_INNER_grad_sigmoid -1 /* no inner segments */
extern TABLE const f64 f64_ROWS_grad_sigmoid[412][8]; /* T(t): c0, c1 ... of each segment */

#endif
