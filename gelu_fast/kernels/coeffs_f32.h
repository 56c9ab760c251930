/* SPDX-License-Identifier: BSD-3-Clause */
/* Written by tools/fit.py; change that, not this. */
#ifndef GELU_COEFFS_F32_H
#define GELU_COEFFS_F32_H

#define f32_LOG2E 0x1.715476p+0f /* 1/ln 2 */
#define f32_LN2_HI 0x1.62e8p-1f /* ln 2, the first 14 bits */
#define f32_LN2_LO -0x1.e8082ep-16f /* and what is left of it */
#define f32_TANH_A_HI 0x1.988454p+0f /* 2 sqrt(2/pi) */
#define f32_TANH_A_LO -0x1.857936p-25f /* and what is left of it */
#define f32_TANH_B_HI 0x1.2444f2p-4f /* 0.044715 times that */
#define f32_TANH_B_LO 0x1.49b16ap-29f /* and what is left of it */
#define f32_SIGMOID_HI 0x1.b3b646p+0f /* 1.702 */
#define f32_SIGMOID_LO -0x1.78d4fep-26f /* and what is left of it */
#define f32_CUTOFF_erf 0x1.ccp+3f /* 14.375: gelu(-t) is 0 and gelu(t) is t */
#define f32_CUTOFF_tanh 0x1.5ap+3f /* 10.8125: gelu(-t) is 0 and gelu(t) is t */
#define f32_CUTOFF_sigmoid 0x1.fc8p+5f /* 63.5625: gelu(-t) is 0 and gelu(t) is t */

/* (exp(r) - 1 - r)/r^2 on |r| <= ln(2)/2, highest degree first; relative error 1.3e-07 = 2^-22.9 */
static const f32 f32_EXP[] = {
    0x1.6c8bf2p-10f, /* +0.00139063515 */
    0x1.120aeep-7f, /* +0.00836311933 */
    0x1.555584p-5f, /* +0.0416667536 */
    0x1.5554dep-3f, /* +0.166665778 */
    0x1p-1f, /* +0.5 */
};
#define f32_ERFCX_CENTER 0x1p-3f /* 1/(t + 4) minus this is exact for t <= 12 */

/* (t + 4) exp(t^2/2) Phi(-t) in u = 1/(t + 4) - ERFCX_CENTER, highest degree first; relative error 1.8e-08 = 2^-25.7 */
static const f32 f32_ERFCX[] = {
    -0x1.0c7278p+15f, /* -34361.2344 */
    0x1.8d6da4p+14f, /* +25435.4102 */
    0x1.7a4854p+11f, /* +3026.26025 */
    -0x1.a6e2dcp+11f, /* -3383.08936 */
    -0x1.cb5c1ap+9f, /* -918.719543 */
    0x1.edef68p+7f, /* +246.96759 */
    0x1.eed0b4p+7f, /* +247.407623 */
    0x1.7dff58p+6f, /* +95.4993591 */
    0x1.8c6d9cp+4f, /* +24.7767601 */
    0x1.373e3ap+2f, /* +4.86317301 */
};
#define f32_ERFCX_0 0x1.82b4bcp-1f /* the constant term */

#endif
