#pragma once
// What a decoder is: it recognises a format by its content and turns bytes into rows. Malformed input becomes rows of
// EgretIngestErrors, never a crash, and never costs the good rows around it.
//
// To add one: write NAME.cc with a `const Decoder kName` at its end, add a line to decoders.cc, a fuzz seed, a data test.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ingest/times.h"
#include "model/batch.h"

namespace egret::ingest {

// What is known of a file besides its bytes. Rows that name their cluster win over this.
struct Source {
  std::string path;                // below the folder that was given, as shown to the user
  std::string_view bytes;          // decompressed, without byte-order mark, UTF-8; lives until decode() returns
  std::string cluster;             // from evidence.yaml or the folder under the root; may be empty
  std::string region;              // from evidence.yaml; may be empty
  std::string kind;                // what evidence.yaml says that the file is (a decoder's or table's name); may be empty
  Ticks utc_offset = 0;            // of local times in it, from evidence.yaml
  bool month_first = true;         // M/D/YYYY; a portal in another language writes D/M/YYYY
  const TimeZone* zone = nullptr;  // of local times, likewise; wins over utc_offset
  Ticks read_at = 0;
  Ticks modified_at = 0;  // the file's own time, for exports that say none; 0 when unknown
  // Spellings of all clusters of the load, since ARM writes names in any case; see resource_id.h.
  const std::vector<std::string>* clusters = nullptr;

  TimeForm time_form() const { return {utc_offset, month_first, zone}; }
};

// One statement of EgretCoverage; the sink joins those of one cluster, scope, name and source, and adds their rows up.
struct Coverage {
  std::string cluster, scope = "cluster", name, source, table;
  Ticks from = 0, to = 0;
  double completeness = 1;
  int64_t rows = 1;
};

// What a row or file says of a cluster as a whole; the sink joins them to one EgretClusters row a cluster.
struct ClusterFacts {
  std::string cluster, region = {}, resource_id = {}, subscription = {}, node_resource_group = {}, pod_cidr = {}, source = {};
  std::vector<std::string> egress_ips = {};
};

class Sink {
 public:
  virtual ~Sink() = default;
  // The batch to add rows of that table to. It may be flushed and replaced at any later call of rows(): ask again per record
  // (the lookup is cached for a repeated name), and keep column numbers, which never change.
  virtual model::Batch& rows(std::string_view table) = 0;
  // As rows(), for a table whose shape the decoder made itself (columns of AzureDiagnostics that the catalogue does not list).
  virtual void append(model::Batch /*batch*/) {}
  virtual void error(uint64_t line, std::string reason, std::string_view beginning, std::string hint = {}) = 0;
  virtual void covered(const Coverage& c) = 0;
  virtual void cluster(const ClusterFacts& /*facts*/) {}
  // Something worth saying once in the summary that costs no row ("3 columns that SecurityAlert does not have were left out: …").
  // Equal notes are counted.
  virtual void note(std::string /*text*/) {}
  // False when exactly these bytes were already seen in this load under that name (exports repeat rows).
  virtual bool first_time(std::string_view /*name*/, std::string_view /*record*/) { return true; }
};

struct Decoder {
  std::string_view name;     // "vnet-flow"
  std::string_view summary;  // for `egret ingest --formats` and the docs
  std::string_view tables;   // those that it fills, comma-separated
  // How sure it is that the file is its own: 0 no … 100 certain. Sees the first 64 KiB and the path; must be cheap.
  int (*recognise)(std::string_view head, std::string_view path);
  void (*decode)(const Source& source, Sink& sink);
  // Of formats whose files may be larger than memory: decodes from the disk (source.bytes is empty); null when there is no such way.
  void (*decode_file)(const Source& source, const std::filesystem::path& file, Sink& sink) = nullptr;
  // Its lines of text stand for themselves (after a header of '#' lines), so that a log can be read as it grows. JSON lines always do.
  bool line_by_line = false;
};

}  // namespace egret::ingest
