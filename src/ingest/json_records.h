#pragma once
// Finds the records of a JSON file without parsing it: JSON lines, an array, one object with an array of records inside ("records",
// "value"), objects one after the other, pretty-printed or not. Each record is then parsed by itself, so that one broken record, or
// the cut-off end of a file, costs no other, and a file of any size needs only the memory of one record.
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

namespace egret::ingest {

struct JsonRecordHandler {
  // text: one record, most often an object. line: 1-based; the record's number where the file has one line only.
  std::function<void(std::string_view text, uint64_t line)> record;
  std::function<void(uint64_t line, std::string reason, std::string_view beginning)> broken;
};

// envelopes: names of members that hold the records when the outermost value is an object.
void each_json_record(std::string_view bytes, std::initializer_list<std::string_view> envelopes, const JsonRecordHandler& handler);
// Whether the first 64 bytes begin an object or an array.
bool begins_as_json(std::string_view head);
// The end of the value that begins at `from` (strings with escapes and nesting are told apart); npos when the text ends before.
size_t end_of_json_value(std::string_view text, size_t from);

}  // namespace egret::ingest
