#include "csv_scan.h"
