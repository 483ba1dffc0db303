#include "sql_secrets.h"

#include <string.h>

// The pieces that the readers of SQL and of prose share: which words name a secret, what counts as blank, role statements,
// bare passwords and URIs.

static bool holds(const uint8_t *text, size_t start, size_t end, const char *word, size_t size) {
    for (size_t at = start; at + size <= end; at += 1) {
        if (sql_equals(text + at, word, size)) {
            return true;
        }
    }
    return false;
}

#define HOLDS(word) holds(text, start, end, word, sizeof word - 1)

bool sql_names_secret(const uint8_t *text, size_t start, size_t end) {
    if (end - start < 3 || SQL_WORD_IS(start, end, "password_encryption") || SQL_WORD_IS(start, end, "password_required")) {
        return false;
    }
    return HOLDS("passw") || HOLDS("secret") || sql_equals(text + end - 3, "pwd", 3);
}

bool sql_announces_password(const uint8_t *text, size_t start, size_t end) {
    if (SQL_WORD_IS(start, end, "pwd") || SQL_WORD_IS(start, end, "pasword")) {
        return true;
    }
    if (end - start < 5 || end - start > 9 || !sql_equals(text + start, "passw", 5)) {
        return false;
    }
    size_t at = start;
    while (at < end && (uint8_t)((text[at] | 0x20) - 'a') <= 25) {
        at += 1;
    }
    return at == end;
}

/// Whether one of the quotes ‘ ’ ‚ ‛ “ ” „ ‟ stands at `at`.
static bool is_typographic(const uint8_t *text, size_t at, size_t end) {
    return end - at >= 3 && text[at] == 0xe2 && text[at + 1] == 0x80 && text[at + 2] >= 0x98 && text[at + 2] <= 0x9f;
}

/// The end of a password in typographic quotes of at most 256 bytes, or `at`.
static size_t typographic_end(const uint8_t *text, size_t at, size_t end) {
    size_t limit = end - at > 256 ? at + 256 : end;
    if (!is_typographic(text, at, end)) {
        return at;
    }
    for (size_t stop = at + 3; stop < limit; stop += 1) {
        if (is_typographic(text, stop, limit)) {
            return stop + 3;
        }
    }
    return at;
}

/// Whether the single quote at `at` is part of a word, as in O'Brien: no other is near.
static bool is_inner_quote(const uint8_t *text, size_t start, size_t at, size_t end) {
    size_t limit = end - at > 64 ? at + 64 : end;
    if (at == start || at + 1 >= end || !sql_in_name(text[at - 1]) || !sql_in_name(text[at + 1])) {
        return false;
    }
    size_t stop = at + 1;
    while (stop < limit && !sql_is_blank(text[stop]) && text[stop] != '\'') {
        stop += 1;
    }
    return stop == limit || text[stop] != '\'';
}

static bool ends_word_password(const uint8_t *text, size_t start, size_t at, size_t end) {
    switch (text[at]) {
    case 0:
    case ',':
    case ';':
    case ')':
    case '"':
        return true;
    case '\\':
        return at + 1 < end && text[at + 1] == '"';
    case '\'':
        return !is_inner_quote(text, start, at, end);
    default:
        return sql_is_blank(text[at]);
    }
}

size_t sql_word_password_end(const uint8_t *text, size_t at, size_t end) {
    size_t stop = typographic_end(text, at, end);
    while (stop < end && !ends_word_password(text, at, stop, end)) {
        stop += 1;
    }
    if (SQL_WORD_IS(at, stop, "null") || SQL_WORD_IS(at, stop, "<redacted>")) {
        return at;
    }
    if (stop - at == 2 && text[at] == '%') {
        return at;
    }
    if (stop - at > 1 && text[at] == '$') {
        size_t digits = at + 1;
        while (digits < stop && sql_is_digit(text[digits])) {
            digits += 1;
        }
        return digits == stop ? at : stop;
    }
    // A call of any length would be read again for each such word in it.
    bool call = stop > at && stop - at < 256 && stop < end && text[stop] == '\'' && text[stop - 1] == '(';
    return call ? at : stop;
}

/// The end of a comment at `at` if it is at most 1,024 bytes long, else `at`: without the bound a text of many openings
/// would take quadratic time.
static size_t skip_comment(const uint8_t *text, size_t at, size_t end) {
    size_t limit = end - at > 1024 ? at + 1024 : end;
    if (text[at] == '-' && text[at + 1] == '-') {
        size_t stop = sql_find(text, at, limit, '\n', '\r');
        return stop < limit ? stop : at;
    }
    if (text[at] == '/' && text[at + 1] == '*') {
        bool open = false;
        size_t stop = sql_block_comment_end(text, at, limit, &open);
        return open ? at : stop;
    }
    return at;
}

size_t sql_skip_blank(const uint8_t *text, size_t at, size_t end) {
    while (at < end) {
        if (sql_is_blank(text[at])) {
            at += 1;
        } else if (end - at >= 2 && text[at] == '\\' && memchr("nrtf", text[at + 1], 4)) {
            at += 2;
        } else if (end - at >= 2 && (text[at] == '-' || text[at] == '/')) {
            size_t next = skip_comment(text, at, end);
            if (next == at) {
                return at;
            }
            at = next;
        } else {
            return at;
        }
    }
    return at;
}

bool sql_role_follows(const uint8_t *text, size_t at, size_t end) {
    size_t word = sql_skip_blank(text, at, end);
    size_t stop = sql_word_end(text, word, end);
    if (word == at) {
        return false;
    }
    if (SQL_WORD_IS(word, stop, "role") || SQL_WORD_IS(word, stop, "group")) {
        return true;
    }
    if (!SQL_WORD_IS(word, stop, "user")) {
        return false;
    }
    size_t third = sql_skip_blank(text, stop, end);
    return !SQL_WORD_IS(third, sql_word_end(text, third, end), "mapping");
}

/// The end of a password without quotes: it reaches to a blank, a quote, or a further name= after & or ;.
size_t sql_bare_end(const uint8_t *text, size_t at, size_t end) {
    while (at < end && !sql_is_blank(text[at]) && text[at] != '"' && text[at] != '\'' && text[at] != 0) {
        if (text[at] == '\\' && at + 1 < end) {
            if (memchr("\"nrt", text[at + 1], 4)) {
                return at;
            }
            at += 1;
        } else if (text[at] == '&' || text[at] == ';') {
            size_t name = sql_name_end(text, at + 1, end - at > 64 ? at + 64 : end);
            if (name > at + 1 && name < end && text[name] == '=') {
                return at;
            }
        }
        at += 1;
    }
    return at;
}

/// The end of the password in text[at..end), a URI's text after ://, or 0. `sign` is its last @.
static size_t uri_password(const uint8_t *text, size_t at, size_t sign, size_t end, size_t *start) {
    size_t colon = sql_find(text, at, sign, ':', ':');
    size_t path = at;
    while (path < end && !memchr("/?#", text[path], 3)) {
        path += 1;
    }
    if (sign > path) {
        // An @ before the path is the one that counts. Without one the password may hold a slash; host:443/path@x has none.
        size_t before = path;
        while (before > at && text[before - 1] != '@') {
            before -= 1;
        }
        size_t digits = colon < sign ? colon + 1 : end;
        while (digits < end && sql_is_digit(text[digits])) {
            digits += 1;
        }
        if (before > at) {
            sign = before - 1;
        } else if (digits < end && text[digits] == '/') {
            return 0;
        }
    }
    *start = colon + 1;
    return colon < sign ? sign : 0;
}

size_t sql_read_uri(sql_uri_word *word, const uint8_t *text, size_t at, size_t end, sql_span_list *list) {
    size_t from = at + 3;
    if (word->end < from) {
        word->end = from;
        word->sign = 0;
        while (word->end < end && !sql_is_blank(text[word->end]) && !memchr("\"'<>`", text[word->end], 6)) {
            word->sign = text[word->end] == '@' ? word->end : word->sign;
            word->end += 1;
        }
    }
    size_t start = 0;
    size_t stop = word->sign > from ? uri_password(text, from, word->sign, word->end, &start) : 0;
    if (stop) {
        sql_add_span(list, start, stop);
    }
    return stop ? stop : from;
}
