#pragma once
// A JSON value as a cell of a table's row. Heavy: for .cc files only.
#include "ingest/json_dom.h"
#include "ingest/table_rows.h"

namespace egret::ingest {

// The cell may point into `scratch` and into the element; it lives until either changes.
inline Cell cell_of(const js::Element& e, std::string& scratch) {
  switch (e.type()) {
    case simdjson::dom::element_type::STRING: return Cell::of(js::text(e));
    case simdjson::dom::element_type::INT64: return Cell::of(static_cast<int64_t>(e.get_int64().value_unsafe()));
    case simdjson::dom::element_type::UINT64: return {.kind = Cell::kReal, .real = static_cast<double>(e.get_uint64().value_unsafe())};
    case simdjson::dom::element_type::DOUBLE: return {.kind = Cell::kReal, .real = e.get_double().value_unsafe()};
    case simdjson::dom::element_type::BOOL: return {.kind = Cell::kBool, .number = e.get_bool().value_unsafe()};
    case simdjson::dom::element_type::ARRAY:
    case simdjson::dom::element_type::OBJECT: scratch = js::minified(e); return Cell::json(scratch);
    default: return {};
  }
}

}  // namespace egret::ingest
