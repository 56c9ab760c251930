/* SPDX-License-Identifier: BSD-3-Clause
 *
 * float64: how its bits are laid out. The coefficients are computed by tools/fit.py. */
#ifndef GELU_F64_H
#define GELU_F64_H

#include "simd.h"
#include "coeffs_f64.h"

#define f64_MANTISSA_BITS 52
#define f64_EXPONENT_BIAS 1023
#define f64_ROUNDER 0x1.8p52 /* x + ROUNDER has an integer in its last bits */
#define f64_MIN_NORMAL 0x1p-1022
#define f64_LARGEST 0x1.fffffffffffffp1023
#define f64_SIGN 0x8000000000000000u

#endif
