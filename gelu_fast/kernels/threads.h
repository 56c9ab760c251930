/* SPDX-License-Identifier: BSD-3-Clause
 *
 * OpenMP, or one thread where the compiler has none. */
#ifndef GELU_THREADS_H
#define GELU_THREADS_H

#ifdef _OPENMP
#include <omp.h>
#define GELU_OPENMP _OPENMP
#else
static inline int omp_get_max_threads(void) { return 1; }
static inline int omp_get_proc_bind(void) { return 0; }
#define GELU_OPENMP 0
#endif

#endif
