#ifndef AUDITLAKE_JSON_TOKENS_H
#define AUDITLAKE_JSON_TOKENS_H

#include "audit_events.h"
#include "simdjson_library.h"

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

/// Texts of one line that do not stand in it as they are.
class Arena {
public:
    uint8_t *take(size_t count) {
        if (count > left) open(count);
        uint8_t *taken = next;
        next += count;
        left -= count;
        return taken;
    }

    /// Gives back the end of what was taken last.
    void give_back(size_t count) {
        next -= count;
        left += count;
    }

    void reset() {
        if (blocks.empty()) return;
        blocks.resize(1);
        next = blocks[0].get();
        left = first_size;
    }

private:
    static constexpr size_t first_size = 64 << 10;
    std::vector<std::unique_ptr<uint8_t[]>> blocks;
    uint8_t *next = nullptr;
    size_t left = 0;

    void open(size_t count) {
        size_t size = blocks.empty() ? first_size : count < first_size ? first_size : count;
        blocks.emplace_back(new uint8_t[size]);
        next = blocks.back().get();
        left = size;
        if (size < count) open(count);
    }
};

/// The tokens of one JSON text, from simdjson's first stage: that has checked UTF-8, found where each token starts, and
/// refused strings that do not end. The grammar is checked here, as the tokens are read; nothing of it is skipped.
class Tokens {
public:
    enum class Fault : uint8_t { none, malformed, too_deep };

    Fault fault = Fault::none;

    explicit Tokens(Arena &arena) : arena(arena) {}

    /// Finds the tokens; false for what is no JSON.
    bool open(const uint8_t *bytes, size_t length);

    uint32_t position() const { return at; }
    void move_to(uint32_t position);
    bool is_at_end() const { return at == count; }
    /// The first byte of the present token, 0 behind the last.
    uint8_t peek() const { return at < count ? base[starts[at]] : 0; }
    size_t offset() const { return starts[at]; }
    /// Where the token that was read last ends.
    size_t end_of_last() const { return last_end; }

    /// Reads a token of one byte.
    bool take(uint8_t byte) {
        if (peek() != byte) return fail();
        note(starts[at] + 1);
        return true;
    }

    /// Reads a string.
    bool string(sj_value &value);
    /// Reads any value.
    bool value(sj_value &value);
    /// Reads over any value.
    bool skip(unsigned depth);

private:
    Arena &arena;
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    const uint8_t *base = nullptr;
    const uint32_t *starts = nullptr;
    uint32_t count = 0;
    uint32_t at = 0;
    size_t size = 0;
    size_t last_end = 0;
    /// Blanks were seen between tokens.
    bool is_loose = false;
    /// The first backslash that is not before the present token, or the end.
    const uint8_t *backslash = nullptr;

    bool fail(Fault kind = Fault::malformed) {
        if (fault == Fault::none) fault = kind;
        return false;
    }

    void note(size_t end) {
        is_loose |= starts[at] != last_end;
        last_end = end;
        at += 1;
    }

    size_t trimmed_end() const {
        size_t end = starts[at + 1];
        while (end > starts[at] && is_blank(base[end - 1])) end -= 1;
        return end;
    }

    static bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

    void find_backslash(const uint8_t *from) {
        auto found = std::memchr(from, '\\', static_cast<size_t>(base + size - from));
        backslash = found ? static_cast<const uint8_t *>(found) : base + size;
    }

    bool reserve(size_t length);
    bool raw_string(std::string_view &text, bool &is_escaped);
    bool scalar(sj_value &value);
    bool skip_members(uint8_t close, unsigned depth);
    void compact(uint32_t from, uint32_t to, size_t end, sj_value &value);
};

#endif
