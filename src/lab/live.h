#pragma once
// A scenario played for real: its fleet comes up, its timeline happens in compressed time, and what was logged is collected.
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "lab/evidence.h"
#include "lab/lab.h"

namespace egret::lab {

struct LiveOptions {
  LabOptions lab;
  double hours = 8;           // of the timeline, on the lab's clock
  double seconds = 10;        // really lived after each moment of it
  int quiet = 12;             // stretches of two seconds in between, so that the fleet's ordinary traffic is seen all along
  std::filesystem::path out;  // gets evidence/ and truth.json
  std::function<void(const std::string&)> tell = [](const std::string&) {};  // what happens now, one line each
};

struct Live {
  std::unique_ptr<Lab> lab;  // still up
  Evidence evidence;
  std::filesystem::path folder;              // of the evidence
  std::string owner;                         // who did it: namespace/Kind/name
  std::vector<std::string> owners;           // whom the answer may name
  std::vector<std::string> classifications;  // as the scenario expects it; any of them is right
  std::vector<std::string> triggers;
};

// When it fails, whatever was brought up is down again.
Result<Live> play(const LiveOptions& options);

}  // namespace egret::lab
