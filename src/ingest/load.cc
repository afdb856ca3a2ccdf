#include "ingest/load.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "capture/byte_source.h"
#include "ingest/cluster_survey.h"
#include "ingest/content.h"
#include "ingest/decoders.h"
#include "ingest/followed_folder.h"
#include "ingest/manifest.h"
#include "ingest/resource_id.h"
#include "ingest/row_sink.h"
#include "ingest/zip.h"
#include "model/catalogue.h"

namespace egret::ingest {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFiles = 1'000'000;
constexpr size_t kMostDepth = 64;
constexpr int kMostNested = 2;            // archives in archives
constexpr int64_t kWorthALook = 8 << 20;  // larger files may be of a format that is read from the disk

struct File {
  fs::path disk;
  std::string path;  // below its root
  bool single = false;
};

// Words that name a folder's content and not a cluster, with a space at each side.
constexpr std::string_view kGeneral =
    " logs log data evidence export exports azure alerts alert defender intel threat-intel threatintel ti feeds"
    " ranges provider-ranges flows flow-logs flowlogs firewall shared common global fleet network dns audit"
    " kubernetes kubectl k8s raw releases release portal log-analytics loganalytics workspace sentinel security"
    " security-alert misc other files input inputs keyvault key-vault activity zeek envoy istio coredns hub meta"
    " pipeline pipelines ci deployments azure-devops github incident before after baseline snapshot snapshots state"
    " edge ingress egress events pods nodes objects dump output results queries query flow nsg vnet azfw suricata"
    " tetragon falco hubble cilium calico diagnostics reports telemetry otel app apps var containers home tmp mnt root"
    " host downloads ";
// Of those, the words for a folder that only holds the rest: what lies below it may be named after a cluster.
constexpr std::string_view kHolders = " logs log data evidence export exports raw files input inputs incident output dump ";

bool is_one_of(std::string_view folder, std::string_view words) {
  return !folder.contains(' ') && words.contains(" " + to_lower(folder) + " ");
}

// The first folder of a path that is not a mere holder; empty: none.
std::string first_folder(std::string_view path) {
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    const std::string_view folder = path.substr(0, slash);
    if (!is_one_of(folder, kHolders)) return std::string(folder);
    path.remove_prefix(slash + 1);
  }
  return {};
}

// A day or an hour, as exports lay out their folders, or the folder of a pod as kubelet names it.
bool names_a_time_or_pod(std::string_view folder) {
  return folder.find_first_not_of("0123456789-_.TZ:") == std::string_view::npos || std::ranges::count(folder, '_') >= 2;
}

bool names_a_cluster(std::string_view folder) {
  if (folder.empty() || folder.contains('=') || folder.starts_with(".") || folder.starts_with("insights-") || folder.starts_with("am-"))
    return false;
  return !is_one_of(folder, kGeneral) && !names_a_time_or_pod(folder);
}

Result<void> list(const fs::path& given, std::vector<File>& files) {
  std::error_code ec;
  const auto status = fs::status(given, ec);
  if (ec || !fs::exists(status)) return usage_error(fmt::format("there is no file or folder {}", given.string()));
  if (!fs::is_directory(status)) {
    files.push_back({given, given.filename().string(), true});
    return {};
  }
  std::vector<File> found;
  auto it = fs::recursive_directory_iterator(given, fs::directory_options::skip_permission_denied, ec);
  if (ec) return unavailable(fmt::format("{} cannot be read: {}", given.string(), ec.message()));
  for (; it != fs::recursive_directory_iterator(); it.increment(ec)) {
    if (ec) break;
    const std::string name = it->path().filename().string();
    if (name.starts_with(".") || name == "__MACOSX" || static_cast<size_t>(it.depth()) > kMostDepth) {
      if (it->is_directory(ec)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(ec)) found.push_back({it->path(), it->path().lexically_relative(given).generic_string()});
    if (found.size() > kMostFiles)
      return usage_error(fmt::format("{} has more than {} files", given.string(), with_thousands(kMostFiles)),
                         "give a folder further down");
  }
  std::sort(found.begin(), found.end(), [](const File& a, const File& b) { return a.path < b.path; });
  files.insert(files.end(), found.begin(), found.end());
  return {};
}

std::string looks_like(std::string_view bytes) {
  if (is_zip(bytes)) return std::string(zip_of_what(bytes).empty() ? "a zip archive within archives" : zip_of_what(bytes));
  if (bytes.starts_with("\x7f"
                        "ELF"))
    return "a program";
  if (bytes.starts_with("PAR1")) return "a Parquet file";
  const std::string_view head = bytes.substr(0, 4096);
  const std::string_view t = trim(head);
  size_t odd = 0;
  for (const char c : head)
    odd += static_cast<unsigned char>(c) < 9 || (static_cast<unsigned char>(c) > 13 && static_cast<unsigned char>(c) < 32);
  if (odd * 20 > head.size()) return "binary data";
  if (t.starts_with("{") || t.starts_with("[")) return "JSON";
  if (t.starts_with("<")) return "XML or HTML";
  if (t.starts_with("apiVersion:") || t.starts_with("---")) return "YAML";
  const std::string_view line = t.substr(0, t.find('\n'));
  if (std::count(line.begin(), line.end(), ',') > 2) return "comma-separated values";
  return "text";
}

std::string unknown_hint(const std::vector<Guess>& guesses, std::string_view bytes) {
  if (bytes.starts_with("PK\x03\x04")) return "unpack it first";
  if (!guesses.empty()) {
    std::string near;
    for (size_t i = 0; i < guesses.size() && i < 3; ++i) near += (i ? ", " : "") + std::string(guesses[i].decoder->name);
    return fmt::format(
        "nearest formats: {}. If it is one of these, say so under `files` in evidence.yaml (kind: …) or with --kind; egret ingest "
        "--formats lists all",
        near);
  }
  return "egret ingest --formats lists what is understood; `kind` in evidence.yaml names the format of a file, `skip: true` leaves it out";
}

class Loader {
 public:
  Loader(RowStore& store, const LoadOptions& options)
      : store_(store), options_(options), writer_(store), sink_(writer_, options.now), next_id_(store.next_source_id) {}

  Result<Summary> run(const std::vector<fs::path>& paths) {
    TRY_VOID(read_time_zone());
    std::vector<File> files;
    for (const fs::path& p : paths) {
      const size_t before = files.size();
      TRY_VOID(list(p, files));
      if (files.size() == before)
        return usage_error(fmt::format("there is no file in {}", p.string()),
                           "it is empty: put exported logs there; egret collect --print shows the commands that export them");
      TRY_VOID(read_manifest(p));
    }
    for (const ClusterFacts& c : manifest_.clusters) {
      names_.push_back(c.cluster);
      sink_.cluster(c);
    }
    for (const File& f : files) {
      const std::string folder = f.single ? std::string() : first_folder(f.path);
      const std::string cluster = cluster_of_path(f.path);
      const bool by_id = !cluster.empty() && cluster != folder;
      survey_.add(f.disk, names_a_cluster(folder) ? folder : std::string(), by_id ? cluster : std::string());
    }
    for (const ClusterFacts& c : manifest_.clusters) survey_.name(c.cluster);
    for (const File& f : files)
      if (!f.single && survey_.behind(first_folder(f.path)).empty()) name_folder(f.path);
    only_ = survey_.only();
    known_.insert(store_.known.begin(), store_.known.end());
    for (size_t i = 0; i < files.size() && !writer_.failed(); ++i) {
      if (options_.progress) options_.progress(i, files.size(), files[i].path);
      one(files[i]);
    }
    if (options_.progress) options_.progress(files.size(), files.size(), {});
    return finish();
  }

  Result<Summary> run_pieces(const fs::path& root, std::vector<Piece>& pieces, const std::vector<std::string>& whole) {
    TRY_VOID(read_time_zone());
    TRY_VOID(read_manifest(root));
    for (const ClusterFacts& c : manifest_.clusters) names_.push_back(c.cluster);
    for (const Piece& p : pieces) name_folder(p.path);
    for (const std::string& path : whole) name_folder(path);
    known_.insert(store_.known.begin(), store_.known.end());
    for (Piece& p : pieces) piece(p);
    for (const std::string& path : whole) one({root / path, path});
    return finish();
  }

 private:
  Result<Summary> finish() {
    sink_.end(summary_);
    TRY_VOID(writer_.finish());
    for (const FileSummary& f : summary_.files)
      for (const auto& [table, n] : f.rows) summary_.rows[table] += n;
    return std::move(summary_);
  }

  Result<void> read_time_zone() {
    if (options_.time_zone.empty()) return {};
    TRY(local_, parse_local_time(options_.time_zone));
    return {};
  }

  void name_folder(std::string_view path) {
    if (const std::string folder = first_folder(path);
        names_a_cluster(folder) && std::find(names_.begin(), names_.end(), folder) == names_.end())
      names_.push_back(folder);
  }

  // Told once: which files were taken as whose, though nothing in them says so.
  void settle(Source& source) {
    if (source.cluster.empty() && !only_.empty()) {
      source.cluster = only_;
      sink_.note(fmt::format("rows that name no cluster are taken as {}'s, the only one that is named", only_));
    }
    if (!source.cluster.empty()) source.cluster = spelled(source.cluster, source);
  }

  // As cluster_of_path(), where a folder of another name holds files of one cluster only: that cluster.
  std::string cluster_of(const std::string& path) const {
    std::string cluster = cluster_of_path(path);
    if (!cluster.empty() && cluster == first_folder(path))
      if (const std::string real = survey_.behind(cluster); !real.empty()) return real;
    return cluster;
  }

  Source source_of(std::string path, std::string cluster, Ticks modified_at) const {
    Source source;
    source.path = std::move(path);
    source.cluster = std::move(cluster);
    source.clusters = &names_;
    source.read_at = options_.now;
    source.modified_at = modified_at;
    source.utc_offset = local_.utc_offset;
    source.zone = local_.zone;
    return source;
  }

  void piece(Piece& p) {
    Source source = source_of(p.path, cluster_of_path(p.path), p.modified_at);
    if (!apply(manifest_, source)) return;
    if (!source.cluster.empty()) source.cluster = spelled(source.cluster, source);
    source.bytes = p.bytes;
    FileSummary s;
    s.path = p.path;
    s.cluster = source.cluster;
    s.bytes = p.bytes.size();
    const Decoder* decoder = find_decoder(p.decoder);
    s.format = decoder ? p.decoder : "unknown";
    const bool fresh = p.source_id == 0;
    if (fresh) p.source_id = next_id_++;
    sink_.begin_file(s, p.source_id, s.format);
    for (std::string& trouble : p.troubles) sink_.error(0, std::move(trouble), {}, {});
    if (decoder && !p.bytes.empty()) decoder->decode(source, sink_);
    sink_.end_file();
    if (fresh) record(s, p.source_id);
    summary_.files.push_back(std::move(s));
  }

  Result<void> read_manifest(const fs::path& root) {
    std::error_code ec;
    if (!fs::is_directory(root, ec)) return {};
    for (const char* name : {"evidence.yaml", "evidence.yml"}) {
      if (!fs::exists(root / name, ec)) continue;
      TRY(const Content c, read_content(root / name, 16u << 20));
      TRY(Manifest m, parse_manifest(c.bytes, (root / name).string()));
      manifest_.clusters.insert(manifest_.clusters.end(), m.clusters.begin(), m.clusters.end());
      manifest_.files.insert(manifest_.files.end(), m.files.begin(), m.files.end());
    }
    return {};
  }

  void one(const File& file) {
    const std::string name = file.disk.filename().string();
    struct stat st{};
    const Ticks modified = ::stat(file.disk.c_str(), &st) == 0 ? ticks_from_unix_seconds(st.st_mtime) : 0;
    Source source =
        source_of(file.path, cluster_of(file.single ? fs::absolute(file.disk).generic_string().insert(0, "/logs") : file.path), modified);
    if (name == "evidence.yaml" || name == "evidence.yml") {
      FileSummary s;
      s.path = file.path;
      s.format = "manifest";
      summary_.files.push_back(std::move(s));
      return;
    }
    if (!apply(manifest_, source)) {
      FileSummary s;
      s.path = file.path;
      s.format = "skipped";
      summary_.files.push_back(std::move(s));
      return;
    }
    settle(source);
    if (st.st_size > kWorthALook && from_disk(file, source, static_cast<uint64_t>(st.st_size))) return;
    auto content = read_content(file.disk);
    if (!content) {
      FileSummary s;
      s.path = file.path;
      s.format = "unknown";
      s.cluster = source.cluster;
      sink_.begin_file(s, 0, "unknown");
      sink_.error(0, content.error().message, {}, {});
      sink_.end_file();
      summary_.files.push_back(std::move(s));
      return;
    }
    one_content(source, *content, 0);
  }

  // A file, or a member of an archive. Archives are opened in place, and those in them once more.
  void one_content(Source& source, Content& content, int depth) {
    const bool zip = is_zip(content.bytes) && zip_of_what(content.bytes).empty();
    if (depth < kMostNested && (zip || is_tar(content.bytes)))
      archive(source, content, depth, zip);
    else
      decode(source, content);
  }

  void archive(const Source& source, Content& content, int depth, bool zip) {
    const std::string bytes = std::move(content.bytes);
    FileSummary whole;
    whole.path = source.path;
    whole.format = "archive";
    whole.bytes = content.disk_bytes;
    whole.sha256 = content.sha256;
    whole.cluster = source.cluster;
    const auto wrong = [&](std::string reason, std::string hint) {
      sink_.begin_file(whole, 0, "archive");
      sink_.error(0, std::move(reason), {}, std::move(hint));
      sink_.end_file();
    };
    if (!content.trouble.empty()) wrong(content.trouble, "copy or export it again");
    const auto member = [&](Member m) {
      const size_t slash = m.path.rfind('/');
      if (m.path.starts_with("__MACOSX/") || std::string_view(m.path).substr(slash == std::string::npos ? 0 : slash + 1).starts_with("."))
        return;
      Content c;
      c.disk_bytes = m.bytes.size();
      c.sha256 = sha256_hex(m.bytes);
      c.bytes = std::move(m.bytes);
      unpack(c);
      Source inner = source;
      inner.path = source.path + "/" + m.path;
      if (inner.cluster.empty()) inner.cluster = cluster_of_path(m.path);
      one_content(inner, c, depth + 1);
    };
    const std::string trouble = zip ? each_zip_member(bytes, {}, member, [&](std::string reason) { wrong(std::move(reason), {}); })
                                    : each_tar_member(bytes, member);
    if (!trouble.empty()) wrong(trouble, "copy or export it again");
    summary_.files.push_back(std::move(whole));
  }

  // Files larger than memory, of a format that can be read piece by piece. False: read it as any other.
  bool from_disk(const File& file, const Source& source, uint64_t bytes) {
    const std::string& kind = source.kind.empty() ? options_.format : source.kind;
    const Decoder* decoder = kind.empty() ? nullptr : find_decoder(kind);
    if (!kind.empty() && !(decoder && decoder->decode_file)) return false;
    if (!decoder) {
      auto peek = capture::ByteSource::open(file.disk);
      if (!peek) return false;
      peek->fill(64 * 1024);
      const std::string_view head = capture::as_text({peek->data(), peek->available()});
      for (const Decoder* d : decoders())
        if (d->decode_file && d->recognise(head, source.path) >= kSureEnough) decoder = d;
      if (!decoder) return false;
    }
    FileSummary s;
    s.path = source.path;
    s.cluster = source.cluster;
    s.bytes = bytes;
    auto sha256 = file_sha256(file.disk);
    if (!sha256) return false;
    s.sha256 = std::move(*sha256);
    if (!known_.insert(s.sha256 + " " + source.cluster).second) {
      s.format = "repeated";
      summary_.files.push_back(std::move(s));
      return true;
    }
    s.format = std::string(decoder->name);
    const int id = next_id_++;
    sink_.begin_file(s, id, s.format);
    decoder->decode_file(source, file.disk, sink_);
    sink_.end_file();
    record(s, id);
    summary_.files.push_back(std::move(s));
    return true;
  }

  void decode(Source& source, Content& content) {
    FileSummary s;
    s.path = source.path;
    s.cluster = source.cluster;
    s.bytes = content.disk_bytes;
    s.sha256 = content.sha256;
    // The same file of the same cluster again: nothing new in it.
    if (!content.bytes.empty() && !known_.insert(content.sha256 + " " + source.cluster).second) {
      s.format = "repeated";
      summary_.files.push_back(std::move(s));
      return;
    }
    source.bytes = content.bytes;
    const Decoder* decoder = nullptr;
    std::vector<Guess> guesses;
    const std::string& kind = source.kind.empty() ? options_.format : source.kind;
    if (!kind.empty()) {
      decoder = find_decoder(kind);
      if (!decoder && model::find_table(kind)) {
        source.kind = kind;
        decoder = find_decoder("log-analytics");
      }
    } else {
      guesses = recognise(content.bytes, source.path);
      if (!guesses.empty() && guesses[0].score >= kSureEnough) decoder = guesses[0].decoder;
    }
    s.format = decoder ? std::string(decoder->name) : "unknown";
    const int id = next_id_++;
    sink_.begin_file(s, id, s.format);
    if (!content.trouble.empty())
      sink_.error(0, content.trouble, {}, "what could be read was taken; copy or export the file again for the rest");
    if (trim(content.bytes.substr(0, 4096)).empty() && content.bytes.size() < 4096) {
      // A segment may have lost its rows to whoever cut it to a stretch of time: nothing is wrong with it.
      const bool segment = is_segment_name(source.path.substr(source.path.rfind('/') + 1));
      s.format = segment ? "sensor-segment" : "empty";
      if (content.trouble.empty() && !segment) sink_.error(0, "the file is empty", {}, {});
    } else if (decoder) {
      decoder->decode(source, sink_);
    } else {
      sink_.error(0, fmt::format("the format is not known ({})", looks_like(content.bytes)), std::string_view(content.bytes).substr(0, 200),
                  unknown_hint(guesses, content.bytes));
    }
    sink_.end_file();
    record(s, id);
    summary_.files.push_back(std::move(s));
  }

  void record(const FileSummary& s, int id) {
    model::Batch& b = sink_.rows("EgretSources");
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), options_.now);
    b.set_int(b.column("SourceId"), id);
    b.set_string(b.column("File"), s.path);
    b.set_string(b.column("Format"), s.format);
    b.set_string(b.column("Cluster"), s.cluster);
    if (s.sha256.empty()) return;  // a file that is followed has no end yet
    b.set_string(b.column("Sha256"), s.sha256);
    b.set_int(b.column("Bytes"), static_cast<int64_t>(s.bytes));
    uint64_t rows = 0;
    for (const auto& [table, n] : s.rows)
      if (table != "EgretIngestErrors") rows += n;
    b.set_int(b.column("Rows"), static_cast<int64_t>(rows));
    b.set_int(b.column("Errors"), static_cast<int64_t>(s.error_count()));
  }

  RowStore& store_;
  const LoadOptions& options_;
  Writer writer_;
  RowSink sink_;
  Manifest manifest_;
  LocalTime local_;
  std::vector<std::string> names_;
  ClusterSurvey survey_;
  std::string only_;  // the cluster of files that name none, or ''
  std::set<std::string> known_;
  int next_id_;
  Summary summary_;
};

uint64_t sum(const std::map<std::string, uint64_t>& counts, bool without_errors) {
  uint64_t n = 0;
  for (const auto& [name, count] : counts)
    if (!without_errors || name != "EgretIngestErrors") n += count;
  return n;
}

}  // namespace

Result<void> check_format(const std::string& format) {
  if (!format.empty() && !find_decoder(format) && !model::find_table(format)) {
    std::vector<std::string> names = model::table_names();
    for (const Decoder* d : decoders()) names.emplace_back(d->name);
    const std::string near = near_name(format, names);
    return usage_error(fmt::format("'{}' is neither a format nor a table", format),
                       near.empty() ? "egret ingest --formats lists the formats" : fmt::format("did you mean '{}'?", near));
  }
  return {};
}

uint64_t FileSummary::row_count() const { return sum(rows, true); }
uint64_t FileSummary::error_count() const { return sum(errors, false); }
uint64_t Summary::row_count() const { return sum(rows, true); }
uint64_t Summary::error_count() const {
  uint64_t n = 0;
  for (const FileSummary& f : files) n += f.error_count();
  return n;
}
uint64_t Summary::unknown_files() const {
  return static_cast<uint64_t>(std::count_if(files.begin(), files.end(), [](const FileSummary& f) { return f.format == "unknown"; }));
}

std::string cluster_of_path(std::string_view path) {
  const Source nobody;
  if (std::string name = cluster_of_id("/" + std::string(path), nobody); !name.empty()) return name;
  const std::string folder = first_folder(path);
  return names_a_cluster(folder) ? folder : std::string();
}

Result<Summary> load_pieces(RowStore& store, const fs::path& root, std::vector<Piece>& pieces, const std::vector<std::string>& whole,
                            const LoadOptions& options) {
  return Loader(store, options).run_pieces(root, pieces, whole);
}

Result<Summary> load(RowStore& store, const std::vector<fs::path>& paths, const LoadOptions& options) {
  TRY_VOID(check_format(options.format));
  return Loader(store, options).run(paths);
}

}  // namespace egret::ingest
