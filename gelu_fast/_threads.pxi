# SPDX-License-Identifier: BSD-3-Clause
# How many threads compute a large array: the user, OpenMP and the control group decide. Included in _core.pyx.

cdef enum:
    MAX_THREADS = 1024

cdef atomic_int requested_threads = 0  # 0: as many as OpenMP would use, and the CPUs that a quota leaves
cdef int initial_threads = omp_get_max_threads()
cdef atomic_int threads_when_requested = initial_threads
cdef int quota = cpu_quota(MAX_THREADS)

gelu_pool_init()


cdef int thread_count() noexcept nogil:
    cdef int openmp = omp_get_max_threads(), requested = requested_threads
    if not GELU_POOL:
        return 1
    if requested == 0:
        return min(openmp, quota)
    # OpenMP's maximum has changed: threadpoolctl, or another library, has set a limit.
    if openmp < initial_threads or openmp != threads_when_requested:
        return min(openmp, requested)
    return requested


def get_num_threads():
    """
    The number of threads that a large array is split over.

    Returns
    -------
    int
        The number that `set_num_threads` was given. By default OpenMP's maximum (``OMP_NUM_THREADS``, the CPUs that
        this process may use, or the limit that threadpoolctl set); unless ``OMP_NUM_THREADS`` is set, the CPU quota of
        the process's control group, rounded up, limits it. A forked child has the same number. Elsewhere than on Linux
        it is always 1.

    Notes
    -----
    The process has one pool of threads, which serves one call at a time. A call that finds it busy with another Python
    thread's call computes on its own thread alone. The result is the same.

    See Also
    --------
    set_num_threads
    """
    return thread_count()


def set_num_threads(n):
    """
    Set the number of threads that a large array is split over, for the whole process.

    Parameters
    ----------
    n : int or None
        From 1 to 1024. It replaces ``OMP_NUM_THREADS``. A limit that threadpoolctl sets still holds, if it is less than
        OpenMP's maximum at import, or differs from OpenMP's maximum at the time of this call. None restores the default
        (see `get_num_threads`). Forked children inherit the number.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If `n` is less than 1 or more than 1024.

    See Also
    --------
    get_num_threads

    Notes
    -----
    Threads start with the first large call that needs them, and stay. Where the system refuses some, the others
    compute; the next call of this function asks for the missing ones again.
    """
    global requested_threads, threads_when_requested
    cdef int wanted
    if n is None:
        requested_threads = 0
        return
    n = operator.index(n)
    if not 1 <= n <= MAX_THREADS:
        raise ValueError(f"the number of threads must be from 1 to {MAX_THREADS}, not {n}")
    wanted = n
    threads_when_requested = omp_get_max_threads()
    requested_threads = wanted
    gelu_pool_retry()
