#include "sql_lexer.h"

#include <string.h>

/// The product of two words, folded: wyhash's mixing step.
SQL_INLINE uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define SEED 0x9e3779b97f4a7c15u
#define WORD_KEY 0xe7037ed1a0b428dbu
#define LITERAL_KEY 0x8ebc6af09c88c6e3u
#define BYTE_KEY 0x589965cc75374cc3u

/// Eight bytes with their ASCII capitals made small.
SQL_INLINE uint64_t lower(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t low = word & (0x7f * ones);
    uint64_t capital = ((low + (0x80 - 'A') * ones) ^ (low + (0x7f - 'Z') * ones)) & ~word & (0x80 * ones);
    return word | (capital >> 2);
}

/// Up to eight bytes; fast where eight may be read.
SQL_INLINE uint64_t load(const uint8_t *bytes, size_t count, const uint8_t *limit) {
    uint64_t word = 0;
    if (limit - bytes >= 8) {
        memcpy(&word, bytes, 8);
        return count >= 8 ? word : word & ((1ull << (8 * count)) - 1);
    }
    for (size_t index = 0; index < count && index < 8; index += 1) {
        word |= (uint64_t)bytes[index] << (8 * index);
    }
    return word;
}

SQL_INLINE uint64_t mix_bytes(uint64_t hash, const uint8_t *bytes, size_t count, const uint8_t *limit, bool fold) {
    uint64_t key = WORD_KEY + count;
    while (count > 16) {
        uint64_t first = load(bytes, 8, limit);
        uint64_t second = load(bytes + 8, 8, limit);
        hash = mix(hash ^ (fold ? lower(first) : first), key ^ (fold ? lower(second) : second));
        bytes += 16;
        count -= 16;
    }
    uint64_t first = load(bytes, count, limit);
    uint64_t second = count > 8 ? load(bytes + 8, count - 8, limit) : 0;
    return mix(hash ^ (fold ? lower(first) : first), key ^ (fold ? lower(second) : second));
}

/// The output and the next $n, kept as text.
typedef struct {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    bool full;
    uint8_t mark[24];
    size_t mark_start;
} writer;

SQL_INLINE void append(writer *out, const uint8_t *bytes, size_t count) {
    if (out->capacity - out->length < count) {
        out->full = true;
        return;
    }
    memcpy(out->bytes + out->length, bytes, count);
    out->length += count;
}

SQL_INLINE void append_space(writer *out) {
    append(out, (const uint8_t *)" ", 1);
}

static void start_marks(writer *out, uint64_t first) {
    size_t at = sizeof out->mark;
    do {
        out->mark[--at] = (uint8_t)('0' + first % 10);
        first /= 10;
    } while (first);
    out->mark[--at] = '$';
    out->mark_start = at;
}

SQL_INLINE void append_mark(writer *out) {
    append(out, out->mark + out->mark_start, sizeof out->mark - out->mark_start);
    size_t at = sizeof out->mark - 1;
    while (out->mark[at] == '9') {
        out->mark[at] = '0';
        at -= 1;
    }
    if (out->mark[at] == '$') {
        out->mark[at] = '1';
        out->mark[at - 1] = '$';
        out->mark_start -= 1;
    } else {
        out->mark[at] += 1;
    }
}

/// How far the first words of a statement are those of a role statement.
typedef enum { LEAD_NONE, LEAD_START, LEAD_VERB, LEAD_USER } lead;

static lead next_lead(lead state, const uint8_t *word, size_t size, uint32_t *flags) {
    if (state == LEAD_START) {
        bool verb = (size == 6 && sql_equals(word, "create", 6)) || (size == 5 && sql_equals(word, "alter", 5));
        return verb ? LEAD_VERB : LEAD_NONE;
    }
    if (state == LEAD_VERB) {
        if (size == 4 && sql_equals(word, "user", 4)) {
            return LEAD_USER;
        }
        if ((size == 4 && sql_equals(word, "role", 4)) || (size == 5 && sql_equals(word, "group", 5))) {
            *flags |= SQL_ROLE_STATEMENT;
        }
    } else if (!(size == 7 && sql_equals(word, "mapping", 7))) {
        *flags |= SQL_ROLE_STATEMENT;
    }
    return LEAD_NONE;
}

static uint64_t parameter_number(const uint8_t *text, const sql_token *token) {
    uint64_t number = 0;
    for (size_t at = token->start + 1; at < token->end && sql_is_digit(text[at]) && number <= INT32_MAX; at += 1) {
        number = number * 10 + (uint64_t)(text[at] - '0');
    }
    return number > INT32_MAX ? INT32_MAX : number;
}

/// One reading with marks from `highest` + 1 on; gives back the highest parameter seen.
static uint64_t pass(const uint8_t *text, size_t length, writer *out, uint64_t highest, sql_normalized *result) {
    sql_lexer lexer = {.text = text, .length = length};
    sql_token token;
    uint64_t hash = SEED;
    uint64_t seen = 0;
    size_t copied = 0;
    size_t glue = SIZE_MAX;   // the end of a token that a following $n would melt into
    size_t literal = SIZE_MAX;  // the end of the last literal
    uint32_t flags = 0;
    uint32_t count = 0;
    lead state = LEAD_START;
    start_marks(out, highest + 1);
    while (sql_lex(&lexer, &token)) {
        const uint8_t *bytes = text + token.start;
        size_t size = token.end - token.start;
        if (state != LEAD_NONE && token.kind != SQL_TOKEN_WORD && token.kind != SQL_TOKEN_LINE_COMMENT
            && token.kind != SQL_TOKEN_BLOCK_COMMENT) {
            flags |= state == LEAD_USER ? SQL_ROLE_STATEMENT : 0;
            state = LEAD_NONE;
        }
        switch (token.kind) {
        case SQL_TOKEN_WORD:
            hash = mix_bytes(hash, bytes, size, text + length, true);
            if (state != LEAD_NONE) {
                state = next_lead(state, bytes, size, &flags);
            }
            if (token.start == literal) {
                append(out, text + copied, token.start - copied);
                append_space(out);
                copied = token.start;
            }
            glue = token.end;
            break;
        case SQL_TOKEN_QUOTED_NAME:
            if (!token.unterminated) {
                hash = mix_bytes(hash, bytes, size, text + length, false);
                break;
            }
            __attribute__((fallthrough));
        case SQL_TOKEN_STRING:
        case SQL_TOKEN_BIT_STRING:
        case SQL_TOKEN_DOLLAR_STRING:
        case SQL_TOKEN_NUMBER:
            hash = mix(hash ^ LITERAL_KEY, WORD_KEY);
            flags |= token.unterminated ? SQL_UNTERMINATED : 0;
            append(out, text + copied, token.start - copied);
            if (token.start == glue) {
                append_space(out);
            }
            append_mark(out);
            copied = literal = token.end;
            count += 1;
            break;
        case SQL_TOKEN_PARAMETER: {
            uint64_t number = parameter_number(text, &token);
            seen = number > seen ? number : seen;
            hash = mix(hash ^ LITERAL_KEY, WORD_KEY);
            break;
        }
        case SQL_TOKEN_LINE_COMMENT:
        case SQL_TOKEN_BLOCK_COMMENT:
            append(out, text + copied, token.start - copied);
            if (token.unterminated) {
                flags |= SQL_UNTERMINATED;
            } else {
                append_space(out);
            }
            copied = token.end;
            break;
        default:
            if (size == 1) {
                hash = mix(hash ^ *bytes, BYTE_KEY);
            } else {
                hash = mix_bytes(hash, bytes, size, text + length, false);
            }
            if (*bytes == ';') {
                state = LEAD_START;
            } else if (*bytes == '$') {
                glue = token.end;
            }
        }
    }
    if (state == LEAD_USER) {
        flags |= SQL_ROLE_STATEMENT;
    }
    append(out, text + copied, length - copied);
    *result = (sql_normalized){out->length, hash, count, flags | (out->full ? SQL_OUTPUT_FULL : 0)};
    return seen;
}

sql_normalized sql_normalize(const void *text, size_t length, void *output, size_t capacity) {
    writer out = {.bytes = output, .capacity = capacity};
    sql_normalized result;
    uint64_t highest = pass(text, length, &out, 0, &result);
    if (highest && result.literal_count) {
        out = (writer){.bytes = output, .capacity = capacity};
        pass(text, length, &out, highest, &result);
    }
    return result;
}
