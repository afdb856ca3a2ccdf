#pragma once
// The records of a JSON file as parsed elements, for decoders whose rate does not matter. Heavy: for .cc files only.
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/json_records.h"

namespace egret::ingest {

// Calls f(element, text of the record, line). What is no JSON becomes an error row.
template <typename F>
void each_record(const Source& source, Sink& sink, F&& f) {
  simdjson::dom::parser parser;
  each_json_record(
      source.bytes, {},
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

}  // namespace egret::ingest
