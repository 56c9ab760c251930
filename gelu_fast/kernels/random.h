/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random bits and uniform numbers for stochastic GELU (decide.h).
 *
 * The bits are Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
 * four words for each counter, without a state, so any thread can compute the words of any element at any time. Words
 * 64 b to 64 b + 63 come from the counters 16 b to 16 b + 15, word j of counter c as number 16 j + c % 16, which is
 * the same for any length of a vector. The key is 64 bits, and 64 more are the upper half of the counter. */

#define PHILOX_COUNTERS 16 /* that give a block of 64 words */
#define PHILOX_VECTORS ((int)(PHILOX_COUNTERS / LANES(f32)))

INLINE void philox_round(f32_bits *word, uint32_t key_0, uint32_t key_1)
{
    f32_bits high_0, high_2, low_0, low_2;
    u32_multiply(word[0], 0xd2511f53, &high_0, &low_0);
    u32_multiply(word[2], 0xcd9e8d57, &high_2, &low_2);
    word[0] = high_2 ^ word[1] ^ key_0;
    word[2] = high_0 ^ word[3] ^ key_1;
    word[1] = low_2;
    word[3] = low_0;
}

/* 64 n words from word 64 `at` on; n is a multiple of 4. */
static void random_bits(uint32_t *words, const uint32_t *key, uint64_t at, ptrdiff_t n)
{
    /* Interleaved, as a round waits for the one before: 0.17 ns a word, by 2 blocks 0.23 (Zen 5). */
    enum { BLOCKS = 4 };
    uint32_t lanes[PHILOX_COUNTERS];
    for (int i = 0; i < PHILOX_COUNTERS; i++)
        lanes[i] = (uint32_t)i;
    for (; n > 0; n -= BLOCKS, at += BLOCKS, words += BLOCKS * 4 * PHILOX_COUNTERS) {
        f32_bits word[BLOCKS * PHILOX_VECTORS][4];
        uint32_t key_0 = key[0], key_1 = key[1];
        UNROLLED
        for (int i = 0; i < BLOCKS * PHILOX_VECTORS; i++) {
            f32_bits lane;
            uint64_t counter = PHILOX_COUNTERS * (at + (uint64_t)(i / PHILOX_VECTORS)); /* no carry below */
            memcpy(&lane, lanes + i % PHILOX_VECTORS * LANES(f32), sizeof(lane));
            word[i][0] = lane | (uint32_t)counter;
            word[i][1] = (f32_bits){0} + (uint32_t)(counter >> 32);
            word[i][2] = (f32_bits){0} + key[2];
            word[i][3] = (f32_bits){0} + key[3];
        }
        for (int round = 0; round < 10; round++, key_0 += 0x9e3779b9, key_1 += 0xbb67ae85) {
            UNROLLED
            for (int i = 0; i < BLOCKS * PHILOX_VECTORS; i++)
                philox_round(word[i], key_0, key_1);
        }
        UNROLLED
        for (int i = 0; i < BLOCKS * PHILOX_VECTORS; i++)
            for (int j = 0; j < 4; j++)
                memcpy(words + (i / PHILOX_VECTORS * 4 + j) * PHILOX_COUNTERS + i % PHILOX_VECTORS * LANES(f32),
                       &word[i][j], sizeof(f32_bits));
    }
}

/* A number between 0 and 1, never 0: of 32 bits 31 are used, of 64 bits 52. */
INLINE f32v f32_uniform(f32_bits bits)
{
    return __builtin_convertvector((f32_signed)(bits >> 1), f32v) * 0x1p-31f + 0x1p-32f;
}
INLINE f64v f64_uniform(f64_bits bits)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bits = bits >> 32 | bits << 32; /* the first of two words is the lower half everywhere */
#endif
    return ((f64v)(bits >> 12 | 0x3ff0000000000000u) - 1.0) + 0x1p-53;
}

/* float32: where gate and number are so near that another ISA level's gate may lie on the other side (one in 2^20),
 * the gate is computed again in float64, by a kernel that does not depend on the level. */
NOINLINE f32v f32_kept_exactly(f32v x, f32_bits bits, gelu_kernel *gate_f64)
{
    f32v kept;
    for (int i = 0; i < LANES(f32); i++) {
        double of = (double)x[i], gate;
        gate_f64((char *const[]){(char *)&of, (char *)&gate}, 1);
        kept[i] = (bits[i] >> 1) * 0x1p-31 + 0x1p-32 <= gate;
    }
    return kept;
}
/* float64 does not need it: its gates differ in the last bit at most, which decides one element in 2^52. */
INLINE f64v f64_kept_exactly(f64v x, f64_bits bits, gelu_kernel *gate_f64) { return x; }
#define f32_DOUBT 0x1p-21f
#define f64_DOUBT 0.0
