#include "sql_secrets.h"

#include <string.h>

// Secrets of prose, found by what words are followed by. Blanked are
//
// - after a word that names a secret: a literal '…', E'…', $$…$$ or number, after blanks, =, :=, =>, :, TO or an opening
//   parenthesis; "…" after one of the signs; a bare word after a sign with = in it (password=foo, and not password = $1);
// - the literal after IDENTIFIED BY;
// - in a role statement, whatever follows PASSWORD or IDENTIFIED BY, in double quotes or none; the same after \password. NULL,
//   parameters and <REDACTED> stay;
// - the literals after a list of names with one that names a secret: (name, password) = ('x', 'y'), … values ('x', 'y');
// - after CREATE or ALTER and ROLE, USER or GROUP, up to a semicolon: every literal '…' or $$…$$, UNTIL '…' excepted;
// - the password of scheme://user:password@host.
//
// Quotes may be doubled any number of times (SQL within a literal within a literal, CSV fields within CSV fields) or stand
// behind backslashes (JSON, E'…'): a literal opened by n quotes or k backslashes is closed by the same. When in doubt, more is
// blanked rather than less: a literal without an end reaches to the end of the prose.

/// A literal's content, and where the reading goes on.
typedef struct {
    size_t start;
    size_t end;
    size_t next;
} literal;

static size_t run_length(const uint8_t *text, size_t at, size_t end, uint8_t quote) {
    size_t stop = at;
    while (stop < end && text[stop] == quote) {
        stop += 1;
    }
    return stop - at;
}

static size_t backslashes_before(const uint8_t *text, size_t at, size_t start) {
    size_t count = 0;
    while (at - count > start && text[at - count - 1] == '\\') {
        count += 1;
    }
    return count;
}

/// A literal whose opening quotes, of which there is a backslash before each, begin at `at`.
static literal escaped_literal(const uint8_t *text, size_t at, size_t end, size_t escapes) {
    uint8_t quote = text[at];
    size_t start = at + 1;
    size_t stop = start;
    while ((stop = sql_find(text, stop, end, quote, quote)) < end) {
        size_t count = backslashes_before(text, stop, start);
        if (count <= escapes) {
            return (literal){start, stop - count, stop + 1};
        }
        stop += 1;
    }
    return (literal){start, end, end};
}

/// A literal whose opening quotes begin at `at`. The lowest set bit of their number is the depth of doubling: a quote of the
/// content is written by twice as many.
static literal doubled_literal(const uint8_t *text, size_t at, size_t end) {
    uint8_t quote = text[at];
    size_t run = run_length(text, at, end, quote);
    size_t depth = run & (~run + 1);
    size_t start = at + depth;
    size_t stop = at + run;
    bool empty = run > 1 && run == depth && (stop == end || sql_is_blank(text[stop]) || memchr(",;)", text[stop], 3));
    literal escaped = {0, 0, 0};
    while ((stop = sql_find(text, stop, end, quote, quote)) < end) {
        size_t count = run_length(text, stop, end, quote);
        if (backslashes_before(text, stop, start) % 2 == 1) {
            escaped = escaped.end ? escaped : (literal){start, stop, stop + 1};
        } else if (count < depth) {
            // The literal around this one ends here.
            return empty ? (literal){at, at, at + run} : (literal){start, stop, stop};
        } else if ((count / depth) % 2 == 1) {
            size_t close = stop + (count / depth - 1) * depth;
            return (literal){start, close, close + depth};
        } else if (count % depth) {
            return (literal){start, stop + count - count % depth, stop + count};
        }
        stop += count;
    }
    if (escaped.end) {
        return escaped;
    }
    return empty ? (literal){at, at, at + run} : (literal){start, end, end};
}

static literal dollar_literal(const uint8_t *text, size_t at, size_t end, size_t size) {
    size_t close = sql_dollar_close(text, at, size, end);
    return (literal){at + size, close, close == end ? end : close + size};
}

/// The state of one reading.
typedef struct {
    const uint8_t *text;
    size_t start;
    size_t end;
    sql_span_list *list;
    sql_open open;
    bool role;         // inside a role statement
    bool until;        // UNTIL was the last word
    size_t enclosure;  // the number of quotes that opened the literal in which the role statement stands, or 0
    sql_uri_word uri;
} prose;

/// The number of backslashes before the quote that stands at `at`, or SIZE_MAX where no such quote stands.
static size_t quote_escapes(const prose *now, size_t at, uint8_t quote) {
    size_t stop = at;
    while (stop < now->end && now->text[stop] == '\\') {
        stop += 1;
    }
    return stop < now->end && now->text[stop] == quote ? stop - at : SIZE_MAX;
}

/// Reads the literal at `at`, of any sort that needs no sign before it; false where none stands.
static bool read_literal(const prose *now, size_t at, literal *found) {
    const uint8_t *text = now->text;
    size_t end = now->end;
    if (at < end && memchr("eEnNbBxX", text[at], 8)) {
        at += 1;
    } else if (end - at > 2 && (text[at] | 0x20) == 'u' && text[at + 1] == '&') {
        at += 2;
    }
    size_t escapes = quote_escapes(now, at, '\'');
    if (escapes != SIZE_MAX) {
        *found = escapes ? escaped_literal(text, at + escapes, end, escapes) : doubled_literal(text, at, end);
        return true;
    }
    size_t size = at < end && text[at] == '$' ? sql_dollar_delimiter(text, at, end) : 0;
    if (size) {
        *found = dollar_literal(text, at, end, size);
        return true;
    }
    return false;
}

static bool read_double_quoted(const prose *now, size_t at, literal *found) {
    size_t escapes = quote_escapes(now, at, '"');
    if (escapes == SIZE_MAX) {
        return false;
    }
    *found = escapes ? escaped_literal(now->text, at + escapes, now->end, escapes) : doubled_literal(now->text, at, now->end);
    return true;
}

static size_t blank_literal(prose *now, literal found) {
    if (found.start == found.end || now->text[found.start] == '%') {
        now->open = SQL_STATEMENT_OPEN;
    }
    sql_add_span(now->list, found.start, found.end);
    return found.next;
}

/// Blanks every literal up to the parenthesis that closes the one at `at`.
static size_t blank_call(prose *now, size_t at) {
    size_t depth = 0;
    while (at < now->end && now->text[at] != ';') {
        literal found;
        if (now->text[at] == '(') {
            depth += 1;
        } else if (now->text[at] == ')') {
            depth -= 1;
            if (depth == 0) {
                return at + 1;
            }
        } else if ((now->text[at] == '\'' || now->text[at] == '$') && read_literal(now, at, &found)) {
            at = blank_literal(now, found);
            continue;
        }
        at += 1;
    }
    return at;
}

/// Blanks the values of "Key (name, password)=(x, y) already exists", whose opening parenthesis is at `at`.
static size_t blank_key(prose *now, size_t at) {
    size_t stop = at + 1;
    while (stop < now->end) {
        bool closes = now->text[stop] == ')' && (stop + 1 == now->end || sql_is_blank(now->text[stop + 1])
                                                 || memchr(".,\"\\", now->text[stop + 1], 4));
        if (closes) {
            break;
        }
        stop += 1;
    }
    sql_add_span(now->list, at + 1, stop);
    return stop;
}

/// The parenthesis that closes a list of names which goes on at `at`, or 0.
static size_t names_end(const prose *now, size_t at) {
    size_t limit = now->end - at > 200 ? at + 200 : now->end;
    while (at < limit && (sql_in_name(now->text[at]) || memchr(", \"\n", now->text[at], 4))) {
        at += 1;
    }
    return at < limit && now->text[at] == ')' ? at : 0;
}

/// The position of the parenthesis before the values of a key whose list of names ends at `at`, or 0.
static size_t key_values(const prose *now, size_t at) {
    return now->end - at > 2 && memcmp(now->text + at, ")=(", 3) == 0 ? at + 2 : 0;
}

/// The position of the parenthesis before the values of columns whose list ends at `at`, or 0: = (…), = ROW (…), VALUES (…).
static size_t row_values(const prose *now, size_t at) {
    const uint8_t *text = now->text;
    size_t next = sql_skip_blank(text, at + 1, now->end);
    if (next < now->end && text[next] == '=') {
        next = sql_skip_blank(text, next + 1, now->end);
    }
    size_t word = sql_name_end(text, next, now->end);
    if (SQL_WORD_IS(next, word, "values") || SQL_WORD_IS(next, word, "row")) {
        next = sql_skip_blank(text, word, now->end);
    }
    return next < now->end && text[next] == '(' ? next : 0;
}

/// Blanks the literals of (…), (…), … from the parenthesis at `at` on.
static size_t blank_rows(prose *now, size_t at) {
    for (;;) {
        at = blank_call(now, at);
        size_t next = sql_skip_blank(now->text, at, now->end);
        if (next >= now->end || now->text[next] != ',') {
            return at;
        }
        next = sql_skip_blank(now->text, next + 1, now->end);
        if (next >= now->end || now->text[next] != '(') {
            return at;
        }
        at = next;
    }
}

/// Reads what stands at `at` as the value of a name; `sign` and `equals` tell what stood between.
static size_t read_operand(prose *now, size_t at, bool sign, bool equals) {
    literal found;
    const uint8_t *text = now->text;
    size_t end = now->end;
    if (at >= end || text[at] == '%') {
        now->open = SQL_STATEMENT_OPEN;
        return at;
    }
    if (text[at] == '(') {
        return blank_call(now, at);
    }
    if (text[at] == '$' && at + 1 < end && sql_is_digit(text[at + 1])) {
        now->open = SQL_STATEMENT_OPEN;
        return at + 1;
    }
    if (read_literal(now, at, &found) || (sign && read_double_quoted(now, at, &found))) {
        return blank_literal(now, found);
    }
    if (equals) {
        size_t stop = sql_bare_end(text, at, end);
        const uint8_t *call = memchr(text + at, '(', stop - at);
        if (call && stop < end && text[stop] == '\'') {
            return blank_call(now, (size_t)(call - text));
        }
        sql_add_span(now->list, at, stop);
        return stop;
    }
    if (sql_is_digit(text[at])) {
        size_t stop = sql_number_end(text, at, end);
        sql_add_span(now->list, at, stop);
        return stop;
    }
    return at;
}

/// Reads what follows a word, ending at `at`, that names a secret.
static size_t read_value(prose *now, size_t at) {
    const uint8_t *text = now->text;
    size_t end = now->end;
    size_t names = names_end(now, at);
    size_t keys = names ? key_values(now, names) : 0;
    if (keys) {
        size_t stop = blank_key(now, keys);
        size_t rows = keys + 1 < end && text[keys + 1] == '\'' ? blank_rows(now, keys) : stop;
        return rows > stop ? rows : stop;
    }
    size_t rows = names ? row_values(now, names) : 0;
    if (rows) {
        return blank_rows(now, rows);
    }
    size_t closed = at;
    while (closed < end && memchr("\"\\])", text[closed], 4)) {
        closed += 1;
    }
    if (closed == at && at + 1 < end && text[at] == '\'' && memchr(" ,:=-)", text[at + 1], 6)) {
        closed = at + 1;  // 'password', 'x' and {'password': 'x'}
    }
    size_t sign = sql_skip_blank(text, closed, end);
    if (sign >= end) {
        now->open = sign == at ? SQL_NAME_OPEN : SQL_STATEMENT_OPEN;
        return sign;
    }
    if (end - sign > 2 && text[sign] == ':' && text[sign + 1] == ':') {
        sign = sql_skip_blank(text, sql_name_end(text, sign + 2, end), end);  // password::text = 'x'
    }
    size_t value = sign;
    bool equals = false;
    while (value < end && value - sign < 3 && memchr("=:><!~", text[value], 6)) {
        equals |= text[value] == '=';
        value += 1;
    }
    if (value == sign) {
        size_t word = sql_name_end(text, sign, end);
        if (SQL_WORD_IS(sign, word, "to") || SQL_WORD_IS(sign, word, "like")) {
            value = word;
        } else if (SQL_WORD_IS(sign, word, "in")) {
            value = sql_skip_blank(text, word, end);
            value = value < end && text[value] == '(' ? value : sign;
        } else if (SQL_WORD_IS(sign, word, "set")) {
            value = sql_skip_blank(text, word, end);
            word = sql_name_end(text, value, end);
            value = SQL_WORD_IS(value, word, "default") ? word : sign;
        } else if (closed > at && text[sign] == ',' && text[closed - 1] == '\'') {
            value = sign + 1;
        } else if (closed > at) {
            return closed;
        }
    }
    return read_operand(now, sql_skip_blank(text, value, end), value > sign, equals);
}

/// Blanks what stands at `at` in the place of a role's password, if it is not a literal; gives the position to go on from, or 0.
static size_t read_password(prose *now, size_t at) {
    const uint8_t *text = now->text;
    size_t value = sql_skip_blank(text, at, now->end);
    literal found;
    if (value == at && (value >= now->end || !memchr("=:", text[value], 2))) {
        return 0;
    }
    size_t word = sql_name_end(text, value, now->end);
    if (SQL_WORD_IS(value, word, "to") || SQL_WORD_IS(value, word, "is")) {
        value = sql_skip_blank(text, word, now->end);
    }
    if (value < now->end && memchr("=:", text[value], 2)) {
        value += 1;
        value += value < now->end && memchr("=>", text[value], 2);
        value = sql_skip_blank(text, value, now->end);
    }
    if (value >= now->end || text[value] == '(' || text[value] == '\'' || read_literal(now, value, &found)) {
        return 0;
    }
    if (read_double_quoted(now, value, &found)) {
        return blank_literal(now, found);
    }
    size_t stop = sql_word_password_end(text, value, now->end);
    if (stop == value) {
        return 0;
    }
    sql_add_span(now->list, value, stop);
    // PASSWORD may have been the role's name.
    size_t further = sql_announces_password(text, value, stop) ? sql_skip_blank(text, stop, now->end) : stop;
    if (further > stop && further < now->end) {
        size_t second = sql_word_password_end(text, further, now->end);
        sql_add_span(now->list, further, second);
        stop = second > further ? second : stop;
    }
    return stop;
}

/// Reads what follows IDENTIFIED, which ends at `at`: BY, or WITH a plugin BY.
static size_t read_identified(prose *now, size_t at) {
    const uint8_t *text = now->text;
    for (int words = 0; words < 4; words += 1) {
        size_t word = sql_skip_blank(text, at, now->end);
        at = sql_name_end(text, word, now->end);
        if (SQL_WORD_IS(word, at, "by")) {
            size_t next = now->role ? read_password(now, at) : 0;
            return next ? next : read_operand(now, sql_skip_blank(text, at, now->end), true, false);
        }
    }
    return at;
}

/// Begins a role statement whose CREATE or ALTER stands at `at`.
static void enter_role(prose *now, size_t at) {
    size_t stop = at;
    while (stop > now->start && at - stop < 256 && sql_is_blank(now->text[stop - 1])) {
        stop -= 1;
    }
    size_t start = stop;
    while (start > now->start && now->text[start - 1] == '\'') {
        start -= 1;
    }
    now->role = true;
    now->enclosure = stop - start;
    now->open = SQL_STATEMENT_OPEN;
}

static size_t read_name(prose *now, size_t at) {
    const uint8_t *text = now->text;
    size_t stop = sql_name_end(text, at, now->end);
    bool psql = at > now->start && text[at - 1] == '\\' && SQL_WORD_IS(at, stop, "password");
    if (psql || (now->role && sql_announces_password(text, at, stop))) {
        size_t next = read_password(now, stop);
        if (next) {
            now->until = false;
            return next;
        }
    }
    now->until = SQL_WORD_IS(at, stop, "until");
    if (sql_names_secret(text, at, stop)) {
        return read_value(now, stop);
    }
    if (SQL_WORD_IS(at, stop, "identified")) {
        return read_identified(now, stop);
    }
    if ((SQL_WORD_IS(at, stop, "create") || SQL_WORD_IS(at, stop, "alter")) && sql_role_follows(text, stop, now->end)) {
        enter_role(now, at);
    }
    return stop;
}

/// Whether the quote at `at` is an apostrophe as in "user's".
static bool is_apostrophe(const prose *now, size_t at) {
    static const char *const endings[] = {"s", "t", "d", "m", "re", "ve", "ll"};
    if (at == now->start || !sql_in_name(now->text[at - 1])) {
        return false;
    }
    size_t stop = sql_name_end(now->text, at + 1, now->end);
    if (stop < now->end && now->text[stop] == '\'') {
        return false;
    }
    for (size_t index = 0; index < sizeof endings / sizeof *endings; index += 1) {
        if (sql_word_is(now->text, at + 1, stop, endings[index], strlen(endings[index]))) {
            return true;
        }
    }
    return false;
}

/// Reads a quote or dollar sign inside a role statement.
static size_t read_role_quote(prose *now, size_t at) {
    literal found;
    if (is_apostrophe(now, at)) {
        return at + 1;
    }
    size_t run = run_length(now->text, at, now->end, '\'');
    if (run && run == now->enclosure) {
        // The literal that holds the statement ends: 'alter role x password ' || 'secret'
        now->enclosure = 0;
        return at + run;
    }
    if (!read_literal(now, at, &found)) {
        return at + 1;
    }
    bool until = now->until;
    now->until = false;
    if (until) {
        return found.next;
    }
    size_t first = sql_skip_blank(now->text, found.start, found.end);
    bool between = first < found.end && memchr("|,)", now->text[first], 3);
    blank_literal(now, found);
    // What begins like this may lie between two literals: then the next one begins where this one ends.
    return between && found.end > at ? found.end : found.next;
}

sql_open sql_scan_prose(const uint8_t *text, size_t start, size_t end, sql_span_list *list) {
    prose now = {.text = text, .start = start, .end = end, .list = list};
    size_t at = start;
    while (at < end) {
        uint8_t byte = text[at];
        if (sql_in_name(byte)) {
            at = read_name(&now, at);
        } else if (byte == ':' && end - at > 3 && text[at + 1] == '/' && text[at + 2] == '/') {
            at = sql_read_uri(&now.uri, text, at, end, list);
        } else if (byte == '\\' && end - at > 1 && memchr("nrtf", text[at + 1], 4)) {
            at += 2;  // white space in JSON
        } else if (now.role && (byte == '\'' || byte == '$' || byte == '\\')) {
            at = read_role_quote(&now, at);
        } else {
            now.role &= byte != ';';
            at += 1;
        }
    }
    return now.open;
}

size_t sql_secrets_in_prose(const void *text, size_t length, sql_span *spans, size_t capacity) {
    sql_span_list list = {.spans = spans, .capacity = capacity};
    sql_scan_prose(text, 0, length, &list);
    return list.count;
}
