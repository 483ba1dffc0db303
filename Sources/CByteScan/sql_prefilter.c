#include "sql_secrets.h"

// Every span that the scanners find hangs on one of: a word with passw, secret or pwd in it; IDENTIFIED; ://; CREATE or ALTER
// before ROLE, USER or GROUP. Each of these holds a pair of letters that is rare in audit records; only where a pair stands is
// the text around it looked at.

typedef struct {
    const uint8_t *text;
    size_t length;
} record;

static bool stands(const record *in, size_t pair, size_t before, const char *word, size_t size) {
    return pair >= before && in->length - (pair - before) >= size && sql_equals(in->text + pair - before, word, size);
}

#define STANDS(before, word) stands(in, pair, before, word, sizeof word - 1)

/// Whether CREATE or ALTER ends at `at` and may begin a role statement. A comment or backslash after it is not read: it may.
static bool may_begin_role(const record *in, size_t at) {
    size_t next = sql_skip_blank(in->text, at, in->length);
    if (next < in->length && (in->text[next] == '/' || in->text[next] == '-' || in->text[next] == '\\')) {
        return true;
    }
    return sql_role_follows(in->text, at, in->length);
}

/// Whether the pair of bytes at `pair` belongs to one of the words.
static bool is_trigger(const record *in, size_t pair) {
    switch (in->text[pair] | 0x20) {
    case 's':
        return STANDS(3, "passw");
    case 'p':
        return STANDS(0, "pwd");
    case 'f':
        return STANDS(6, "identified");
    case ':':
        return STANDS(0, "://");
    case 'l':
        return STANDS(1, "alter") && may_begin_role(in, pair + 4);
    default:
        return STANDS(2, "secret") || (STANDS(0, "create") && may_begin_role(in, pair + 6));
    }
}

static bool is_pair(uint8_t first, uint8_t second) {
    first |= 0x20;
    second |= 0x20;
    return (second == 'w' && (first == 's' || first == 'p')) || (first == 'f' && second == 'i') || (first == ':' && second == '/')
        || (first == 'l' && second == 't') || (first == 'c' && second == 'r');
}

bool sql_may_hold_secret(const void *text, size_t length) {
    const uint8_t *bytes = text;
    record in = {bytes, length};
    size_t at = 0;
#if defined(__SSE2__)
    const __m128i small = _mm_set1_epi8(0x20);
    while (length - at >= 17) {
        __m128i first = _mm_or_si128(_mm_loadu_si128((const __m128i *)(bytes + at)), small);
        __m128i second = _mm_or_si128(_mm_loadu_si128((const __m128i *)(bytes + at + 1)), small);
#define EQUAL(vector, byte) _mm_cmpeq_epi8(vector, _mm_set1_epi8(byte))
        __m128i found = _mm_and_si128(_mm_or_si128(EQUAL(first, 's'), EQUAL(first, 'p')), EQUAL(second, 'w'));
        found = _mm_or_si128(found, _mm_and_si128(EQUAL(first, 'f'), EQUAL(second, 'i')));
        found = _mm_or_si128(found, _mm_and_si128(EQUAL(first, ':'), EQUAL(second, '/')));
        found = _mm_or_si128(found, _mm_and_si128(EQUAL(first, 'l'), EQUAL(second, 't')));
        found = _mm_or_si128(found, _mm_and_si128(EQUAL(first, 'c'), EQUAL(second, 'r')));
#undef EQUAL
        for (unsigned mask = (unsigned)_mm_movemask_epi8(found); mask; mask &= mask - 1) {
            if (is_trigger(&in, at + (size_t)__builtin_ctz(mask))) {
                return true;
            }
        }
        at += 16;
    }
#endif
    for (; at + 1 < length; at += 1) {
        if (is_pair(bytes[at], bytes[at + 1]) && is_trigger(&in, at)) {
            return true;
        }
    }
    return false;
}
