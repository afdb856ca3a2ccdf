#pragma once
// `egret drill run` and, for other commands, the answer to a folder of logs without anything kept.
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "investigate/answer.h"

namespace egret::cli {

int drill_run(const std::vector<std::string>& args);
// In investigate.cc: rows in memory, the alert that is there or that the rules raise. Notes go to standard error.
Result<investigate::Answer> answer_folder(const std::string& folder, Ticks now);

}  // namespace egret::cli
