#ifndef AUDITLAKE_CBYTESCAN_H
#define AUDITLAKE_CBYTESCAN_H

#include "csv_scan.h"
#include "csv_table.h"
#include "log_field.h"
#include "number_scan.h"
#include "sql_tokens.h"
#include "text_scan.h"

#endif
