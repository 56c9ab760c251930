/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel_driver LEVEL FUNCTION_FORM TYPE [CONTROL] reads raw elements from stdin, all of the first input first, runs one
 * kernel, and writes the outputs to stdout, all of the first output first. The kernel's streaming twin runs as well, and
 * must give the same bits. CONTROL, in hex, is the floating-point control register (FPCR, MXCSR) that the caller has set;
 * it must have the same value afterwards.
 * Where the CPU has neither, it is C's rounding mode (fesetround).
 *
 * kernel_driver LEVEL writes to stdout random words, decisions of stochastic GELU, and operands of many strides, packed
 * and unpacked. They must be the same on every ISA level.
 *
 * The driver is linked with the kernels and nothing else, as test_emulated.py runs it on an emulated CPU without Python. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#endif

#include "environment.h"
#include "kernels.h"

#if defined(__aarch64__)
static unsigned long control(void)
{
    unsigned long word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
}
static void set_control(unsigned long word) { __asm__ volatile("msr fpcr, %0" : : "r"(word)); }
static unsigned long flags(void)
{
    unsigned long word;
    __asm__ volatile("mrs %0, fpsr" : "=r"(word));
    return word;
}
#elif defined(__SSE2__)
static unsigned long control(void) { return _mm_getcsr() & ~0x3fu; }
static void set_control(unsigned long word) { _mm_setcsr((unsigned)word); }
static unsigned long flags(void) { return _mm_getcsr() & 0x3f; }
#else
static unsigned long control(void) { return (unsigned long)fegetround(); }
static void set_control(unsigned long word) { fesetround((int)word); }
static unsigned long flags(void) { return (unsigned long)fetestexcept(FE_ALL_EXCEPT); }
#endif

static void refuse(const char *why, const char *name)
{
    fprintf(stderr, "kernel_driver: %s%s\n", why, name);
    exit(2);
}

static void put(const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, stdout) != n)
        refuse("cannot write", "");
}

/* Numbers of `size` bytes, the lowest byte first on every CPU. */
static void put_numbers(void *numbers, size_t size, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (char *number = numbers; n > 0; n--, number += size)
        for (size_t i = size; i > 0; i--)
            put(number + i - 1, 1);
#else
    put(numbers, size * n);
#endif
}

static void random_and_strided(const gelu_level *level)
{
    enum { N = 1001, BLOCKS = 200, WIDEST = 8 };
    static uint32_t words[64 * BLOCKS];
    /* Some counters carry from one word into the next. */
    const uint64_t blocks[] = {0, 1, (1ull << 28) - 3, (1ull << 40) + 1};
    for (int i = 0; i < 4; i++) {
        level->random->bits(words, (const uint32_t[]){1, 2, 3, 4}, blocks[i], BLOCKS);
        put_numbers(words, sizeof *words, 64 * BLOCKS);
    }

    static double x[N], gates[N], y[N];
    static float x_f32[N], gates_f32[N], y_f32[N];
    static char kept[N];
    for (int i = 0; i < N; i++)
        x[i] = x_f32[i] = (float)(i - N / 2) / 128;
    x[0] = x_f32[0] = -0.0f, x[1] = x_f32[1] = __builtin_inff(), x[2] = x_f32[2] = -__builtin_inff();
    const gelu_kernels *gate = level->kernels[GELU_F_gelu_gate][GELU_FORM_erf];
    gelu_kernel *exact = gelu_levels[0].kernels[GELU_F_gelu_gate][GELU_FORM_erf][GELU_T_f64].plain;
    gate[GELU_T_f64].plain((char *[]){(char *)x, (char *)gates}, N);
    gate[GELU_T_f32].plain((char *[]){(char *)x_f32, (char *)gates_f32}, N);
    for (int n = 1; n <= N; n += 100) {
        level->random->decide_f64((char *[]){(char *)x, (char *)gates, (char *)words, (char *)y, kept}, n,
                                  exact);
        put_numbers(y, sizeof *y, (size_t)n), put(kept, (size_t)n);
        level->random->decide_f32(
            (char *[]){(char *)x_f32, (char *)gates_f32, (char *)words, (char *)y_f32, kept}, n, exact);
        put_numbers(y_f32, sizeof *y_f32, (size_t)n), put(kept, (size_t)n);
    }

    static const int sizes[] = {[GELU_T_f16] = 2, [GELU_T_f32] = 4, [GELU_T_f64] = 8, [GELU_T_bf16] = 2};
    static char packed[WIDEST * 101], strided[5 * WIDEST * 101];
    for (size_t i = 0; i < sizeof words; i++) /* bytes that no byte order changes */
        ((unsigned char *)words)[i] = (unsigned char)(i * 167 >> 3);
    for (int type = 0; type < GELU_N_TYPES; type++)
        for (ptrdiff_t step = -3; step <= 5; step++)
            for (int n = 1; n <= 101; n += 25) {
                const ptrdiff_t itemsize = sizes[type], bytes = step * itemsize;
                level->strides[type].pack(packed, (char *)words + (step < 0 ? -bytes * (n - 1) : 0), bytes, n);
                put(packed, (size_t)(n * itemsize));
                memset(strided, 9, sizeof strided);
                if (step != 0)
                    level->strides[type].unpack(strided + (step < 0 ? -bytes * (n - 1) : 0), bytes, packed, n);
                put(strided, sizeof strided);
            }
}

int main(int argc, char **argv)
{
#if defined(_WIN32)
    _setmode(0, _O_BINARY), _setmode(1, _O_BINARY); /* stdin, stdout */
#endif
    if (argc != 2 && argc != 4 && argc != 5)
        refuse("arguments: LEVEL [FUNCTION_FORM TYPE [CONTROL]]", "");
    int level = 0, function = 0, form = 0, type = 0;
    while (gelu_levels[level].name && strcmp(gelu_levels[level].name, argv[1]) != 0)
        level++;
    if (!gelu_levels[level].name)
        refuse("no such ISA level: ", argv[1]);
    if (!gelu_levels[level].supported())
        refuse("this CPU lacks ", argv[1]);
    if (argc == 2) {
        random_and_strided(&gelu_levels[level]);
        return fflush(stdout) != 0;
    }
    const char *last = strrchr(argv[2], '_');
    const size_t length_of_name = last ? (size_t)(last - argv[2]) : 0;
    while (function < GELU_N_FUNCTIONS && (strncmp(gelu_functions[function].name, argv[2], length_of_name) != 0 ||
                                           gelu_functions[function].name[length_of_name] != '\0'))
        function++;
    while (form < GELU_N_FORMS && (!last || strcmp(gelu_forms[form], last + 1) != 0))
        form++;
    /* "nearest" is float32 of GELU_FAST_ROUNDING=nearest. */
    const int nearest = strcmp(argv[3], "nearest") == 0;
    const char *type_name = nearest ? "f32" : argv[3];
    while (type < GELU_N_TYPES && strcmp(gelu_types[type], type_name) != 0)
        type++;
    if (function == GELU_N_FUNCTIONS || form == GELU_N_FORMS)
        refuse("no such function: ", argv[2]);
    if (type == GELU_N_TYPES)
        refuse("no such type: ", argv[3]);

    /* The inputs, room for the outputs, and room for those of the streaming twin. */
    enum { LONGEST = 100, MOST = 16 };
    const int n_in = gelu_functions[function].n_in, n_args = n_in + gelu_functions[function].n_out;
    gelu_kernels kernels = gelu_levels[level].kernels[function][form][type];
    if (nearest)
        kernels.plain = kernels.streaming = gelu_levels[level].nearest[function][form];
    const size_t itemsize = (size_t)atoi(strchr(type_name, 'f') + 1) / 8; /* f16, f32, f64, bf16 */
    size_t size = 0, room = 1 << 20, got;
    char *memory = malloc(room);
    while (memory && (got = fread(memory + size, 1, room - size, stdin)) > 0)
        if ((size += got) == room)
            memory = realloc(memory, room *= 2);
    const size_t bytes = size / (size_t)n_in, n = bytes / itemsize;
    memory = memory ? realloc(memory, bytes * (size_t)n_args + 1) : NULL;
    char *streamed = malloc(2 * (LONGEST + 9) * 8);
    if (!memory || !streamed || ferror(stdin))
        refuse("no memory, or cannot read", "");

    if (argc == 5)
        set_control(strtoul(argv[4], NULL, 16));
    const unsigned long before = control(), raised = flags();
    const gelu_environment environment = gelu_enter_environment();
    /* Pieces of 1, 2, ..., 100 elements, and again from 1, have whole vectors and every remainder. */
    for (size_t at = 0, length = 1; at < n; at += length, length = length % LONGEST + 1) {
        char *args[MOST], *elsewhere[MOST];
        if (length > n - at)
            length = n - at;
        for (int j = 0; j < n_args; j++)
            elsewhere[j] = args[j] = memory + bytes * (size_t)j + at * itemsize;
        for (int j = n_in; j < n_args; j++)
            elsewhere[j] = streamed + (size_t)(j - n_in) * (LONGEST + 9) * 8 + length % 8 * itemsize;
        kernels.plain(args, (ptrdiff_t)length);
        kernels.streaming(elsewhere, (ptrdiff_t)length);
        for (int j = n_in; j < n_args; j++)
            if (memcmp(elsewhere[j], args[j], length * itemsize) != 0)
                refuse("streaming gives other bits", "");
    }
    gelu_leave_environment(environment);
    if (control() != before || flags() != raised)
        refuse("the floating-point environment has changed", "");
    if (argc == 5 && before != strtoul(argv[4], NULL, 16))
        refuse("this CPU cannot be set to ", argv[4]);
    const size_t written = bytes * (size_t)(n_args - n_in);
    if (fwrite(memory + bytes * (size_t)n_in, 1, written, stdout) != written || fflush(stdout) != 0)
        refuse("cannot write", "");
    return 0;
}
