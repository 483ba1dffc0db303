#include "CSimdJSON.h"

#include "json_tokens.h"

#include <new>
#include <string>

namespace {

/// The objects whose keys are known.
enum class Context : uint8_t { event, properties, identity, response, params, metadata };

/// Keys whose values are looked into, or wait until it is known what form the event has.
enum : uint8_t {
    key_identity = SJ_FIELD_COUNT,
    key_response,
    key_params,
    key_metadata,
    // Of the diagnostic form.
    key_properties,
    key_diagnostic_identity,
    key_diagnostic_time,
    key_diagnostic_version,
    key_records,
    key_unknown,
};

struct Key {
    std::string_view name;
    uint8_t id;
};

constexpr Key event_keys[] = {
    {"version", SJ_FIELD_VERSION},
    {"timestamp", SJ_FIELD_TIMESTAMP},
    {"workspaceId", SJ_FIELD_WORKSPACE_ID},
    {"sourceIPAddress", SJ_FIELD_SOURCE_IP},
    {"userAgent", SJ_FIELD_USER_AGENT},
    {"sessionId", SJ_FIELD_SESSION_ID},
    {"userIdentity", key_identity},
    {"serviceName", SJ_FIELD_SERVICE_NAME},
    {"actionName", SJ_FIELD_ACTION_NAME},
    {"requestId", SJ_FIELD_REQUEST_ID},
    {"requestParams", key_params},
    {"response", key_response},
    {"auditLevel", SJ_FIELD_AUDIT_LEVEL},
    {"accountId", SJ_FIELD_ACCOUNT_ID},
    {"eventId", SJ_FIELD_EVENT_ID},
    {"identityMetadata", key_metadata},
    {"event_time", SJ_FIELD_TIME},
    {"event_date", SJ_FIELD_DATE},
    {"workspace_id", SJ_FIELD_WORKSPACE_ID},
    {"source_ip_address", SJ_FIELD_SOURCE_IP},
    {"user_agent", SJ_FIELD_USER_AGENT},
    {"session_id", SJ_FIELD_SESSION_ID},
    {"user_identity", key_identity},
    {"service_name", SJ_FIELD_SERVICE_NAME},
    {"action_name", SJ_FIELD_ACTION_NAME},
    {"request_id", SJ_FIELD_REQUEST_ID},
    {"request_params", key_params},
    {"audit_level", SJ_FIELD_AUDIT_LEVEL},
    {"account_id", SJ_FIELD_ACCOUNT_ID},
    {"event_id", SJ_FIELD_EVENT_ID},
    {"identity_metadata", key_metadata},
    // Behind these stand the keys of the diagnostic form, which are known at the top alone.
    {"properties", key_properties},
    {"identity", key_diagnostic_identity},
    {"time", key_diagnostic_time},
    {"operationVersion", key_diagnostic_version},
    {"records", key_records},
};
constexpr size_t diagnostic_key_count = 5;

constexpr Key identity_keys[] = {
    {"email", SJ_FIELD_EMAIL}, {"subjectName", SJ_FIELD_SUBJECT_NAME}, {"subject_name", SJ_FIELD_SUBJECT_NAME}};

constexpr Key response_keys[] = {
    {"statusCode", SJ_FIELD_STATUS_CODE},   {"errorMessage", SJ_FIELD_ERROR_MESSAGE}, {"result", SJ_FIELD_RESULT},
    {"status_code", SJ_FIELD_STATUS_CODE}, {"error_message", SJ_FIELD_ERROR_MESSAGE},
};

/// The keys of one kind of object, and in what order the last such object had them: most objects are alike.
class KeyTable {
public:
    template <size_t count>
    explicit KeyTable(const Key (&keys)[count], size_t left_out = 0) : keys(keys), count(count - left_out) {}

    uint8_t find(std::string_view name, size_t order) {
        uint8_t *learned = order < sizeof guesses ? &guesses[order] : nullptr;
        if (learned && keys[*learned].name == name) return keys[*learned].id;
        for (size_t i = 0; i < count; i++) {
            if (keys[i].name != name) continue;
            if (learned) *learned = static_cast<uint8_t>(i);
            return keys[i].id;
        }
        return key_unknown;
    }

private:
    const Key *keys;
    size_t count;
    uint8_t guesses[32] = {};
};

std::string_view view(const sj_value &value) { return {reinterpret_cast<const char *>(value.bytes), value.length}; }

bool is_object_text(const sj_value &value) {
    for (uint32_t i = 0; i < value.length; i++) {
        uint8_t byte = value.bytes[i];
        if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n') return byte == '{';
    }
    return false;
}

}  // namespace

struct sj_event_parser {
    explicit sj_event_parser(uint32_t strip) : strip(strip), tokens(arena) {}

    sj_event_kind parse(const uint8_t *bytes, size_t length, sj_event &event);

    /// The name that a field had, with the path to it.
    sj_value name_of(sj_field field) { return path(names[field]); }
    sj_value numbered_path(const sj_value &prefix, const sj_value &key, uint32_t number);

private:
    /// A key and the path to the object that it stands in, empty at the top.
    struct Name {
        sj_value prefix;
        sj_value key;
    };

    /// A text that holds an object, to be read when what holds the text has been.
    struct Pending {
        Context context;
        sj_value name;
        sj_value text;
    };

    /// A value of the diagnostic form.
    struct Waiting {
        sj_value name;
        sj_value value;
    };

    const uint32_t strip;
    Arena arena;
    Tokens tokens;
    KeyTable event_table{event_keys};
    KeyTable properties_table{event_keys, diagnostic_key_count};
    KeyTable identity_table{identity_keys};
    KeyTable response_table{response_keys};
    sj_value fields[SJ_FIELD_COUNT];
    Name names[SJ_FIELD_COUNT];
    std::vector<sj_pair> params, metadata, rescued;
    std::vector<sj_span> records;
    std::vector<Pending> pending;
    Waiting waiting[key_unknown];
    sj_value seen_objects[key_unknown];
    /// The token behind the array `records`.
    uint32_t behind_records = 0;
    bool has_response = false;

    void reset();
    sj_event_kind failure() const {
        return tokens.fault == Tokens::Fault::too_deep ? SJ_EVENT_TOO_DEEP : SJ_EVENT_MALFORMED;
    }
    bool walk(Context context, const sj_value &prefix);
    bool take(Context context, const sj_value &prefix, const sj_value &key, size_t order);
    bool take_pair(std::vector<sj_pair> &pairs, const sj_value &key, bool strips);
    bool take_field(uint8_t id, const Name &name);
    bool take_object(uint8_t id, const sj_value &name);
    bool take_records(const sj_value &name);
    void set_field(uint8_t id, const Name &name, const sj_value &value);
    void rescue(const sj_value &name, const sj_value &value) { rescued.push_back({name, value}); }
    sj_value path(const Name &name);
    void settle_form(bool &is_diagnostic);
    void read_pending();
    void rescue_envelope();
    bool is_event() const;
};

/// Forgets what a vector holds, and gives its memory back when that was a lot.
template <class Element> static void clear(std::vector<Element> &vector) {
    constexpr size_t kept_capacity = 16 << 10;
    vector.clear();
    if (vector.capacity() > kept_capacity) vector.shrink_to_fit();
}

void sj_event_parser::reset() {
    arena.reset();
    std::memset(fields, 0, sizeof fields);
    std::memset(static_cast<void *>(waiting), 0, sizeof waiting);
    std::memset(seen_objects, 0, sizeof seen_objects);
    clear(params);
    clear(metadata);
    clear(rescued);
    clear(records);
    clear(pending);
    has_response = false;
}

/// The path to a key.
sj_value sj_event_parser::path(const Name &name) {
    const auto &[prefix, key] = name;
    if (prefix.length == 0) return key;
    uint32_t length = prefix.length + 1 + key.length;
    uint8_t *out = arena.take(length);
    std::memcpy(out, prefix.bytes, prefix.length);
    out[prefix.length] = '.';
    std::memcpy(out + prefix.length + 1, key.bytes, key.length);
    return {out, length, SJ_VALUE_STRING};
}

sj_value sj_event_parser::numbered_path(const sj_value &prefix, const sj_value &key, uint32_t number) {
    sj_value plain = path({prefix, key});
    if (number == 1) return plain;
    std::string digits = "#" + std::to_string(number);
    uint32_t length = plain.length + static_cast<uint32_t>(digits.size());
    uint8_t *out = arena.take(length);
    std::memcpy(out, plain.bytes, plain.length);
    std::memcpy(out + plain.length, digits.data(), digits.size());
    return {out, length, SJ_VALUE_STRING};
}

void sj_event_parser::set_field(uint8_t id, const Name &name, const sj_value &value) {
    if (fields[id].kind != SJ_VALUE_ABSENT) return rescue(path(name), value);
    fields[id] = value;
    names[id] = name;
}

bool sj_event_parser::take_field(uint8_t id, const Name &name) {
    sj_value value;
    if (!tokens.value(value)) return false;
    set_field(id, name, value);
    return true;
}

bool sj_event_parser::take_pair(std::vector<sj_pair> &pairs, const sj_value &key, bool strips) {
    sj_value value;
    if (!tokens.value(value)) return false;
    if (strips) {
        bool is_stripped = (value.kind == SJ_VALUE_NULL && strip & SJ_STRIP_NULL) ||
                           (value.kind == SJ_VALUE_STRING && value.length == 0 && strip & SJ_STRIP_STRING) ||
                           (value.kind == SJ_VALUE_OBJECT && value.length == 2 && strip & SJ_STRIP_OBJECT) ||
                           (value.kind == SJ_VALUE_ARRAY && value.length == 2 && strip & SJ_STRIP_ARRAY);
        if (is_stripped) return true;
    }
    pairs.push_back({key, value});
    return true;
}

static Context context_of(uint8_t id) {
    switch (id) {
    case key_identity:
    case key_diagnostic_identity: return Context::identity;
    case key_response: return Context::response;
    case key_metadata: return Context::metadata;
    case key_properties: return Context::properties;
    default: return Context::params;
    }
}

/// The key under which one object of a kind is remembered; an event has one of each.
static uint8_t slot_of(Context context) {
    switch (context) {
    case Context::identity: return key_identity;
    case Context::response: return key_response;
    case Context::metadata: return key_metadata;
    case Context::properties: return key_properties;
    default: return key_params;
    }
}

bool sj_event_parser::take_object(uint8_t id, const sj_value &name) {
    Context context = context_of(id);
    sj_value &seen = seen_objects[slot_of(context)];
    if (tokens.peek() == '{' && seen.kind == SJ_VALUE_ABSENT) {
        seen = name;
        has_response |= context == Context::response;
        return walk(context, name);
    }
    sj_value value;
    if (!tokens.value(value)) return false;
    if (value.kind == SJ_VALUE_NULL) return true;
    if (value.kind == SJ_VALUE_STRING && is_object_text(value)) {
        pending.push_back({context, name, value});
    } else {
        rescue(name, value);
    }
    return true;
}

/// Reads `records`, and notes where its elements stand.
bool sj_event_parser::take_records(const sj_value &name) {
    bool is_array = tokens.peek() == '[';
    uint32_t start = tokens.position();
    sj_value value;
    if (!tokens.value(value)) return false;
    if (!is_array || waiting[key_records].value.kind != SJ_VALUE_ABSENT) {
        rescue(name, value);
        return true;
    }
    waiting[key_records] = {name, value};
    behind_records = tokens.position();
    tokens.move_to(start);
    tokens.take('[');
    while (tokens.peek() != ']') {
        size_t from = tokens.offset();
        tokens.skip(1);
        records.push_back({from, tokens.end_of_last()});
        if (tokens.peek() == ',') tokens.take(',');
    }
    tokens.take(']');
    return tokens.position() == behind_records;
}

bool sj_event_parser::take(Context context, const sj_value &prefix, const sj_value &key, size_t order) {
    uint8_t id = key_unknown;
    switch (context) {
    case Context::params: return take_pair(params, key, true);
    case Context::metadata: return take_pair(metadata, key, false);
    case Context::event: id = event_table.find(view(key), order); break;
    case Context::properties: id = properties_table.find(view(key), order); break;
    case Context::identity: id = identity_table.find(view(key), order); break;
    case Context::response: id = response_table.find(view(key), order); break;
    }
    if (id < SJ_FIELD_COUNT) return take_field(id, {prefix, key});
    sj_value name = path({prefix, key});
    if (id < key_properties) return take_object(id, name);
    if (id == key_records) return take_records(name);
    sj_value value;
    if (!tokens.value(value)) return false;
    if (id == key_unknown || waiting[id].value.kind != SJ_VALUE_ABSENT) {
        rescue(name, value);
    } else {
        waiting[id] = {name, value};
    }
    return true;
}

/// Reads an object.
bool sj_event_parser::walk(Context context, const sj_value &prefix) {
    if (!tokens.take('{')) return false;
    if (tokens.peek() == '}') return tokens.take('}');
    for (size_t order = 0;; order++) {
        sj_value key;
        if (!tokens.string(key) || !tokens.take(':') || !take(context, prefix, key, order)) return false;
        if (tokens.peek() == '}') return tokens.take('}');
        if (!tokens.take(',')) return false;
    }
}

/// Rescues what stands beside the records of an envelope, under the names that it has there. The line has been read before.
void sj_event_parser::rescue_envelope() {
    rescued.clear();
    tokens.move_to(0);
    tokens.take('{');
    bool has_records = false;
    while (tokens.peek() != '}') {
        sj_value key, value;
        tokens.string(key);
        tokens.take(':');
        if (!has_records && tokens.peek() == '[' && view(key) == "records") {
            has_records = true;
            tokens.move_to(behind_records);
        } else {
            tokens.value(value);
            rescue(key, value);
        }
        if (tokens.peek() == ',') tokens.take(',');
    }
}

bool sj_event_parser::is_event() const {
    for (uint8_t id : {SJ_FIELD_TIMESTAMP, SJ_FIELD_TIME, SJ_FIELD_SERVICE_NAME, SJ_FIELD_ACTION_NAME}) {
        if (fields[id].kind != SJ_VALUE_ABSENT) return true;
    }
    return false;
}

/// Reads what waits: in the diagnostic form the event stands in `properties`; in any other these keys are new ones.
void sj_event_parser::settle_form(bool &is_diagnostic) {
    const Waiting &properties = waiting[key_properties];
    const sj_value &text = properties.value;
    is_diagnostic = fields[SJ_FIELD_SERVICE_NAME].kind == SJ_VALUE_ABSENT &&
                    (text.kind == SJ_VALUE_OBJECT || (text.kind == SJ_VALUE_STRING && is_object_text(text)));
    for (uint8_t id = key_properties; id < key_unknown; id++) {
        const auto &[name, value] = waiting[id];
        if (value.kind == SJ_VALUE_ABSENT) continue;
        bool is_object = value.kind == SJ_VALUE_OBJECT || (value.kind == SJ_VALUE_STRING && is_object_text(value));
        if (!is_diagnostic || id == key_records) {
            rescue(name, value);
        } else if (id == key_diagnostic_time) {
            set_field(SJ_FIELD_TIME, {sj_value{}, name}, value);
        } else if (id == key_diagnostic_version) {
            set_field(SJ_FIELD_VERSION, {sj_value{}, name}, value);
        } else if (is_object) {
            pending.push_back({context_of(id), name, value});
        } else if (value.kind != SJ_VALUE_NULL) {
            rescue(name, value);
        }
    }
}

/// Reads the objects that stood in strings; what turns out to be none is kept as text.
void sj_event_parser::read_pending() {
    for (size_t i = 0; i < pending.size(); i++) {
        Pending next = pending[i];
        sj_value &seen = seen_objects[slot_of(next.context)];
        bool is_sound = seen.kind == SJ_VALUE_ABSENT && tokens.open(next.text.bytes, next.text.length) &&
                        tokens.peek() == '{' && tokens.skip(0) && tokens.is_at_end();
        if (!is_sound) {
            rescue(next.name, next.text);
            continue;
        }
        seen = next.name;
        has_response |= next.context == Context::response;
        tokens.move_to(0);
        walk(next.context, next.name);
    }
}

sj_event_kind sj_event_parser::parse(const uint8_t *bytes, size_t length, sj_event &event) {
    reset();
    if (!tokens.open(bytes, length)) return failure();
    if (tokens.peek() != '{') {
        return tokens.skip(0) && tokens.is_at_end() ? SJ_EVENT_NO_OBJECT : failure();
    }
    if (!walk(Context::event, sj_value{}) || !tokens.is_at_end()) return failure();
    event.is_diagnostic = 0;
    event.records = records.data();
    event.record_count = records.size();
    bool has_event = is_event() || waiting[key_properties].value.kind != SJ_VALUE_ABSENT;
    if (!has_event && waiting[key_records].value.kind != SJ_VALUE_ABSENT) {
        rescue_envelope();
        event.rescued = rescued.data();
        event.rescued_count = rescued.size();
        return SJ_EVENT_RECORDS;
    }
    bool is_diagnostic = false;
    settle_form(is_diagnostic);
    read_pending();
    event.fields = fields;
    event.params = params.data();
    event.param_count = params.size();
    event.metadata = metadata.data();
    event.metadata_count = metadata.size();
    event.rescued = rescued.data();
    event.rescued_count = rescued.size();
    event.params_name = seen_objects[key_params];
    event.metadata_name = seen_objects[key_metadata];
    event.has_response = has_response;
    event.is_diagnostic = is_diagnostic;
    return is_event() ? SJ_EVENT_FOUND : SJ_EVENT_NONE;
}

sj_event_parser *sj_event_parser_create(uint32_t strip) {
    try {
        return simdjson_is_loaded() ? new sj_event_parser(strip) : nullptr;
    } catch (...) {
        return nullptr;
    }
}

void sj_event_parser_destroy(sj_event_parser *parser) { delete parser; }

sj_event_kind sj_event_parse(sj_event_parser *parser, const uint8_t *bytes, size_t length, sj_event *event) {
    try {
        return parser->parse(bytes, length, *event);
    } catch (...) {
        return SJ_EVENT_OUT_OF_MEMORY;
    }
}

sj_value sj_event_field_name(sj_event_parser *parser, sj_field field) {
    try {
        return parser->name_of(field);
    } catch (...) {
        return sj_value{};
    }
}

sj_value sj_event_path(sj_event_parser *parser, sj_value prefix, sj_value key, uint32_t number) {
    try {
        return parser->numbered_path(prefix, key, number);
    } catch (...) {
        return sj_value{};
    }
}
