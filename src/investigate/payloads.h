#pragma once
// What requests to the owner carried, decoded layer by layer, with the files that show them: packets before logs.
#include <vector>

#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/judgement.h"
#include "store/engine.h"

namespace egret::investigate {

Result<void> find_payloads(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& answer);

// The list for a reader: what is the same in several files is told once, with all of them; what no honest caller asks for first.
struct ToldPayload {
  const CarriedPayload* example;      // of packets where there are any
  Ticks first;                        // of all files
  std::vector<std::string> shown_by;  // "capture/pay.pcapng (packet-capture, 3 requests)", in the order of the answer
};
std::vector<ToldPayload> told_payloads(const Answer& answer);

}  // namespace egret::investigate
