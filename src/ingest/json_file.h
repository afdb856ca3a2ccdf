#pragma once
// The records of a JSON file as parsed elements, for decoders whose rate does not matter. Heavy: for .cc files only.
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/json_records.h"

namespace egret::ingest {

// Calls f(element, text of the record, line). What is no JSON becomes an error row. envelopes: as each_json_record's.
template <typename F>
void each_record(const Source& source, Sink& sink, F&& f, std::initializer_list<std::string_view> envelopes = {}) {
  simdjson::dom::parser parser;
  each_json_record(
      source.bytes, envelopes,
      {.record =
           [&](std::string_view text, uint64_t line) {
             js::Element e;
             if (parser.parse(text.data(), text.size()).get(e) == simdjson::SUCCESS)
               f(e, text, line);
             else
               sink.error(line, "not valid JSON", text);
           },
       .broken = [&](uint64_t line, std::string reason, std::string_view beginning) { sink.error(line, std::move(reason), beginning); }});
}

// A decoder's `decode` where every record is an object that Decode turns into rows.
template <auto Decode>
void decode_records(const Source& source, Sink& sink) {
  each_record(source, sink, [&](const js::Element& e, std::string_view text, uint64_t line) {
    if (!e.is_object()) return sink.error(line, "a record must be a JSON object", text);
    Decode(e, text, line, source, sink);
  });
}

// Whether the text begins as JSON and holds all of these words.
inline bool json_with(std::string_view head, std::initializer_list<std::string_view> all) {
  const std::string_view s = trim(head);
  if (!s.starts_with('{') && !s.starts_with('[')) return false;
  for (const std::string_view what : all)
    if (s.find(what) == std::string_view::npos) return false;
  return true;
}

}  // namespace egret::ingest
