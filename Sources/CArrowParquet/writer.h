#pragma once

#include <memory>

#include <arrow/io/interfaces.h>
#include <parquet/arrow/writer.h>

/// A Parquet file under way and the stream below it.
struct apq_writer {
    std::shared_ptr<arrow::io::OutputStream> stream;
    std::unique_ptr<parquet::arrow::FileWriter> file;
};
