#include "csv_table.h"

#include <string.h>

#include "csv_table_masks.h"

/// The masks of the block at `base`, zeros behind the input, which is not read there.
static ALWAYS_INLINE bs_csv_masks masks_at(const uint8_t *bytes, size_t length, size_t base, bs_csv_dialect dialect,
                                           masks_of scan) {
    if (base + BLOCK_SIZE <= length) return scan(bytes + base, dialect);
    uint8_t tail[BLOCK_SIZE] = {0};
    if (base < length) memcpy(tail, bytes + base, length - base);
    return scan(tail, dialect);
}

static ALWAYS_INLINE bs_csv_table_record with_count(bs_csv_table_record record, uint32_t count) {
    record.field_count = count;
    return record;
}

/// Goes on to the block that begins at `at`.
#define NEXT_BLOCK()                                           \
    do {                                                       \
        high |= masks.high;                                    \
        base = at;                                             \
        masks = masks_at(bytes, length, base, dialect, scan);  \
    } while (0)

static ALWAYS_INLINE bs_csv_table_record split(const uint8_t *bytes, size_t length, int ends_with_input,
                                               bs_csv_dialect dialect, bs_field *fields, uint32_t capacity,
                                               masks_of scan) {
    const bs_csv_table_record incomplete = {.length = length, .status = BS_CSV_INCOMPLETE};
    const uint8_t separator = dialect.separator;
    // Bytes above 0x7F of the blocks before this one. Only ASCII is skipped between two blocks.
    uint64_t high = 0;
    size_t base = 0;
    size_t at = 0;
    uint32_t count = 0;
    bs_csv_masks masks = masks_at(bytes, length, 0, dialect, scan);
    if (length == 0) return incomplete;
    for (;;) {
        size_t start = at;
        size_t end;
        uint8_t quoted = 0;
        uint8_t escape = BS_ESCAPE_NONE;
        if (at < length && bytes[at] == '"') {
            quoted = 1;
            start += 1;
            at += 1;
            for (;;) {
                if (at >= base + BLOCK_SIZE) NEXT_BLOCK();
                uint64_t rest = masks.quote >> (at - base);
                if (rest == 0) {
                    at = base + BLOCK_SIZE;
                    if (at >= length) return with_count(incomplete, count);
                    continue;
                }
                at += (size_t)__builtin_ctzll(rest);
                if (at + 1 >= length) {
                    if (!ends_with_input) return with_count(incomplete, count);
                    break;
                }
                if (bytes[at + 1] != '"') break;
                escape = BS_ESCAPE_DOUBLED;
                at += 2;
                if (at >= length) return with_count(incomplete, count);
            }
            end = at;
            at += 1;
        } else {
            for (;;) {
                if (at >= base + BLOCK_SIZE) NEXT_BLOCK();
                uint64_t rest = masks.end >> (at - base);
                if (rest != 0) {
                    at += (size_t)__builtin_ctzll(rest);
                    break;
                }
                at = base + BLOCK_SIZE;
                if (at >= length) {
                    at = length;
                    break;
                }
            }
            end = at;
        }
        if (at >= length && !ends_with_input) return with_count(incomplete, count);
        uint8_t byte = at < length ? bytes[at] : '\n';
        if (byte == separator) {
            if (count < capacity) {
                fields[count] = (bs_field){(uint32_t)start, (uint32_t)end, quoted, escape};
            }
            count += 1;
            at += 1;
            continue;
        }
        // The record ends here, or is none.
        size_t next = at + (at < length);
        if (byte == '\r') {
            // Only behind a quoted field, or where it ends a record.
            if (at + 1 == length) {
                if (!ends_with_input) return with_count(incomplete, count);
            } else if (bytes[at + 1] == '\n') {
                next = at + 2;
            } else if (!dialect.ends_with_cr) {
                byte = 0;
            }
        } else if (byte == '\n') {
            if (!quoted && end > start && bytes[end - 1] == '\r') {
                end -= 1;
                at -= 1;
            }
        } else {
            byte = 0;
        }
        if (byte == 0) {
            return (bs_csv_table_record){.length = at, .field_count = count, .status = BS_CSV_MALFORMED};
        }
        if (count < capacity) fields[count] = (bs_field){(uint32_t)start, (uint32_t)end, quoted, escape};
        size_t in_block = at > base ? at - base : 0;
        high |= in_block >= BLOCK_SIZE ? masks.high : masks.high & ((1ULL << in_block) - 1);
        return (bs_csv_table_record){
            .length = at,
            .consumed = next,
            .field_count = count + 1,
            .has_high_bytes = high != 0,
            .status = BS_CSV_COMPLETE,
        };
    }
}

#undef NEXT_BLOCK

#if defined(BS_HAS_AVX2)
__attribute__((target(AVX2_TARGET))) static bs_csv_table_record
split_avx2(const uint8_t *bytes, size_t length, int ends_with_input, bs_csv_dialect dialect, bs_field *fields,
           uint32_t capacity) {
    return split(bytes, length, ends_with_input, dialect, fields, capacity, masks_avx2);
}
#endif

bs_csv_table_record bs_csv_table_split(const uint8_t *bytes, size_t length, int ends_with_input,
                                       bs_csv_dialect dialect, bs_field *fields, uint32_t capacity) {
#if defined(BS_HAS_AVX2)
    if (!dialect.portable && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) {
        return split_avx2(bytes, length, ends_with_input, dialect, fields, capacity);
    }
#endif
    return split(bytes, length, ends_with_input, dialect, fields, capacity, masks_portable);
}

/// Copies a field of which each quote is doubled, each once; `out` has room for `length` bytes.
static ALWAYS_INLINE size_t undouble(const uint8_t *bytes, size_t length, uint8_t *out) {
    size_t at = 0;
    size_t written = 0;
    while (at < length) {
#if defined(__SSE2__)
        if (at + 16 <= length) {
            __m128i chunk = _mm_loadu_si128((const __m128i *)(bytes + at));
            // What lies behind the quote is written over by the next step.
            _mm_storeu_si128((__m128i *)(out + written), chunk);
            unsigned quotes = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('"')));
            size_t copied = quotes == 0 ? 16 : (size_t)__builtin_ctz(quotes) + 1;
            at += copied + (quotes != 0);
            written += copied;
            continue;
        }
#endif
        out[written++] = bytes[at];
        at += bytes[at] == '"' ? 2 : 1;
    }
    return written;
}

void bs_csv_texts(const uint8_t *record, const bs_field *fields, uint32_t count, uint8_t *scratch, bs_text *texts) {
    for (uint32_t i = 0; i < count; i++) {
        const bs_field *field = &fields[i];
        size_t length = field->end - field->start;
        texts[i].bytes = record + field->start;
        texts[i].length = length;
        if (field->escape != BS_ESCAPE_NONE) {
            texts[i].bytes = scratch;
            texts[i].length = undouble(record + field->start, length, scratch);
            scratch += texts[i].length;
        }
    }
}

/// Copies bytes, short ones without a call.
static ALWAYS_INLINE void copy(uint8_t *out, const uint8_t *bytes, size_t length) {
    if (length > 32) {
        memcpy(out, bytes, length);
    } else if (length >= 16) {
        memcpy(out, bytes, 16);
        memcpy(out + length - 16, bytes + length - 16, 16);
    } else if (length >= 8) {
        memcpy(out, bytes, 8);
        memcpy(out + length - 8, bytes + length - 8, 8);
    } else if (length >= 4) {
        memcpy(out, bytes, 4);
        memcpy(out + length - 4, bytes + length - 4, 4);
    } else {
        for (size_t i = 0; i < length; i++) out[i] = bytes[i];
    }
}

size_t bs_write_length(uint64_t length, uint8_t *out) {
    size_t written = 0;
    while (length > 0x7F) {
        out[written++] = (uint8_t)(length | 0x80);
        length >>= 7;
    }
    out[written++] = (uint8_t)length;
    return written;
}

size_t bs_write_prefixed_texts(const bs_text *texts, const bs_prefixed_text *parts, uint32_t count,
                               const uint8_t *prefixes, uint8_t *out) {
    uint8_t *start = out;
    for (uint32_t i = 0; i < count; i++) {
        const bs_text *text = &texts[parts[i].text];
        if (text->length == 0) continue;
        copy(out, prefixes + parts[i].prefix_start, parts[i].prefix_length);
        out += parts[i].prefix_length;
        out += bs_write_length(text->length, out);
        copy(out, text->bytes, text->length);
        out += text->length;
    }
    return (size_t)(out - start);
}
