/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel_driver LEVEL FUNCTION TYPE: raw elements from stdin, first all of the first input, through one kernel, to
 * stdout, all of the first output first; and through its streaming twin, which must give the same bits. Linked with the kernels and nothing else: test_emulated.py runs
 * it on an emulated CPU, where there is no Python. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

static void refuse(const char *why, const char *name)
{
    fprintf(stderr, "kernel_driver: %s%s\n", why, name);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        refuse("arguments: LEVEL FUNCTION TYPE", "");
    int level = 0, function = 0, type = 0;
    while (gelu_levels[level].name && strcmp(gelu_levels[level].name, argv[1]) != 0)
        level++;
    while (function < GELU_N_FUNCTIONS && strcmp(gelu_functions[function].name, argv[2]) != 0)
        function++;
    while (type < GELU_N_TYPES && strcmp(gelu_types[type], argv[3]) != 0)
        type++;
    if (!gelu_levels[level].name)
        refuse("no such ISA level: ", argv[1]);
    if (!gelu_levels[level].supported())
        refuse("this CPU lacks ", argv[1]);
    if (function == GELU_N_FUNCTIONS)
        refuse("no such function: ", argv[2]);
    if (type == GELU_N_TYPES)
        refuse("no such type: ", argv[3]);

    /* The inputs, and room for the outputs, and for what is streamed. */
    enum { LONGEST = 100, MOST = 16 };
    const int n_in = gelu_functions[function].n_in, n_args = n_in + gelu_functions[function].n_out;
    const gelu_kernels *kernels = &gelu_levels[level].kernels[function][type];
    const size_t itemsize = (size_t)atoi(strchr(argv[3], 'f') + 1) / 8; /* f16, f32, f64, bf16 */
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

    /* In pieces of 1, 2, ..., 100 elements, and again from 1: whole vectors, and every remainder. */
    for (size_t at = 0, length = 1; at < n; at += length, length = length % LONGEST + 1) {
        char *args[MOST], *elsewhere[MOST];
        if (length > n - at)
            length = n - at;
        for (int j = 0; j < n_args; j++)
            elsewhere[j] = args[j] = memory + bytes * (size_t)j + at * itemsize;
        for (int j = n_in; j < n_args; j++)
            elsewhere[j] = streamed + (size_t)(j - n_in) * (LONGEST + 9) * 8 + length % 8 * itemsize;
        kernels->plain(args, (ptrdiff_t)length);
        kernels->streaming(elsewhere, (ptrdiff_t)length);
        for (int j = n_in; j < n_args; j++)
            if (memcmp(elsewhere[j], args[j], length * itemsize) != 0)
                refuse("streaming gives other bits", "");
    }
    const size_t written = bytes * (size_t)(n_args - n_in);
    if (fwrite(memory + bytes * (size_t)n_in, 1, written, stdout) != written || fflush(stdout) != 0)
        refuse("cannot write", "");
    return 0;
}
