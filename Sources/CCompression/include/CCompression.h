#ifndef AUDITLAKE_CCOMPRESSION_H
#define AUDITLAKE_CCOMPRESSION_H

#include <stddef.h>
#include <stdint.h>

/// How a file is compressed.
typedef enum {
    /// RFC 1952: one member or several.
    CC_GZIP,
    /// RFC 8878: one frame or several.
    CC_ZSTD
} cc_format;

/// What a read came to.
typedef enum {
    /// The buffer is full.
    CC_MORE,
    /// All of the file is read, and it ends where a member or frame does.
    CC_END,
    /// The file ends inside a member or frame: it is still being written, or was cut.
    CC_CUT,
    /// The bytes do not follow the format, or their checksum is wrong.
    CC_DAMAGED,
    /// The file could not be read: see `errno`.
    CC_FAILED
} cc_status;

/// A compressed file read as a stream: bounded memory (zlib: 64 KiB; zstd: its window, 128 MiB at the most).
typedef struct cc_stream cc_stream;

/// Starts at the beginning of an open file, whose own position is neither used nor moved. The descriptor has to stay open
/// as long as the stream lives. NULL without memory.
cc_stream *cc_create(int descriptor, cc_format format);

/// Reads up to `capacity` bytes. `produced` receives how many came, whatever the status is.
cc_status cc_read(cc_stream *stream, void *out, size_t capacity, size_t *produced);

/// Goes back to the beginning. 0, or -1 without memory.
int cc_restart(cc_stream *stream);

/// Frees the stream; the descriptor stays open.
void cc_destroy(cc_stream *stream);

#endif
