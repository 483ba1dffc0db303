#include "sql_lexer.h"

#define WORD (SQL_LETTER | SQL_IN_WORD)
#define PREFIX (SQL_PREFIX | SQL_IN_WORD)
#define SPECIAL (SQL_OPERATOR | SQL_SPECIAL_OPERATOR)

const uint8_t sql_classes[256] = {
    ['\t'] = SQL_SPACE, ['\n'] = SQL_SPACE, ['\f'] = SQL_SPACE, ['\r'] = SQL_SPACE, [' '] = SQL_SPACE,
    ['\''] = SQL_QUOTE, ['"'] = SQL_DOUBLE_QUOTE, ['$'] = SQL_DOLLAR | SQL_IN_WORD, ['.'] = SQL_DOT, [':'] = SQL_COLON,
    [','] = SQL_PUNCTUATION, [';'] = SQL_PUNCTUATION, ['('] = SQL_PUNCTUATION, [')'] = SQL_PUNCTUATION,
    ['['] = SQL_PUNCTUATION, [']'] = SQL_PUNCTUATION,
    ['~'] = SPECIAL, ['!'] = SPECIAL, ['@'] = SPECIAL, ['#'] = SPECIAL, ['^'] = SPECIAL, ['&'] = SPECIAL,
    ['|'] = SPECIAL, ['`'] = SPECIAL, ['?'] = SPECIAL, ['%'] = SPECIAL,
    ['+'] = SQL_OPERATOR, ['-'] = SQL_OPERATOR, ['*'] = SQL_OPERATOR, ['/'] = SQL_OPERATOR,
    ['<'] = SQL_OPERATOR, ['>'] = SQL_OPERATOR, ['='] = SQL_OPERATOR,
    ['0' ... '9'] = SQL_DIGIT | SQL_IN_WORD,
    ['A'] = WORD, ['B'] = PREFIX, ['C' ... 'D'] = WORD, ['E'] = PREFIX, ['F' ... 'M'] = WORD, ['N'] = PREFIX,
    ['O' ... 'T'] = WORD, ['U'] = PREFIX, ['V' ... 'W'] = WORD, ['X'] = PREFIX, ['Y' ... 'Z'] = WORD, ['_'] = WORD,
    ['a'] = WORD, ['b'] = PREFIX, ['c' ... 'd'] = WORD, ['e'] = PREFIX, ['f' ... 'm'] = WORD, ['n'] = PREFIX,
    ['o' ... 't'] = WORD, ['u'] = PREFIX, ['v' ... 'w'] = WORD, ['x'] = PREFIX, ['y' ... 'z'] = WORD,
    [0x80 ... 0xff] = WORD,
};

sql_lexer sql_lexer_start(const void *text, size_t length) {
    return (sql_lexer){.text = text, .length = length};
}

bool sql_lexer_next(sql_lexer *lexer, sql_token *token) {
    return sql_lex(lexer, token);
}

void sql_token_body(const void *text, const sql_token *token, size_t *start, size_t *end) {
    const uint8_t *bytes = text;
    size_t open = token->start;
    size_t close = 1;
    switch (token->kind) {
    case SQL_TOKEN_STRING:
    case SQL_TOKEN_BIT_STRING:
        open = sql_find(bytes, token->start, token->end, '\'', '\'') + 1;
        break;
    case SQL_TOKEN_QUOTED_NAME:
        open = sql_find(bytes, token->start, token->end, '"', '"') + 1;
        break;
    case SQL_TOKEN_DOLLAR_STRING:
        close = sql_find(bytes, token->start + 1, token->end, '$', '$') + 1 - token->start;
        open = token->start + close;
        break;
    default:
        close = 0;
    }
    *start = open;
    *end = token->unterminated ? token->end : token->end - close;
}
