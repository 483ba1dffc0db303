#ifndef AUDITLAKE_NUMBER_SCAN_H
#define AUDITLAKE_NUMBER_SCAN_H

#include <stddef.h>
#include <stdint.h>

/// Reads a decimal number as JSON writes it (RFC 8259, 6) into the nearest finite one of 64 bits. Returns 0 when it is none, or
/// is longer than 128 bytes.
int bs_read_double(const uint8_t *bytes, size_t length, double *value);

#endif
