/* SPDX-License-Identifier: BSD-3-Clause */
#define LEVEL neon /* compiled with the flags that setup.py gives it */
#include "level.h"
