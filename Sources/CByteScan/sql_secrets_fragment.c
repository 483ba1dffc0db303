#include "sql_secrets.h"

#include <string.h>

// Bytes that were cut out of a log somewhere: what is quoted, and what belongs to what, can no longer be told. So what follows a
// word that names a secret is taken for one up to the end of its line. The word may have been cut off: what PostgreSQL could not
// parse, and repeats in its message, is blanked up to the end of the field.

static bool is_word(uint8_t byte) {
    return (uint8_t)((byte | 0x20) - 'a') <= 25 || (uint8_t)(byte - '0') <= 9 || byte == '_';
}

static const char quotation[] = "at or near ";

/// Where the text that a message quotes begins; 0 when none is quoted at `at`.
static size_t quotation_start(const uint8_t *text, size_t at, size_t length) {
    size_t size = sizeof quotation - 1;
    if (length - at < size || memcmp(text + at, quotation, size) != 0) {
        return 0;
    }
    at += size;
    while (at < length && (text[at] == '"' || text[at] == '\\')) {
        at += 1;
    }
    return at;
}

static size_t field_end(const uint8_t *text, size_t at, size_t length) {
    while (at < length && text[at] != '\n' && !(text[at] == '"' && at + 1 < length && text[at + 1] == ',')) {
        at += 1;
    }
    return at;
}

size_t sql_secrets_in_fragment(const void *input, size_t length, sql_span *spans, size_t capacity) {
    const uint8_t *text = input;
    size_t count = 0;
    size_t at = 0;
    while (at < length) {
        if (!is_word(text[at])) {
            at += 1;
            continue;
        }
        size_t start = at;
        size_t quoted = quotation_start(text, at, length);
        if (quoted > 0) {
            at = field_end(text, quoted, length);
            if (at > quoted) {
                if (count < capacity) {
                    spans[count] = (sql_span){.start = quoted, .end = at};
                }
                count += 1;
            }
            continue;
        }
        while (at < length && is_word(text[at])) {
            at += 1;
        }
        if (!sql_names_secret(text, start, at) && !sql_announces_password(text, start, at)) {
            continue;
        }
        while (at < length && text[at] == ' ') {
            at += 1;
        }
        size_t from = at;
        while (at < length && text[at] != '\n') {
            at += 1;
        }
        if (at > from) {
            if (count < capacity) {
                spans[count] = (sql_span){.start = from, .end = at};
            }
            count += 1;
        }
    }
    return count;
}
