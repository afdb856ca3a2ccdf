#pragma once
// The answer as JSON, back again, and the JSON Schema that docs/answer.schema.json holds.
#include <string>
#include <string_view>

#include "base/result.h"
#include "investigate/answer.h"

namespace egret::investigate {

std::string answer_json(const Answer& answer, bool with_facts = false, int indent = 2);
Result<Answer> answer_from_json(std::string_view json);
std::string answer_schema();

}  // namespace egret::investigate
