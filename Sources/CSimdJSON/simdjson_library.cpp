#include "simdjson_library.h"

#include <dlfcn.h>

// The library's name below belongs to this version of the header.
static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3 && simdjson::SIMDJSON_VERSION_MINOR == 0,
               "simdjson 3.0, as in Debian 12");

namespace {

using active_implementation = simdjson::internal::atomic_ptr<const simdjson::implementation> &();

/// The one function of the library that its header calls; the rest is reached through what it returns.
active_implementation *find_active_implementation() {
    // Symbols stay inside, and the library's own come before those of the program.
    void *library = dlopen("libsimdjson.so.14", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (library == nullptr) return nullptr;
    return reinterpret_cast<active_implementation *>(dlsym(library, "_ZN8simdjson25get_active_implementationEv"));
}

active_implementation *loaded() {
    static active_implementation *const found = find_active_implementation();
    return found;
}

}  // namespace

bool simdjson_is_loaded() { return loaded() != nullptr; }

namespace simdjson {

internal::atomic_ptr<const implementation> &get_active_implementation() { return loaded()(); }

}  // namespace simdjson
