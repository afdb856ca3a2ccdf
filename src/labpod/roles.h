#pragma once
// What a process of the lab can be. A role runs until it is killed or its work is done, and returns an exit code.
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace egret::labpod {

// Options as --key value pairs; a key may be repeated.
class Arguments {
 public:
  static Result<Arguments> parse(std::span<char*> words);
  std::string text(std::string_view key, std::string_view otherwise = "") const;
  int64_t number(std::string_view key, int64_t otherwise) const;  // exits with a message where it is no number
  std::vector<std::string> all(std::string_view key) const;

 private:
  std::multimap<std::string, std::string, std::less<>> values_;
};

struct Role {
  std::string_view name, summary;
  int (*run)(const Arguments&);
};
std::span<const Role> roles();

int resolver(const Arguments& arguments);  // each in the file of its name
int web(const Arguments& arguments);
int c2(const Arguments& arguments);
int metadata(const Arguments& arguments);
int shop(const Arguments& arguments);
int client(const Arguments& arguments);
int agent(const Arguments& arguments);
int border(const Arguments& arguments);
int pause(const Arguments& arguments);

// Prints why a role cannot go on; returns its exit code.
int give_up(const Error& error);

}  // namespace egret::labpod
