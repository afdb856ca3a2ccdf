// Segments of the sensor's spool (docs/formats/sensor-segments.md): rows of any table as JSON lines, numbered by the sensor that wrote
// them. The numbers are the follower's business (follow.h); here they are only no columns.
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_cell.h"
#include "ingest/json_dom.h"
#include "ingest/json_file.h"
#include "ingest/table_rows.h"

namespace egret::ingest {
namespace {

void decode(const Source& source, Sink& sink) {
  TableRows rows(source, sink);
  std::string scratch;
  each_record(source, sink, [&](const js::Element& e, std::string_view text, uint64_t line) {
    if (!e.is_object()) return sink.error(line, "a record must be a JSON object", text);
    const std::string_view table = js::text(e, "Type");
    if (!rows.knows(table)) return sink.error(line, "no table has the name that Type gives", text, "a newer sensor needs a newer egret");
    rows.begin(table);
    js::each_member(e, [&](std::string_view key, const js::Element& value) {
      if (key != "Type" && key != "_Sensor" && key != "_Sequence") rows.set(key, cell_of(value, scratch));
    });
    rows.end(line, text);
  });
}

int recognise(std::string_view head, std::string_view) { return json_with(head, {"\"Type\":", "\"_Sensor\":", "\"_Sequence\":"}) ? 99 : 0; }

}  // namespace

extern const Decoder kSensorSegment;
const Decoder kSensorSegment{"sensor-segment", "segments of the sensor's spool: numbered rows as JSON lines", "any", recognise, decode};

}  // namespace egret::ingest
