# SPDX-License-Identifier: BSD-3-Clause
# The door for Cython: include/gelu_fast.h, which says what each does. Call import_gelu_fast() once in a module.

cdef extern from "gelu_fast.h":
    int import_gelu_fast() except -1

cdef extern from "gelu_fast.h" nogil:
    enum:
        GELU_FAST_API_VERSION
    enum gelu_fast_function:
        GELU_FAST_GELU
        GELU_FAST_GELU_GATE
        GELU_FAST_GELU_GRAD
        GELU_FAST_GELU_BACKWARD
        GELU_FAST_GEGLU
        GELU_FAST_GEGLU_BACKWARD
        GELU_FAST_GELU_MU_SIGMA
        GELU_FAST_GELU_GATE_MU_SIGMA
        GELU_FAST_GELU_GRAD_MU_SIGMA
        GELU_FAST_GELU_BACKWARD_MU_SIGMA
        GELU_FAST_BIAS_GELU
    enum gelu_fast_form:
        GELU_FAST_EXACT
        GELU_FAST_TANH
        GELU_FAST_SIGMOID
    enum gelu_fast_type:
        GELU_FAST_FLOAT16
        GELU_FAST_FLOAT32
        GELU_FAST_FLOAT64
        GELU_FAST_BFLOAT16
    enum gelu_fast_status:
        GELU_FAST_OK
        GELU_FAST_BAD_FUNCTION
        GELU_FAST_BAD_FORM
        GELU_FAST_BAD_TYPE
        GELU_FAST_BAD_LENGTH
        GELU_FAST_BAD_THREADS
        GELU_FAST_BAD_POINTER
        GELU_FAST_BAD_ALIGNMENT
        GELU_FAST_BAD_NDIM

    int apply "gelu_fast_apply" (int function, int form, int type, ptrdiff_t n, const void *const *inputs,
                                 void *const *outputs, const ptrdiff_t *steps, int threads) noexcept
    int apply_nd "gelu_fast_apply_nd" (int function, int form, int type, int ndim, const ptrdiff_t *shape,
                                       const void *const *inputs, void *const *outputs, const ptrdiff_t *strides,
                                       int threads) noexcept
    const char *describe "gelu_fast_describe" (int status) noexcept

    double gelu "gelu_fast_gelu" (double x, int form) noexcept
    double gelu_gate "gelu_fast_gelu_gate" (double x, int form) noexcept
    double gelu_grad "gelu_fast_gelu_grad" (double x, int form) noexcept
    double gelu_backward "gelu_fast_gelu_backward" (double dy, double x, int form) noexcept
    double geglu "gelu_fast_geglu" (double gate, double up, int form) noexcept
    double bias_gelu "gelu_fast_bias_gelu" (double x, double bias, int form) noexcept
    double gelu_mu_sigma "gelu_fast_gelu_mu_sigma" (double x, double mu, double sigma, int form) noexcept
    double gelu_gate_mu_sigma "gelu_fast_gelu_gate_mu_sigma" (double x, double mu, double sigma, int form) noexcept
    double gelu_grad_mu_sigma "gelu_fast_gelu_grad_mu_sigma" (double x, double mu, double sigma, int form) noexcept
    double gelu_backward_mu_sigma "gelu_fast_gelu_backward_mu_sigma" (
        double dy, double x, double mu, double sigma, int form) noexcept
    void geglu_backward "gelu_fast_geglu_backward" (
        double dy, double gate, double up, int form, double *d_gate, double *d_up) noexcept

    float geluf "gelu_fast_geluf" (float x, int form) noexcept
    float gelu_gatef "gelu_fast_gelu_gatef" (float x, int form) noexcept
    float gelu_gradf "gelu_fast_gelu_gradf" (float x, int form) noexcept
    float gelu_backwardf "gelu_fast_gelu_backwardf" (float dy, float x, int form) noexcept
    float gegluf "gelu_fast_gegluf" (float gate, float up, int form) noexcept
    float bias_geluf "gelu_fast_bias_geluf" (float x, float bias, int form) noexcept
    float gelu_mu_sigmaf "gelu_fast_gelu_mu_sigmaf" (float x, float mu, float sigma, int form) noexcept
    float gelu_gate_mu_sigmaf "gelu_fast_gelu_gate_mu_sigmaf" (float x, float mu, float sigma, int form) noexcept
    float gelu_grad_mu_sigmaf "gelu_fast_gelu_grad_mu_sigmaf" (float x, float mu, float sigma, int form) noexcept
    float gelu_backward_mu_sigmaf "gelu_fast_gelu_backward_mu_sigmaf" (
        float dy, float x, float mu, float sigma, int form) noexcept
    void geglu_backwardf "gelu_fast_geglu_backwardf" (
        float dy, float gate, float up, int form, float *d_gate, float *d_up) noexcept
