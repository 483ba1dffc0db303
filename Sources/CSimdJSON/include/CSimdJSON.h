#ifndef AUDITLAKE_CSIMDJSON_H
#define AUDITLAKE_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#include "audit_events.h"
#include "log_field.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What a line of JSON is.
typedef enum {
    /// A jsonlog record: an object whose `timestamp` is a string.
    SJ_RECORD = 0,
    /// A log event: an object whose `timestamp` is a number and whose `message` is a string.
    SJ_EVENT = 1,
    /// A batch of log events: an object with `messageType` and `logEvents`.
    SJ_EVENTS = 2,
    /// An object with none of these.
    SJ_OTHER_OBJECT = 3,
    /// The line does not begin with `{`.
    SJ_NO_OBJECT = 4,
    /// No JSON, or something follows the object.
    SJ_MALFORMED = 5,
    /// A key stands twice.
    SJ_DOUBLED_KEY = 6,
    /// A known key has a value of a kind that PostgreSQL never writes there; `column` tells which.
    SJ_VALUE_KIND = 7,
    /// More unknown keys than there is room for.
    SJ_TOO_MANY_KEYS = 8,
    SJ_OUT_OF_MEMORY = 9,
} sj_kind;

/// Columns of csvlog, to which the keys of jsonlog are brought.
enum { SJ_COLUMN_COUNT = 26, SJ_MESSAGE_COLUMN = 13 };

typedef struct {
    sj_kind kind;
    /// Fields and names that were filled; at least SJ_COLUMN_COUNT.
    uint32_t field_count;
    /// The column of a wrong value.
    uint32_t column;
} sj_line;

/// A parser with its own memory, used from one thread at a time.
typedef struct sj_parser sj_parser;

/// NULL when there is no memory, or the system has no libsimdjson.
sj_parser *sj_parser_create(void);
void sj_parser_destroy(sj_parser *parser);

/// Bytes that must be readable behind the end of a line; what they hold does not matter.
size_t sj_padding(void);

/// Finds the fields of one line.
///
/// `bytes` is readable up to `length + sj_padding()`. `fields` and `names` have room for `capacity` entries, more than
/// SJ_COLUMN_COUNT. The fields of known keys stand at their csvlog column; those that are absent, null or of no use lie at
/// no bytes. `remote_host` stands at connection_from, without the port. The fields of unknown keys follow, their keys in
/// `names`; a string lies inside its quotes, any other value is its source text.
sj_line sj_parse_line(sj_parser *parser, const uint8_t *bytes, size_t length, bs_field *fields, bs_field *names,
                      uint32_t capacity);

/// Finds the `message` of each event of a line that is SJ_EVENTS; an event without one lies at no bytes.
///
/// Calls `take` for each event in order; returns nonzero when all were found. A message that is no DATA_MESSAGE has none.
int sj_find_events(sj_parser *parser, const uint8_t *bytes, size_t length, void *context,
                   void (*take)(void *context, bs_field message));

#ifdef __cplusplus
}
#endif

#endif
