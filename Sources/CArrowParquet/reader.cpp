#include <memory>
#include <string>
#include <vector>

#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/schema.h>

#include "CArrowParquet.h"
#include "status.h"
#include "writer.h"

struct apq_reader {
    std::unique_ptr<parquet::arrow::FileReader> file;
    /// Leaf columns to read.
    std::vector<int> columns;
};

int apq_reader_open(const char *path, const char *const *fields, size_t field_count, apq_reader **out,
                    apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path));
        parquet::arrow::FileReaderBuilder builder;
        ARROW_RETURN_NOT_OK(builder.Open(input));
        auto reader = std::make_unique<apq_reader>();
        ARROW_RETURN_NOT_OK(builder.memory_pool(arrow::default_memory_pool())->Build(&reader->file));
        const parquet::SchemaDescriptor *schema = reader->file->parquet_reader()->metadata()->schema();
        for (int leaf = 0; leaf < schema->num_columns(); leaf++) {
            bool wanted = fields == nullptr;
            const std::string &name = schema->GetColumnRoot(leaf)->name();
            for (size_t i = 0; i < field_count && !wanted; i++) wanted = name == fields[i];
            if (wanted) reader->columns.push_back(leaf);
        }
        *out = reader.release();
        return arrow::Status::OK();
    });
}

int apq_reader_row_groups(const apq_reader *reader) { return reader->file->num_row_groups(); }

int64_t apq_reader_rows(const apq_reader *reader) {
    return reader->file->parquet_reader()->metadata()->num_rows();
}

int apq_reader_read(apq_reader *reader, int row_group, ArrowSchema *schema, ArrowArray *array, apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(auto table, reader->file->ReadRowGroup(row_group, reader->columns));
        ARROW_ASSIGN_OR_RAISE(auto batch, table->CombineChunksToBatch());
        return arrow::ExportRecordBatch(*batch, array, schema);
    });
}

int apq_copy(apq_reader *reader, apq_writer *writer, int64_t rows, apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        for (int group = 0; group < reader->file->num_row_groups(); group++) {
            ARROW_ASSIGN_OR_RAISE(auto table, reader->file->ReadRowGroup(group, reader->columns));
            ARROW_ASSIGN_OR_RAISE(auto batch, table->CombineChunksToBatch());
            for (int64_t at = 0; at < batch->num_rows(); at += rows) {
                ARROW_RETURN_NOT_OK(writer->file->WriteRecordBatch(*batch->Slice(at, rows)));
            }
        }
        return arrow::Status::OK();
    });
}

int apq_reader_schema(apq_reader *reader, ArrowSchema *schema, apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        std::shared_ptr<arrow::Schema> whole;
        ARROW_RETURN_NOT_OK(reader->file->GetSchema(&whole));
        return arrow::ExportSchema(*whole, schema);
    });
}

void apq_reader_destroy(apq_reader *reader) { delete reader; }
