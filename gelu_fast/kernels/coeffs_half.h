/* SPDX-License-Identifier: BSD-3-Clause */
/* Written by tools/fit.py; change that, not this. What they are is said in half.h. */
#ifndef GELU_COEFFS_HALF_H
#define GELU_COEFFS_HALF_H

#define HALF_ZERO_HI 0x1.80ead2p-1f /* t0 of erf, where the gradient is zero */
#define HALF_ZERO_LO -0x1.a03fd4p-27f /* and what is left of it */

#define f16_CUTOFF_erf 0x1.e4p+2f /* 7.5625 */
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
    0x1.a99fcap-7f,
    0x1.9fddfep-4f,
    0x1.50e73p-2f,
    0x1p-1f,
};
static const f32 f16_D_erf[] = {
    0x1.0aed7ep-5f,
    0x1.03f1c4p-2f,
    0x1.babc3cp-1f,
    0x1.74b5a6p+0f,
    0x1p+0f,
};
#define f16_CUTOFF_tanh 0x1.a8p+2f /* 6.625 */
#define f16_VANISHING_tanh 0x1.58cp+3f /* 10.7734375 */
static const f32 f16_EXP2_tanh[] = {
    -0x1.ee2c6p-13f,
    -0x1.54842p-10f,
    0x1.3f438ap-7f,
    -0x1.c6c4eap-5f,
    0x1.ebf6fep-3f,
    -0x1.62e41cp-1f,
    0x1.000002p+0f,
};
static const f32 f16_V_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3d715cp-15f,
    0x1.a5a7dp-4f,
};
#define f16_CUTOFF_sigmoid 0x1.2ep+4f /* 18.875 */
#define f16_VANISHING_sigmoid 0x1.fc4p+5f /* 63.53125 */
static const f32 f16_EXP2_sigmoid[] = {
    0x1.6f418ep-12f,
    -0x1.636152p-10f,
    0x1.38d58ep-7f,
    -0x1.c6a0dcp-5f,
    0x1.ebffd8p-3f,
    -0x1.62e444p-1f,
    0x1.fffffep-1f,
};
static const f32 f16_V_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a10f5cp-14f,
};
#define f16_CUTOFF_gate_erf 0x1.dp+2f /* 7.25 */
#define f16_VANISHING_gate_erf 0x1.c58p+3f /* 14.171875 */
static const f32 f16_EXP2_gate_erf[] = {
    0x1.653b2p-14f,
    -0x1.58fffap-10f,
    0x1.3b513ap-7f,
    -0x1.c6b5bp-5f,
    0x1.ebf2bp-3f,
    -0x1.62dd16p-1f,
    0x1.fff5dap-1f,
};
static const f32 f16_V_gate_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
static const f32 f16_N_gate_erf[] = {
    0x1.aa7ba2p-7f,
    0x1.a14402p-4f,
    0x1.51eafep-2f,
    0x1.000514p-1f,
};
static const f32 f16_D_gate_erf[] = {
    0x1.0b6d2cp-5f,
    0x1.04d7dp-2f,
    0x1.bbdb44p-1f,
    0x1.75346ep+0f,
    0x1p+0f,
};
#define f16_CUTOFF_gate_tanh 0x1.9cp+2f /* 6.4375 */
#define f16_VANISHING_gate_tanh 0x1.56p+3f /* 10.6875 */
static const f32 f16_EXP2_gate_tanh[] = {
    0x1.d93236p-12f,
    -0x1.874194p-10f,
    0x1.3769dcp-7f,
    -0x1.c64dcp-5f,
    0x1.ec01f2p-3f,
    -0x1.62e49ep-1f,
    0x1.000002p+0f,
};
static const f32 f16_V_gate_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3c6a48p-15f,
    0x1.a5a7cep-4f,
};
#define f16_CUTOFF_gate_sigmoid 0x1.12p+4f /* 17.125 */
#define f16_VANISHING_gate_sigmoid 0x1.e8cp+5f /* 61.09375 */
static const f32 f16_EXP2_gate_sigmoid[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 f16_V_gate_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a11c08p-14f,
};
#define f16_CUTOFF_grad_erf 0x1.f4p+2f /* 7.8125 */
#define f16_VANISHING_grad_erf 0x1.d18p+3f /* 14.546875 */
static const f32 f16_EXP2_grad_erf[] = {
    0x1.1925p-10f,
    -0x1.a4dff6p-10f,
    0x1.33a91ap-7f,
    -0x1.c5d986p-5f,
    0x1.eba488p-3f,
    -0x1.62a2dap-1f,
    0x1.ffa18ap-1f,
};
static const f32 f16_V_grad_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
static const f32 f16_N_grad_erf[] = {
    0x1.0000ep-5f,
    0x1.bf2a92p-3f,
    0x1.2e11a6p-1f,
    0x1.54c3f8p-1f,
};
static const f32 f16_D_grad_erf[] = {
    0x1.40c032p-4f,
    0x1.f30d44p-2f,
    0x1.26ed2p+0f,
    0x1p+0f,
};
static const f32 f16_EXP2_times_erf[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 f16_V_times_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
static const f32 f16_N_times_erf[] = {
    0x1.01048ep-5f,
    0x1.bfb70ep-3f,
    0x1.2e0bc2p-1f,
    0x1.54851ap-1f,
};
static const f32 f16_D_times_erf[] = {
    0x1.424222p-4f,
    0x1.f3d902p-2f,
    0x1.2712bep+0f,
    0x1p+0f,
};
#define f16_CUTOFF_grad_tanh 0x1.b8p+2f /* 6.875 */
#define f16_VANISHING_grad_tanh 0x1.5ccp+3f /* 10.8984375 */
static const f32 f16_EXP2_grad_tanh[] = {
    -0x1.caaeap-15f,
    -0x1.763fp-10f,
    0x1.3cf96ap-7f,
    -0x1.c66d86p-5f,
    0x1.ebfb2p-3f,
    -0x1.62e48ap-1f,
    0x1p+0f,
};
static const f32 f16_V_grad_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3d95d6p-15f,
    0x1.a5a7dp-4f,
};
static const f32 f16_FALLS_grad_tanh[] = {
    -0x1.988p+0f,
    -0x1.15392ap-14f,
    -0x1.b6676cp-3f,
};
static const f32 f16_EXP2_times_tanh[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
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
#define f16_CUTOFF_grad_sigmoid 0x1.33p+4f /* 19.1875 */
#define f16_VANISHING_grad_sigmoid 0x1.fecp+5f /* 63.84375 */
static const f32 f16_EXP2_grad_sigmoid[] = {
    0x1.1d08ap-13f,
    -0x1.67edc4p-10f,
    0x1.3beacap-7f,
    -0x1.c6a424p-5f,
    0x1.ebfa8ep-3f,
    -0x1.62e436p-1f,
    0x1.fffffep-1f,
};
static const f32 f16_V_grad_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a129bcp-14f,
};
static const f32 f16_FALLS_grad_sigmoid[] = {
    -0x1.b3bp+0f,
    -0x1.9137a6p-14f,
    0.f,
};
static const f32 f16_EXP2_times_sigmoid[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 f16_V_times_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a11c08p-14f,
};
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
static const f32 bf16_V_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
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
static const f32 bf16_EXP2_tanh[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
static const f32 bf16_V_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3de432p-15f,
    0x1.a5a7dp-4f,
};
#define bf16_CUTOFF_sigmoid 0x1.fc8p+5f /* 63.5625 */
#define bf16_VANISHING_sigmoid 0x1.fc4p+5f /* 63.53125 */
static const f32 bf16_EXP2_sigmoid[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
static const f32 bf16_V_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a11c08p-14f,
};
#define bf16_CUTOFF_gate_erf 0x1.c6p+3f /* 14.1875 */
#define bf16_VANISHING_gate_erf 0x1.c58p+3f /* 14.171875 */
static const f32 bf16_EXP2_gate_erf[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
static const f32 bf16_V_gate_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
static const f32 bf16_N_gate_erf[] = {
    0x1.16f642p-6f,
    0x1.e994bap-4f,
    0x1.72bc6cp-2f,
    0x1p-1f,
};
static const f32 bf16_D_gate_erf[] = {
    0x1.5daa8ap-5f,
    0x1.3298dap-2f,
    0x1.e8357ap-1f,
    0x1.859f84p+0f,
    0x1p+0f,
};
#define bf16_CUTOFF_gate_tanh 0x1.56p+3f /* 10.6875 */
#define bf16_VANISHING_gate_tanh 0x1.56p+3f /* 10.6875 */
static const f32 bf16_EXP2_gate_tanh[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
static const f32 bf16_V_gate_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3de432p-15f,
    0x1.a5a7dp-4f,
};
#define bf16_CUTOFF_gate_sigmoid 0x1.e9p+5f /* 61.125 */
#define bf16_VANISHING_gate_sigmoid 0x1.e8cp+5f /* 61.09375 */
static const f32 bf16_EXP2_gate_sigmoid[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
static const f32 bf16_V_gate_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a11c08p-14f,
};
#define bf16_CUTOFF_grad_erf 0x1.d2p+3f /* 14.5625 */
#define bf16_VANISHING_grad_erf 0x1.d18p+3f /* 14.546875 */
static const f32 bf16_EXP2_grad_erf[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
static const f32 bf16_V_grad_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
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
static const f32 bf16_EXP2_times_erf[] = {
    -0x1.5ac9ccp-10f,
    0x1.3cec2p-7f,
    -0x1.c6b9e8p-5f,
    0x1.ebf9b6p-3f,
    -0x1.62e426p-1f,
    0x1p+0f,
};
static const f32 bf16_V_times_erf[] = {
    0x1.715476p-1f,
    0x1.8p-1f,
    -0x1.d57136p-6f,
};
static const f32 bf16_N_times_erf[] = {
    0x1.37453ap-5f,
    0x1.f65ea8p-3f,
    0x1.41173ap-1f,
    0x1.54851ap-1f,
};
static const f32 bf16_D_times_erf[] = {
    0x1.8625d8p-4f,
    0x1.16067p-1f,
    0x1.3564f4p+0f,
    0x1p+0f,
};
#define bf16_CUTOFF_grad_tanh 0x1.5ep+3f /* 10.9375 */
#define bf16_VANISHING_grad_tanh 0x1.5ccp+3f /* 10.8984375 */
static const f32 bf16_EXP2_grad_tanh[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 bf16_V_grad_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3de432p-15f,
    0x1.a5a7dp-4f,
};
static const f32 bf16_FALLS_grad_tanh[] = {
    -0x1.988p+0f,
    -0x1.14cf5p-14f,
    -0x1.b6676cp-3f,
};
static const f32 bf16_EXP2_times_tanh[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 bf16_V_times_tanh[] = {
    0x1.26aec2p+1f,
    0x1.26bp+1f,
    -0x1.3de432p-15f,
    0x1.a5a7dp-4f,
};
static const f32 bf16_FALLS_times_tanh[] = {
    -0x1.988p+0f,
    -0x1.14cf5p-14f,
    -0x1.b6676cp-3f,
    -0x1p-26f,
};
#define bf16_CUTOFF_grad_sigmoid 0x1.ffp+5f /* 63.875 */
#define bf16_VANISHING_grad_sigmoid 0x1.fecp+5f /* 63.84375 */
static const f32 bf16_EXP2_grad_sigmoid[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 bf16_V_grad_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a11c08p-14f,
};
static const f32 bf16_FALLS_grad_sigmoid[] = {
    -0x1.b3bp+0f,
    -0x1.916872p-14f,
    0.f,
};
static const f32 bf16_EXP2_times_sigmoid[] = {
    0x1.3f9082p-13f,
    -0x1.5f0a6ap-10f,
    0x1.3b30bp-7f,
    -0x1.c6af78p-5f,
    0x1.ebfbd8p-3f,
    -0x1.62e43p-1f,
    0x1p+0f,
};
static const f32 bf16_V_times_sigmoid[] = {
    0x1.3a4cbep+1f,
    0x1.3a5p+1f,
    -0x1.a11c08p-14f,
};
static const f32 bf16_FALLS_times_sigmoid[] = {
    -0x1.b3bp+0f,
    -0x1.916872p-14f,
    0.f,
    -0x1.8p-28f,
};

#endif
