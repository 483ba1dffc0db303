#ifndef AUDITLAKE_CSV_SCAN_H
#define AUDITLAKE_CSV_SCAN_H

#include <stddef.h>
#include <stdint.h>

#endif
