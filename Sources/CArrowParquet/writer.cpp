#include <memory>
#include <string>

#include <arrow/c/bridge.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "CArrowParquet.h"
#include "status.h"
#include "writer.h"

namespace {

/// Passes what Arrow writes on to the caller's function.
class SinkStream final : public arrow::io::OutputStream {
public:
    explicit SinkStream(apq_sink sink) : sink_(sink) { set_mode(arrow::io::FileMode::WRITE); }

    arrow::Status Write(const void *data, int64_t count) override {
        if (closed_) return arrow::Status::IOError("the file was given up");
        if (sink_.write(sink_.context, data, count) != 0) return arrow::Status::IOError("the file could not be written");
        position_ += count;
        return arrow::Status::OK();
    }

    arrow::Result<int64_t> Tell() const override { return position_; }
    arrow::Status Close() override {
        closed_ = true;
        return arrow::Status::OK();
    }
    bool closed() const override { return closed_; }

private:
    apq_sink sink_;
    int64_t position_ = 0;
    bool closed_ = false;
};

void apply(const apq_column &column, parquet::WriterProperties::Builder &builder) {
    if (column.dictionary) builder.enable_dictionary(column.path);
    else builder.disable_dictionary(column.path);
    if (column.statistics) builder.enable_statistics(column.path);
    else builder.disable_statistics(column.path);
    if (column.delta) builder.encoding(column.path, parquet::Encoding::DELTA_BINARY_PACKED);
}

}  // namespace

int apq_writer_open(apq_sink sink, ArrowSchema *schema, const apq_column *columns, size_t column_count,
                    int compression_level, apq_writer **out, apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(auto imported, arrow::ImportSchema(schema));
        parquet::WriterProperties::Builder builder;
        builder.compression(arrow::Compression::ZSTD);
        builder.compression_level(compression_level);
        builder.version(parquet::ParquetVersion::PARQUET_2_6);
        builder.data_page_version(parquet::ParquetDataPageVersion::V1);
        builder.write_batch_size(64 * 1024);
        builder.dictionary_pagesize_limit(16 * 1024 * 1024);
        // Of merged files; a row group is read whole, so this bounds the memory of the next merge.
        builder.max_row_group_length(32 * 1024);
        builder.created_by("auditlake");
        for (size_t i = 0; i < column_count; i++) apply(columns[i], builder);
        auto arrow_properties = parquet::ArrowWriterProperties::Builder().build();
        auto writer = std::make_unique<apq_writer>();
        writer->stream = std::make_shared<SinkStream>(sink);
        ARROW_ASSIGN_OR_RAISE(writer->file,
                              parquet::arrow::FileWriter::Open(*imported, arrow::default_memory_pool(), writer->stream,
                                                               builder.build(), arrow_properties));
        *out = writer.release();
        return arrow::Status::OK();
    });
}

int apq_writer_write(apq_writer *writer, ArrowSchema *schema, ArrowArray *array, apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(auto batch, arrow::ImportRecordBatch(array, schema));
        ARROW_RETURN_NOT_OK(writer->file->NewRowGroup());
        for (int i = 0; i < batch->num_columns(); i++) {
            ARROW_RETURN_NOT_OK(writer->file->WriteColumnChunk(std::make_shared<arrow::ChunkedArray>(batch->column(i))));
        }
        return arrow::Status::OK();
    });
}

int apq_writer_close(apq_writer *writer, apq_error *error) {
    return guarded(error, [&]() -> arrow::Status { return writer->file->Close(); });
}

void apq_writer_destroy(apq_writer *writer) {
    // Arrow's writer ends an unfinished file when it goes; nothing may reach the sink any more.
    (void)writer->stream->Close();
    delete writer;
}
