#include "incident/incident_row.h"

#include <fmt/format.h>

#include "base/json.h"
#include "investigate/answer_json.h"
#include "investigate/page.h"
#include "model/catalogue.h"

namespace egret::incident {

model::Batch incident_row(const Case& c, Ticks now) {
  model::Batch b(*model::find_table("SecurityIncident"));
  const auto& a = c.answer;
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), now);
  b.set_int(b.column("IncidentNumber"), c.number);
  b.set_string(b.column("IncidentName"), fmt::format("egret-{}", c.number));
  b.set_string(b.column("Title"), c.title);
  b.set_string(b.column("Description"), investigate::headline(a));
  b.set_string(b.column("Severity"), c.severity);
  b.set_string(b.column("Status"), status_name(c.status));
  b.set_string(b.column("Classification"), c.status == Status::kClosed || c.classification != investigate::Classification::kUndetermined
                                               ? investigate::classification_name(c.classification)
                                               : "");
  b.set_string(b.column("ClassificationComment"), c.reason);
  b.set_datetime(b.column("CreatedTime"), c.created);
  b.set_datetime(b.column("LastModifiedTime"), c.modified);
  if (c.closed) b.set_datetime(b.column("ClosedTime"), c.closed);
  b.set_datetime(b.column("FirstActivityTime"), a.contacts.empty() ? a.alert.time : a.contacts.front().time);
  b.set_datetime(b.column("LastActivityTime"), a.contacts.empty() ? a.alert.end_time : a.contacts.back().time);
  b.set_string(b.column("ProviderName"), "egret");
  JsonWriter ids;
  ids.begin_array();
  if (!a.alert.id.empty()) ids.string(a.alert.id);
  for (const auto& r : a.related) ids.string(r.id);
  ids.end_array();
  b.set_dynamic(b.column("AlertIds"), std::move(ids).take());
  JsonWriter comments;
  comments.begin_array();
  for (const auto& l : c.log)
    comments.begin_object()
        .key("createdTimeUtc")
        .string(format_datetime(l.time))
        .key("author")
        .string(l.author)
        .key("message")
        .string(l.kind + ": " + l.text)
        .end_object();
  comments.end_array();
  b.set_dynamic(b.column("Comments"), std::move(comments).take());
  JsonWriter more;
  more.begin_object().key("alertsCount").number(static_cast<int64_t>(a.related.size() + 1));
  more.key("techniques").begin_array();
  for (const auto& t : a.verdict.techniques) more.string(t);
  more.end_array().key("confidence").number(a.verdict.confidence).end_object();
  b.set_dynamic(b.column("AdditionalData"), std::move(more).take());
  return b;
}

}  // namespace egret::incident
