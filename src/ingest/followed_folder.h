#pragma once
// What is new in a folder since it was looked at before, and where each file stands. Three kinds of files:
//
//   segments  numbered rows of a sensor (docs/formats/sensor-segments.md): taken without the rows that were taken already
//   growing   logs whose lines stand for themselves: what was added, up to the last line end
//   whole     everything else (JSON documents, CSV, archives): once, when the file has rested for a while
//
// A growing file is known by its first line and by what stands before the place up to which it was read, not by its name: renaming,
// copying and truncating is what rotation does. The state is text, to be kept in one commit with the rows that it tells of.
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/load.h"

namespace egret::ingest {

class FollowedFolder {
 public:
  // Names of facts begin so.
  static constexpr std::string_view kPrefix = "follow:";

  struct Options {
    std::string format;          // read growing and whole files as this, whatever they look like
    int64_t rest_seconds = 3;    // a whole file that did not change for so long is complete
    int64_t line_seconds = 30;   // likewise a last line without its end
    uint64_t bytes = 16u << 20;  // of one round, about
  };

  // Everything that one commit takes in.
  struct Round {
    std::vector<Piece> pieces;
    std::vector<std::string> whole;               // paths below the folder
    std::vector<std::filesystem::path> segments;  // to be removed after the commit, if at all
    std::map<std::string, int64_t> sequences;     // by sensor, after the commit
    struct Place {
      uint64_t offset = 0;
      std::string check;  // hash of the bytes before the offset
    };
    std::map<std::string, Place> places;  // of growing files, by key
    uint64_t bytes = 0;
    uint64_t repeated = 0;  // rows that were left out because they are there
    bool more = false;      // the bound was reached: look again at once
    bool empty() const { return pieces.empty() && whole.empty() && segments.empty(); }
  };

  // facts: what an earlier process remembered under kPrefix.
  FollowedFolder(std::filesystem::path folder, const std::map<std::string, std::string>& facts, Options options);

  // What came since the last round that was settled. now: seconds since 1970, to see whether a file rests.
  Result<Round> look(int64_t now);
  // What to remember when the round is committed; its pieces must have their source ids.
  std::map<std::string, std::string> facts(const Round& round) const;
  // The round is committed: the state moves on.
  void settle(const Round& round);

 private:
  struct Growing : Round::Place {
    int source_id = 0;
  };
  struct Sensor {
    int64_t sequence = 0;
    int source_id = 0;
  };
  struct Seen {  // a file as it lay there, so that nothing is read twice
    uint64_t size = 0;
    int64_t modified = 0;  // nanoseconds
    int64_t since = 0;
    bool taken = false;
  };
  struct File {
    std::filesystem::path disk;
    std::string path;  // below the folder
    uint64_t size = 0;
    int64_t modified = 0;
  };
  Result<std::vector<File>> list() const;
  void take_segment(const File& file, Round& round);
  void take_other(const File& file, int64_t now, Round& round);
  bool take_growing(const File& file, std::string_view head, const std::string& decoder, bool line_is_whole, Round& round);

  std::filesystem::path folder_;
  Options options_;
  std::map<std::string, Sensor> sensors_;   // by _Sensor
  std::map<std::string, Growing> growing_;  // by key
  std::map<std::string, Seen> seen_;        // by path
};

// Whether a file of this name is a finished segment of a sensor (docs/formats/sensor-segments.md).
bool is_segment_name(std::string_view name);

// The sensor and number of a line of a segment; false when it is none. Neither member can stand inside a text of the line, whose quotes
// would be escaped.
bool numbers_of_line(std::string_view line, std::string_view& sensor, int64_t& sequence);

}  // namespace egret::ingest
