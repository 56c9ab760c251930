/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pool: the threads that help with large arrays, one pool for the process. */
#ifndef GELU_POOL_H
#define GELU_POOL_H

#include <stddef.h>

/* Whether there is one: elsewhere than on Linux a call is computed by its own thread. */
#if defined(__linux__)
#define GELU_POOL 1
#else
#define GELU_POOL 0
#endif

/* Elements start to stop of a job. */
typedef void gelu_share(const void *job, ptrdiff_t start, ptrdiff_t stop);

/* Opens a parallel region, in which thread i calls gelu_pool_serve(i). */
typedef void gelu_open(int threads);

/* All n elements, on this thread and at most `threads - 1` helpers. The pool is brought to `size - 1` of them,
 * whatever the job, so that threads do not come and go; where OpenMP binds threads, `open` opens a parallel region
 * for them, on a thread of its own, and is else NULL. False, and nothing is computed, where this thread had better
 * compute alone. */
int gelu_pool_run(gelu_share *share, const void *job, ptrdiff_t n, int threads, int size, gelu_open *open);

/* The life of thread `number` of such a region: 0 sleeps, the others help. Does not return. */
void gelu_pool_serve(int number);

/* Ask the system once more for threads that it has refused. */
void gelu_pool_retry(void);

/* Once, before all else. */
void gelu_pool_init(void);

#endif
