#include "sql_tokens.h"
