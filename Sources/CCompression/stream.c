#include "CCompression.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT_BYTES = 1 << 17 };

struct cc_stream {
    int descriptor;
    cc_format format;
    off_t file_offset;
    size_t input_from;
    size_t input_to;
    int is_at_end_of_file;
    /// No member or frame is open: the file may end here.
    int is_between;
    /// A member was whole: what follows and is no member is padding, as gzip sees it.
    int has_member;
    /// What every further read answers.
    int is_finished;
    cc_status final_status;
    z_stream zlib;
    ZSTD_DStream *zstd;
    unsigned char input[INPUT_BYTES];
};

static void rewind_to_start(cc_stream *stream) {
    stream->file_offset = 0;
    stream->input_from = 0;
    stream->input_to = 0;
    stream->is_at_end_of_file = 0;
    stream->is_between = 1;
    stream->has_member = 0;
    stream->is_finished = 0;
}

cc_stream *cc_create(int descriptor, cc_format format) {
    cc_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    stream->descriptor = descriptor;
    stream->format = format;
    rewind_to_start(stream);
    int is_ready;
    if (format == CC_GZIP) {
        is_ready = inflateInit2(&stream->zlib, 15 + 16) == Z_OK;
    } else {
        stream->zstd = ZSTD_createDStream();
        is_ready = stream->zstd != NULL && !ZSTD_isError(ZSTD_initDStream(stream->zstd));
    }
    if (is_ready) return stream;
    ZSTD_freeDStream(stream->zstd);
    free(stream);
    return NULL;
}

int cc_restart(cc_stream *stream) {
    rewind_to_start(stream);
    if (stream->format == CC_GZIP) return inflateReset(&stream->zlib) == Z_OK ? 0 : -1;
    return ZSTD_isError(ZSTD_DCtx_reset(stream->zstd, ZSTD_reset_session_only)) ? -1 : 0;
}

void cc_destroy(cc_stream *stream) {
    if (stream == NULL) return;
    if (stream->format == CC_GZIP) inflateEnd(&stream->zlib);
    ZSTD_freeDStream(stream->zstd);
    free(stream);
}

/// Brings more input until `wanted` bytes are there or the file ends. 0, or -1 with `errno`.
static int fill(cc_stream *stream, size_t wanted) {
    size_t left = stream->input_to - stream->input_from;
    if (left >= wanted || stream->is_at_end_of_file) return 0;
    for (size_t i = 0; i < left; i++) stream->input[i] = stream->input[stream->input_from + i];
    stream->input_from = 0;
    stream->input_to = left;
    while (stream->input_to < wanted) {
        ssize_t count = pread(
            stream->descriptor, stream->input + stream->input_to, INPUT_BYTES - stream->input_to, stream->file_offset);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        if (count == 0) {
            stream->is_at_end_of_file = 1;
            return 0;
        }
        stream->file_offset += count;
        stream->input_to += (size_t)count;
    }
    return 0;
}

static cc_status finish(cc_stream *stream, cc_status status) {
    stream->is_finished = 1;
    stream->final_status = status;
    return status;
}

/// Whether something goes on at a border between members; otherwise `status` says how the stream ends.
static int begins_another(cc_stream *stream, cc_status *status) {
    size_t left = stream->input_to - stream->input_from;
    const unsigned char *at = stream->input + stream->input_from;
    if (left == 0) {
        // A file without a byte is one whose writer has not begun.
        *status = stream->has_member ? CC_END : CC_CUT;
        return 0;
    }
    if (stream->format == CC_ZSTD) return 1;
    if (at[0] == 0x1f && left == 1) {
        *status = CC_CUT;
        return 0;
    }
    if (at[0] == 0x1f && at[1] == 0x8b) return 1;
    *status = stream->has_member ? CC_END : CC_DAMAGED;
    return 0;
}

/// Decompresses what input there is: 1 when a member or frame has ended, 0 when not, -1 when it is damaged.
static int step(cc_stream *stream, unsigned char *out, size_t capacity, size_t *produced) {
    size_t left = stream->input_to - stream->input_from;
    if (stream->format == CC_GZIP) {
        uInt room = capacity > (1u << 30) ? (1u << 30) : (uInt)capacity;
        stream->zlib.next_in = stream->input + stream->input_from;
        stream->zlib.avail_in = (uInt)left;
        stream->zlib.next_out = out;
        stream->zlib.avail_out = room;
        int result = inflate(&stream->zlib, Z_NO_FLUSH);
        *produced = room - stream->zlib.avail_out;
        stream->input_from = stream->input_to - stream->zlib.avail_in;
        if (result == Z_STREAM_END) return inflateReset(&stream->zlib) == Z_OK ? 1 : -1;
        return result == Z_OK || result == Z_BUF_ERROR ? 0 : -1;
    }
    ZSTD_inBuffer in = {stream->input + stream->input_from, left, 0};
    ZSTD_outBuffer buffer = {out, capacity, 0};
    size_t result = ZSTD_decompressStream(stream->zstd, &buffer, &in);
    stream->input_from += in.pos;
    *produced = buffer.pos;
    if (ZSTD_isError(result)) return -1;
    return result == 0;
}

cc_status cc_read(cc_stream *stream, void *out, size_t capacity, size_t *produced) {
    *produced = 0;
    while (*produced < capacity) {
        if (stream->is_finished) return stream->final_status;
        if (fill(stream, 2) != 0) return CC_FAILED;
        cc_status status;
        if (stream->is_between && !begins_another(stream, &status)) return finish(stream, status);
        stream->is_between = 0;
        size_t before = stream->input_to - stream->input_from;
        size_t count = 0;
        int ended = step(stream, (unsigned char *)out + *produced, capacity - *produced, &count);
        *produced += count;
        if (ended < 0) return finish(stream, CC_DAMAGED);
        if (ended) {
            stream->is_between = 1;
            stream->has_member = 1;
        } else if (count == 0 && before == stream->input_to - stream->input_from && stream->is_at_end_of_file) {
            return finish(stream, CC_CUT);
        }
    }
    return CC_MORE;
}
