#pragma once
// Doing one step of a script for real, and the line of truth about it.
#include <string>

#include "labpod/log.h"
#include "labpod/net.h"
#include "labpod/script.h"

namespace egret::labpod {

struct Place {
  Endpoint resolver;
  std::string who;  // namespace/pod, for the truth
  Log* truth = nullptr;
};

// One connection or datagram. Writes {"start","end","who","protocol","local","remote","name","sent","received","result"} as a line of
// JSON: result is "ok" or a failure_name; bytes are payload. Returns the result.
std::string do_once(const Step& step, const Place& place);
// All steps, over and over as they say, beside each other. Returns when none is left.
void do_all(const std::vector<Step>& steps, const Place& place);
Result<Place> place_from(const class Arguments& arguments, Log& truth);
double drawn(Span span);
void sleep_for(double seconds);

}  // namespace egret::labpod
