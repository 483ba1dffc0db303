#include "log_field.h"

#include <string.h>

#include "find_quote.h"

/// The longest text of one escape: U+FFFD and any scalar of a surrogate pair fit.
enum { LONGEST_SCALAR = 4 };

static int hex_digit(uint8_t byte) {
    if ((uint8_t)(byte - '0') <= 9) return byte - '0';
    uint8_t lower = byte | 0x20;
    return (uint8_t)(lower - 'a') <= 5 ? lower - 'a' + 10 : -1;
}

/// The unit of `\uXXXX` at the start of `bytes`, or -1.
static int32_t utf16_unit(const uint8_t *bytes, size_t length) {
    if (length < 6 || bytes[0] != '\\' || bytes[1] != 'u') return -1;
    int32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(bytes[i]);
        if (digit < 0) return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static size_t put_utf8(uint32_t scalar, uint8_t *out) {
    if (scalar < 0x80) {
        out[0] = (uint8_t)scalar;
        return 1;
    }
    if (scalar < 0x800) {
        out[0] = (uint8_t)(0xC0 | scalar >> 6);
        out[1] = (uint8_t)(0x80 | (scalar & 0x3F));
        return 2;
    }
    if (scalar < 0x10000) {
        out[0] = (uint8_t)(0xE0 | scalar >> 12);
        out[1] = (uint8_t)(0x80 | (scalar >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (scalar & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | scalar >> 18);
    out[1] = (uint8_t)(0x80 | (scalar >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (scalar >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (scalar & 0x3F));
    return 4;
}

typedef struct {
    /// Bytes of the sequence.
    size_t length;
    /// Bytes of its text.
    size_t written;
    int is_sound;
} sequence;

/// Reads the JSON escape sequence at the start of `bytes`, which begins with a backslash.
static sequence json_sequence(const uint8_t *bytes, size_t length, uint8_t *out) {
    sequence result = {.length = 2, .written = 1, .is_sound = 1};
    switch (length > 1 ? bytes[1] : 0) {
    case '"': case '\\': case '/': out[0] = bytes[1]; return result;
    case 'b': out[0] = '\b'; return result;
    case 'f': out[0] = '\f'; return result;
    case 'n': out[0] = '\n'; return result;
    case 'r': out[0] = '\r'; return result;
    case 't': out[0] = '\t'; return result;
    default: break;
    }
    int32_t unit = utf16_unit(bytes, length);
    if (unit < 0) {
        out[0] = '\\';
        return (sequence){.length = 1, .written = 1, .is_sound = 0};
    }
    result.length = 6;
    uint32_t scalar = (uint32_t)unit;
    if (unit >= 0xD800 && unit < 0xE000) {
        int32_t low = unit < 0xDC00 ? utf16_unit(bytes + 6, length - 6) : -1;
        if (low >= 0xDC00 && low < 0xE000) {
            scalar = 0x10000 + (((uint32_t)unit - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            result.length = 12;
        } else {
            scalar = 0xFFFD;
            result.is_sound = 0;
        }
    }
    result.written = put_utf8(scalar, out);
    return result;
}

static size_t unescape_json(const uint8_t *bytes, size_t length, uint8_t *out) {
    size_t at = 0, written = 0;
    while (at < length) {
        const uint8_t *backslash = memchr(bytes + at, '\\', length - at);
        size_t run = (backslash == NULL ? length : (size_t)(backslash - bytes)) - at;
        memcpy(out + written, bytes + at, run);
        written += run;
        at += run;
        if (at == length) break;
        uint8_t text[LONGEST_SCALAR];
        sequence found = json_sequence(bytes + at, length - at, text);
        memcpy(out + written, text, found.written);
        written += found.written;
        at += found.length;
    }
    return written;
}

static size_t undouble(const uint8_t *bytes, size_t length, uint8_t *out) {
    size_t at = 0, written = 0;
    while (at < length) {
        size_t quote = find_quote(bytes, length, at);
        size_t run = (quote < length ? quote + 1 : length) - at;
        memcpy(out + written, bytes + at, run);
        written += run;
        at += run;
        if (at < length && quote < length && bytes[at] == '"') at += 1;
    }
    return written;
}

size_t bs_unescape(const uint8_t *bytes, size_t length, bs_escape escape, uint8_t *out) {
    switch (escape) {
    case BS_ESCAPE_DOUBLED: return undouble(bytes, length, out);
    case BS_ESCAPE_JSON: return unescape_json(bytes, length, out);
    default:
        if (length > 0) memcpy(out, bytes, length);
        return length;
    }
}

size_t bs_escape_length(const uint8_t *bytes, size_t length, bs_escape escape, size_t *written) {
    *written = 1;
    if (escape == BS_ESCAPE_DOUBLED) return length > 1 && bytes[0] == '"' && bytes[1] == '"' ? 2 : 1;
    if (escape != BS_ESCAPE_JSON || bytes[0] != '\\') return 1;
    uint8_t text[LONGEST_SCALAR];
    sequence found = json_sequence(bytes, length, text);
    *written = found.written;
    return found.length;
}

int bs_json_escapes(const uint8_t *bytes, size_t length) {
    const uint8_t *end = bytes + length, *at = bytes;
    int result = 0;
    while (at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        uint8_t text[LONGEST_SCALAR];
        sequence found = json_sequence(at, (size_t)(end - at), text);
        if (!found.is_sound) return -1;
        at += found.length;
        result = 1;
    }
    return result;
}
