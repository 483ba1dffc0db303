#ifndef AUDITLAKE_CSV_TABLE_MASKS_H
#define AUDITLAKE_CSV_TABLE_MASKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "csv_table.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define BLOCK_SIZE 64

/// One bit for each byte of a block, the first byte the lowest.
typedef struct {
    /// Quotes.
    uint64_t quote;
    /// Bytes that end a field without quotes.
    uint64_t end;
    /// Bytes above 0x7F.
    uint64_t high;
} bs_csv_masks;

/// Scans a block; always inlined.
typedef bs_csv_masks (*masks_of)(const uint8_t *block, bs_csv_dialect dialect);

/// The high bits of eight bytes as a number, the first byte's the lowest.
static ALWAYS_INLINE uint64_t gathered(uint64_t high_bits) {
    return ((high_bits >> 7) * 0x0102040810204080ULL) >> 56;
}

/// The high bit of each byte that equals `byte`.
static ALWAYS_INLINE uint64_t equal(uint64_t word, uint8_t byte) {
    const uint64_t low = 0x7F7F7F7F7F7F7F7FULL;
    uint64_t other = word ^ (0x0101010101010101ULL * byte);
    return ~(((other & low) + low) | other | low);
}

static ALWAYS_INLINE bs_csv_masks masks_portable(const uint8_t *block, bs_csv_dialect dialect) {
    bs_csv_masks masks = {0};
    for (unsigned at = 0; at < BLOCK_SIZE; at += 8) {
        uint64_t word;
        memcpy(&word, block + at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        uint64_t end = equal(word, dialect.separator) | equal(word, '\n');
        if (dialect.ends_with_cr) end |= equal(word, '\r');
        masks.quote |= gathered(equal(word, '"')) << at;
        masks.end |= gathered(end) << at;
        masks.high |= gathered(word & 0x8080808080808080ULL) << at;
    }
    return masks;
}

#if defined(__x86_64__)
#include <immintrin.h>
#define BS_HAS_AVX2 1
#define AVX2_TARGET "avx2,bmi"

__attribute__((target(AVX2_TARGET))) static ALWAYS_INLINE uint64_t joined(__m256i low, __m256i high) {
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

__attribute__((target(AVX2_TARGET))) static ALWAYS_INLINE uint64_t equal_avx2(__m256i low, __m256i high,
                                                                              uint8_t byte) {
    __m256i pattern = _mm256_set1_epi8((char)byte);
    return joined(_mm256_cmpeq_epi8(low, pattern), _mm256_cmpeq_epi8(high, pattern));
}

__attribute__((target(AVX2_TARGET))) static ALWAYS_INLINE bs_csv_masks masks_avx2(const uint8_t *block,
                                                                                  bs_csv_dialect dialect) {
    __m256i low = _mm256_loadu_si256((const __m256i *)block);
    __m256i high = _mm256_loadu_si256((const __m256i *)(block + 32));
    bs_csv_masks masks = {
        .quote = equal_avx2(low, high, '"'),
        .end = equal_avx2(low, high, dialect.separator) | equal_avx2(low, high, '\n'),
        .high = joined(low, high),
    };
    if (dialect.ends_with_cr) masks.end |= equal_avx2(low, high, '\r');
    return masks;
}
#endif

#endif
