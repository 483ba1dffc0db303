#include "number_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 128 };

static int is_digit(const uint8_t *bytes, size_t length, size_t at) {
    return at < length && (uint8_t)(bytes[at] - '0') <= 9;
}

/// Skips one digit or more; returns `at` when there is none.
static size_t skip_digits(const uint8_t *bytes, size_t length, size_t at) {
    while (is_digit(bytes, length, at)) at += 1;
    return at;
}

/// Whether the bytes are a number of JSON.
static int is_number(const uint8_t *bytes, size_t length) {
    size_t at = length > 0 && bytes[0] == '-';
    size_t digits = at;
    at = skip_digits(bytes, length, at);
    if (at == digits || (bytes[digits] == '0' && at > digits + 1)) return 0;
    if (at < length && bytes[at] == '.') {
        digits = at + 1;
        at = skip_digits(bytes, length, digits);
        if (at == digits) return 0;
    }
    if (at < length && (bytes[at] | 0x20) == 'e') {
        at += 1;
        if (at < length && (bytes[at] == '+' || bytes[at] == '-')) at += 1;
        digits = at;
        at = skip_digits(bytes, length, digits);
        if (at == digits) return 0;
    }
    return at == length;
}

/// Numbers of at most 15 digits: they and the power of ten are exact, so their quotient is rounded once.
static int read_short(const uint8_t *bytes, size_t length, double *value) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t at = bytes[0] == '-';
    if (length - at > 16) return 0;
    uint64_t digits = 0;
    size_t digit_count = 0;
    size_t behind_point = 0;
    int has_point = 0;
    for (; at < length; at++) {
        if (bytes[at] == '.') {
            has_point = 1;
            continue;
        }
        if ((uint8_t)(bytes[at] - '0') > 9) return 0;
        digits = digits * 10 + (uint64_t)(bytes[at] - '0');
        digit_count += 1;
        behind_point += (size_t)has_point;
    }
    if (digit_count > 15) return 0;
    double magnitude = (double)digits / powers[behind_point];
    *value = bytes[0] == '-' ? -magnitude : magnitude;
    return 1;
}

int bs_read_double(const uint8_t *bytes, size_t length, double *value) {
    if (length == 0 || length > LONGEST_NUMBER || !is_number(bytes, length)) return 0;
    if (read_short(bytes, length, value)) return 1;
    char text[LONGEST_NUMBER + 1];
    memcpy(text, bytes, length);
    text[length] = 0;
    *value = strtod(text, NULL);
    return isfinite(*value);
}
