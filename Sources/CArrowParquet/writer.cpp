#include "CArrowParquet.h"
