#ifndef AUDITLAKE_TEXT_SCAN_H
#define AUDITLAKE_TEXT_SCAN_H

#include <stddef.h>
#include <stdint.h>

/// Whether all bytes are below 0x80.
int bs_is_ascii(const uint8_t *bytes, size_t length);

/// Whether `bytes` is well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms, at most U+10FFFF).
int bs_is_utf8(const uint8_t *bytes, size_t length);

/// Writes each byte as the Unicode scalar of the same number. `out` holds 2 * length bytes. Returns the bytes written.
size_t bs_latin1_to_utf8(const uint8_t *bytes, size_t length, uint8_t *out);

/// Begins to load the bytes at an address that will be looked at soon; any address will do.
static inline void bs_prefetch(const void *address) {
    __builtin_prefetch(address);
}

/// XXH3, 64 bits: for tables in memory, never stored.
uint64_t bs_hash64(const void *bytes, size_t length);

/// 128 bits of XXH3, as stored in plans: tells whether bytes are the ones read before; no defence against forgery.
typedef struct {
    uint64_t low;
    uint64_t high;
} bs_hash128_value;

bs_hash128_value bs_hash128(const void *bytes, size_t length);

/// A running `bs_hash128` over bytes that come in pieces. Create, update, digest any number of times, destroy.
typedef struct bs_hasher bs_hasher;
bs_hasher *bs_hasher_create(void);
void bs_hasher_reset(bs_hasher *hasher);
void bs_hasher_update(bs_hasher *hasher, const void *bytes, size_t length);
bs_hash128_value bs_hasher_digest(const bs_hasher *hasher);
void bs_hasher_destroy(bs_hasher *hasher);

#endif
