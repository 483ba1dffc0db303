#include "csv_scan.h"

#include "find_quote.h"

/// Completes a record that ends with the input.
static bs_csv_record ended(bs_csv_record record, size_t length) {
    record.field_count += 1;
    record.length = length;
    record.consumed = length;
    record.status = BS_CSV_COMPLETE;
    return record;
}

static inline bs_csv_record split(const uint8_t *bytes, size_t length, bs_field *fields, uint32_t capacity,
                                  int ends_with_input) {
    bs_csv_record record = {.length = length, .consumed = 0, .field_count = 0, .status = BS_CSV_INCOMPLETE};
    size_t at = 0;
    for (;;) {
        if (record.field_count == capacity) {
            record.length = at;
            record.status = BS_CSV_MALFORMED;
            return record;
        }
        bs_field *field = &fields[record.field_count];
        field->escape = BS_ESCAPE_NONE;
        if (at < length && bytes[at] == '"') {
            field->quoted = 1;
            field->start = (uint32_t)(at + 1);
            at += 1;
            for (;;) {
                at = find_quote(bytes, length, at);
                if (at + 1 >= length) {
                    if (!ends_with_input || at >= length) return record;
                    field->end = (uint32_t)at;
                    return ended(record, length);
                }
                if (bytes[at + 1] != '"') break;
                field->escape = BS_ESCAPE_DOUBLED;
                at += 2;
            }
            field->end = (uint32_t)at;
            at += 1;
            if (bytes[at] == '\r') {
                if (at + 1 >= length) return record;
                if (bytes[at + 1] == '\n') at += 1;
            }
        } else {
            field->quoted = 0;
            field->start = (uint32_t)at;
            while (at < length && bytes[at] != ',' && bytes[at] != '\n' && bytes[at] != '"') at += 1;
            if (at == length && !ends_with_input) return record;
            field->end = (uint32_t)at;
            if (at == length) return ended(record, length);
            if (bytes[at] == '\n' && at > field->start && bytes[at - 1] == '\r') field->end -= 1;
        }
        switch (bytes[at]) {
        case ',':
            record.field_count += 1;
            at += 1;
            break;
        case '\n':
            record.field_count += 1;
            record.length = at > 0 && bytes[at - 1] == '\r' ? at - 1 : at;
            record.consumed = at + 1;
            record.status = BS_CSV_COMPLETE;
            return record;
        default:
            record.length = at;
            record.status = BS_CSV_MALFORMED;
            return record;
        }
    }
}

bs_csv_record bs_csv_split(const uint8_t *bytes, size_t length, bs_field *fields, uint32_t capacity) {
    return split(bytes, length, fields, capacity, 0);
}

bs_csv_record bs_csv_split_whole(const uint8_t *bytes, size_t length, bs_field *fields, uint32_t capacity) {
    return split(bytes, length, fields, capacity, 1);
}

static const char start_pattern[] = "dddd-dd-dd dd:dd:dd.ddd ";

int bs_csvlog_starts(const uint8_t *bytes, size_t length) {
    size_t count = sizeof start_pattern - 1;
    if (length < count) count = length;
    for (size_t i = 0; i < count; i++) {
        if (start_pattern[i] == 'd' ? (uint8_t)(bytes[i] - '0') > 9 : bytes[i] != (uint8_t)start_pattern[i]) return 0;
    }
    return 1;
}
