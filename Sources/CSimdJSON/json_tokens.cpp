#include "json_tokens.h"

#include "json_number.h"

#include <new>

namespace {

/// Texts beyond this length leave no memory behind.
constexpr size_t kept_capacity = 1 << 20;

/// Four hexadecimal digits; negative when they are none.
int32_t hex4(const uint8_t *text, const uint8_t *end) {
    if (end - text < 4) return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = text[i];
        int32_t digit = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

uint8_t *put_scalar(uint32_t scalar, uint8_t *out) {
    if (scalar < 0x80) {
        *out++ = static_cast<uint8_t>(scalar);
    } else if (scalar < 0x800) {
        *out++ = static_cast<uint8_t>(0xC0 | scalar >> 6);
        *out++ = static_cast<uint8_t>(0x80 | (scalar & 0x3F));
    } else if (scalar < 0x10000) {
        *out++ = static_cast<uint8_t>(0xE0 | scalar >> 12);
        *out++ = static_cast<uint8_t>(0x80 | (scalar >> 6 & 0x3F));
        *out++ = static_cast<uint8_t>(0x80 | (scalar & 0x3F));
    } else {
        *out++ = static_cast<uint8_t>(0xF0 | scalar >> 18);
        *out++ = static_cast<uint8_t>(0x80 | (scalar >> 12 & 0x3F));
        *out++ = static_cast<uint8_t>(0x80 | (scalar >> 6 & 0x3F));
        *out++ = static_cast<uint8_t>(0x80 | (scalar & 0x3F));
    }
    return out;
}

/// The byte that a backslash and `c` stand for; 0 for none.
uint8_t simple_escape(uint8_t c) {
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

/// Undoes the escape at `text`, which points behind its backslash; false when it is none.
bool undo(const uint8_t *&text, const uint8_t *end, uint8_t *&out) {
    uint8_t c = *text;
    if (c != 'u') {
        uint8_t byte = simple_escape(c);
        if (byte == 0) return false;
        *out++ = byte;
        text += 1;
        return true;
    }
    int32_t unit = hex4(text + 1, end);
    if (unit < 0) return false;
    text += 5;
    auto scalar = static_cast<uint32_t>(unit);
    if (scalar >= 0xD800 && scalar < 0xE000) {
        int32_t low = -1;
        if (scalar < 0xDC00 && end - text >= 6 && text[0] == '\\' && text[1] == 'u') low = hex4(text + 2, end);
        if (low >= 0xDC00 && low < 0xE000) {
            scalar = 0x10000 + ((scalar - 0xD800) << 10) + (static_cast<uint32_t>(low) - 0xDC00);
            text += 6;
        } else {
            scalar = 0xFFFD;
        }
    }
    out = put_scalar(scalar, out);
    return true;
}

/// Undoes all escapes; nullptr when one is none. `out` has room for as many bytes as there are.
uint8_t *unescape(std::string_view string, uint8_t *out) {
    auto text = reinterpret_cast<const uint8_t *>(string.data());
    auto end = text + string.size();
    while (text < end) {
        auto found = static_cast<const uint8_t *>(std::memchr(text, '\\', static_cast<size_t>(end - text)));
        auto plain = static_cast<size_t>((found ? found : end) - text);
        std::memcpy(out, text, plain);
        out += plain;
        text += plain;
        if (!found) break;
        text += 1;
        if (text == end || !undo(text, end, out)) return nullptr;
    }
    return out;
}

bool has_sound_escapes(std::string_view string) {
    auto text = reinterpret_cast<const uint8_t *>(string.data());
    auto end = text + string.size();
    while (text < end) {
        auto found = static_cast<const uint8_t *>(std::memchr(text, '\\', static_cast<size_t>(end - text)));
        if (!found) return true;
        if (end - found < 2) return false;
        if (found[1] == 'u' ? hex4(found + 2, end) < 0 : simple_escape(found[1]) == 0) return false;
        text = found + 2;
    }
    return true;
}

}  // namespace

bool Tokens::reserve(size_t length) {
    if (stage && length <= stage->capacity() && (length > kept_capacity || stage->capacity() <= kept_capacity)) {
        return true;
    }
    size_t capacity = 16 << 10;
    if (length > kept_capacity) capacity = length;
    while (capacity < length) capacity *= 2;
    auto error = stage ? stage->set_capacity(capacity)
                       : simdjson::get_active_implementation()->create_dom_parser_implementation(
                             capacity, simdjson::DEFAULT_MAX_DEPTH, stage);
    if (error) throw std::bad_alloc();
    return true;
}

bool Tokens::open(const uint8_t *bytes, size_t length) {
    base = bytes;
    size = length;
    at = 0;
    count = 0;
    last_end = 0;
    fault = Fault::none;
    if (length == 0 || length > UINT32_MAX - 64) return fail();
    reserve(length);
    if (stage->stage1(bytes, length, simdjson::stage1_mode::regular)) return fail();
    starts = stage->structural_indexes.get();
    count = stage->n_structural_indexes;
    find_backslash(bytes);
    return count > 0 || fail();
}

void Tokens::move_to(uint32_t position) {
    at = position;
    last_end = starts[at];
    find_backslash(base + starts[at]);
}

bool Tokens::raw_string(std::string_view &text, bool &is_escaped) {
    if (peek() != '"') return fail();
    size_t start = starts[at];
    size_t end = trimmed_end();
    if (end - start < 2 || base[end - 1] != '"') return fail();
    text = {reinterpret_cast<const char *>(base) + start + 1, end - start - 2};
    is_escaped = backslash < base + end;
    if (is_escaped) find_backslash(base + end);
    note(end);
    return true;
}

bool Tokens::string(sj_value &value) {
    std::string_view text;
    bool is_escaped;
    if (!raw_string(text, is_escaped)) return false;
    value = {reinterpret_cast<const uint8_t *>(text.data()), static_cast<uint32_t>(text.size()), SJ_VALUE_STRING};
    if (!is_escaped) return true;
    uint8_t *out = arena.take(text.size());
    uint8_t *end = unescape(text, out);
    if (!end) return fail();
    value.bytes = out;
    value.length = static_cast<uint32_t>(end - out);
    arena.give_back(text.size() - value.length);
    return true;
}

bool Tokens::scalar(sj_value &value) {
    if (at >= count) return fail();
    size_t start = starts[at];
    size_t end = trimmed_end();
    std::string_view text(reinterpret_cast<const char *>(base) + start, end - start);
    uint32_t kind;
    if (text == "null") {
        kind = SJ_VALUE_NULL;
    } else if (text == "true" || text == "false") {
        kind = SJ_VALUE_BOOLEAN;
    } else if (is_number(text)) {
        kind = SJ_VALUE_NUMBER;
    } else {
        return fail();
    }
    value = {base + start, static_cast<uint32_t>(text.size()), kind};
    note(end);
    return true;
}

bool Tokens::skip_members(uint8_t close, unsigned depth) {
    std::string_view text;
    bool is_escaped;
    if (peek() == close) return take(close);
    while (true) {
        if (close == '}') {
            if (!raw_string(text, is_escaped) || (is_escaped && !has_sound_escapes(text)) || !take(':')) return fail();
        }
        if (!skip(depth)) return false;
        if (peek() == close) return take(close);
        if (!take(',')) return false;
    }
}

bool Tokens::skip(unsigned depth) {
    sj_value ignored;
    std::string_view text;
    bool is_escaped;
    switch (peek()) {
    case '{':
    case '[': {
        if (depth >= SJ_MAX_DEPTH) return fail(Fault::too_deep);
        uint8_t open = peek();
        return take(open) && skip_members(open == '{' ? '}' : ']', depth + 1);
    }
    case '"': return raw_string(text, is_escaped) && (!is_escaped || has_sound_escapes(text) || fail());
    default: return scalar(ignored);
    }
}

void Tokens::compact(uint32_t from, uint32_t to, size_t end, sj_value &value) {
    uint8_t *out = arena.take(end - starts[from]);
    uint8_t *start = out;
    for (uint32_t token = from; token < to; token++) {
        size_t next = token + 1 < to ? starts[token + 1] : end;
        while (next > starts[token] && is_blank(base[next - 1])) next -= 1;
        std::memcpy(out, base + starts[token], next - starts[token]);
        out += next - starts[token];
    }
    value.bytes = start;
    value.length = static_cast<uint32_t>(out - start);
    arena.give_back(end - starts[from] - value.length);
}

bool Tokens::value(sj_value &value) {
    uint8_t first = peek();
    if (first == '"') return string(value);
    if (first != '{' && first != '[') return scalar(value);
    uint32_t from = at;
    size_t start = starts[at];
    last_end = start;
    is_loose = false;
    if (!skip(1)) return false;
    uint32_t kind = first == '{' ? SJ_VALUE_OBJECT : SJ_VALUE_ARRAY;
    value = {base + start, static_cast<uint32_t>(last_end - start), kind};
    if (is_loose) compact(from, at, last_end, value);
    return true;
}
