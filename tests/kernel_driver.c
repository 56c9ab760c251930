/* SPDX-License-Identifier: BSD-3-Clause
 *
 * kernel_driver LEVEL FUNCTION TYPE: raw elements from stdin, through one kernel, to stdout; and through its
 * streaming twin, which must give the same bits. Linked with the kernels and nothing else: test_emulated.py runs
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
    if (gelu_functions[function].n_in != 1 || gelu_functions[function].n_out != 1)
        refuse("this driver gives one input and takes one output: ", argv[2]);
    if (type == GELU_N_TYPES)
        refuse("no such type: ", argv[3]);

    /* In pieces of 1, 2, ..., 100 elements, and again from 1: whole vectors, and every remainder. */
    enum { LONGEST = 100 };
    double x[LONGEST], y[LONGEST], streamed[LONGEST + 8]; /* room for any type, at any alignment */
    char *const args[] = {(char *)x, (char *)y};
    const gelu_kernels *kernels = &gelu_levels[level].kernels[function][type];
    const size_t itemsize = (size_t)atoi(argv[3] + 1) / 8; /* f16, f32, f64 */
    size_t length = 1, n;
    while ((n = fread(x, itemsize, length, stdin)) > 0) {
        kernels->plain(args, (ptrdiff_t)n);
        char *const elsewhere[] = {(char *)x, (char *)streamed + length % 8 * itemsize};
        kernels->streaming(elsewhere, (ptrdiff_t)n);
        if (memcmp(elsewhere[1], y, n * itemsize) != 0)
            refuse("streaming gives other bits", "");
        if (fwrite(y, itemsize, n, stdout) != n)
            refuse("cannot write", "");
        length = length % LONGEST + 1;
    }
    if (ferror(stdin) || fflush(stdout) != 0)
        refuse("cannot read or write", "");
    return 0;
}
