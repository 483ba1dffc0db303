#ifndef AUDITLAKE_SQL_TOKENS_H
#define AUDITLAKE_SQL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// PostgreSQL's lexical rules (src/backend/parser/scan.l of version 15, standard_conforming_strings on) over any bytes.
//
// Nothing here allocates, recurses without a bound, or reads outside of text[0..length). NUL bytes and invalid UTF-8 are
// ordinary bytes. Every function is linear in the length of its text.

/// What a token is. White space is no token.
typedef enum {
    /// The end of the text.
    SQL_TOKEN_END = 0,
    /// A keyword or an unquoted identifier.
    SQL_TOKEN_WORD,
    /// "…" or U&"…".
    SQL_TOKEN_QUOTED_NAME,
    /// '…', E'…', N'…' or U&'…', with its continuations on further lines.
    SQL_TOKEN_STRING,
    /// B'…' or X'…'.
    SQL_TOKEN_BIT_STRING,
    /// $tag$…$tag$.
    SQL_TOKEN_DOLLAR_STRING,
    /// An integer or decimal number without sign; letters that stick to it belong to it (an error in version 15).
    SQL_TOKEN_NUMBER,
    /// $1.
    SQL_TOKEN_PARAMETER,
    SQL_TOKEN_OPERATOR,
    /// One of , ( ) [ ] ; . : or .. :: :=
    SQL_TOKEN_PUNCTUATION,
    /// -- to the end of the line, the newline excluded.
    SQL_TOKEN_LINE_COMMENT,
    /// A block comment, nested ones included.
    SQL_TOKEN_BLOCK_COMMENT,
    /// A byte that begins no token.
    SQL_TOKEN_OTHER,
} sql_token_kind;

/// One token: text[start..end).
typedef struct {
    size_t start;
    size_t end;
    sql_token_kind kind;
    /// The text ended inside this token; it then reaches to the end of the text.
    bool unterminated;
} sql_token;

/// Where a walk over a text stands. Made by sql_lexer_start; its fields are private.
typedef struct {
    const uint8_t *text;
    size_t length;
    size_t position;
    size_t run_end;
    size_t run_special_end;
    size_t run_tail;
} sql_lexer;

/// Begins a walk over text[0..length), which must outlive it.
sql_lexer sql_lexer_start(const void *text, size_t length);

/// Moves to the next token. Returns false at the end of the text.
bool sql_lexer_next(sql_lexer *lexer, sql_token *token);

/// The part of a string, dollar-quoted string or quoted identifier that lies between its quotes; the whole of any other token.
void sql_token_body(const void *text, const sql_token *token, size_t *start, size_t *end);

enum {
    /// A string, quoted identifier or comment does not end.
    SQL_UNTERMINATED = 1,
    /// Some statement begins with CREATE or ALTER and ROLE, USER or GROUP; USER MAPPING does not count.
    SQL_ROLE_STATEMENT = 2,
    /// The output did not fit: only the fields of the result, not the bytes written, can be used.
    SQL_OUTPUT_FULL = 4,
};

/// What sql_normalize found.
typedef struct {
    /// Bytes written.
    size_t length;
    /// A hash over the tokens; see sql_normalize.
    uint64_t fingerprint;
    /// Literals replaced.
    uint32_t literal_count;
    /// SQL_UNTERMINATED, SQL_ROLE_STATEMENT, SQL_OUTPUT_FULL.
    uint32_t flags;
} sql_normalized;

/// The most bytes that sql_normalize writes for a text of this length. Real texts hardly grow: start with 2 * length + 64.
static inline size_t sql_normalized_bound(size_t length) {
    return length * 13 + 16;
}

/// Writes the text with every literal replaced by $n and every comment by one space.
///
/// n counts up from the highest parameter of the text. A literal is a string of any sort with its prefix, or a number without
/// its sign. From the opening quote of an unterminated string or quoted identifier on, everything is one literal; an
/// unterminated comment is dropped. One space is put between a $n and a word that touched the literal ("select'x'"), so that the
/// result has the same tokens; nothing else changes. A text with both parameters and literals is read twice.
///
/// The fingerprint is equal for texts whose tokens are equal after lower-casing words (ASCII) and taking all literals and
/// parameters for the same; white space and comments do not count. It is no evidence: collisions can be built.
sql_normalized sql_normalize(const void *text, size_t length, void *output, size_t capacity);

/// A half-open range of bytes to blank.
typedef struct {
    size_t start;
    size_t end;
} sql_span;

/// Finds the secrets of a SQL text; sql_secrets.c says which contexts count.
///
/// A span covers what lies between the quotes of a literal, so that password 'x' becomes password '***', and the whole of a
/// number or bare word. An empty literal gives no span.
///
/// - spans: receives the first `capacity` spans, in order, apart from each other.
/// - Returns the number of all spans; if above `capacity`, call again with more room.
size_t sql_secrets_in_statement(const void *text, size_t length, sql_span *spans, size_t capacity);

/// Finds the secrets of prose that may quote SQL or connection strings: a log message, its detail, hint or context, a list of
/// parameters, a whole log record. Takes and returns the same as sql_secrets_in_statement; sql_secrets_text.c has the rules.
size_t sql_secrets_in_prose(const void *text, size_t length, sql_span *spans, size_t capacity);

/// Finds what may be a secret in bytes that were cut out of a log: after a word that names one, the rest of its line. Takes and
/// returns the same as sql_secrets_in_statement.
size_t sql_secrets_in_fragment(const void *text, size_t length, sql_span *spans, size_t capacity);

/// Whether a text can hold a secret at all. When false, neither function above finds a span in the text, nor in the fields
/// taken out of it by undoing CSV quotes or JSON escapes. Meant for every record: it reads memory at several GB/s.
bool sql_may_hold_secret(const void *text, size_t length);

#endif
