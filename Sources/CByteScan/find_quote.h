#ifndef AUDITLAKE_FIND_QUOTE_H
#define AUDITLAKE_FIND_QUOTE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// The first quote at or after `at`, or `length`.
static inline size_t find_quote(const uint8_t *bytes, size_t length, size_t at) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    while (at + 16 <= length) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(bytes + at));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(chunk, quote));
        if (mask != 0) return at + (size_t)__builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < length && bytes[at] != '"') at += 1;
    return at;
}

#endif
