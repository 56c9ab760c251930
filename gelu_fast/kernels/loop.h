/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parts of the loops of every kernel: level.h has the loops. Included once a STORAGE, computed in REAL.
 *
 * Tried (x86-64-v3, Zen 3): the loops as functions here, with the kernel as a constant pointer, which GCC 12 inlines:
 * float64 spills, gates and gradients take 8 to 10 % longer. Loads and stores as functions: an element alone takes up
 * to 27 % longer. */
INLINE void S(operands)(const STORAGE **x, STORAGE **y, char *const *args, int n_in, int n_out)
{
    for (int j = 0; j < n_in; j++)
        x[j] = (const STORAGE *)args[j];
    for (int j = 0; j < n_out; j++)
        y[j] = (STORAGE *)args[n_in + j];
}

/* ---- rare lanes ----
 *
 * Where a group does not lie in the segments, a block from there on is computed as if no lane were rare. The rare lanes
 * are found by a scan and packed before, computed side by side, and put in their places after it: one by one, each would
 * cost a call for a whole vector (float32 of variance 9: 0.93 ns for 1.9; x86-64-v3, Zen 3). A block that is rare for the
 * most part is computed in vectors. */
enum {
    S(BLOCK) = 4096 / sizeof(REAL), /* elements, at most */
    S(FEW) = RARE_MOST * V_LANES, /* rare lanes, at most, that are packed */
    S(NOTED) = V_LANES < 8 ? V_LANES : 8 /* lanes of a byte of the masks */
};

typedef struct {
    const STORAGE *x[MAX_IN];
    STORAGE *y[MAX_OUT];
    ptrdiff_t length, group; /* elements of the block, and of a group of vectors */
    int n_in, n_out;
    void (*rare)(const V *in, V *out, int n);
    int found; /* rare lanes */
    int careful; /* replace rare lanes before anything is computed: there are subnormal numbers, which are slow */
    uint8_t masks[S(BLOCK) / S(NOTED) + 8];
    uint16_t places[S(FEW) + 4];
    int vectors; /* of rare lanes, a multiple of RARE */
    V in[MAX_IN * RARE_MOST], out[MAX_OUT * RARE_MOST];
} S(block);

INLINE ptrdiff_t S(in_block)(ptrdiff_t left, ptrdiff_t group)
{
    return (left < S(BLOCK) ? left : S(BLOCK)) / group * group;
}

INLINE void S(begin)(S(block) * block, ptrdiff_t length, ptrdiff_t group, int n_in, int n_out,
                     void (*rare)(const V *in, V *out, int n))
{
    block->length = length;
    block->group = group;
    block->n_in = n_in, block->n_out = n_out;
    block->rare = rare;
    block->found = block->careful = 0;
}

/* The mask of the vector that begins with element `at`. */
INLINE void S(note)(uint8_t *masks, ptrdiff_t at, unsigned lanes)
{
    for (int byte = 0; byte < (V_LANES + 7) / 8; byte++)
        masks[at / S(NOTED) + byte] = (uint8_t)(lanes >> 8 * byte);
}

INLINE int S(mostly_rare)(const S(block) * block) { return block->found > S(FEW); }

/* Count the rare lanes, and note their places if they are few: in half of the block, if there is no room for all. */
NOINLINE void S(find)(S(block) * block)
{
    uint64_t masks[S(BLOCK) / S(NOTED) / 8 + 1];
    int words;
    for (;; block->length = S(in_block)(block->length / 2, block->group)) {
        const int n = (int)(block->length / S(NOTED));
        words = (n + 7) / 8;
        memset(block->masks + n, 0, 8);
        block->found = 0;
        for (int i = 0; i < words; i++) {
            masks[i] = 0;
            for (int byte = 0; byte < 8; byte++)
                masks[i] |= (uint64_t)block->masks[8 * i + byte] << 8 * byte;
            block->found += __builtin_popcountll(masks[i]);
        }
        if (!S(mostly_rare)(block))
            break;
        if (block->found > block->length / 2)
            return;
    }
    for (int i = 0, at = 0, end = 0; i < words; i++) {
        uint64_t mask = masks[i];
        for (end += __builtin_popcountll(mask); at < end; at += 4) /* nearly all words have 4 or fewer */
            for (int k = 0; k < 4; k++) {
                const int bit = mask ? __builtin_ctzll(mask) : 0;
                block->places[at + k] = (uint16_t)((8 * i + bit / 8) * S(NOTED) + bit % 8);
                mask &= mask - 1;
            }
        at = end;
    }
}

/* Find the rare lanes of the elements from `at` on, and pack the inputs if they are few. */
NOINLINE void S(collect)(S(block) * block, const STORAGE *const *x, STORAGE *const *y, ptrdiff_t at)
{
    for (int j = 0; j < block->n_in; j++)
        block->x[j] = x[j] + at;
    for (int j = 0; j < block->n_out; j++)
        block->y[j] = y[j] + at;
    S(find)(block);
    if (S(mostly_rare)(block))
        return;
    const int found = block->found, most = (int)((found + V_LANES - 1) / V_LANES);
    const int vectors = (most + RARE - 1) / RARE * RARE;
    for (int i = found; i < vectors * V_LANES; i++)
        block->places[i] = block->places[0];
    for (int j = 0; j < block->n_in; j++) {
        const STORAGE *of = block->x[j];
        STORAGE packed[S(FEW)];
        MASK tiny = (MASK){0};
        for (int i = 0; i < vectors * V_LANES; i++)
            packed[i] = of[block->places[i]];
        for (int i = 0; i < vectors; i++) {
            V in = S(load)(packed + i * V_LANES);
            tiny |= POSITIVE_LE(R(abs)(in), SPLAT(TINY));
            block->in[j * vectors + i] = in;
        }
        block->careful |= ANY(tiny);
    }
    block->vectors = vectors;
}

NOINLINE void S(compute_collected)(S(block) * block)
{
    if (!S(mostly_rare)(block)) {
        block->rare(block->in, block->out, block->vectors);
        for (int j = 0; j < block->n_out; j++) {
            STORAGE *y = block->y[j], packed[S(FEW)];
            for (int i = 0; i < block->vectors; i++)
                S(store)(packed + i * V_LANES, block->out[j * block->vectors + i]);
            for (int i = 0; i < block->found; i++)
                y[block->places[i]] = packed[i];
        }
        return;
    }
    const int all = (int)(block->length / V_LANES);
    for (int at = 0, most; at < all; at += most) {
        most = all - at < (int)RARE_MOST ? all - at : (int)RARE_MOST;
        const int vectors = (most + RARE - 1) / RARE * RARE;
        for (int j = 0; j < block->n_in; j++)
            for (int i = 0; i < vectors; i++)
                block->in[j * vectors + i] = S(load)(block->x[j] + (at + (i < most ? i : 0)) * V_LANES);
        block->rare(block->in, block->out, vectors);
        for (int j = 0; j < block->n_out; j++)
            for (int i = 0; i < most; i++)
                S(store)(block->y[j] + (at + i) * V_LANES, block->out[j * vectors + i]);
    }
}

/* Where streaming begins: at the first output's first aligned vector; nowhere, if the outputs are not aligned
 * alike. */
INLINE ptrdiff_t S(stream_start)(char *const *args, ptrdiff_t n, int n_in, int n_out)
{
    ptrdiff_t at = (ptrdiff_t)(-(uintptr_t)args[n_in] % sizeof(S(packed)) / sizeof(STORAGE));
    at = at < n ? at : n;
    for (int j = 1; j < n_out; j++)
        if (((uintptr_t)args[n_in + j] - (uintptr_t)args[n_in]) % sizeof(S(packed)) != 0)
            at = n;
    return at;
}

/* The operands from element `at` on. */
INLINE void S(from)(char **rest, char *const *args, ptrdiff_t at, int n_args)
{
    for (int j = 0; j < n_args; j++)
        rest[j] = args[j] + at * (ptrdiff_t)sizeof(STORAGE);
}

/* The elements after the last whole group. */
INLINE void S(finish)(char *const *args, ptrdiff_t at, ptrdiff_t n, int n_args, gelu_kernel *plain)
{
    char *rest[MAX_IN + MAX_OUT];
    S(from)(rest, args, at, n_args);
    plain(rest, n - at);
}
