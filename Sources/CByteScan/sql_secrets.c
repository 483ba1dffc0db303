#include "sql_secrets.h"

#include <string.h>

// Secrets of a SQL text, found by its tokens. Blanked are
//
// - after a word that names a secret (sql_names_secret): the literal that follows at once, or after an operator, TO, IN or LIKE;
//   all literals of a function call or parenthesis that stands there: password = crypt('x', gen_salt('bf')), set_password('x');
// - the literal after IDENTIFIED … BY;
// - in CREATE or ALTER of a ROLE, USER or GROUP: every string literal but the one after UNTIL and those of SET name = or TO;
// - in such a statement, whatever follows PASSWORD or IDENTIFIED BY, quoted by double quotes or not at all: failed statements
//   are logged too. NULL, parameters and <REDACTED> stay. The same after \password, and after a word that names a secret in
//   CREATE or ALTER of a SUBSCRIPTION, SERVER or USER MAPPING;
// - a bare word after a word that names a secret and = without blanks: password=x;
// - after a list of columns with one that names a secret, of INSERT or SET: every string literal of the values;
// - after a literal that ends with a word which names a secret and a comma or operator: the next literal;
// - after a literal with a role statement or an open password inside: every string literal of the statement;
// - in a statement with any of these, everything from an unterminated quote on.
//
// Dollar-quoted texts are read as SQL themselves, down to `deepest`; other literals, quoted names and comments as prose.

/// What the next token may be.
typedef enum {
    EXPECT_NOTHING,
    EXPECT_VALUE,       // after a name: an operator or a literal
    EXPECT_OPERAND,     // after an operator: a literal, a call, a parenthesis
    EXPECT_CALL,        // after a word in an operand: its parenthesis, or the literal it casts
    EXPECT_MORE,        // after a literal: || and the like
    EXPECT_SEPARATOR,   // after a literal that names a secret: a comma or an operator
    EXPECT_CAST,        // after a name and ::
    EXPECT_ASSIGNMENT,  // after a name and a type: := or DEFAULT
} expectation;

typedef struct {
    size_t words;
    bool verb;
    bool user;
    bool role;
    bool until;
    bool set;
    bool setting;        // in the values of SET name =
    bool setting_value;  // the next token is such a value
    bool options;        // in a statement with options such as password
    bool password;       // the next token is a secret, whatever it is
    bool columns;        // the next parenthesis holds columns: after INSERT or SET
    bool rows;           // in the values of columns with a secret among them
    bool all;            // every string literal is a secret
    bool seen;           // some secret context has been seen
    uint8_t identified;  // words since IDENTIFIED, counting down
    uint8_t type_words;
    size_t name_end;  // of the last name of a secret
    size_t bare;      // a bare password may begin here: after password= without blanks
    size_t depth;
    size_t columns_depth;  // inside a list of columns: its depth, or 0
    size_t rows_depth;     // where the values stand
    bool secret_column;    // one of the columns names a secret
    size_t call_depth;  // literals are secrets while depth is at least this; 0: not in such a call
    expectation expect;
} statement;

static const int deepest = 4;

static bool is_word(const uint8_t *text, const sql_token *token, const char *word, size_t size) {
    return token->end - token->start == size && sql_equals(text + token->start, word, size);
}

#define IS(word) is_word(text, token, word, sizeof word - 1)

/// Follows the first words up to ROLE, USER or GROUP.
static void read_lead(statement *now, const uint8_t *text, const sql_token *token) {
    now->words += 1;
    if (now->words == 1) {
        now->verb = IS("create") || IS("alter");
    } else if (now->words == 2 && now->verb) {
        now->role = IS("role") || IS("user") || IS("group");
        now->user = IS("user");
        now->options = IS("subscription") || IS("server");
    } else if (now->words == 3 && now->user && IS("mapping")) {
        now->role = false;
        now->options = true;
    }
    now->seen |= now->role;
}

/// Follows lists of columns: INSERT INTO t (name, password) and SET (name, password).
static void read_columns(statement *now, const uint8_t *text, const sql_token *token) {
    if (IS("insert") || IS("set")) {
        now->columns = true;
    } else if (IS("values") || IS("select") || IS("default") || IS("to")) {
        now->columns = false;
    } else if (IS("where") || IS("from") || IS("returning") || IS("on") || IS("when")) {
        now->columns = false;
        now->rows &= now->depth > now->rows_depth;
    }
}

/// Notes that the word at the token names a secret.
static void read_secret_name(statement *now, const uint8_t *text, const sql_token *token) {
    bool psql = token->start > 0 && text[token->start - 1] == '\\' && IS("password");
    bool announces = sql_announces_password(text, token->start, token->end) && (now->words != 3 || IS("password"));
    now->password = psql || (now->options && now->words > 3) || (now->role && announces);
    now->secret_column |= now->columns_depth > 0;
    now->expect = EXPECT_VALUE;
    now->type_words = 0;
    now->name_end = token->end;
    now->seen = true;
}

static void read_word(statement *now, const uint8_t *text, const sql_token *token) {
    read_lead(now, text, token);
    read_columns(now, text, token);
    now->until = IS("until");
    if (now->setting && !now->setting_value) {
        now->setting = false;
    }
    now->setting_value = false;
    if (now->set && IS("to")) {
        now->setting = now->setting_value = true;
        now->set = false;
    } else if (IS("set")) {
        now->set = true;
    }
    if (now->identified) {
        now->identified -= 1;
        if (IS("by")) {
            now->expect = EXPECT_OPERAND;
            now->password = now->role;
            now->seen = true;
            return;
        }
    }
    if (IS("identified")) {
        now->identified = 4;
    }
    if (sql_names_secret(text, token->start, token->end)) {
        read_secret_name(now, text, token);
        return;
    }
    now->password = now->role && sql_announces_password(text, token->start, token->end) && now->words != 3;
    switch (now->expect) {
    case EXPECT_VALUE:
        if (IS("to") || IS("in") || IS("like") || IS("ilike") || IS("is") || IS("any")) {
            now->expect = EXPECT_OPERAND;
        } else {
            now->expect = EXPECT_ASSIGNMENT;
        }
        break;
    case EXPECT_ASSIGNMENT:
        now->type_words += 1;
        if (IS("default")) {
            now->expect = EXPECT_OPERAND;
        } else if (now->type_words > 3) {
            now->expect = EXPECT_NOTHING;
        }
        break;
    case EXPECT_OPERAND:
    case EXPECT_CALL:
        now->expect = EXPECT_CALL;
        break;
    case EXPECT_CAST:
        now->expect = EXPECT_VALUE;
        break;
    default:
        now->expect = EXPECT_NOTHING;
    }
}

static void read_operator(statement *now, const uint8_t *text, const sql_token *token) {
    if (IS("=") && now->set) {
        now->setting = now->setting_value = true;
        now->set = false;
    } else {
        now->setting = false;
    }
    now->until = false;
    if (IS("=") && now->expect == EXPECT_VALUE && token->start == now->name_end) {
        now->bare = token->end;
    }
    switch (now->expect) {
    case EXPECT_ASSIGNMENT:
        now->expect = IS(":=") ? EXPECT_OPERAND : EXPECT_NOTHING;
        break;
    case EXPECT_VALUE:
    case EXPECT_MORE:
    case EXPECT_SEPARATOR:
    case EXPECT_OPERAND:
        now->expect = EXPECT_OPERAND;
        break;
    case EXPECT_CALL:
        now->expect = IS("||") ? EXPECT_OPERAND : EXPECT_NOTHING;
        break;
    default:
        now->expect = EXPECT_NOTHING;
    }
}

static void read_open(statement *now, bool round) {
    now->depth += 1;
    if (now->columns && round) {
        now->columns = now->secret_column = false;
        now->columns_depth = now->depth;
    }
    bool opens = now->expect == EXPECT_OPERAND || now->expect == EXPECT_CALL || (now->expect == EXPECT_VALUE && round);
    if (opens && !now->call_depth) {
        now->call_depth = now->depth;
    }
    if (now->expect != EXPECT_ASSIGNMENT) {
        now->expect = EXPECT_NOTHING;
    }
}

static void read_close(statement *now) {
    if (now->call_depth && now->depth <= now->call_depth) {
        now->call_depth = 0;
    }
    bool columns = now->columns_depth && now->depth <= now->columns_depth;
    now->depth -= now->depth > 0;
    if (columns) {
        now->columns_depth = 0;
        now->rows |= now->secret_column;
        now->rows_depth = now->depth;
    }
    if (now->expect != EXPECT_ASSIGNMENT) {
        now->expect = EXPECT_NOTHING;
    }
}

static void read_punctuation(statement *now, const uint8_t *text, const sql_token *token) {
    switch (text[token->start]) {
    case ';':
        *now = (statement){0};
        return;
    case ':':
        if (IS("::")) {
            now->expect = now->expect == EXPECT_VALUE ? EXPECT_CAST : now->expect == EXPECT_MORE ? EXPECT_MORE : EXPECT_NOTHING;
            return;
        }
        read_operator(now, text, token);
        return;
    case ',':
        now->setting_value = now->setting;
        now->until = false;
        now->expect = now->expect == EXPECT_SEPARATOR ? EXPECT_OPERAND : EXPECT_NOTHING;
        return;
    case '(':
    case '[':
        read_open(now, text[token->start] == '(');
        return;
    case ')':
    case ']':
        read_close(now);
        return;
    default:
        // A dot goes on with a name: schema.function(…)
        if (now->expect != EXPECT_CALL) {
            now->expect = EXPECT_NOTHING;
        }
    }
}

static bool blanks(const statement *now, bool string) {
    if (now->expect == EXPECT_VALUE || now->expect == EXPECT_OPERAND || now->expect == EXPECT_CALL || now->call_depth) {
        return true;
    }
    return string && (now->all || now->rows || (now->role && !now->until && !now->setting_value));
}

static void scan_statements(const uint8_t *text, size_t start, size_t end, int depth, sql_span_list *list);

static void read_literal(statement *now, const uint8_t *text, const sql_token *token, int depth, sql_span_list *list) {
    size_t from, to;
    sql_token_body(text, token, &from, &to);
    bool string = token->kind != SQL_TOKEN_NUMBER;
    if (blanks(now, string) || (token->unterminated && now->seen)) {
        sql_add_span(list, from, to);
        now->expect = EXPECT_MORE;
    } else {
        now->expect = EXPECT_NOTHING;
        sql_open open = SQL_NOTHING_OPEN;
        if (token->kind == SQL_TOKEN_DOLLAR_STRING && depth < deepest) {
            scan_statements(text, from, to, depth + 1, list);
        } else if (string) {
            open = sql_scan_prose(text, from, to, list);
        }
        now->all |= open == SQL_STATEMENT_OPEN;
        now->seen |= open != SQL_NOTHING_OPEN;
        now->expect = open == SQL_NAME_OPEN ? EXPECT_SEPARATOR : EXPECT_NOTHING;
    }
    now->until = false;
    now->setting &= now->setting_value;
    now->setting_value = false;
}

static void read_quoted_name(statement *now, const uint8_t *text, const sql_token *token, sql_span_list *list) {
    size_t from, to;
    sql_token_body(text, token, &from, &to);
    if (token->unterminated && now->seen) {
        sql_add_span(list, from, to);
        return;
    }
    bool identified = now->expect == EXPECT_OPERAND && now->identified;
    if (identified) {
        sql_add_span(list, from, to);
    } else {
        sql_scan_prose(text, from, to, list);
    }
    bool secret = sql_names_secret(text, from, to);
    now->seen |= secret;
    now->password = secret && now->options;
    now->secret_column |= secret && now->columns_depth > 0;
    now->expect = secret ? EXPECT_VALUE : now->expect == EXPECT_OPERAND ? EXPECT_CALL : EXPECT_NOTHING;
    now->until = now->setting_value = false;
}

/// The end of a connection string's bare password at the token, or 0. In SQL itself, where `depth` is 0, a word may also be a
/// column or begin a call.
static size_t bare_password(const statement *now, const uint8_t *text, const sql_token *token, size_t end, int depth) {
    bool word = token->kind == SQL_TOKEN_WORD || token->kind == SQL_TOKEN_NUMBER || token->kind == SQL_TOKEN_OTHER
        || token->kind == SQL_TOKEN_OPERATOR;
    bool call = token->end < end && (text[token->end] == '(' || text[token->end] == '\'');
    if (!word || call || now->bare != token->start || now->bare == 0) {
        return 0;
    }
    if (depth == 0) {
        size_t stop = sql_word_password_end(text, token->start, end);
        if (stop - token->start > 1024) {
            return stop;  // or the reading would take quadratic time
        }
        bool whole = stop == end || text[stop] != '\'';
        return whole && stop > token->start && !memchr(text + token->start, '(', stop - token->start) ? stop : 0;
    }
    size_t stop = sql_bare_end(text, token->start, end);
    return stop > token->start ? stop : 0;
}

/// Reads the token in the place of a role's password; false where it is to be read as any other.
static bool read_password(statement *now, sql_lexer *lexer, const sql_token *token, sql_span_list *list) {
    const uint8_t *text = lexer->text;
    uint8_t byte = text[token->start];
    size_t stop = 0;
    switch (token->kind) {
    case SQL_TOKEN_LINE_COMMENT:
    case SQL_TOKEN_BLOCK_COMMENT:
        return false;
    case SQL_TOKEN_STRING:
    case SQL_TOKEN_BIT_STRING:
    case SQL_TOKEN_DOLLAR_STRING:
        now->password = false;
        return false;
    case SQL_TOKEN_QUOTED_NAME: {
        size_t from;
        sql_token_body(text, token, &from, &stop);
        sql_add_span(list, from, stop);
        now->password = false;
        now->expect = EXPECT_MORE;
        return true;
    }
    default:
        break;
    }
    if (byte == '=' || byte == ':') {
        bool wide = token->end - token->start > 1 && memchr("=>", text[token->start + 1], 2);
        lexer->position = token->start + (wide ? 2 : 1);
        now->expect = EXPECT_OPERAND;
        return true;
    }
    if (byte == '(' || is_word(text, token, "to", 2) || is_word(text, token, "is", 2)) {
        return false;
    }
    stop = sql_word_password_end(text, token->start, lexer->length);
    if (stop == token->start) {
        now->password = false;
        return false;
    }
    sql_add_span(list, token->start, stop);
    lexer->position = stop;
    now->password = sql_announces_password(text, token->start, stop);
    now->expect = EXPECT_MORE;
    return true;
}

/// Reads text[start..end) as SQL.
static void scan_statements(const uint8_t *text, size_t start, size_t end, int depth, sql_span_list *list) {
    sql_lexer lexer = {.text = text, .length = end, .position = start};
    sql_token token;
    statement now = {0};
    sql_uri_word uri = {0, 0};
    while (sql_lex(&lexer, &token)) {
        if (now.password && read_password(&now, &lexer, &token, list)) {
            now.words += 3;
            continue;
        }
        bool password = now.password;
        size_t bare = bare_password(&now, text, &token, end, depth);
        if (bare) {
            sql_add_span(list, token.start, bare);
            lexer.position = bare;
            now.expect = depth ? EXPECT_NOTHING : EXPECT_MORE;
            continue;
        }
        if (token.kind != SQL_TOKEN_WORD && token.kind != SQL_TOKEN_LINE_COMMENT && token.kind != SQL_TOKEN_BLOCK_COMMENT) {
            now.words += 3;  // the lead is over
        }
        switch (token.kind) {
        case SQL_TOKEN_WORD:
            read_word(&now, text, &token);
            break;
        case SQL_TOKEN_OPERATOR:
            read_operator(&now, text, &token);
            break;
        case SQL_TOKEN_PUNCTUATION:
            if (text[token.start] == ':' && end - token.start > 3 && text[token.start + 1] == '/' && text[token.start + 2] == '/') {
                lexer.position = sql_read_uri(&uri, text, token.start, end, list);
                now.expect = EXPECT_NOTHING;
                break;
            }
            read_punctuation(&now, text, &token);
            break;
        case SQL_TOKEN_QUOTED_NAME:
            read_quoted_name(&now, text, &token, list);
            break;
        case SQL_TOKEN_STRING:
        case SQL_TOKEN_BIT_STRING:
        case SQL_TOKEN_DOLLAR_STRING:
        case SQL_TOKEN_NUMBER:
            read_literal(&now, text, &token, depth, list);
            break;
        case SQL_TOKEN_LINE_COMMENT:
        case SQL_TOKEN_BLOCK_COMMENT:
            if (token.unterminated && now.seen) {
                sql_add_span(list, token.start + 2, token.end);
            } else {
                sql_scan_prose(text, token.start, token.end, list);
            }
            break;
        default:
            now.expect = EXPECT_NOTHING;
        }
        now.password |= password;
    }
}

size_t sql_secrets_in_statement(const void *text, size_t length, sql_span *spans, size_t capacity) {
    sql_span_list list = {.spans = spans, .capacity = capacity};
    scan_statements(text, 0, length, 0, &list);
    return list.count;
}
