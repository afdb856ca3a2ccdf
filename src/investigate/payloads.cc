#include "investigate/payloads.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "base/text.h"
#include "investigate/result_row.h"

namespace egret::investigate {

namespace {

// [{"what":"as sent","text":…}, …]; what is none of that is left out.
std::vector<PayloadStep> steps_of(const std::string& json) {
  std::vector<PayloadStep> out;
  simdjson::dom::parser parser;
  simdjson::dom::array list;
  if (parser.parse(json).get(list)) return out;
  for (const auto e : list) {
    std::string_view what, text;
    if (!e["what"].get(what) && !e["text"].get(text)) out.push_back({std::string(what), std::string(text)});
  }
  return out;
}

}  // namespace

Result<void> find_payloads(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& a) {
  if (!a.owner()) return {};
  return each_row(engine, now, judgements, "payloads", [&](const Judgement&, const ResultRow& row) {
    a.payloads.push_back({.cluster = row.text("Cluster"),
                          .workload = row.text("Workload"),
                          .pods = row.texts("Pods"),
                          .clients = row.texts("Clients"),
                          .first = row.number("First"),
                          .last = row.number("Last"),
                          .requests = row.number("Requests"),
                          .url = row.text("Url"),
                          .parameter = row.text("Parameter"),
                          .steps = steps_of(row.text("Steps")),
                          .decoded = row.text("Decoded"),
                          .what = row.text("What"),
                          .asked = row.text("Asked"),
                          .hidden = row.text("Hidden"),
                          .file = row.text("File"),
                          .format = row.text("Format"),
                          .captured = row.number("Captured") != 0,
                          .rows = row.rows("RowIds")});
  });
}

std::vector<ToldPayload> told_payloads(const Answer& a) {
  std::vector<ToldPayload> told;
  for (const CarriedPayload& p : a.payloads) {
    auto same = std::ranges::find_if(told, [&](const ToldPayload& t) {
      return t.example->cluster == p.cluster && t.example->workload == p.workload && t.example->decoded == p.decoded &&
             t.example->hidden == p.hidden && t.example->parameter == p.parameter;
    });
    if (same == told.end()) same = told.insert(told.end(), {&p, p.first, {}});
    same->first = std::min(same->first, p.first);
    if (p.file.empty()) continue;
    same->shown_by.push_back(
        fmt::format("{} ({}, {})", p.file, p.format, count_of(static_cast<uint64_t>(std::max<int64_t>(p.requests, 0)), "request")));
  }
  return told;
}

}  // namespace egret::investigate
