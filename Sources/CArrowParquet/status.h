#pragma once

#include <cstdio>
#include <exception>

#include <arrow/status.h>

#include "CArrowParquet.h"

/// Runs `body` (returning arrow::Status) and turns a failure or an exception into -1 with a message.
template <typename Body>
int guarded(apq_error *error, Body &&body) {
    const auto fail = [error](const char *message) {
        std::snprintf(error->message, sizeof error->message, "%s", message);
        return -1;
    };
    try {
        const arrow::Status status = body();
        return status.ok() ? 0 : fail(status.message().c_str());
    } catch (const std::exception &exception) {
        return fail(exception.what());
    } catch (...) {
        return fail("unknown C++ exception");
    }
}
