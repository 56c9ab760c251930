/* SPDX-License-Identifier: BSD-3-Clause */
/* Written by tools/fit.py; change that, not this. */
#ifndef GELU_COEFFS_F32_H
#define GELU_COEFFS_F32_H

#define f32_LOG2E 0x1.715476p+0f /* 1/ln 2 */
#define f32_LN2_HI 0x1.62e8p-1f /* ln 2, the first 14 bits */
#define f32_LN2_LO -0x1.e8082ep-16f /* and what is left of it */
#define f32_TANH_A_HI 0x1.988p+0f /* 2 sqrt(2/pi), the first 12 bits */
#define f32_TANH_A_LO 0x1.14cf5p-14f /* and what is left of it */
#define f32_TANH_B_HI 0x1.2444f2p-4f /* 0.044715 times that */
#define f32_TANH_B_LO 0x1.49b16ap-29f /* and what is left of it */
#define f32_TANH_3B_HI 0x1.b6676cp-3f /* 3 times that */
#define f32_TANH_3B_LO -0x1.175e2p-32f /* and what is left of it */
#define f32_SIGMOID_HI 0x1.b3b646p+0f /* 1.702 */
#define f32_SIGMOID_LO -0x1.78d4fep-26f /* and what is left of it */
#define f32_MILLS_0_HI 0x1.988454p-2f /* t exp(t^2/2) Phi(-t) for t to infinity */
#define f32_MILLS_0_LO -0x1.857936p-27f /* and what is left of it */
/* (exp(r) - 1 - r)/r^2 on |r| <= ln(2)/2, highest degree first; relative error 4.5e-09 = 2^-27.7 */
static const f32 f32_EXP[] = {
    0x1.9d6caap-13f, /* +0.000197136149 */
    0x1.6d2e28p-10f, /* +0.00139305228 */
    0x1.11134ap-7f, /* +0.00833359826 */
    0x1.555502p-5f, /* +0.0416665114 */
    0x1.555554p-3f, /* +0.166666657 */
    0x1p-1f, /* +0.5 */
};
/* (t exp(t^2/2) Phi(-t) - MILLS_0)/z in z = 1/t^2, highest degree first; relative error 3.8e-10 = 2^-31.3 */
static const f32 f32_MILLS[] = {
    0x1.f46d16p+9f, /* +1000.85223 */
    -0x1.fb324cp+7f, /* -253.598236 */
    0x1.37cf3ep+5f, /* +38.9761925 */
    -0x1.7c82cep+2f, /* -5.94548368 */
    0x1.32525ep+0f, /* +1.19656932 */
    -0x1.988428p-2f, /* -0.398941636 */
};
#define f32_TERMS 4 /* coefficients of a segment in memory */
#define f32_LANE_TERMS 7 /* coefficients of a segment in registers */

#define f32_CUTOFF_erf 0x1.ccp+3f /* 14.375: from here on T(t) is 0 */
#define f32_FAR_erf 0x1.64p+2f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_erf 0x1.84p+2f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_erf 0x1.51f4p+2f /* 5.280517578125: the segments' end */
#define f32_WIDTH_erf 0x1.58p-3f /* 0.16796875 */
#define f32_INNER_erf 2 /* the last inner segment */
extern TABLE const f32 f32_LANES_erf[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_erf 0x1.ap+2f /* 6.5: the segments' end */
#define f32_WIDTH_erf 0x1p-7f /* 0.0078125 */
#define f32_INNER_erf 50 /* the last inner segment */
extern TABLE const f32 f32_ROWS_erf[834][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_tanh 0x1.5ap+3f /* 10.8125: from here on T(t) is 0 */
#define f32_FAR_tanh 0x1.4cp+2f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_tanh 0x1.64p+2f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_tanh 0x1.3e4ep+2f /* 4.9735107421875: the segments' end */
#define f32_WIDTH_tanh 0x1.44p-3f /* 0.158203125 */
#define f32_INNER_tanh 2 /* the last inner segment */
extern TABLE const f32 f32_LANES_tanh[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_tanh 0x1.6p+2f /* 5.5: the segments' end */
#define f32_WIDTH_tanh 0x1p-7f /* 0.0078125 */
#define f32_INNER_tanh 50 /* the last inner segment */
extern TABLE const f32 f32_ROWS_tanh[706][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_sigmoid 0x1.fc8p+5f /* 63.5625: from here on T(t) is 0 */
#define f32_FAR_sigmoid 0x1.54p+3f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_sigmoid 0x1.88p+3f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_sigmoid 0x1.3a6p+3f /* 9.82421875: the segments' end */
#define f32_WIDTH_sigmoid 0x1.4p-2f /* 0.3125 */
#define f32_INNER_sigmoid 1 /* the last inner segment */
extern TABLE const f32 f32_LANES_sigmoid[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_sigmoid 0x1p+3f /* 8: the segments' end */
#define f32_WIDTH_sigmoid 0x1p-7f /* 0.0078125 */
#define f32_INNER_sigmoid 50 /* the last inner segment */
extern TABLE const f32 f32_ROWS_sigmoid[1026][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_gate_erf 0x1.c6p+3f /* 14.1875: from here on T(t) is 0 */
#define f32_FAR_gate_erf 0x1.64p+2f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_gate_erf 0x1.84p+2f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_gate_erf 0x1.51f4p+2f /* 5.280517578125: the segments' end */
#define f32_WIDTH_gate_erf 0x1.58p-3f /* 0.16796875 */
#define f32_INNER_gate_erf -1 /* no inner segments */
extern TABLE const f32 f32_LANES_gate_erf[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_gate_erf 0x1.ap+2f /* 6.5: the segments' end */
#define f32_WIDTH_gate_erf 0x1p-7f /* 0.0078125 */
#define f32_INNER_gate_erf -1 /* no inner segments */
extern TABLE const f32 f32_ROWS_gate_erf[834][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_gate_tanh 0x1.56p+3f /* 10.6875: from here on T(t) is 0 */
#define f32_FAR_gate_tanh 0x1.4cp+2f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_gate_tanh 0x1.64p+2f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_gate_tanh 0x1.3284p+2f /* 4.789306640625: the segments' end */
#define f32_WIDTH_gate_tanh 0x1.38p-3f /* 0.15234375 */
#define f32_INNER_gate_tanh -1 /* no inner segments */
extern TABLE const f32 f32_LANES_gate_tanh[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_gate_tanh 0x1.6p+2f /* 5.5: the segments' end */
#define f32_WIDTH_gate_tanh 0x1p-7f /* 0.0078125 */
#define f32_INNER_gate_tanh -1 /* no inner segments */
extern TABLE const f32 f32_ROWS_gate_tanh[706][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_gate_sigmoid 0x1.e9p+5f /* 61.125: from here on T(t) is 0 */
#define f32_FAR_gate_sigmoid 0x1.54p+3f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_gate_sigmoid 0x1.88p+3f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_gate_sigmoid 0x1.3a6p+3f /* 9.82421875: the segments' end */
#define f32_WIDTH_gate_sigmoid 0x1.4p-2f /* 0.3125 */
#define f32_INNER_gate_sigmoid -1 /* no inner segments */
extern TABLE const f32 f32_LANES_gate_sigmoid[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_gate_sigmoid 0x1p+3f /* 8: the segments' end */
#define f32_WIDTH_gate_sigmoid 0x1p-7f /* 0.0078125 */
#define f32_INNER_gate_sigmoid -1 /* no inner segments */
extern TABLE const f32 f32_ROWS_gate_sigmoid[1026][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_grad_erf 0x1.d2p+3f /* 14.5625: from here on T(t) is 0 */
#define f32_FAR_grad_erf 0x1.8cp+2f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_grad_erf 0x1.a8p+2f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_grad_erf 0x1.51f4p+2f /* 5.280517578125: the segments' end */
#define f32_WIDTH_grad_erf 0x1.58p-3f /* 0.16796875 */
#define f32_INNER_grad_erf -1 /* no inner segments */
extern TABLE const f32 f32_LANES_grad_erf[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_grad_erf 0x1.ap+2f /* 6.5: the segments' end */
#define f32_WIDTH_grad_erf 0x1p-7f /* 0.0078125 */
#define f32_INNER_grad_erf -1 /* no inner segments */
extern TABLE const f32 f32_ROWS_grad_erf[834][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_grad_tanh 0x1.5ep+3f /* 10.9375: from here on T(t) is 0 */
#define f32_FAR_grad_tanh 0x1.6cp+2f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_grad_tanh 0x1.8p+2f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_grad_tanh 0x1.3e4ep+2f /* 4.9735107421875: the segments' end */
#define f32_WIDTH_grad_tanh 0x1.44p-3f /* 0.158203125 */
#define f32_INNER_grad_tanh -1 /* no inner segments */
extern TABLE const f32 f32_LANES_grad_tanh[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_grad_tanh 0x1.6p+2f /* 5.5: the segments' end */
#define f32_WIDTH_grad_tanh 0x1p-7f /* 0.0078125 */
#define f32_INNER_grad_tanh -1 /* no inner segments */
extern TABLE const f32 f32_ROWS_grad_tanh[706][4]; /* T(t): c0, c1 ... of each segment */
#endif

#define f32_CUTOFF_grad_sigmoid 0x1.ffp+5f /* 63.875: from here on T(t) is 0 */
#define f32_FAR_grad_sigmoid 0x1.8cp+3f /* for x from here on T does not count in a sum */
#define f32_FAR_TIMES_grad_sigmoid 0x1.c2p+3f /* for x from here on T does not count in the parts of a product */
#ifdef TABLE_IN_REGISTERS
#define f32_END_grad_sigmoid 0x1.f7p+2f /* 7.859375: the segments' end */
#define f32_WIDTH_grad_sigmoid 0x1p-2f /* 0.25 */
#define f32_INNER_grad_sigmoid -1 /* no inner segments */
extern TABLE const f32 f32_LANES_grad_sigmoid[8][32]; /* centers, T(t) there, c1, c2 ... */
#else
#define f32_END_grad_sigmoid 0x1p+3f /* 8: the segments' end */
#define f32_WIDTH_grad_sigmoid 0x1p-7f /* 0.0078125 */
#define f32_INNER_grad_sigmoid -1 /* no inner segments */
extern TABLE const f32 f32_ROWS_grad_sigmoid[1026][4]; /* T(t): c0, c1 ... of each segment */
#endif

#endif
