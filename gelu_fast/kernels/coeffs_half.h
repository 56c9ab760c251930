/* SPDX-License-Identifier: BSD-3-Clause */
/* Written by tools/fit.py and fit_half.py; change these, not this. half.h says what each is for. */
#ifndef GELU_COEFFS_HALF_H
#define GELU_COEFFS_HALF_H

#define HALF_ZERO_HI 0x1.80ead2p-1f /* t0 of erf, where the gradient is zero */
#define HALF_ZERO_LO -0x1.a03fd4p-27f /* and what is left of it */

#define f16_CUTOFF_erf 0x1.1cp+3f /* 8.875 */
#define f16_VANISHING_erf 0x1.cb8p+3f /* 14.359375 */
static const f32 f16_EXP2_erf[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 f16_V_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
static const f32 f16_N_erf[] = {
    0x1.b7f85ap-7f,
    0x1.a85af2p-4f,
    0x1.551116p-2f,
    0x1p-1f,
};
static const f32 f16_D_erf[] = {
    0x1.13e10ep-5f,
    0x1.095952p-2f,
    0x1.c02e98p-1f,
    0x1.76ca92p+0f,
    0x1p+0f,
};
#define f16_CUTOFF_tanh 0x1.e4p+2f /* 7.5625 */
#define f16_VANISHING_tanh 0x1.58cp+3f /* 10.7734375 */
static const f32 f16_EXP2_tanh[] = {
    -0x1.a06124p-13f,
    -0x1.55a702p-10f,
    0x1.3ebfe8p-7f,
    -0x1.c6c34cp-5f,
    0x1.ebf7b4p-3f,
    -0x1.62e41cp-1f,
    0x1.000002p+0f,
};
static const f32 f16_V_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3d661ep-15f,
    0x1.a5a7dp-4f,
};
#define f16_CUTOFF_sigmoid 0x1.99p+4f /* 25.5625 */
#define f16_VANISHING_sigmoid 0x1.fc4p+5f /* 63.53125 */
static const f32 f16_EXP2_sigmoid[] = {
    0x1.a21d9ep-13f,
    -0x1.5e1ap-10f,
    0x1.3a9f44p-7f,
    -0x1.c6b6b6p-5f,
    0x1.ebfcb4p-3f,
    -0x1.62e41cp-1f,
    0x1p+0f,
};
static const f32 f16_V_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a119b8p-14f,
};
#define f16_CUTOFF_gate_erf 0x1.14p+3f /* 8.625 */
static const f32 f16_EXP2_gate_erf[] = {
    0x1.832cd4p-13f,
    -0x1.655eb6p-10f,
    0x1.3ade06p-7f,
    -0x1.c69bep-5f,
    0x1.ebf0dcp-3f,
    -0x1.62dc58p-1f,
    0x1.fff4c4p-1f,
};
#define f16_V_gate_erf f16_V_erf
static const f32 f16_N_gate_erf[] = {
    0x1.b95fe6p-7f,
    0x1.a989bcp-4f,
    0x1.55c7c6p-2f,
    0x1.00059ep-1f,
};
static const f32 f16_D_gate_erf[] = {
    0x1.14ba0ap-5f,
    0x1.0a16ccp-2f,
    0x1.c102fp-1f,
    0x1.77224p+0f,
    0x1p+0f,
};
#define f16_CUTOFF_gate_tanh 0x1.d8p+2f /* 7.375 */
static const f32 f16_EXP2_gate_tanh[] = {
    0x1.426d24p-12f,
    -0x1.850f7ep-10f,
    0x1.3a025p-7f,
    -0x1.c65674p-5f,
    0x1.ebfbf2p-3f,
    -0x1.62e486p-1f,
    0x1.000002p+0f,
};
static const f32 f16_V_gate_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3eb6e4p-15f,
    0x1.a5a7dp-4f,
};
#define f16_CUTOFF_gate_sigmoid 0x1.7ap+4f /* 23.625 */
#define f16_EXP2_gate_sigmoid f16_EXP2_erf
static const f32 f16_V_gate_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a11c08p-14f,
};
#define f16_CUTOFF_grad_erf 0x1.24p+3f /* 9.125 */
#define f16_VANISHING_grad_erf 0x1.d18p+3f /* 14.546875 */
static const f32 f16_EXP2_grad_erf[] = {
    -0x1.a6f0a6p-13f,
    -0x1.71ea78p-10f,
    0x1.3fa46ap-7f,
    -0x1.c64d3p-5f,
    0x1.ebca52p-3f,
    -0x1.62c5eap-1f,
    0x1.ffd3eap-1f,
};
#define f16_V_grad_erf f16_V_erf
static const f32 f16_N_grad_erf[] = {
    0x1.07e148p-5f,
    0x1.c74aeep-3f,
    0x1.30efb8p-1f,
    0x1.54a26ep-1f,
};
static const f32 f16_D_grad_erf[] = {
    0x1.4ab86cp-4f,
    0x1.fbaa26p-2f,
    0x1.292b32p+0f,
    0x1p+0f,
};
#define f16_EXP2_times_erf f16_EXP2_erf
#define f16_V_times_erf f16_V_erf
static const f32 f16_N_times_erf[] = {
    0x1.0767ep-5f,
    0x1.c66aeep-3f,
    0x1.307d56p-1f,
    0x1.54851ap-1f,
};
static const f32 f16_D_times_erf[] = {
    0x1.4a3d86p-4f,
    0x1.fad52cp-2f,
    0x1.28e918p+0f,
    0x1p+0f,
};
#define f16_CUTOFF_grad_tanh 0x1.fp+2f /* 7.75 */
#define f16_VANISHING_grad_tanh 0x1.5ccp+3f /* 10.8984375 */
static const f32 f16_EXP2_grad_tanh[] = {
    0x1.8dc68ap-13f,
    -0x1.7ea868p-10f,
    0x1.3a5a14p-7f,
    -0x1.c6556p-5f,
    0x1.ebfd3ep-3f,
    -0x1.62e492p-1f,
    0x1p+0f,
};
static const f32 f16_V_grad_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3d8d7ap-15f,
    0x1.a5a7dp-4f,
};
static const f32 f16_FALLS_grad_tanh[] = {
    -0x1.988p+0f,
    -0x1.1523fp-14f,
    -0x1.b6676cp-3f,
};
#define f16_EXP2_times_tanh f16_EXP2_erf
static const f32 f16_V_times_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3de432p-15f,
    0x1.a5a7dp-4f,
};
static const f32 f16_FALLS_times_tanh[] = {
    -0x1.988p+0f,
    -0x1.14cf5p-14f,
    -0x1.b6676cp-3f,
    -0x1.44p-28f,
};
#define f16_CUTOFF_grad_sigmoid 0x1.9ep+4f /* 25.875 */
#define f16_VANISHING_grad_sigmoid 0x1.fecp+5f /* 63.84375 */
static const f32 f16_EXP2_grad_sigmoid[] = {
    0x1.b76824p-13f,
    -0x1.6c53dep-10f,
    0x1.3afe9ap-7f,
    -0x1.c6964p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e448p-1f,
    0x1.fffffep-1f,
};
static const f32 f16_V_grad_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a12264p-14f,
};
static const f32 f16_FALLS_grad_sigmoid[] = {
    -0x1.b3bp+0f,
    -0x1.916eep-14f,
    0.f,
};
#define f16_EXP2_times_sigmoid f16_EXP2_erf
#define f16_V_times_sigmoid f16_V_gate_sigmoid
static const f32 f16_FALLS_times_sigmoid[] = {
    -0x1.b3bp+0f,
    -0x1.916872p-14f,
    0.f,
    -0x1.5ap-27f,
};

#define bf16_CUTOFF_erf 0x1.ccp+3f /* 14.375 */
#define bf16_VANISHING_erf 0x1.cb8p+3f /* 14.359375 */
static const f32 bf16_EXP2_erf[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
#define bf16_V_erf f16_V_erf
static const f32 bf16_N_erf[] = {
    0x1.16f642p-6f,
    0x1.e994bap-4f,
    0x1.72bc6cp-2f,
    0x1p-1f,
};
static const f32 bf16_D_erf[] = {
    0x1.5daa8ap-5f,
    0x1.3298dap-2f,
    0x1.e8357ap-1f,
    0x1.859f84p+0f,
    0x1p+0f,
};
#define bf16_CUTOFF_tanh 0x1.5ap+3f /* 10.8125 */
#define bf16_VANISHING_tanh 0x1.58cp+3f /* 10.7734375 */
#define bf16_EXP2_tanh bf16_EXP2_erf
#define bf16_V_tanh f16_V_times_tanh
#define bf16_CUTOFF_sigmoid 0x1.fc8p+5f /* 63.5625 */
#define bf16_VANISHING_sigmoid 0x1.fc4p+5f /* 63.53125 */
#define bf16_EXP2_sigmoid bf16_EXP2_erf
#define bf16_V_sigmoid f16_V_gate_sigmoid
#define bf16_CUTOFF_gate_erf 0x1.c6p+3f /* 14.1875 */
#define bf16_EXP2_gate_erf bf16_EXP2_erf
#define bf16_V_gate_erf f16_V_erf
#define bf16_N_gate_erf bf16_N_erf
#define bf16_D_gate_erf bf16_D_erf
#define bf16_CUTOFF_gate_tanh 0x1.56p+3f /* 10.6875 */
#define bf16_EXP2_gate_tanh bf16_EXP2_erf
#define bf16_V_gate_tanh f16_V_times_tanh
#define bf16_CUTOFF_gate_sigmoid 0x1.e9p+5f /* 61.125 */
#define bf16_EXP2_gate_sigmoid bf16_EXP2_erf
#define bf16_V_gate_sigmoid f16_V_gate_sigmoid
#define bf16_CUTOFF_grad_erf 0x1.d2p+3f /* 14.5625 */
#define bf16_VANISHING_grad_erf 0x1.d18p+3f /* 14.546875 */
#define bf16_EXP2_grad_erf bf16_EXP2_erf
#define bf16_V_grad_erf f16_V_erf
static const f32 bf16_N_grad_erf[] = {
    0x1.37453ap-5f,
    0x1.f65ea8p-3f,
    0x1.41173ap-1f,
    0x1.54851ap-1f,
};
static const f32 bf16_D_grad_erf[] = {
    0x1.8625d8p-4f,
    0x1.16067p-1f,
    0x1.3564f4p+0f,
    0x1p+0f,
};
#define bf16_EXP2_times_erf bf16_EXP2_erf
#define bf16_V_times_erf f16_V_erf
#define bf16_N_times_erf bf16_N_grad_erf
#define bf16_D_times_erf bf16_D_grad_erf
#define bf16_CUTOFF_grad_tanh 0x1.5ep+3f /* 10.9375 */
#define bf16_VANISHING_grad_tanh 0x1.5ccp+3f /* 10.8984375 */
#define bf16_EXP2_grad_tanh f16_EXP2_erf
#define bf16_V_grad_tanh f16_V_times_tanh
static const f32 bf16_FALLS_grad_tanh[] = {
    -0x1.988p+0f,
    -0x1.14cf5p-14f,
    -0x1.b6676cp-3f,
};
#define bf16_EXP2_times_tanh f16_EXP2_erf
#define bf16_V_times_tanh f16_V_times_tanh
static const f32 bf16_FALLS_times_tanh[] = {
    -0x1.988p+0f,
    -0x1.14cf5p-14f,
    -0x1.b6676cp-3f,
    -0x1p-26f,
};
#define bf16_CUTOFF_grad_sigmoid 0x1.ffp+5f /* 63.875 */
#define bf16_VANISHING_grad_sigmoid 0x1.fecp+5f /* 63.84375 */
#define bf16_EXP2_grad_sigmoid f16_EXP2_erf
#define bf16_V_grad_sigmoid f16_V_gate_sigmoid
static const f32 bf16_FALLS_grad_sigmoid[] = {
    -0x1.b3bp+0f,
    -0x1.916872p-14f,
    0.f,
};
#define bf16_EXP2_times_sigmoid f16_EXP2_erf
#define bf16_V_times_sigmoid f16_V_gate_sigmoid
static const f32 bf16_FALLS_times_sigmoid[] = {
    -0x1.b3bp+0f,
    -0x1.916872p-14f,
    0.f,
    -0x1.8p-28f,
};

#endif
