#ifndef AUDITLAKE_SIMDJSON_LIBRARY_H
#define AUDITLAKE_SIMDJSON_LIBRARY_H

// Arrow's libparquet exports a simdjson of its own, of another version and with other virtual tables. Whichever of the
// two came second would be bound to the first. So everything in simdjson.h gets a name of this program's own, and the
// library is opened apart from the program's other libraries (simdjson_library.cpp).
#define simdjson auditlake_simdjson
#include <simdjson.h>

/// Whether the library of simdjson.h could be opened.
bool simdjson_is_loaded();

#endif
