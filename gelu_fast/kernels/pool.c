/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pool: threads that stay, and one job at a time, cut into chunks. The calling thread takes chunks from the front,
 * helpers take them from the back. A call waits for chunks that a helper has begun, and for nothing else: a helper that
 * comes late, or never, as in a forked child, costs it nothing.
 *
 * A parallel region of OpenMP for each call was the way before. It ends in a barrier, which waits until the system has
 * given every thread a CPU: on a busy machine 1 to 4 ms for 20 us of work. Between regions libgomp's threads spin for
 * GOMP_SPINCOUNT turns, some milliseconds, in which the next matrix product starves (18.5 ms for 11.2; 1760 x 1536 float32,
 * 2 cores, Zen 3). And a forked child, whose thread seems to own a team that did not survive, waits for it forever.
 *
 * The helpers are POSIX threads: OpenMP's count in libgomp, whose threads give up spinning where there are more than CPUs,
 * those of other libraries too (torch.neg of 120 000 elements 74 us for 10). Where the user has OpenMP bind threads to
 * places, the helpers are the threads of one parallel region, which stays open: OpenMP knows the places. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "pool.h"

#if GELU_POOL

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__SSE2__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif

enum {
    SPINS = 1000,          /* before a thread sleeps: some 20 us (Zen 3) */
    CHUNK = 4096,          /* elements, or a multiple of that */
    LARGEST_CHUNK = 65536, /* where the number of chunks allows it */
    CHUNKS_A_THREAD = 32,
    /* Elements that are worth a system call to wake helpers, some 3 us. Helpers that the call before has left awake help
     * with fewer. */
    WAKE_FROM = 65536,
    HELD_UP = 50000,       /* ns; and longer than CHUNKS chunks take */
    CHUNKS = 3,
    PENALTY = 16,        /* times as long as helpers have held a call up, calls are computed alone, */
    LONGEST = 200000000, /* but no longer than so many ns */
};

/* Seats for helpers that have not joined, first chunk left, end of the chunks left, and the number of the job, modulo. */
#define SEAT ((uint64_t)1 << 52)
#define FIRST ((uint64_t)1 << 32)
#define END ((uint64_t)1 << 12)
#define SEATS(s) ((s) >> 52)
#define FIRST_OF(s) ((ptrdiff_t)((s) >> 32 & 0xfffff))
#define END_OF(s) ((ptrdiff_t)((s) >> 12 & 0xfffff))
#define JOB_OF(s) ((unsigned)((s) & 0xfff))
#define MOST_CHUNKS 0xfffff

static struct {
    _Alignas(64) _Atomic uint64_t state;
    _Alignas(64) _Atomic uint32_t posted; /* jobs, modulo 2^32: helpers sleep on it */
    _Atomic uint32_t sleepers;
    _Alignas(64) _Atomic uint32_t finished; /* chunks, by helpers: the caller sleeps on it */
    _Atomic uint32_t caller_sleeps;
    _Alignas(64) _Atomic int taken; /* by a call */
    _Atomic int most_helpers;       /* that the system gives */
    /* Of the call that has the pool. A helper reads the job between a chunk's claim and its end. */
    gelu_share *share;
    const void *job;
    ptrdiff_t n, chunk;
    int helpers;         /* that serve, or will soon */
    int64_t alone_until; /* ns, or 0 */
} pool = {.most_helpers = INT_MAX};

static void sleep_on(_Atomic uint32_t *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}
static void wake(_Atomic uint32_t *word, int threads)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
}
static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The number of a chunk that is this thread's now, or -1. A claim succeeds only while the job has chunks left, and the
 * job stays until they are finished: a thread that slept since it read `state` can do no harm. (A helper that slept for
 * a multiple of 4096 jobs takes itself for one that has joined: one thread more than wanted.) */
static ptrdiff_t claim_first(void)
{
    uint64_t s = atomic_load(&pool.state);
    while (FIRST_OF(s) < END_OF(s))
        if (atomic_compare_exchange_weak(&pool.state, &s, s + FIRST))
            return FIRST_OF(s);
    return -1;
}
static ptrdiff_t claim_last(unsigned *joined)
{
    uint64_t s = atomic_load(&pool.state);
    while (FIRST_OF(s) < END_OF(s) && (JOB_OF(s) == *joined || SEATS(s) > 0))
        if (atomic_compare_exchange_weak(&pool.state, &s, s - END - (JOB_OF(s) == *joined ? 0 : SEAT))) {
            *joined = JOB_OF(s);
            return END_OF(s) - 1;
        }
    return -1;
}

static void compute(ptrdiff_t chunk)
{
    const ptrdiff_t start = chunk * pool.chunk, left = pool.n - start;
    pool.share(pool.job, start, start + (left < pool.chunk ? left : pool.chunk));
}

static void *serve(void *unused)
{
    unsigned joined = UINT_MAX;
    for (;;) {
        const uint32_t seen = atomic_load(&pool.posted);
        for (ptrdiff_t chunk; (chunk = claim_last(&joined)) >= 0;) {
            compute(chunk);
            atomic_fetch_add(&pool.finished, 1);
            if (atomic_load(&pool.caller_sleeps))
                wake(&pool.finished, 1);
        }
        for (int i = 0; i < SPINS && atomic_load_explicit(&pool.posted, memory_order_relaxed) == seen; i++)
            PAUSE();
        atomic_fetch_add(&pool.sleepers, 1);
        if (atomic_load(&pool.posted) == seen)
            sleep_on(&pool.posted, seen);
        atomic_fetch_sub(&pool.sleepers, 1);
    }
    return unused;
}

/* ---- threads from the system ---- */

typedef struct {
    gelu_open *open;
    int threads;
} region;

void gelu_pool_serve(int number)
{
    while (number == 0)
        pause(); /* at a place that a calling thread has; signals are blocked */
    serve(NULL);
}

static void *open_region(void *arg)
{
    const region wanted = *(region *)arg;
    free(arg);
    wanted.open(wanted.threads);
    return NULL;
}

/* Whether the system starts a thread, on these CPUs if they are known. musl has no attribute for them. */
static int start_one(pthread_attr_t *attributes, const cpu_set_t *cpus, void *(*life)(void *), void *arg)
{
    pthread_t thread;
#ifdef __GLIBC__
    if (cpus != NULL)
        pthread_attr_setaffinity_np(attributes, sizeof *cpus, cpus);
    return pthread_create(&thread, attributes, life, arg) == 0;
#else
    const int started = pthread_create(&thread, attributes, life, arg) == 0;
    if (started && cpus != NULL)
        pthread_setaffinity_np(thread, sizeof *cpus, cpus);
    return started;
#endif
}

/* How many of so many threads the system starts. Signals are for the threads of the program; the CPUs are those of its
 * main thread, whichever thread calls first. */
static int start(int threads, void *(*life)(void *), void *arg)
{
    int n = 0;
    pthread_attr_t attributes;
    sigset_t all, before;
    cpu_set_t cpus;
    if (pthread_attr_init(&attributes) != 0)
        return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int known = sched_getaffinity(getpid(), sizeof cpus, &cpus) == 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (n < threads && start_one(&attributes, known ? &cpus : NULL, life, arg))
        n++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return n;
}

/* Until there are so many, or as many as the system gives. */
static void add_helpers(int wanted, gelu_open *open)
{
    const int missing = wanted - pool.helpers;
    int n = 0;
    if (open == NULL)
        n = start(missing, serve, NULL);
    else {
        region *arg = malloc(sizeof *arg);
        if (arg != NULL)
            *arg = (region){open, missing + 1};
        if (arg != NULL && start(1, open_region, arg) == 1)
            n = missing;
        else
            free(arg);
    }
    pool.helpers += n;
    if (n < missing)
        atomic_store(&pool.most_helpers, pool.helpers);
}

void gelu_pool_retry(void) { atomic_store(&pool.most_helpers, INT_MAX); }

/* A child has none of the threads, and a call that had the pool runs on in the parent alone. */
static void forget(void)
{
    atomic_store(&pool.state, 0);
    atomic_store(&pool.sleepers, 0);
    atomic_store(&pool.caller_sleeps, 0);
    atomic_store(&pool.taken, 0);
    pool.helpers = 0;
    pool.alone_until = 0;
    gelu_pool_retry();
}

void gelu_pool_init(void) { pthread_atfork(NULL, NULL, forget); }

/* ---- a call ---- */

/* Where other processes want the CPUs too, helpers cost more than they gain: the system takes the CPU from one in the
 * midst of a chunk, or gives it the CPU of the thread that woke it. Either may happen again. */
static void held_up_since(int64_t start, int64_t usual)
{
    const int64_t end = now(), time = end - start;
    if (time >= HELD_UP && time >= usual)
        pool.alone_until = end + (time < LONGEST / PENALTY ? PENALTY * time : LONGEST);
}

/* This thread has computed `own` chunks since `begin`. */
static void wait_until_finished(uint32_t chunks, int64_t begin, ptrdiff_t own)
{
    uint32_t finished = 0;
    for (int i = 0; i < SPINS && (finished = atomic_load(&pool.finished)) != chunks; i++)
        PAUSE();
    if (finished == chunks)
        return;
    const int64_t start = now();
    atomic_store(&pool.caller_sleeps, 1);
    while ((finished = atomic_load(&pool.finished)) != chunks)
        sleep_on(&pool.finished, finished);
    atomic_store(&pool.caller_sleeps, 0);
    held_up_since(start, own > 0 ? CHUNKS * (start - begin) / own : 0);
}

static int is_alone(void)
{
    if (pool.alone_until != 0 && now() >= pool.alone_until)
        pool.alone_until = 0;
    return pool.alone_until != 0;
}

int gelu_pool_run(gelu_share *share, const void *job, ptrdiff_t n, int threads, int size, gelu_open *open)
{
    const int most = atomic_load(&pool.most_helpers), helpers = threads - 1 < most ? threads - 1 : most;
    const int wanted = size - 1 < most ? size - 1 : most;
    if (helpers <= 0 || atomic_exchange(&pool.taken, 1))
        return 0;
    if (is_alone()) {
        atomic_store(&pool.taken, 0);
        return 0;
    }
    if (wanted > pool.helpers)
        add_helpers(wanted, open);

    ptrdiff_t chunk = n / (CHUNKS_A_THREAD * threads);
    chunk = chunk < LARGEST_CHUNK ? chunk : n / MOST_CHUNKS > LARGEST_CHUNK ? n / MOST_CHUNKS : LARGEST_CHUNK;
    chunk = (chunk / CHUNK + 1) * CHUNK;
    const ptrdiff_t chunks = (n + chunk - 1) / chunk;
    pool.share = share, pool.job = job, pool.n = n, pool.chunk = chunk;
    atomic_store(&pool.finished, 0);
    const unsigned number = JOB_OF(atomic_load(&pool.state) + 1);
    atomic_store(&pool.state, (uint64_t)helpers * SEAT + (uint64_t)chunks * END + number);
    atomic_fetch_add(&pool.posted, 1);
    if (n >= WAKE_FROM && atomic_load(&pool.sleepers) > 0) {
        const int64_t start = now();
        wake(&pool.posted, helpers);
        held_up_since(start, 0);
    }
    const int64_t begin = now();
    for (ptrdiff_t next; (next = claim_first()) >= 0;)
        compute(next);
    const ptrdiff_t own = END_OF(atomic_load(&pool.state));
    wait_until_finished((uint32_t)(chunks - own), begin, own);
    atomic_store(&pool.taken, 0);
    return 1;
}

#else

int gelu_pool_run(gelu_share *share, const void *job, ptrdiff_t n, int threads, int size, gelu_open *open)
{
    (void)share, (void)job, (void)n, (void)threads, (void)size, (void)open;
    return 0;
}
void gelu_pool_serve(int number) { (void)number; }
void gelu_pool_retry(void) {}
void gelu_pool_init(void) {}

#endif
