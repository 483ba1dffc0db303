#include "text_scan.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// The number of leading bytes below 0x80, rounded down to a whole step once past the first difference.
static inline size_t ascii_run(const uint8_t *bytes, size_t length) {
    size_t at = 0;
#if defined(__SSE2__)
    while (at + 16 <= length) {
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(bytes + at)));
        if (mask != 0) return at + (size_t)__builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < length && bytes[at] < 0x80) at += 1;
    return at;
}

int bs_is_ascii(const uint8_t *bytes, size_t length) {
    return ascii_run(bytes, length) == length;
}

/// Bytes of the well-formed multi-byte sequence at `bytes`, 0 when it is ill-formed.
static inline size_t sequence_length(const uint8_t *bytes, size_t length) {
    uint8_t lead = bytes[0];
    size_t count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || length < count) return 0;
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
    }
    uint8_t second = bytes[1];
    if (lead == 0xE0 && second < 0xA0) return 0;
    if (lead == 0xED && second > 0x9F) return 0;
    if (lead == 0xF0 && second < 0x90) return 0;
    if (lead == 0xF4 && second > 0x8F) return 0;
    return count;
}

int bs_is_utf8(const uint8_t *bytes, size_t length) {
    size_t at = 0;
    for (;;) {
        at += ascii_run(bytes + at, length - at);
        if (at == length) return 1;
        size_t count = sequence_length(bytes + at, length - at);
        if (count == 0) return 0;
        at += count;
    }
}

size_t bs_latin1_to_utf8(const uint8_t *bytes, size_t length, uint8_t *out) {
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < 0x80) {
            out[written++] = bytes[i];
        } else {
            out[written++] = (uint8_t)(0xC0 | (bytes[i] >> 6));
            out[written++] = (uint8_t)(0x80 | (bytes[i] & 0x3F));
        }
    }
    return written;
}

uint64_t bs_hash64(const void *bytes, size_t length) {
    return XXH3_64bits(bytes, length);
}

static inline bs_hash128_value value_of(XXH128_hash_t hash) {
    return (bs_hash128_value){.low = hash.low64, .high = hash.high64};
}

bs_hash128_value bs_hash128(const void *bytes, size_t length) {
    return value_of(XXH3_128bits(bytes, length));
}

struct bs_hasher {
    XXH3_state_t state;
};

bs_hasher *bs_hasher_create(void) {
    bs_hasher *hasher = (bs_hasher *)XXH3_createState();
    if (hasher != NULL) bs_hasher_reset(hasher);
    return hasher;
}

void bs_hasher_reset(bs_hasher *hasher) {
    XXH3_128bits_reset(&hasher->state);
}

void bs_hasher_update(bs_hasher *hasher, const void *bytes, size_t length) {
    XXH3_128bits_update(&hasher->state, bytes, length);
}

bs_hash128_value bs_hasher_digest(const bs_hasher *hasher) {
    return value_of(XXH3_128bits_digest(&hasher->state));
}

void bs_hasher_destroy(bs_hasher *hasher) {
    if (hasher != NULL) XXH3_freeState(&hasher->state);
}
