#include "sensor/process_rows.h"

#include <fmt/format.h>

namespace egret::sensor {

void ProcessWriter::executed(const ProcessEvent& e) {
  const Identity& identity = c_.owners->of(e.owner);
  if (!identity.ours) return;
  Process& p = c_.processes->executed(e);
  if (which_ == ProcessRows::kAll) write(p, e.owner, identity, "ProcessCreated", c_.clock.wall(e.header.time), -1);
}

void ProcessWriter::exited(const ProcessEvent& e) {
  const Identity& identity = c_.owners->of(e.owner);
  if (!identity.ours) return;
  Process* p = c_.processes->exited(e);
  if (p && p->reported) write(*p, e.owner, identity, "ProcessTerminated", c_.clock.wall(e.header.time), static_cast<int>(e.exit_code));
}

void ProcessWriter::on_network(const Owner& owner, const Identity& identity) {
  if (which_ != ProcessRows::kNetwork || owner.pid == 0) return;
  Process& p = c_.processes->of(owner);
  if (!p.reported) write(p, owner, identity, "ProcessCreated", c_.clock.wall(p.start), -1);
}

void ProcessWriter::write(Process& p, const Owner& owner, const Identity& identity, std::string_view what, Ticks time, int exit_code) {
  p.reported = true;
  Row row("ASimProcessEventLogs", time);
  row.text("EventVendor", "Egret")
      .text("EventProduct", "sensor")
      .text("EventType", what)
      .text("EventResult", "Success")
      .number("EventCount", 1);
  row.time("EventStartTime", time).time("EventEndTime", time).text("DvcHostname", c_.node);
  row.text("TargetProcessName", p.path.empty() ? p.name : p.path).text("TargetProcessId", fmt::format("{}", p.pid));
  row.text("TargetProcessCommandLine", p.command_line).time("TargetProcessCreationTime", c_.clock.wall(p.start));
  row.text("ActorUserId", fmt::format("{}", p.uid));
  if (p.parent) {
    row.text("ActingProcessId", fmt::format("{}", p.parent));
    row.text("ActingProcessName", p.parent_path.empty() ? p.parent_name : p.parent_path);
    if (const Process* parent = c_.processes->find(p.parent); parent && parent->parent) {
      row.text("ParentProcessId", fmt::format("{}", parent->parent)).text("ParentProcessName", parent->parent_name);
    }
  }
  // wait(2)'s form: the exit status in the second byte, the signal in the first.
  if (exit_code >= 0)
    row.text("TargetProcessStatusCode", fmt::format("{}", (exit_code & 0x7f) ? 128 + (exit_code & 0x7f) : exit_code >> 8 & 0xff));
  (void)owner;
  add_owner(row, c_, identity, p.name);
  c_.out->add(row);
}

}  // namespace egret::sensor
