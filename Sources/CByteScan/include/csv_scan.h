#ifndef AUDITLAKE_CSV_SCAN_H
#define AUDITLAKE_CSV_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "log_field.h"

typedef enum {
    /// The record ends at a newline outside quotes.
    BS_CSV_COMPLETE = 0,
    /// The input ends before the record does; so far nothing is wrong with it.
    BS_CSV_INCOMPLETE = 1,
    /// A quote stands where none may, or the record has more fields than `capacity`.
    BS_CSV_MALFORMED = 2,
} bs_csv_status;

typedef struct {
    /// Bytes of the record without its line end, when complete; the offset of the fault, when malformed.
    uint64_t length;
    /// Bytes to the start of the next record (line end included), when complete.
    uint64_t consumed;
    uint32_t field_count;
    bs_csv_status status;
} bs_csv_record;

/// Splits the record at the start of `bytes` as PostgreSQL's csvlog writes it: comma, double quotes that are doubled
/// inside quotes, newline. A quote may only open a field and may only be followed by a quote, a comma or a line end.
/// O(length of the record); stops at the first fault.
bs_csv_record bs_csv_split(const uint8_t *bytes, size_t length, bs_field *fields, uint32_t capacity);

/// The same for a record that ends with the input instead of a newline, such as the payload of a pgaudit message.
bs_csv_record bs_csv_split_whole(const uint8_t *bytes, size_t length, bs_field *fields, uint32_t capacity);

/// Whether `bytes` starts like a csvlog record. Fewer than 24 bytes count when all of them fit.
int bs_csvlog_starts(const uint8_t *bytes, size_t length);

#endif
