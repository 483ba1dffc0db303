#ifndef AUDITLAKE_LOG_FIELD_H
#define AUDITLAKE_LOG_FIELD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How the text of a field is written down.
typedef enum {
    /// As it is.
    BS_ESCAPE_NONE = 0,
    /// CSV: each quote is doubled.
    BS_ESCAPE_DOUBLED = 1,
    /// JSON: backslash sequences (RFC 8259, 7).
    BS_ESCAPE_JSON = 2,
} bs_escape;

/// One field of a log record. The range is relative to the record and lies inside the quotes of a quoted field.
typedef struct {
    uint32_t start;
    uint32_t end;
    /// Nonzero when the field stood in quotes (in CSV `""` is an empty string, nothing between commas is NULL).
    uint8_t quoted;
    /// A `bs_escape`; other than BS_ESCAPE_NONE only when there is something to undo.
    uint8_t escape;
} bs_field;

/// Copies `length` bytes with the escapes undone; returns the number of bytes written, at most `length`.
///
/// A JSON sequence that is none is copied as it stands; half of a surrogate pair becomes U+FFFD. So UTF-8 stays UTF-8.
size_t bs_unescape(const uint8_t *bytes, size_t length, bs_escape escape, uint8_t *out);

/// The length of the escape sequence, or of the single byte, at the start of `bytes` (at least one byte), and the number
/// of bytes that `bs_unescape` makes of it in `written`.
size_t bs_escape_length(const uint8_t *bytes, size_t length, bs_escape escape, size_t *written);

/// Whether the inside of a JSON string is sound: 0 without escapes, 1 with sound ones, -1 when one is none or is half of a
/// surrogate pair.
int bs_json_escapes(const uint8_t *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
