#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/bitmap_ops.h>
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

namespace {

/// A file behind callbacks.
class SourceFile : public arrow::io::RandomAccessFile {
  public:
    explicit SourceFile(apq_source source) : source_(source) {}
    ~SourceFile() override { source_.release(source_.context); }

    arrow::Status Close() override {
        closed_ = true;
        return arrow::Status::OK();
    }
    bool closed() const override { return closed_; }
    arrow::Result<int64_t> Tell() const override { return position_; }
    arrow::Status Seek(int64_t position) override {
        position_ = position;
        return arrow::Status::OK();
    }
    arrow::Result<int64_t> GetSize() override { return source_.size; }

    arrow::Result<int64_t> ReadAt(int64_t position, int64_t count, void *out) override {
        count = std::min(count, source_.size - position);
        if (count <= 0) return 0;
        int64_t read = source_.read(source_.context, position, count, out);
        if (read < 0) return arrow::Status::IOError("the bytes cannot be read");
        return read;
    }
    arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t count) override {
        ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(count));
        ARROW_ASSIGN_OR_RAISE(int64_t read, ReadAt(position, count, buffer->mutable_data()));
        ARROW_RETURN_NOT_OK(buffer->Resize(read));
        return std::shared_ptr<arrow::Buffer>(std::move(buffer));
    }
    arrow::Result<int64_t> Read(int64_t count, void *out) override {
        ARROW_ASSIGN_OR_RAISE(int64_t read, ReadAt(position_, count, out));
        position_ += read;
        return read;
    }
    arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t count) override {
        ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, count));
        position_ += buffer->size();
        return buffer;
    }

  private:
    apq_source source_;
    int64_t position_ = 0;
    bool closed_ = false;
};

arrow::Status open(std::shared_ptr<arrow::io::RandomAccessFile> input, bool is_remote, const char *const *fields,
                   size_t field_count, apq_reader **out) {
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(input)));
    parquet::ArrowReaderProperties properties;
    properties.set_pre_buffer(is_remote);
    auto reader = std::make_unique<apq_reader>();
    ARROW_RETURN_NOT_OK(builder.memory_pool(arrow::default_memory_pool())->properties(properties)->Build(&reader->file));
    const parquet::SchemaDescriptor *schema = reader->file->parquet_reader()->metadata()->schema();
    for (int leaf = 0; leaf < schema->num_columns(); leaf++) {
        bool wanted = fields == nullptr;
        const std::string &name = schema->GetColumnRoot(leaf)->name();
        for (size_t i = 0; i < field_count && !wanted; i++) wanted = name == fields[i];
        if (wanted) reader->columns.push_back(leaf);
    }
    *out = reader.release();
    return arrow::Status::OK();
}

}  // namespace

int apq_reader_open(const char *path, const char *const *fields, size_t field_count, apq_reader **out,
                    apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path));
        return open(input, false, fields, field_count, out);
    });
}

int apq_reader_open_source(apq_source source, const char *const *fields, size_t field_count, apq_reader **out,
                           apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        return open(std::make_shared<SourceFile>(source), true, fields, field_count, out);
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

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> conform(const std::shared_ptr<arrow::Array> &values,
                                                     const std::shared_ptr<arrow::DataType> &type);

/// The columns `fields` wants, in its order; one that is not there is null in every row.
arrow::Result<arrow::ArrayVector> conform(const arrow::FieldVector &have, const arrow::ArrayVector &values,
                                          const arrow::FieldVector &fields, int64_t rows) {
    arrow::ArrayVector found;
    size_t used = 0;
    for (const auto &field : fields) {
        std::shared_ptr<arrow::Array> column;
        for (size_t i = 0; i < have.size() && !column; i++) {
            if (have[i]->name() == field->name()) column = values[i];
        }
        if (column) {
            used++;
            ARROW_ASSIGN_OR_RAISE(column, conform(column, field->type()));
        } else {
            ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(field->type(), rows));
        }
        found.push_back(std::move(column));
    }
    if (used != have.size()) return arrow::Status::Invalid("the file has a column that the table lacks");
    return found;
}

arrow::Result<std::shared_ptr<arrow::Array>> conform(const std::shared_ptr<arrow::Array> &values,
                                                     const std::shared_ptr<arrow::DataType> &type) {
    if (type->id() != arrow::Type::STRUCT || values->type_id() != arrow::Type::STRUCT) return values;
    const auto &whole = static_cast<const arrow::StructArray &>(*values);
    arrow::ArrayVector children;
    for (int i = 0; i < whole.num_fields(); i++) children.push_back(whole.field(i));
    ARROW_ASSIGN_OR_RAISE(children, conform(whole.type()->fields(), children, type->fields(), whole.length()));
    std::shared_ptr<arrow::Buffer> validity;
    if (whole.null_count() > 0) {
        ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), whole.null_bitmap_data(),
                                                                    whole.offset(), whole.length()));
    }
    return std::make_shared<arrow::StructArray>(type, whole.length(), children, validity, whole.null_count());
}

}  // namespace

int apq_copy(apq_reader *reader, apq_writer *writer, int64_t rows, apq_error *error) {
    return guarded(error, [&]() -> arrow::Status {
        const std::shared_ptr<arrow::Schema> schema = writer->file->schema();
        for (int group = 0; group < reader->file->num_row_groups(); group++) {
            ARROW_ASSIGN_OR_RAISE(auto table, reader->file->ReadRowGroup(group, reader->columns));
            ARROW_ASSIGN_OR_RAISE(auto batch, table->CombineChunksToBatch());
            // A file from before the table grew has fewer columns, or fields in a structure.
            ARROW_ASSIGN_OR_RAISE(auto columns, conform(batch->schema()->fields(), batch->columns(), schema->fields(),
                                                        batch->num_rows()));
            batch = arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
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
