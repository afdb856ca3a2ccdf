#pragma once
// The plan: steps of content/playbooks for the classification, with the values of the case put in.
//
//   id: contain-and-recover
//   classification: [TruePositive]
//   steps:
//     - action: block-address
//       needs: [address]              # left out when one of these is not known
//       without: [node_group]         # left out when one of these is known
//       for_each: credential:Secret   # once for each: credential:KIND, configuration, other_cluster, or also_cluster
//                                     # (where the owner made the contact, too)
//       target, cluster, effect, approval: text with {{value}}
//       blast: KQL                    # Flows, Workloads, Summary: whom it would have hurt; reads the case's tables
//       says: text                    # instead of blast, where flows cannot tell
//       apply, verify, undo: commands # {{value}} is a plain word, or quoted for the shell; {{value!}} is put in as it is
#include <map>
#include <string>
#include <vector>

#include "base/embedded.h"
#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/case_tables.h"
#include "store/engine.h"

namespace egret::investigate {

using Values = std::map<std::string, std::string, std::less<>>;

struct Step {
  std::string action, target, cluster, effect, approval, for_each, blast, says;
  std::vector<std::string> needs, without, apply, verify, undo;
};

struct Playbook {
  std::string id, file;
  std::vector<std::string> classifications;
  std::vector<Step> steps;
};

Result<Playbook> parse_playbook(const ContentFile& file);
Result<std::vector<Playbook>> load_playbooks();

// {{name}} replaced. In a command a value that is no plain word is quoted for the shell.
std::string fill(const std::string& text, const Values& values, bool command);
std::string shell_quote(const std::string& text);

// What the case knows, by the names that playbooks use. Names of objects that are no plain words are left out: they come from logs,
// and a command made of them could do anything.
Values case_values(const Answer& answer);

Result<void> make_plan(store::Engine& engine, Ticks now, const CaseTables& tables, Answer& answer);

}  // namespace egret::investigate
