#ifndef AUDITLAKE_CSV_TABLE_H
#define AUDITLAKE_CSV_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "csv_scan.h"
#include "log_field.h"

/// How a file of comma-separated values is written.
typedef struct {
    /// Between fields; neither a quote, nor a line end, nor zero.
    uint8_t separator;
    /// Nonzero when a carriage return alone ends a record, too.
    uint8_t ends_with_cr;
    /// Nonzero to scan without AVX2 even where there is.
    uint8_t portable;
} bs_csv_dialect;

typedef struct {
    /// Bytes of the record without its line end, when complete; the offset of the fault, when malformed.
    uint64_t length;
    /// Bytes to the start of the next record (line end included), when complete.
    uint64_t consumed;
    /// Also counts the fields beyond `capacity`.
    uint32_t field_count;
    /// Nonzero when a byte of a complete record is above 0x7F.
    uint8_t has_high_bytes;
    bs_csv_status status;
} bs_csv_table_record;

/// Splits the record at the start of `bytes` by RFC 4180, with any separator.
///
/// A field that begins with a quote ends at the next quote that is not doubled; a separator, a line end or the end of the
/// input follows it, else the record is malformed. In a field without quotes a quote is a byte like any other. LF and CR LF
/// end a record. A record that the input ends is complete when `ends_with_input` is nonzero and no quote is open. Stops at the first fault.
/// O(length of the record).
///
/// - `fields`: room for `capacity` fields; ranges are relative to the record.
bs_csv_table_record bs_csv_table_split(const uint8_t *bytes, size_t length, int ends_with_input,
                                       bs_csv_dialect dialect, bs_field *fields, uint32_t capacity);

/// A text somewhere in memory.
typedef struct {
    const uint8_t *bytes;
    size_t length;
} bs_text;

/// Finds the texts of fields; those with doubled quotes are undoubled into `scratch`, which holds as many bytes as the record.
void bs_csv_texts(const uint8_t *record, const bs_field *fields, uint32_t count, uint8_t *scratch, bs_text *texts);

/// A text that is written behind a prefix of its own.
typedef struct {
    /// Index of the text.
    uint32_t text;
    /// Where its prefix lies among all prefixes.
    uint32_t prefix_start;
    uint32_t prefix_length;
} bs_prefixed_text;

/// The most bytes that `bs_write_length` writes.
#define BS_MAX_LENGTH_BYTES 10

/// Writes a length in LEB128: seven bits a byte, the lowest first, the high bit set in all but the last. Returns the bytes written.
size_t bs_write_length(uint64_t length, uint8_t *out);

/// Writes for each text that is not empty its prefix, its length as `bs_write_length` does, and its bytes.
///
/// `out` holds them all with `BS_MAX_LENGTH_BYTES` for each length. Returns the bytes written.
size_t bs_write_prefixed_texts(const bs_text *texts, const bs_prefixed_text *parts, uint32_t count,
                               const uint8_t *prefixes, uint8_t *out);

#endif
