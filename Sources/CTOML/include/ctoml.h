// A small C face over toml++: parse from memory, then visit every value with its line and column.
#ifndef CTOML_H
#define CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A parsed document, and one value in it. Values belong to their document.
typedef struct ctoml_document ctoml_document;
typedef struct ctoml_value ctoml_value;

typedef enum {
    CTOML_TABLE,
    CTOML_ARRAY,
    CTOML_STRING,
    CTOML_INTEGER,
    CTOML_FLOAT,
    CTOML_BOOLEAN,
    CTOML_DATE,  // a date, a time or both
} ctoml_type;

// Both count from 1; a column is a Unicode code point.
typedef struct {
    uint32_t line;
    uint32_t column;
} ctoml_position;

// Why a text does not parse. `message` is NUL-terminated and cut when it is longer.
typedef struct {
    ctoml_position at;
    char message[256];
} ctoml_error;

// Bytes that are not NUL-terminated; UTF-8.
typedef struct {
    const char *start;
    size_t length;
} ctoml_text;

// Parses `text`. Returns NULL and fills `error` when it is not TOML; free the result with ctoml_free.
ctoml_document *ctoml_parse(ctoml_text text, ctoml_error *error);
void ctoml_free(ctoml_document *document);

// The table that the document is.
const ctoml_value *ctoml_root(const ctoml_document *document);

ctoml_type ctoml_type_of(const ctoml_value *value);
ctoml_position ctoml_position_of(const ctoml_value *value);

// Called with each entry of a table, or each item of an array with an empty key; returns whether to go on.
typedef bool ctoml_visitor(
    void *context, ctoml_text key, ctoml_position key_position, const ctoml_value *value);

// Visits the entries of a table, in the order of their keys, or the items of an array, in theirs. Returns false when
// the visitor stopped. Anything else has no entries.
bool ctoml_visit(const ctoml_value *value, void *context, ctoml_visitor *visitor);

// What a value of that type holds; an empty text, 0 or false for any other type.
ctoml_text ctoml_string(const ctoml_value *value);
int64_t ctoml_integer(const ctoml_value *value);
double ctoml_float(const ctoml_value *value);
bool ctoml_boolean(const ctoml_value *value);

#ifdef __cplusplus
}
#endif

#endif
