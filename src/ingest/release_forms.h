#pragma once
// Records of releases that have a form of their own: GitLab's deployments (API and webhook) and Helm's list and history.
#include "ingest/release_rows.h"

namespace egret::ingest {

// False when the record is none of theirs. r.time stays 0 where the record has none.
bool gitlab_release(const simdjson::dom::element& record, Release& r);
bool helm_release(const simdjson::dom::element& record, Release& r);

// "payment-api-1.2.3" → the chart's name and version.
void helm_chart(std::string_view chart, Release& r);
std::string helm_status(std::string_view status);
// "2025-11-10 07:50:00.512345678 +0000 UTC" (Go's own form), RFC 3339; 0 when it is neither.
Ticks helm_time(std::string_view text);

}  // namespace egret::ingest
