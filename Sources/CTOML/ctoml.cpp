#include "ctoml.h"

// toml++ asserts what a malformed document can contradict, and then goes on to refuse it (version 3.3, parse_key).
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <cctype>
#include <cstdio>
#include <exception>
#include <string_view>

// No exception crosses the face: only ctoml_parse can meet one, and it turns every one into an error.

struct ctoml_document {
    toml::table root;
};

namespace {

const toml::node *node(const ctoml_value *value) {
    return reinterpret_cast<const toml::node *>(value);
}

const ctoml_value *value(const toml::node &node) {
    return reinterpret_cast<const ctoml_value *>(&node);
}

ctoml_position position(const toml::source_region &region) {
    return {region.begin.line, region.begin.column};
}

ctoml_document *failed(ctoml_error *error, ctoml_position at, const char *message) {
    error->at = at;
    std::snprintf(error->message, sizeof error->message, "%s", message);
    return nullptr;
}

// toml++ recurses once a part of a dotted key: 25,000 parts overflowed a stack of 8 MiB, and each costs two bytes.
constexpr size_t most_key_dots = 4096;

bool is_key_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '+';
}

// Whether the dot at `dot` may join two parts of a key. Only a dot between two digits, of a word that starts after a
// blank or a delimiter, is taken for a number's; at worst that hides every second dot of a key.
bool may_join_keys(std::string_view text, size_t dot) {
    const auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    if (dot == 0 || !digit(dot - 1) || !digit(dot + 1)) return true;
    size_t start = dot;
    while (start > 0 && is_key_character(text[start - 1])) --start;
    return start > 0 && (text[start - 1] == '.' || text[start - 1] == '"' || text[start - 1] == '\'');
}

bool nests_too_deep(std::string_view text) {
    size_t dots = 0;
    for (size_t at = text.find('.'); at != text.npos; at = text.find('.', at + 1)) {
        if (may_join_keys(text, at) && ++dots > most_key_dots) return true;
    }
    return false;
}

}  // namespace

extern "C" ctoml_document *ctoml_parse(ctoml_text text, ctoml_error *error) {
    const std::string_view view(text.start, text.length);
    if (nests_too_deep(view)) return failed(error, {1, 1}, "more than 4096 dots outside numbers");
    try {
        return new ctoml_document{toml::parse(view)};
    } catch (const toml::parse_error &problem) {
        return failed(error, position(problem.source()), problem.description().data());
    } catch (const std::exception &problem) {
        return failed(error, {0, 0}, problem.what());
    } catch (...) {
        return failed(error, {0, 0}, "unknown error");
    }
}

extern "C" void ctoml_free(ctoml_document *document) { delete document; }

extern "C" const ctoml_value *ctoml_root(const ctoml_document *document) {
    return value(document->root);
}

extern "C" ctoml_type ctoml_type_of(const ctoml_value *value) {
    switch (node(value)->type()) {
        case toml::node_type::table: return CTOML_TABLE;
        case toml::node_type::array: return CTOML_ARRAY;
        case toml::node_type::string: return CTOML_STRING;
        case toml::node_type::integer: return CTOML_INTEGER;
        case toml::node_type::floating_point: return CTOML_FLOAT;
        case toml::node_type::boolean: return CTOML_BOOLEAN;
        default: return CTOML_DATE;
    }
}

extern "C" ctoml_position ctoml_position_of(const ctoml_value *value) {
    return position(node(value)->source());
}

extern "C" bool ctoml_visit(const ctoml_value *parent, void *context, ctoml_visitor *visitor) {
    if (const auto *table = node(parent)->as_table()) {
        for (const auto &[key, item] : *table) {
            const std::string_view name = key.str();
            if (!visitor(context, {name.data(), name.size()}, position(key.source()), value(item)))
                return false;
        }
    }
    if (const auto *array = node(parent)->as_array()) {
        for (const auto &item : *array) {
            if (!visitor(context, {"", 0}, position(item.source()), value(item))) return false;
        }
    }
    return true;
}

extern "C" ctoml_text ctoml_string(const ctoml_value *value) {
    const auto *text = node(value)->as_string();
    if (!text) return {"", 0};
    return {text->get().data(), text->get().size()};
}

extern "C" int64_t ctoml_integer(const ctoml_value *value) {
    const auto *number = node(value)->as_integer();
    return number ? number->get() : 0;
}

extern "C" double ctoml_float(const ctoml_value *value) {
    const auto *number = node(value)->as_floating_point();
    return number ? number->get() : 0;
}

extern "C" bool ctoml_boolean(const ctoml_value *value) {
    const auto *truth = node(value)->as_boolean();
    return truth && truth->get();
}
