#ifndef AUDITLAKE_AUDIT_EVENTS_H
#define AUDITLAKE_AUDIT_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a value of JSON is.
typedef enum {
    SJ_VALUE_ABSENT = 0,
    SJ_VALUE_NULL = 1,
    SJ_VALUE_STRING = 2,
    SJ_VALUE_NUMBER = 3,
    SJ_VALUE_BOOLEAN = 4,
    SJ_VALUE_OBJECT = 5,
    SJ_VALUE_ARRAY = 6,
} sj_value_kind;

/// A value as text, always valid UTF-8: a string with its escapes undone (half a surrogate pair is U+FFFD), a number or
/// boolean as it was written, an object or array without blanks outside of strings.
typedef struct {
    /// In the line, or in the parser's memory until its next call; not NULL unless the value is absent.
    const uint8_t *bytes;
    uint32_t length;
    /// A `sj_value_kind`.
    uint32_t kind;
} sj_value;

typedef struct {
    sj_value key;
    sj_value value;
} sj_pair;

/// The fields that become columns.
typedef enum {
    SJ_FIELD_VERSION,
    /// `timestamp`: milliseconds since 1970.
    SJ_FIELD_TIMESTAMP,
    SJ_FIELD_WORKSPACE_ID,
    SJ_FIELD_SOURCE_IP,
    SJ_FIELD_USER_AGENT,
    SJ_FIELD_SESSION_ID,
    SJ_FIELD_EMAIL,
    SJ_FIELD_SUBJECT_NAME,
    SJ_FIELD_SERVICE_NAME,
    SJ_FIELD_ACTION_NAME,
    SJ_FIELD_REQUEST_ID,
    SJ_FIELD_STATUS_CODE,
    SJ_FIELD_ERROR_MESSAGE,
    SJ_FIELD_RESULT,
    SJ_FIELD_AUDIT_LEVEL,
    SJ_FIELD_ACCOUNT_ID,
    SJ_FIELD_EVENT_ID,
    /// `event_time`, or `time` of the diagnostic form: ISO 8601.
    SJ_FIELD_TIME,
    /// `event_date`: ISO 8601.
    SJ_FIELD_DATE,
    SJ_FIELD_COUNT,
} sj_field;

/// What a line, or a record of an envelope, is.
typedef enum {
    /// An event; its values are filled in.
    SJ_EVENT_FOUND = 0,
    /// `{"records":[…]}`: the records' places are filled in, and in `rescued` what stands beside them.
    SJ_EVENT_RECORDS = 1,
    /// An object without a time, a service and an action.
    SJ_EVENT_NONE = 2,
    /// JSON, but no object.
    SJ_EVENT_NO_OBJECT = 3,
    SJ_EVENT_MALFORMED = 4,
    /// Objects and arrays inside of each other beyond SJ_MAX_DEPTH.
    SJ_EVENT_TOO_DEEP = 5,
    SJ_EVENT_OUT_OF_MEMORY = 6,
} sj_event_kind;

enum { SJ_MAX_DEPTH = 4096 };

/// Values of `requestParams` that are left out.
enum { SJ_STRIP_NULL = 1, SJ_STRIP_STRING = 2, SJ_STRIP_OBJECT = 4, SJ_STRIP_ARRAY = 8 };

typedef struct {
    size_t start;
    size_t end;
} sj_span;

/// One audit event. Of a key that stands twice in an object the first is taken; the others are in `rescued`.
typedef struct {
    /// SJ_FIELD_COUNT values.
    const sj_value *fields;
    /// `requestParams` as it is written, what is stripped left out; keys may repeat.
    const sj_pair *params;
    size_t param_count;
    /// `identity_metadata`; keys may repeat.
    const sj_pair *metadata;
    size_t metadata_count;
    /// Everything else, by the path to it, with dots; keys may repeat.
    const sj_pair *rescued;
    size_t rescued_count;
    const sj_span *records;
    size_t record_count;
    /// The path of `requestParams`, empty when it is not there or is no object.
    sj_value params_name;
    /// The path of `identity_metadata`, likewise.
    sj_value metadata_name;
    /// Whether `response` is there as an object.
    uint8_t has_response;
    /// Whether the event has Azure's diagnostic form.
    uint8_t is_diagnostic;
} sj_event;

/// A parser with its own memory, used from one thread at a time.
typedef struct sj_event_parser sj_event_parser;

/// NULL when there is no memory, or the system has no libsimdjson. `strip` is a sum of SJ_STRIP_….
sj_event_parser *sj_event_parser_create(uint32_t strip);
void sj_event_parser_destroy(sj_event_parser *parser);

/// Reads one line, or one record of an envelope. No byte behind `length` is read. Bytes that are not UTF-8 are
/// SJ_EVENT_MALFORMED. What `event` points to is valid until the next call.
sj_event_kind sj_event_parse(sj_event_parser *parser, const uint8_t *bytes, size_t length, sj_event *event);

/// The key that a field had in the last event, with the path to it; absent when there is no memory.
sj_value sj_event_field_name(sj_event_parser *parser, sj_field field);

/// The path to `key` inside the object `prefix` (empty at the top), with `#number` behind it when `number` is not 1. Valid
/// until the next event; absent when there is no memory.
sj_value sj_event_path(sj_event_parser *parser, sj_value prefix, sj_value key, uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
