#ifndef AUDITLAKE_SQL_LEXER_H
#define AUDITLAKE_SQL_LEXER_H

// The tokenizer itself, inlined into the loops that need it. The names follow scan.l.

#include "sql_tokens.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define SQL_INLINE static inline __attribute__((always_inline))

enum {
    SQL_OTHER,
    SQL_SPACE,
    SQL_LETTER,
    SQL_PREFIX,  // a letter that can stand before a quote
    SQL_DIGIT,
    SQL_DOT,
    SQL_QUOTE,
    SQL_DOUBLE_QUOTE,
    SQL_DOLLAR,
    SQL_OPERATOR,
    SQL_COLON,
    SQL_PUNCTUATION,
    SQL_CLASS = 15,
    SQL_IN_WORD = 16,           // ident_cont
    SQL_SPECIAL_OPERATOR = 32,  // an operator that holds one of these may end in + or -
};

extern const uint8_t sql_classes[256];

SQL_INLINE bool sql_in_word(uint8_t byte) {
    return sql_classes[byte] & SQL_IN_WORD;
}

SQL_INLINE bool sql_starts_word(uint8_t byte) {
    uint8_t class = sql_classes[byte] & SQL_CLASS;
    return class == SQL_LETTER || class == SQL_PREFIX;
}

SQL_INLINE bool sql_is_digit(uint8_t byte) {
    return (uint8_t)(byte - '0') <= 9;
}

SQL_INLINE bool sql_is_space(uint8_t byte) {
    return byte == ' ' || (uint8_t)(byte - 9) <= 1 || (uint8_t)(byte - 12) <= 1;
}

#if defined(__SSE2__)
SQL_INLINE __m128i sql_in_range(__m128i bytes, uint8_t low, uint8_t count) {
    __m128i moved = _mm_sub_epi8(bytes, _mm_set1_epi8((char)low));
    return _mm_cmpeq_epi8(_mm_min_epu8(moved, _mm_set1_epi8((char)count)), moved);
}
#endif

/// The end of the word bytes that begin at `at`.
SQL_INLINE size_t sql_word_end(const uint8_t *text, size_t at, size_t length) {
#if defined(__SSE2__)
    while (length - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(text + at));
        __m128i word = sql_in_range(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
        word = _mm_or_si128(word, sql_in_range(bytes, '0', 9));
        word = _mm_or_si128(word, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));
        word = _mm_or_si128(word, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('$')));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(word, bytes));  // bytes from 0x80 on have the top bit
        if (mask != 0xffff) {
            return at + (size_t)__builtin_ctz(~mask);
        }
        at += 16;
    }
#endif
    while (at < length && sql_in_word(text[at])) {
        at += 1;
    }
    return at;
}

/// The first position from `at` on that holds one of two bytes, or `length`.
SQL_INLINE size_t sql_find(const uint8_t *text, size_t at, size_t length, uint8_t one, uint8_t other) {
#if defined(__SSE2__)
    while (length - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(text + at));
        __m128i found = _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)one));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)other)));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask) {
            return at + (size_t)__builtin_ctz(mask);
        }
        at += 16;
    }
#endif
    while (at < length && text[at] != one && text[at] != other) {
        at += 1;
    }
    return at;
}

/// After a closing quote at `at` - 1: the position after the quote that goes on with the string on a further line, or 0.
static inline size_t sql_continuation(const uint8_t *text, size_t at, size_t length) {
    bool newline = false;
    while (at < length) {
        if (text[at] == '\'') {
            return newline ? at + 1 : 0;
        }
        if (sql_is_space(text[at])) {
            newline |= text[at] == '\n' || text[at] == '\r';
            at += 1;
        } else if (text[at] == '-' && at + 1 < length && text[at + 1] == '-') {
            at = sql_find(text, at, length, '\n', '\r');
        } else {
            return 0;
        }
    }
    return 0;
}

/// The end of a quoted string whose first byte inside the quotes is at `at`.
SQL_INLINE size_t sql_string_end(const uint8_t *text, size_t at, size_t length, bool escapes, bool doubles, bool *open) {
    for (;;) {
        at = sql_find(text, at, length, '\'', escapes ? '\\' : '\'');
        if (at >= length) {
            *open = true;
            return length;
        }
        if (text[at] == '\\') {
            at = length - at > 2 ? at + 2 : length;
            continue;
        }
        at += 1;
        if (at < length && text[at] == '\'' && doubles) {
            at += 1;
            continue;
        }
        size_t further = 0;
        if (at < length && (sql_is_space(text[at]) || text[at] == '-')) {
            further = sql_continuation(text, at, length);
        }
        if (!further) {
            return at;
        }
        at = further;
    }
}

/// The end of a quoted identifier whose first byte inside the quotes is at `at`.
SQL_INLINE size_t sql_quoted_name_end(const uint8_t *text, size_t at, size_t length, bool *open) {
    for (;;) {
        at = sql_find(text, at, length, '"', '"');
        if (at >= length) {
            *open = true;
            return length;
        }
        at += 1;
        if (at >= length || text[at] != '"') {
            return at;
        }
        at += 1;
    }
}

/// The length of the dollar quote delimiter at `at`, or 0.
static inline size_t sql_dollar_delimiter(const uint8_t *text, size_t at, size_t length) {
    size_t end = at + 1;
    if (end < length && sql_starts_word(text[end])) {
        while (end < length && sql_in_word(text[end]) && text[end] != '$') {
            end += 1;
        }
    }
    return end < length && text[end] == '$' ? end + 1 - at : 0;
}

/// The start of the delimiter that closes the dollar quote opened by text[from..from + size), or `length`.
static inline size_t sql_dollar_close(const uint8_t *text, size_t from, size_t size, size_t length) {
    size_t at = from + size;
    while ((at = sql_find(text, at, length, '$', '$')) < length) {
        if (length - at >= size && __builtin_memcmp(text + at, text + from, size) == 0) {
            return at;
        }
        at += 1;
    }
    return length;
}

static inline size_t sql_block_comment_end(const uint8_t *text, size_t at, size_t length, bool *open) {
    size_t depth = 0;
    while ((at = sql_find(text, at, length, '*', '/')) + 1 < length) {
        if (text[at] == '/' && text[at + 1] == '*') {
            depth += 1;
            at += 2;
        } else if (text[at] == '*' && text[at + 1] == '/') {
            depth -= 1;
            at += 2;
            if (depth == 0) {
                return at;
            }
        } else {
            at += 1;
        }
    }
    *open = true;
    return length;
}

/// The end of a number that begins at `at` with a digit, or with a dot and a digit.
SQL_INLINE size_t sql_number_end(const uint8_t *text, size_t at, size_t length) {
    while (at < length && sql_is_digit(text[at])) {
        at += 1;
    }
    if (at < length && text[at] == '.' && !(at + 1 < length && text[at + 1] == '.')) {
        at += 1;
        while (at < length && sql_is_digit(text[at])) {
            at += 1;
        }
    }
    if (at < length && (text[at] | 0x20) == 'e') {
        size_t exponent = at + 1;
        if (exponent < length && (text[exponent] == '+' || text[exponent] == '-')) {
            exponent += 1;
        }
        if (exponent < length && sql_is_digit(text[exponent])) {
            at = exponent;
            while (at < length && sql_is_digit(text[at])) {
                at += 1;
            }
        }
    }
    return at < length && sql_starts_word(text[at]) ? sql_word_end(text, at, length) : at;
}

/// The end of an operator. A run of operator bytes is measured once, or +-+-+-… would cost quadratic time.
SQL_INLINE size_t sql_operator_end(sql_lexer *lexer, size_t at) {
    const uint8_t *text = lexer->text;
    size_t length = lexer->length;
    if (at >= lexer->run_end) {
        size_t end = at;
        lexer->run_special_end = at;
        lexer->run_tail = at;
        do {
            if (sql_classes[text[end]] & SQL_SPECIAL_OPERATOR) {
                lexer->run_special_end = end + 1;
            }
            if (text[end] != '+' && text[end] != '-') {
                lexer->run_tail = end + 1;
            }
            end += 1;
            if (end + 1 < length && ((text[end] == '-' && text[end + 1] == '-') || (text[end] == '/' && text[end + 1] == '*'))) {
                break;
            }
        } while (end < length && (sql_classes[text[end]] & SQL_CLASS) == SQL_OPERATOR);
        lexer->run_end = end;
    }
    if (lexer->run_tail == lexer->run_end || lexer->run_special_end > at) {
        return lexer->run_end;
    }
    return lexer->run_tail > at + 1 ? lexer->run_tail : at + 1;
}

SQL_INLINE size_t sql_string_token(sql_lexer *lexer, sql_token *token, size_t inside, uint8_t prefix) {
    bool bits = prefix == 'b' || prefix == 'x';
    token->kind = bits ? SQL_TOKEN_BIT_STRING : SQL_TOKEN_STRING;
    return sql_string_end(lexer->text, inside, lexer->length, prefix == 'e', !bits, &token->unterminated);
}

/// Moves to the next token; see sql_lexer_next.
SQL_INLINE bool sql_lex(sql_lexer *lexer, sql_token *token) {
    const uint8_t *text = lexer->text;
    size_t length = lexer->length;
    size_t at = lexer->position;
    while (at < length && sql_is_space(text[at])) {
        at += 1;
    }
    token->start = at;
    token->unterminated = false;
    if (at >= length) {
        token->end = length;
        token->kind = SQL_TOKEN_END;
        lexer->position = length;
        return false;
    }
    uint8_t byte = text[at];
    uint8_t next = at + 1 < length ? text[at + 1] : 0;
    size_t end = at + 1;
    switch (sql_classes[byte] & SQL_CLASS) {
    case SQL_PREFIX:
        if (next == '\'' && (byte | 0x20) != 'u') {
            end = sql_string_token(lexer, token, at + 2, byte | 0x20);
            break;
        }
        if (next == '&' && (byte | 0x20) == 'u' && at + 2 < length) {
            if (text[at + 2] == '\'') {
                end = sql_string_token(lexer, token, at + 3, 'u');
                break;
            }
            if (text[at + 2] == '"') {
                token->kind = SQL_TOKEN_QUOTED_NAME;
                end = sql_quoted_name_end(text, at + 3, length, &token->unterminated);
                break;
            }
        }
        __attribute__((fallthrough));
    case SQL_LETTER:
        token->kind = SQL_TOKEN_WORD;
        end = sql_word_end(text, at + 1, length);
        break;
    case SQL_QUOTE:
        end = sql_string_token(lexer, token, at + 1, 0);
        break;
    case SQL_DOUBLE_QUOTE:
        token->kind = SQL_TOKEN_QUOTED_NAME;
        end = sql_quoted_name_end(text, at + 1, length, &token->unterminated);
        break;
    case SQL_DOT:
        if (!sql_is_digit(next)) {
            token->kind = SQL_TOKEN_PUNCTUATION;
            end = next == '.' ? at + 2 : at + 1;
            break;
        }
        __attribute__((fallthrough));
    case SQL_DIGIT:
        token->kind = SQL_TOKEN_NUMBER;
        end = sql_number_end(text, at, length);
        break;
    case SQL_DOLLAR: {
        size_t size;
        if (sql_is_digit(next)) {
            token->kind = SQL_TOKEN_PARAMETER;
            while (end < length && sql_is_digit(text[end])) {
                end += 1;
            }
            if (end < length && sql_starts_word(text[end])) {
                end = sql_word_end(text, end, length);
            }
        } else if ((size = sql_dollar_delimiter(text, at, length))) {
            token->kind = SQL_TOKEN_DOLLAR_STRING;
            end = sql_dollar_close(text, at, size, length);
            token->unterminated = end == length;
            end = end == length ? length : end + size;
        } else {
            token->kind = SQL_TOKEN_OTHER;
        }
        break;
    }
    case SQL_OPERATOR:
        if (byte == '-' && next == '-') {
            token->kind = SQL_TOKEN_LINE_COMMENT;
            end = sql_find(text, at, length, '\n', '\r');
        } else if (byte == '/' && next == '*') {
            token->kind = SQL_TOKEN_BLOCK_COMMENT;
            end = sql_block_comment_end(text, at, length, &token->unterminated);
        } else {
            token->kind = SQL_TOKEN_OPERATOR;
            end = sql_operator_end(lexer, at);
        }
        break;
    case SQL_COLON:
        token->kind = SQL_TOKEN_PUNCTUATION;
        end = next == ':' || next == '=' ? at + 2 : at + 1;
        break;
    case SQL_PUNCTUATION:
        token->kind = SQL_TOKEN_PUNCTUATION;
        break;
    default:
        token->kind = SQL_TOKEN_OTHER;
    }
    token->end = end;
    lexer->position = end;
    return true;
}

/// Whether text[at..at + size) is `word`, which is lower-case ASCII, without regard to case.
SQL_INLINE bool sql_equals(const uint8_t *text, const char *word, size_t size) {
    for (size_t index = 0; index < size; index += 1) {
        uint8_t byte = text[index];
        if ((uint8_t)(byte - 'A') <= 25) {
            byte |= 0x20;
        }
        if (byte != (uint8_t)word[index]) {
            return false;
        }
    }
    return true;
}

#endif
