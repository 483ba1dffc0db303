#ifndef AUDITLAKE_SQL_SECRETS_H
#define AUDITLAKE_SQL_SECRETS_H

#include "sql_lexer.h"

/// Receives spans in ascending order; touching and overlapping ones become one.
typedef struct {
    sql_span *spans;
    size_t capacity;
    size_t count;
    sql_span last;
} sql_span_list;

static inline void sql_add_span(sql_span_list *list, size_t start, size_t end) {
    if (start >= end || (list->count && end <= list->last.end)) {
        return;
    }
    if (list->count && start <= list->last.end) {
        list->last.end = end;
    } else {
        list->last = (sql_span){start, end};
        list->count += 1;
    }
    if (list->count <= list->capacity) {
        list->spans[list->count - 1] = list->last;
    }
}

/// What a piece of prose leaves open at its end: the secret may stand in the literals after it.
typedef enum {
    SQL_NOTHING_OPEN = 0,
    /// It ends with a word such as password: 'my.password', 'x'.
    SQL_NAME_OPEN = 1,
    /// It holds a role statement or a place for a password: 'alter role x password %L', 'x'.
    SQL_STATEMENT_OPEN = 2,
} sql_open;

/// Finds secrets in text[start..end), looking at nothing outside; spans count from text.
sql_open sql_scan_prose(const uint8_t *text, size_t start, size_t end, sql_span_list *list);

/// The bytes of a word in prose: those of SQL without the dollar sign.
SQL_INLINE bool sql_in_name(uint8_t byte) {
    return byte != '$' && sql_in_word(byte);
}

SQL_INLINE bool sql_word_is(const uint8_t *text, size_t start, size_t end, const char *word, size_t size) {
    return end - start == size && sql_equals(text + start, word, size);
}

SQL_INLINE size_t sql_name_end(const uint8_t *text, size_t at, size_t end) {
    while (at < end && sql_in_name(text[at])) {
        at += 1;
    }
    return at;
}

SQL_INLINE bool sql_is_blank(uint8_t byte) {
    return sql_is_space(byte) || byte == '\v';
}

/// Whether text[start..end) is `word`, a lower-case literal, without regard to case.
#define SQL_WORD_IS(start, end, word) sql_word_is(text, start, end, word, sizeof word - 1)

/// Whether a word names a secret: it holds passw or secret, or ends with pwd, in any case. password_encryption and
/// password_required do not.
bool sql_names_secret(const uint8_t *text, size_t start, size_t end);

/// The position after white space, white space written as JSON escapes, and comments of at most 1,024 bytes.
size_t sql_skip_blank(const uint8_t *text, size_t at, size_t end);

/// The end of a password without quotes that begins at `at`.
size_t sql_bare_end(const uint8_t *text, size_t at, size_t end);

/// Whether a word announces a role's password: PASSWORD, PASSWD, PASWORD, PWD and the like.
bool sql_announces_password(const uint8_t *text, size_t start, size_t end);

/// The end of a role's password that begins at `at` without straight quotes, or `at` where none stands: at NULL, a parameter,
/// <REDACTED>, a format's %L, or a call.
size_t sql_word_password_end(const uint8_t *text, size_t at, size_t end);

/// The word in which the last URI stood: where it ends, and its last @ (0: none). Keeps many :// in one word linear.
typedef struct {
    size_t end;
    size_t sign;
} sql_uri_word;

/// Blanks the password of the URI whose :// stands at `at`; gives the position to go on from.
size_t sql_read_uri(sql_uri_word *word, const uint8_t *text, size_t at, size_t end, sql_span_list *list);

/// Whether role, user (not user mapping) or group follows a CREATE or ALTER that ends at `at`.
bool sql_role_follows(const uint8_t *text, size_t at, size_t end);

#endif
