#include "CSimdJSON.h"

#include "json_number.h"
#include "simdjson_library.h"

#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace ondemand = simdjson::ondemand;

namespace {

/// Lines beyond this length leave no memory behind.
constexpr size_t kept_capacity = 1 << 20;

enum class Value : uint8_t { text, integer, ignored };

struct Key {
    std::string_view name;
    uint8_t column;
    Value value;
};

/// The keys of jsonlog in the order in which PostgreSQL writes them (jsonlog.c).
constexpr Key keys[] = {
    {"timestamp", 0, Value::text},         {"user", 1, Value::text},
    {"dbname", 2, Value::text},            {"pid", 3, Value::integer},
    {"remote_host", 4, Value::text},       {"remote_port", 0, Value::ignored},
    {"session_id", 5, Value::text},        {"line_num", 6, Value::integer},
    {"ps", 7, Value::text},                {"session_start", 8, Value::text},
    {"vxid", 9, Value::text},              {"txid", 10, Value::integer},
    {"error_severity", 11, Value::text},   {"state_code", 12, Value::text},
    {"message", 13, Value::text},          {"detail", 14, Value::text},
    {"hint", 15, Value::text},             {"internal_query", 16, Value::text},
    {"internal_position", 17, Value::integer}, {"context", 18, Value::text},
    {"statement", 19, Value::text},        {"cursor_position", 20, Value::integer},
    {"func_name", 0, Value::ignored},      {"file_name", 0, Value::ignored},
    {"file_line_num", 0, Value::ignored},  {"application_name", 22, Value::text},
    {"backend_type", 23, Value::text},     {"leader_pid", 24, Value::integer},
    {"query_id", 25, Value::integer},
};
constexpr unsigned key_count = sizeof keys / sizeof keys[0];
static_assert(key_count <= 32, "one bit for each key");

/// Finds a key, most often the one after the last that was found.
unsigned key_index(std::string_view name, unsigned hint) {
    for (unsigned i = 0; i < key_count; i++) {
        unsigned at = hint + i < key_count ? hint + i : hint + i - key_count;
        if (keys[at].name == name) return at;
    }
    return key_count;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n')) {
        text.remove_suffix(1);
    }
    return text;
}

/// Whether a text is a whole number of at most 20 characters.
bool is_integer(std::string_view text) {
    if (!text.empty() && text.front() == '-') text.remove_prefix(1);
    if (text.empty() || text.size() > 20 || (text.size() > 1 && text.front() == '0')) return false;
    for (char c : text) {
        if (!is_digit(c)) return false;
    }
    return true;
}

/// The range of a text inside `base`; false when its escapes are unsound.
bool place(std::string_view text, const char *base, bool quoted, bs_field &field) {
    int escapes = quoted ? bs_json_escapes(reinterpret_cast<const uint8_t *>(text.data()), text.size()) : 0;
    field.start = static_cast<uint32_t>(text.data() - base);
    field.end = field.start + static_cast<uint32_t>(text.size());
    field.quoted = quoted;
    field.escape = escapes > 0 ? BS_ESCAPE_JSON : BS_ESCAPE_NONE;
    return escapes >= 0;
}

/// The key that a field begins with, inside its quotes; a closed string by simdjson's first stage.
std::string_view key_text(const char *start) {
    const char *end = start;
    while (*end != '"') end += *end == '\\' ? 2 : 1;
    return {start, static_cast<size_t>(end - start)};
}

/// A value of the line: a string without its quotes, else its source text.
struct Token {
    std::string_view text;
    ondemand::json_type type;
};

/// Reads a value; false when it is none.
bool read(ondemand::value value, Token &token) {
    if (value.type().get(token.type)) return false;
    switch (token.type) {
    case ondemand::json_type::string:
        token.text = trimmed(value.raw_json_token());
        if (token.text.size() < 2 || token.text.back() != '"') return false;
        token.text = token.text.substr(1, token.text.size() - 2);
        return true;
    case ondemand::json_type::number:
        token.text = trimmed(value.raw_json_token());
        return is_number(token.text);
    case ondemand::json_type::boolean:
        token.text = trimmed(value.raw_json_token());
        return token.text == "true" || token.text == "false";
    case ondemand::json_type::null:
        token.text = trimmed(value.raw_json_token());
        return token.text == "null";
    case ondemand::json_type::array: {
        ondemand::array array;
        return !value.get_array().get(array) && !array.raw_json().get(token.text);
    }
    case ondemand::json_type::object: {
        ondemand::object object;
        return !value.get_object().get(object) && !object.raw_json().get(token.text);
    }
    }
    return false;
}

bool suits(Value wanted, const Token &token) {
    switch (wanted) {
    case Value::text: return token.type == ondemand::json_type::string;
    case Value::integer: return token.type == ondemand::json_type::number && is_integer(token.text);
    default: return true;
    }
}

}  // namespace

struct sj_parser {
    ondemand::parser parser;

    /// Makes room for a line in steps, so that lines that grow do not allocate each time.
    simdjson::error_code reserve(size_t length) {
        if (length <= parser.capacity() && (length > kept_capacity || parser.capacity() <= kept_capacity)) {
            return simdjson::SUCCESS;
        }
        if (length > kept_capacity) return parser.allocate(length);
        size_t capacity = 4096;
        while (capacity < length) capacity *= 2;
        return parser.allocate(capacity);
    }

    simdjson::error_code iterate(const uint8_t *bytes, size_t length, ondemand::document &document) {
        if (auto error = reserve(length)) return error;
        return parser.iterate(bytes, length, length + simdjson::SIMDJSON_PADDING).get(document);
    }
};

sj_parser *sj_parser_create(void) {
    try {
        return simdjson_is_loaded() ? new sj_parser() : nullptr;
    } catch (...) {
        return nullptr;
    }
}

void sj_parser_destroy(sj_parser *parser) { delete parser; }

size_t sj_padding(void) { return simdjson::SIMDJSON_PADDING; }

namespace {

/// The fields of one object while its keys are walked.
struct Fields {
    const char *base;
    bs_field *fields;
    bs_field *names;
    uint32_t capacity;
    sj_line line;
    uint32_t seen = 0;
    unsigned hint = 0;
    bool has_timestamp = false, has_event_time = false, has_message = false;
    bool has_message_type = false, has_events = false;
    /// The first thing that makes the object no record.
    sj_kind fault = SJ_RECORD;

    void note(sj_kind kind, uint32_t column = 0) {
        if (fault != SJ_RECORD) return;
        fault = kind;
        line.column = column;
    }

    /// False for what is no JSON.
    bool take(std::string_view key, const Token &token) {
        unsigned index = key_index(key, hint);
        if (index == key_count) return take_unknown(key, token);
        hint = index + 1 < key_count ? index + 1 : 0;
        if (seen & 1u << index) note(SJ_DOUBLED_KEY, keys[index].column);
        seen |= 1u << index;
        bool is_string = token.type == ondemand::json_type::string;
        if (index == 0) {
            has_timestamp = is_string;
            has_event_time = token.type == ondemand::json_type::number;
        }
        uint8_t column = keys[index].column;
        if (column == SJ_MESSAGE_COLUMN) has_message = is_string;
        bs_field field;
        if (!place(token.text, base, is_string, field)) return false;
        if (keys[index].value == Value::ignored || token.type == ondemand::json_type::null) return true;
        if (!suits(keys[index].value, token)) note(SJ_VALUE_KIND, column);
        fields[column] = field;
        return true;
    }

    bool take_unknown(std::string_view key, const Token &token) {
        has_message_type |= key == "messageType" && token.type == ondemand::json_type::string;
        has_events |= key == "logEvents" && token.type == ondemand::json_type::array;
        bs_field name, field;
        if (!place(key, base, true, name)) return false;
        if (!place(token.text, base, token.type == ondemand::json_type::string, field)) return false;
        if (token.type == ondemand::json_type::null) return true;
        for (uint32_t i = SJ_COLUMN_COUNT; i < line.field_count; i++) {
            if (std::string_view(base + names[i - SJ_COLUMN_COUNT].start, names[i - SJ_COLUMN_COUNT].end - names[i - SJ_COLUMN_COUNT].start) == key) {
                note(SJ_DOUBLED_KEY, i);
            }
        }
        if (line.field_count == capacity) {
            note(SJ_TOO_MANY_KEYS);
            return true;
        }
        names[line.field_count - SJ_COLUMN_COUNT] = name;
        fields[line.field_count] = field;
        line.field_count += 1;
        return true;
    }

    sj_kind kind() const {
        if (has_message_type && has_events) return SJ_EVENTS;
        if (has_event_time && has_message) return SJ_EVENT;
        if (!has_timestamp && !has_event_time) return SJ_OTHER_OBJECT;
        return fault;
    }
};

/// Walks the keys of an object; false for what is no JSON.
template <typename Take>
bool walk(ondemand::object object, Take take) {
    for (auto found : object) {
        ondemand::field field;
        if (std::move(found).get(field)) return false;
        std::string_view key = key_text(field.key().raw());
        Token token;
        if (!read(field.value(), token) || !take(key, token)) return false;
    }
    return true;
}

sj_line parse_line(sj_parser &parser, const uint8_t *bytes, size_t length, bs_field *fields, bs_field *names,
                   uint32_t capacity) {
    Fields found{.base = reinterpret_cast<const char *>(bytes), .fields = fields, .names = names,
                 .capacity = capacity, .line = {SJ_MALFORMED, SJ_COLUMN_COUNT, 0}};
    if (length == 0 || bytes[0] != '{') {
        found.line.kind = SJ_NO_OBJECT;
        return found.line;
    }
    std::memset(fields, 0, SJ_COLUMN_COUNT * sizeof *fields);
    ondemand::document document;
    auto error = parser.iterate(bytes, length, document);
    ondemand::object object;
    if (!error) error = document.get_object().get(object);
    if (error) {
        if (error == simdjson::MEMALLOC) found.line.kind = SJ_OUT_OF_MEMORY;
        return found.line;
    }
    auto take = [&](std::string_view key, const Token &token) { return found.take(key, token); };
    if (!walk(object, take)) return found.line;
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return found.line;
    found.line.kind = found.kind();
    return found.line;
}

bool find_events(sj_parser &parser, const uint8_t *bytes, size_t length, void *context,
                 void (*take)(void *, bs_field)) {
    auto base = reinterpret_cast<const char *>(bytes);
    ondemand::document document;
    if (parser.iterate(bytes, length, document)) return false;
    std::string_view type;
    if (document["messageType"].get_string().get(type)) return false;
    if (type != "DATA_MESSAGE") return true;
    ondemand::array events;
    if (document["logEvents"].get_array().get(events)) return false;
    for (auto event : events) {
        ondemand::object object;
        if (event.get_object().get(object)) return false;
        bs_field message{};
        bool is_sound = walk(object, [&](std::string_view key, const Token &token) {
            return key != "message" || token.type != ondemand::json_type::string ||
                   place(token.text, base, true, message);
        });
        if (!is_sound) return false;
        take(context, message);
    }
    return true;
}

}  // namespace

sj_line sj_parse_line(sj_parser *parser, const uint8_t *bytes, size_t length, bs_field *fields, bs_field *names,
                      uint32_t capacity) {
    try {
        return parse_line(*parser, bytes, length, fields, names, capacity);
    } catch (...) {
        return {SJ_OUT_OF_MEMORY, SJ_COLUMN_COUNT, 0};
    }
}

int sj_find_events(sj_parser *parser, const uint8_t *bytes, size_t length, void *context,
                   void (*take)(void *context, bs_field message)) {
    try {
        return find_events(*parser, bytes, length, context, take);
    } catch (...) {
        return 0;
    }
}
