#ifndef AUDITLAKE_CARROWPARQUET_H
#define AUDITLAKE_CARROWPARQUET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html), as its specification gives it.
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

/// Message of a failed call, always terminated.
typedef struct {
    char message[512];
} apq_error;

/// Where a writer's bytes go. `write` returns 0, or anything else to end the file with an error.
typedef struct {
    void *context;
    int (*write)(void *context, const void *bytes, int64_t count);
} apq_sink;

/// How a column is stored; `path` is the Parquet path ("a.b.c"), and stands for every leaf below it.
typedef struct {
    const char *path;
    /// Nonzero: by dictionary, falling back to plain when it grows too large.
    int dictionary;
    /// Nonzero: minimum and maximum in the footer.
    int statistics;
    /// Nonzero: DELTA_BINARY_PACKED (integers and timestamps only).
    int delta;
} apq_column;

typedef struct apq_writer apq_writer;

/// Starts a Parquet file with zstd `compression_level`. Takes over `schema`. Columns not listed are stored by dictionary
/// with statistics. Returns 0, or -1 with `error` filled.
int apq_writer_open(apq_sink sink, struct ArrowSchema *schema, const apq_column *columns, size_t column_count,
                    int compression_level, apq_writer **out, apq_error *error);

/// Writes one row group. `schema` describes `array` (a column may come as dictionary array); both are taken over, and
/// nothing is kept of `array` after the return.
int apq_writer_write(apq_writer *writer, struct ArrowSchema *schema, struct ArrowArray *array, apq_error *error);

/// Writes the footer.
int apq_writer_close(apq_writer *writer, apq_error *error);

/// Frees the writer, closed or not.
void apq_writer_destroy(apq_writer *writer);

typedef struct apq_reader apq_reader;

/// Opens a Parquet file on disk. `fields` (top-level names, `field_count` of them, NULL for all) selects columns;
/// names that the file does not have are passed over.
int apq_reader_open(const char *path, const char *const *fields, size_t field_count, apq_reader **out, apq_error *error);

/// The bytes of a file that is not on disk. `read` fills `out` with `count` bytes at `offset` and returns how many there
/// were, or -1; it is called from several threads at once. `release` is called once, when the source is not needed any more.
typedef struct {
    void *context;
    int64_t size;
    int64_t (*read)(void *context, int64_t offset, int64_t count, void *out);
    void (*release)(void *context);
} apq_source;

/// Opens a Parquet file that is read through `source`, which is taken over also when this fails; otherwise as
/// `apq_reader_open`. The columns of a row group are fetched in few large reads.
int apq_reader_open_source(apq_source source, const char *const *fields, size_t field_count, apq_reader **out,
                           apq_error *error);

/// Number of row groups.
int apq_reader_row_groups(const apq_reader *reader);

/// Rows in the file.
int64_t apq_reader_rows(const apq_reader *reader);

/// Reads one row group into `schema` and `array`, which the caller releases. String columns come plain.
int apq_reader_read(apq_reader *reader, int row_group, struct ArrowSchema *schema, struct ArrowArray *array,
                    apq_error *error);

/// Copies all row groups of the reader, in order, to a writer, `rows` rows a row group at the most. Columns go by name;
/// what the file lacks, also in structures, is null; a column that the writer lacks is an error.
int apq_copy(apq_reader *reader, apq_writer *writer, int64_t rows, apq_error *error);

/// The schema of the file's selected columns; the caller releases it.
int apq_reader_schema(apq_reader *reader, struct ArrowSchema *schema, apq_error *error);

void apq_reader_destroy(apq_reader *reader);

#ifdef __cplusplus
}
#endif

#endif
