/* SPDX-License-Identifier: BSD-3-Clause
 *
 * float32: how its bits are laid out. The coefficients are computed by tools/fit.py. */
#ifndef GELU_F32_H
#define GELU_F32_H

#include "simd.h"
#include "coeffs_f32.h"

#define f32_MANTISSA_BITS 23
#define f32_EXPONENT_BIAS 127
#define f32_ROUNDER 0x1.8p23f /* x + ROUNDER has an integer in its last bits */
#define f32_MIN_NORMAL 0x1p-126f
#define f32_LARGEST 0x1.fffffep127f
#define f32_SIGN 0x80000000u

#endif
