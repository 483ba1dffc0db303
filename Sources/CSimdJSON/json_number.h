#ifndef AUDITLAKE_JSON_NUMBER_H
#define AUDITLAKE_JSON_NUMBER_H

#include <string_view>

inline bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

/// Whether a text is a number as JSON has it.
inline bool is_number(std::string_view text) {
    size_t at = !text.empty() && text.front() == '-' ? 1 : 0;
    auto digits = [&] {
        size_t start = at;
        while (at < text.size() && is_digit(text[at])) at += 1;
        return at > start;
    };
    size_t first = at;
    if (!digits() || (text[first] == '0' && at > first + 1)) return false;
    if (at < text.size() && text[at] == '.') {
        at += 1;
        if (!digits()) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        at += 1;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) at += 1;
        if (!digits()) return false;
    }
    return at == text.size();
}

#endif
