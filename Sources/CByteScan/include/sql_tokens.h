#ifndef AUDITLAKE_SQL_TOKENS_H
#define AUDITLAKE_SQL_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#endif
