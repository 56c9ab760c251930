/* SPDX-License-Identifier: BSD-3-Clause */
#define LEVEL x86_v4 /* compiled with the flags that setup.py gives it */
#include "level.h"
