#ifndef AUDITLAKE_TEXT_SCAN_H
#define AUDITLAKE_TEXT_SCAN_H

#include <stddef.h>
#include <stdint.h>

#endif
